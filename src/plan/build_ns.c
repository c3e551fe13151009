/*
 * Chapter "namespaces" of a plan: which are new with the process, which are joined and by whom, and
 * the id maps.
 *
 * All new ones are made by the clone itself, so that a new user namespace owns the others. Two are
 * made later, by init: the cgroup namespace, when init is in its cgroup, and in a user namespace
 * that of IPC, when init is root there, for the queues' directory belongs to its maker. A process
 * in between is needed where a namespace must be joined before another one is made: a given user
 * namespace must own the new pid namespace, what the host owns must be joined before a new user
 * namespace is entered, and root of a user namespace can join a pid namespace but not come back.
 */
#include <linux/sched.h>

#include "base/str.h"
#include "plan/steps.h"

static int join(struct steps *s, size_t index, struct err *e)
{
	const struct spec_namespace *ns = &s->spec->linux_.namespaces.item[index];
	const char *pointer = arena_format(s->arena, e, "/linux/namespaces/%zu/path", index);
	struct step *step = pointer ? steps_add(s, STEP_NS_JOIN, pointer, e) : NULL;

	if (!step)
		return -1;
	step->ns.type = ns->type;
	step->ns.path = ns->path;
	return 0;
}

/*
 * Joins every given namespace for which want_user says so; the pid namespace only by an
 * intermediate.
 */
static int join_those(struct steps *s, bool user, struct err *e)
{
	const struct spec_namespaces *all = &s->spec->linux_.namespaces;

	for (size_t i = 0; i < all->count; i++) {
		const struct spec_namespace *ns = &all->item[i];

		if (!ns->path || (ns->type == NS_USER) != user)
			continue;
		if (ns->type == NS_PID && !s->plan->by_intermediate)
			continue;
		if (join(s, i, e))
			return -1;
	}
	return 0;
}

const struct idmap_range *build_ranges(struct steps *s, const struct spec_id_maps *maps,
				       struct err *e)
{
	struct idmap_range *list = arena_get_array(s->arena, maps->count, sizeof(*list), e);

	for (size_t i = 0; list && i < maps->count; i++)
		list[i] = (struct idmap_range){
			.inside = maps->item[i].container_id,
			.outside = maps->item[i].host_id,
			.size = maps->item[i].size,
		};
	return list;
}

static int build_maps(struct steps *s, bool new_namespace, struct err *e)
{
	const struct spec_linux *linux_ = &s->spec->linux_;
	struct plan *plan = s->plan;

	if (!plan->user_namespace)
		return 0;
	plan->uids = build_ranges(s, &linux_->uid_mappings, e);
	plan->gids = build_ranges(s, &linux_->gid_mappings, e);
	if (!plan->uids || !plan->gids)
		return -1;
	plan->uid_count = linux_->uid_mappings.count;
	plan->gid_count = linux_->gid_mappings.count;
	if (new_namespace && !steps_add(s, STEP_ID_MAPS, "/linux/uidMappings", e))
		return -1;
	return 0;
}

/*
 * Raising the score is free to all, lowering it needs privilege over the host: then it is written
 * from outside.
 */
static int build_oom_score(struct steps *s, enum plan_stage stage, struct err *e)
{
	const struct opt_i32 *score = &s->spec->process->oom_score_adj;
	bool outside = s->plan->user_namespace;
	struct step *step;

	if (!score->set || outside != (stage == STAGE_MAPS))
		return 0;
	step = steps_add(s, STEP_OOM_SCORE, "/process/oomScoreAdj", e);
	if (!step)
		return -1;
	step->stage = stage;
	step->side = outside ? SIDE_RUNTIME : SIDE_INIT;
	step->oom_score = score->value;
	return 0;
}

/* The CLONE_NEW… of the namespaces that init makes itself. */
static uint64_t late_namespaces(const struct steps *s)
{
	const struct spec_namespace *cgroup = spec_namespace_find(s->spec, NS_CGROUP);
	const struct spec_namespace *ipc = spec_namespace_find(s->spec, NS_IPC);
	uint64_t flags = 0;

	if (cgroup && !cgroup->path)
		flags |= CLONE_NEWCGROUP;
	if (ipc && !ipc->path && s->plan->user_namespace)
		flags |= CLONE_NEWIPC;
	return flags;
}

