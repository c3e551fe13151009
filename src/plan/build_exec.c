/*
 * The plan of exec: join the container that runs, seal, execute. The same kinds of steps as create,
 * and the same walk.
 */
#include "base/str.h"
#include "plan/steps.h"

/*
 * Every namespace that the container does not share with the runtime, all joined in one call
 * through init's pidfd.
 */
static int build_join(struct steps *s, struct err *e)
{
	const struct spec_namespaces *all = &s->spec->linux_.namespaces;
	struct step *step;
	uint64_t flags = 0;

	for (size_t i = 0; i < all->count; i++)
		flags |= ns_clone_flag(all->item[i].type);
	s->plan->user_namespace = flags & ns_clone_flag(NS_USER);
	s->plan->mount_namespace = flags & ns_clone_flag(NS_MOUNT);
	/*
	 * Whoever in the container may trace others can look into a process from the moment it is
	 * in their pid namespace, so it must be all of the container by then: only a process in
	 * between can do that. Into a user namespace root goes without one, since nobody in there
	 * may trace what came from outside; others can join the pid namespace only from inside.
	 */
	s->plan->by_intermediate =
		s->plan->user_namespace ? s->facts->euid != 0 : flags & ns_clone_flag(NS_PID);
	if (flags & ns_clone_flag(NS_PID) && !s->plan->by_intermediate) {
		s->plan->join_pid_of_init = true;
		flags &= ~ns_clone_flag(NS_PID);
	}
	step = steps_add(s, STEP_NS_JOIN_INIT, "/linux/namespaces", e);
	if (!step)
		return -1;
	step->ns_flags = flags;
	return 0;
}

static int build_enter(struct steps *s, const struct plan_exec_request *request, struct err *e)
{
	const struct spec_process *process = request->process;
	struct step *step;

	if (process->exec_cpu_affinity.initial &&
	    build_affinity(s, process->exec_cpu_affinity.initial,
			   "/process/execCPUAffinity/initial", e))
		return -1;
	if (s->plan->cgroup.count) {
		if (!steps_add(s, STEP_CGROUP_OPEN, NULL, e) ||
		    !steps_add(s, STEP_CGROUP_JOIN, NULL, e))
			return -1;
		if (cgroup_unit_of_user(&s->plan->unit) &&
		    !steps_add(s, STEP_CGROUP_ATTACH, NULL, e))
			return -1;
	}
	if (build_affinity(s, process->exec_cpu_affinity.final, "/process/execCPUAffinity/final",
			   e))
		return -1;
	if (build_rdt_exec(s, &request->rdt, e))
		return -1;
	if (process->oom_score_adj.set) {
		step = steps_add(s, STEP_OOM_SCORE, "/process/oomScoreAdj", e);
		if (!step)
			return -1;
		step->oom_score = process->oom_score_adj.value;
	}
	if (build_join(s, e))
		return -1;
	if (s->plan->user_namespace && !steps_add(s, STEP_BECOME_ROOT, NULL, e))
		return -1;
	step = steps_add(s, STEP_SESSION, NULL, e);
	if (!step)
		return -1;
	step->session.keyring = !request->no_new_keyring;
	if (step->session.keyring)
		step->session.label = build_process_label(s, process);
	return 0;
}

int plan_build_exec(const struct plan_exec_request *request, const struct plan_facts *facts,
		    struct arena *a, struct plan **ret, struct err *e)
{
	struct plan *plan = arena_get(a, sizeof(*plan), e);
	struct steps s = {.plan = plan,
			  .spec = request->spec,
			  .facts = facts,
			  .arena = a,
			  .log = request->log};

	if (!plan)
		return -1;
	plan->spec = request->spec;
	plan->process = request->process;
	plan->id = request->id;
	plan->cgroup = request->cgroup;
	plan->unit = request->unit;
	plan->listen_fds = request->listen_fds;
	plan->preserve_fds = request->preserve_fds;
	plan->gid_count = request->spec->linux_.gid_mappings.count;
	if (build_enter(&s, request, e) ||
	    build_console(&s, request->process, request->console_socket, false, e) ||
	    build_process(&s, request->process, e))
		return -1;
	if ((request->pid_file || request->pidfd_socket || request->process->terminal) &&
	    build_report(&s, request->pidfd_socket, "setns", e))
		return -1;
	if (build_execution(&s, request->process, e))
		return -1;
	return steps_finish(&s, ret, e);
}
