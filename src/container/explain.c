/*
 * explain: shows the plan of a create, and changes nothing. spec: a configuration to begin with.
 */
#include <unistd.h>

#include "container/bundle.h"
#include "spec/template.h"
#include "state/store.h"

int container_explain(struct creel *c, const char *id, const struct creel_create *o,
		      const char **ret, struct err *e)
{
	struct bundle bundle = {0};
	struct plan *plan;

	if (store_check_id(id, e) || bundle_load(c, o, &bundle, e) ||
	    bundle_plan(c, id, o, &bundle, true, &plan, e))
		return -1;
	return plan_print(plan, &c->arena, ret, e);
}

int container_template(struct creel *c, bool rootless, const char **ret, struct err *e)
{
	struct spec_template options = {.rootless = rootless, .uid = geteuid(), .gid = getegid()};
	struct cgroup_host host;
	struct str text;

	if (cgroup_detect(false, &c->arena, &host, e))
		return -1;
	options.cgroup_v2 = host.layout == CGROUP_V2;
	str_init(&text, &c->arena);
	spec_template(&options, &text);
	*ret = str_end(&text, e);
	return *ret ? 0 : -1;
}
