/*
 * Chapter "intelRdt" of a plan: which resctrl group the container is in. Source: runtime-spec
 * config-linux.md "IntelRdt".
 */
#include <string.h>

#include "base/str.h"
#include "plan/steps.h"

#define POINTER "/linux/intelRdt"

/* Each line of text with its newline; those of bandwidth only where no other field has them. */
static void add_lines(struct str *out, const char *text, bool bandwidth)
{
	while (text && *text) {
		size_t length = strcspn(text, "\n");

		if (length && (bandwidth || !str_starts(text, "MB:"))) {
			str_add_bytes(out, text, length);
			str_add_char(out, '\n');
		}
		text += length + (text[length] == '\n');
	}
}

/* NULL when there are none. */
static int join_schemata(struct steps *s, const struct spec_intel_rdt *rdt, const char **ret,
			 struct err *e)
{
	struct str text;

	str_init(&text, s->arena);
	add_lines(&text, rdt->l3_cache_schema, !rdt->mem_bw_schema);
	add_lines(&text, rdt->mem_bw_schema, true);
	for (size_t i = 0; i < rdt->schemata.count; i++)
		add_lines(&text, rdt->schemata.item[i], true);
	if (!str_end(&text, e))
		return -1;
	*ret = text.length ? text.text : NULL;
	return 0;
}

static int refuse(struct err *e, const char *member, const char *text)
{
	err_set(e, ERR_UNSUPPORTED, "%s", text);
	return err_in(e, POINTER "%s", member);
}

static int check_host(const struct spec_intel_rdt *rdt, const struct resctrl_host *host,
		      struct err *e)
{
	if (!host->mounted) {
		refuse(e, "", "intelRdt is specified in config, but Intel RDT is not enabled");
		return err_hint(e, "it takes a processor with RDT and resctrl mounted on %s",
				RESCTRL_MOUNT);
	}
	if (rdt->l3_cache_schema && !host->l3)
		return refuse(e, "/l3CacheSchema",
			      "intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT "
			      "is not enabled");
	if (rdt->mem_bw_schema && !host->mb)
		return refuse(e, "/memBwSchema",
			      "intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is "
			      "not enabled");
	return 0;
}

static struct resctrl_group *place(struct steps *s, const struct spec_intel_rdt *rdt,
				   const char *id, struct err *e)
{
	struct resctrl_group *group = arena_get(s->arena, sizeof(*group), e);
	const char *name = rdt->clos_id ? rdt->clos_id : id;

	if (!group)
		return NULL;
	*group = (struct resctrl_group){.root = RESCTRL_MOUNT, .own = !rdt->clos_id};
	group->path = str_equal(name, "/") ? RESCTRL_MOUNT
					   : arena_format(s->arena, e, RESCTRL_MOUNT "/%s", name);
	if (!group->path || join_schemata(s, rdt, &group->schemata, e))
		return NULL;
	if (!rdt->enable_monitoring.value)
		return group;
	group->monitor = arena_format(s->arena, e, "%s/mon_groups/%s", group->path, id);
	return group->monitor ? group : NULL;
}

int build_rdt(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct spec_intel_rdt *rdt = s->spec->linux_.intel_rdt;
	struct step *step;

	if (!rdt)
		return 0;
	if (check_host(rdt, &s->facts->resctrl, e))
		return -1;
	s->plan->rdt = place(s, rdt, request->id, e);
	step = s->plan->rdt ? steps_add(s, STEP_RDT_MAKE, POINTER, e) : NULL;
	if (!step)
		return -1;
	step->rdt = s->plan->rdt;
	return steps_add(s, STEP_RDT_JOIN, POINTER, e) ? 0 : -1;
}

int build_rdt_exec(struct steps *s, const struct resctrl_group *known, struct err *e)
{
	struct resctrl_group *group;
	struct step *step;

	if (!known->path)
		return 0;
	group = arena_get(s->arena, sizeof(*group), e);
	if (!group)
		return -1;
	*group = *known;
	step = steps_add(s, STEP_RDT_OPEN, NULL, e);
	if (!step)
		return -1;
	step->rdt = group;
	return steps_add(s, STEP_RDT_JOIN, NULL, e) ? 0 : -1;
}
