/*
 * update: changes the limits of a container, all that were asked for or none. What is in force
 * afterwards is what the cgroup says; no copy is kept that could say something else.
 */
#include <string.h>

#include "container/status.h"
#include "spec/decode.h"

#define RESOURCES "/linux/resources" /* where the document would be in config.json */

static int check(const struct container *ct, struct err *e)
{
	if (!ct->pid)
		return err_set(e, ERR_STATE, "container not running");
	if (!ct->cgroup.count)
		return err_set(e, ERR_UNSUPPORTED,
			       "container %s has no cgroup: there are no limits to change", ct->id);
	return 0;
}

/* What runc says where the processor, or the container, has nothing of it. */
static int refuse_rdt(const struct creel_update *o, struct err *e)
{
	if (o->l3_cache_schema)
		return err_set(e, ERR_UNSUPPORTED, "Intel RDT/CAT: l3 cache schema is not enabled");
	if (o->mem_bw_schema)
		return err_set(e, ERR_UNSUPPORTED,
			       "Intel RDT/MBA: memory bandwidth schema is not enabled");
	return 0;
}

static int read_change(struct creel *c, const struct creel_update *o, struct json_input *input,
		       struct spec_resources **ret, struct err *e)
{
	const char *text = o->resources ? o->resources : "{}";

	*input = (struct json_input){
		.name = o->name ? o->name : "resources",
		.length = strlen(text),
		.arena = &c->arena,
		.log = &c->log,
	};
	input->text = arena_copy(&c->arena, text, input->length, e);
	if (!input->text)
		return -1;
	if (spec_decode_resources(input, ret, e))
		return e->pointer[0] ? err_in(e, RESOURCES) : -1;
	if ((*ret)->memory.kernel.set || (*ret)->memory.kernel_tcp.set)
		log_add(&c->log, LOG_LEVEL_WARNING,
			"Kernel memory settings are ignored and will be removed");
	return 0;
}

static int change_limits(struct creel *c, const struct container *ct, struct spec_resources *change,
			 struct err *e)
{
	struct cgroup_settings settings;
	struct cgroup_host host;
	struct spec *spec;

	return container_config(c, ct, &spec, e) ||
			       cgroup_complete(&ct->cgroup, spec->linux_.resources, change, e) ||
			       cgroup_host_of(&ct->cgroup, &c->arena, &host, e) ||
			       cgroup_settings(&host, change, &c->arena, &settings, e) ||
			       cgroup_update(&ct->cgroup, &ct->unit, &settings, &c->arena, e)
		       ? -1
		       : 0;
}

/*
 * The place in the document, whose pointers begin where that of resources in config.json ends. One
 * without a name was written by nobody who could look the place up.
 */
static void explain(const struct creel_update *o, const struct json_input *input, struct err *e)
{
	size_t prefix = strlen(RESOURCES);

	if (!str_starts(e->pointer, RESOURCES))
		return;
	memmove(e->pointer, e->pointer + prefix, strlen(e->pointer + prefix) + 1);
	if (o->name) {
		spec_point(input, e);
		err_in(e, RESOURCES);
	} else {
		e->pointer[0] = '\0';
	}
}

static int update_open(struct creel *c, const struct container *ct, const struct creel_update *o,
		       struct err *e)
{
	struct spec_resources *change;
	struct json_input input;

	if (check(ct, e) || refuse_rdt(o, e) || read_change(c, o, &input, &change, e))
		return -1;
	if (!change_limits(c, ct, change, e))
		return 0;
	explain(o, &input, e);
	return -1;
}

int container_update(struct creel *c, const char *id, const struct creel_update *o, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, true, &ct, e))
		return -1;
	failed = update_open(c, &ct, o, e);
	container_close(&ct);
	return failed;
}