static int build_enter(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct spec_namespace *net = spec_namespace_find(s->spec, NS_NET);
	uint64_t late = late_namespaces(s);
	struct step *step;

	if (s->plan->user_namespace && !steps_add(s, STEP_BECOME_ROOT, NULL, e))
		return -1;
	if (late) {
		step = steps_add(s, STEP_NS_NEW, "/linux/namespaces", e);
		if (!step)
			return -1;
		step->ns_flags = late;
	}
	step = steps_add(s, STEP_SESSION, NULL, e);
	if (!step)
		return -1;
	step->session.keyring = !request->no_new_keyring;
	if (step->session.keyring)
		step->session.label = build_process_label(s, s->spec->process);
	if (net && !net->path && !steps_add(s, STEP_LOOPBACK, "/linux/namespaces", e))
		return -1;
	return 0;
}

/*
 * The clocks of a time namespace can be set until the first process is in it, so init does not
 * begin in it: it makes the namespace, sets the clocks, and goes in.
 */
static int build_time_offsets(struct steps *s, struct err *e)
{
	const struct spec_time_offsets *offsets = &s->spec->linux_.time_offsets;
	struct step *step;

	if (!offsets->monotonic.set && !offsets->boottime.set)
		return 0;
	s->plan->clone_flags &= ~(uint64_t)CLONE_NEWTIME;
	step = steps_add(s, STEP_TIME_OFFSETS, "/linux/timeOffsets", e);
	if (!step)
		return -1;
	step->time_offsets = offsets;
	return 0;
}

static int build_net_devices(struct steps *s, struct err *e)
{
	const struct spec_net_devices *devices = &s->spec->linux_.net_devices;

	for (size_t i = 0; i < devices->count; i++) {
		struct str pointer;
		struct step *step;
		const char *place;

		str_init(&pointer, s->arena);
		str_add(&pointer, "/linux/netDevices/");
		str_add_pointer(&pointer, devices->item[i].host_name);
		place = str_end(&pointer, e);
		step = place ? steps_add(s, STEP_NET_DEVICE, place, e) : NULL;
		if (!step)
			return -1;
		step->net_device = &devices->item[i];
	}
	return 0;
}

int build_namespaces(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct spec_namespaces *all = &s->spec->linux_.namespaces;
	bool new_user = false, given_user = false, given_other = false, user_first;
	struct plan *plan = s->plan;

	for (size_t i = 0; i < all->count; i++) {
		const struct spec_namespace *ns = &all->item[i];

		if (ns->type == NS_USER)
			*(ns->path ? &given_user : &new_user) = true;
		else if (ns->path)
			given_other = true;
		if (!ns->path)
			plan->clone_flags |= ns_clone_flag(ns->type);
		if (ns->type == NS_PID && ns->path)
			plan->join_pid_path = ns->path;
		if (ns->type == NS_MOUNT)
			plan->mount_namespace = true;
	}
	plan->user_namespace = new_user || given_user;
	plan->clone_flags &= ~late_namespaces(s);
	plan->by_intermediate = (given_user && (plan->clone_flags || plan->join_pid_path)) ||
				(new_user && given_other) ||
				(plan->join_pid_path && s->facts->in_user_namespace);
	/*
	 * An unprivileged caller has its rights only inside its user namespace; root has them only
	 * outside.
	 */
	user_first = s->facts->euid != 0 || s->facts->in_user_namespace;
	if (build_oom_score(s, STAGE_JOIN, e) || (user_first && join_those(s, true, e)) ||
	    join_those(s, false, e) || (!user_first && join_those(s, true, e)) ||
	    build_time_offsets(s, e))
		return -1;
	if (plan->by_intermediate)
		plan->join_pid_path = NULL;
	return build_maps(s, new_user, e) || build_oom_score(s, STAGE_MAPS, e) ||
			       build_enter(s, request, e) || build_net_devices(s, e)
		       ? -1
		       : 0;
}
