/*
 * Chapter "cgroup" of a plan: where it is, what is written into it, and how init gets in.
 */
#include <sys/mount.h>

#include "base/str.h"
#include "plan/steps.h"
#include "sys/affinity.h"

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

/* systemd makes a cgroup around a process: then all that is done to it comes behind the clone. */
static enum plan_stage cgroup_stage(const struct steps *s)
{
	return s->facts->cgroup.systemd ? STAGE_MAPS : STAGE_PREPARE;
}

static int build_device_rules(struct steps *s, struct err *e)
{
	struct spec_device_rules *rules = arena_get(s->arena, sizeof(*rules), e);
	struct step *step;

	if (!rules || cgroup_device_rules(s->spec->linux_.resources, s->arena, rules, e))
		return -1;
	step = steps_add(s, STEP_CGROUP_DEVICES, "/linux/resources/devices", e);
	if (!step)
		return -1;
	step->stage = cgroup_stage(s);
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

static const char *path_pointer(const struct steps *s)
{
	return s->spec->linux_.cgroups_path ? "/linux/cgroupsPath" : NULL;
}

static int build_directories(struct steps *s, const struct plan_request *request,
			     const struct cgroup_settings *settings, struct err *e)
{
	const char *path = s->spec->linux_.cgroups_path;

	if (cgroup_place(&s->facts->cgroup, path, request->id, s->arena, &s->plan->cgroup, e))
		return -1;
	s->plan->cgroup_optional =
		(s->facts->euid != 0 || s->facts->in_user_namespace) && !path && !settings->count;
	return steps_add(s, STEP_CGROUP_MAKE, path_pointer(s), e) ? 0 : -1;
}

/* Whether systemd puts init into all of the container's cgroup. */
static bool is_complete(const struct plan *plan)
{
	return plan->cgroup.count == 1 && str_ends(plan->unit.name, ".scope") &&
	       str_ends(plan->cgroup.item[0].path, plan->unit.name);
}

static int build_unit(struct steps *s, const struct plan_request *request,
		      const struct cgroup_settings *settings, struct err *e)
{
	const struct cgroup_host *host = &s->facts->cgroup;
	struct cgroup_properties *properties = arena_get(s->arena, sizeof(*properties), e);
	struct plan *plan = s->plan;
	struct step *step;

	if (!properties ||
	    cgroup_place_unit(host, s->spec, request->id, s->arena, &plan->unit, &plan->cgroup,
			      e) ||
	    cgroup_unit_properties(host, &plan->unit, s->spec, settings, s->arena, properties, e))
		return -1;
	step = steps_add(s, STEP_CGROUP_UNIT, path_pointer(s), e);
	if (!step)
		return -1;
	step->unit.name = plan->unit.name;
	step->unit.properties = properties;
	return is_complete(plan) || steps_add(s, STEP_CGROUP_REST, NULL, e) ? 0 : -1;
}

int build_cgroup(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct cgroup_host *host = &s->facts->cgroup;
	struct cgroup_settings settings = {0};

	if (host->layout == CGROUP_NONE || s->facts->no_cgroup)
		return refuse_limits(s, e);
	if (cgroup_settings(host, s->spec->linux_.resources, s->arena, &settings, e) ||
	    (host->systemd ? build_unit(s, request, &settings, e)
			   : build_directories(s, request, &settings, e)))
		return -1;
	for (size_t i = 0; i < settings.count; i++) {
		struct step *step = steps_add(s, STEP_CGROUP_WRITE, settings.item[i].pointer, e);

		if (!step)
			return -1;
		step->stage = cgroup_stage(s);
		step->setting = &settings.item[i];
	}
	if (build_device_rules(s, e) ||
	    (!host->systemd && !steps_add(s, STEP_CGROUP_JOIN, NULL, e)))
		return -1;
	/* Where the runtime may run is not the container's business: its cgroup alone decides. */
	if (build_affinity(s, NULL, NULL, e))
		return -1;
	/* only then it is in its cgroup, and so nobody waits for the join stage */
	if (host->systemd)
		s->plan->step[s->plan->count - 1].stage = STAGE_ENTER;
	return 0;
}

/* ---- whose it is ----------------------------------------------------------------------------- */

/* Whether the container sees its cgroup as the root of all, and may write there. */
static bool is_delegated(const struct steps *s)
{
	const struct spec_namespace *ns = spec_namespace_find(s->spec, NS_CGROUP);

	if (s->facts->cgroup.layout != CGROUP_V2 || !ns || ns->path)
		return false;
	for (size_t i = 0; i < s->plan->count; i++) {
		const struct step *step = &s->plan->step[i];

		if (step->kind == STEP_MOUNT && step->mount->how == MOUNT_CGROUP)
			return !(step->mount->flags & MS_RDONLY);
	}
	return false;
}

/*
 * The process's user as the host knows it. False: not at all, or only the maker of the user
 * namespace that is joined knows.
 */
static bool host_user(const struct steps *s, uint32_t *ret)
{
	const struct spec_namespace *ns = spec_namespace_find(s->spec, NS_USER);
	const struct spec_id_maps *maps = &s->spec->linux_.uid_mappings;
	uint32_t uid = s->spec->process->user.uid;

	*ret = uid;
	for (size_t i = 0; ns && !ns->path && i < maps->count; i++) {
		const struct spec_id_map *map = &maps->item[i];

		*ret = map->host_id + (uid - map->container_id);
		if (uid >= map->container_id && uid - map->container_id < map->size)
			return true;
	}
	return !ns;
}

int build_cgroup_owner(struct steps *s, struct err *e)
{
	struct step *step;
	uint32_t owner;

	/* Only root gives away, and what is root's already it need not. */
	if (s->facts->euid != 0 || !is_delegated(s) || !host_user(s, &owner) || !owner)
		return 0;
	step = steps_add(s, STEP_CGROUP_GIVE, "/process/user/uid", e);
	if (!step)
		return -1;
	step->stage = cgroup_stage(s);
	step->owner = owner;
	return 0;
}
