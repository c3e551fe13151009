/*
 * Chapter "cgroup" of a plan: where it is, what is written into it, and how init gets in.
 */
#include "base/str.h"
#include "plan/steps.h"
#include "sys/affinity.h"

static int build_join(struct steps *s, struct err *e)
{
	if (s->facts->cgroup.layout == CGROUP_NONE)
		return 0;
	return steps_add(s, STEP_CGROUP_JOIN, NULL, e) ? 0 : -1;
}

int build_affinity(struct steps *s, const char *list, const char *pointer, struct err *e)
{
	struct step *step;

	if (list && !affinity_valid(list)) {
		err_set(e, ERR_INVALID, "\"%s\" is not a list of processors", list);
		return err_in(e, "%s", pointer);
	}
	step = steps_add(s, STEP_AFFINITY, list ? pointer : NULL, e);
	if (!step)
		return -1;
	step->text = list;
	return 0;
}

static int build_devices(struct steps *s, struct err *e)
{
	struct spec_device_rules *rules = arena_get(s->arena, sizeof(*rules), e);
	struct step *step;

	if (!rules || cgroup_device_rules(s->spec->linux_.resources, s->arena, rules, e))
		return -1;
	step = steps_add(s, STEP_CGROUP_DEVICES, "/linux/resources/devices", e);
	if (!step)
		return -1;
	step->rules = rules;
	return 0;
}

/* Limits are no decoration: where they cannot be had, that is an error. */
static int refuse_limits(struct steps *s, struct err *e)
{
	static const struct cgroup_host any = {.layout = CGROUP_V2};
	struct cgroup_settings settings = {0};

	if (cgroup_settings(&any, s->spec->linux_.resources, s->arena, &settings, e))
		return -1;
	if (!settings.count)
		return 0;
	err_set(e, ERR_UNSUPPORTED, "limits need control groups, and none are in use");
	return err_in(e, "%s", settings.item[0].pointer);
}

int build_cgroup(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct cgroup_host *host = &s->facts->cgroup;
	const char *path = s->spec->linux_.cgroups_path;
	struct cgroup_settings settings = {0};

	if (host->layout == CGROUP_NONE)
		return refuse_limits(s, e);
	if (cgroup_place(host, path, request->id, s->arena, &s->plan->cgroup, e))
		return -1;
	if (!steps_add(s, STEP_CGROUP_MAKE, path ? "/linux/cgroupsPath" : NULL, e))
		return -1;
	if (cgroup_settings(host, s->spec->linux_.resources, s->arena, &settings, e))
		return -1;
	s->plan->cgroup_optional =
		(s->facts->euid != 0 || s->facts->in_user_namespace) && !path && !settings.count;
	for (size_t i = 0; i < settings.count; i++) {
		struct step *step = steps_add(s, STEP_CGROUP_WRITE, settings.item[i].pointer, e);

		if (!step)
			return -1;
		step->setting = &settings.item[i];
	}
	/* Where the runtime may run is not the container's business: its cgroup alone decides. */
	return build_devices(s, e) || build_join(s, e) || build_affinity(s, NULL, NULL, e) ? -1 : 0;
}
