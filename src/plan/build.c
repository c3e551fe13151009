/*
 * The plan of create and run: the story from top to bottom. Each chapter is a build_* file of its
 * own; this one holds their order.
 */
#include "base/str.h"
#include "plan/steps.h"

int build_hooks(struct steps *s, enum hook_kind kind, struct err *e)
{
	static const enum plan_stage stages[HOOK_KINDS] = {
		[HOOK_PRESTART] = STAGE_HOST_HOOKS,
		[HOOK_CREATE_RUNTIME] = STAGE_HOST_HOOKS,
		[HOOK_CREATE_CONTAINER] = STAGE_PIVOT,
		[HOOK_START_CONTAINER] = STAGE_GATE,
	};
	const struct spec_hook_list *list = &s->spec->hooks.kind[kind];

	for (size_t i = 0; i < list->count; i++) {
		const char *pointer = arena_format(s->arena, e, "/hooks/%s/%zu",
						   word_name(&words_hooks, kind), i);
		struct step *step = pointer ? steps_add(s, STEP_HOOK, pointer, e) : NULL;

		if (!step)
			return -1;
		step->stage = stages[kind];
		step->side = stages[kind] == STAGE_HOST_HOOKS ? SIDE_RUNTIME : SIDE_INIT;
		step->hook.kind = kind;
		step->hook.index = i;
		step->hook.item = &list->item[i];
	}
	return 0;
}

/* Hooks may have mounted something there. The root itself is always there. */
static int build_cwd(struct steps *s, struct err *e)
{
	const char *cwd = s->spec->process->cwd;
	struct step *step;

	if (str_equal(cwd, "/"))
		return 0;
	step = steps_add(s, STEP_CWD_MAKE, "/process/cwd", e);
	if (!step)
		return -1;
	step->text = cwd;
	return 0;
}

/* The new root, and what is set when "/" is the container's. */
static int build_pivot(struct steps *s, const struct plan_request *request, struct err *e)
{
	struct step *step;

	if (build_hooks(s, HOOK_CREATE_CONTAINER, e))
		return -1;
	step = steps_add(s, STEP_PIVOT, NULL, e);
	if (!step)
		return -1;
	step->root.source = request->rootfs;
	step->root.no_pivot = request->no_pivot;
	return build_cwd(s, e) || build_readonly_mounts(s, e) || build_settings(s, e) ||
			       build_root_propagation(s, e)
		       ? -1
		       : 0;
}

static int build_gate(struct steps *s, const struct plan_request *request, struct err *e)
{
	bool reports = request->wait_start || request->pid_file || request->pidfd_socket;

	/* With neither somebody to return to nor something to hand out, nobody is waited for. */
	if ((reports || s->spec->process->terminal) &&
	    build_report(s, request->pidfd_socket, "standard", e))
		return -1;
	if (request->wait_start && !steps_add(s, STEP_WAIT_START, NULL, e))
		return -1;
	if (build_hooks(s, HOOK_START_CONTAINER, e))
		return -1;
	return build_execution(s, s->spec->process, e);
}

int plan_build(const struct spec *spec, const struct plan_facts *facts,
	       const struct plan_request *request, struct arena *a, struct plan **ret,
	       struct err *e)
{
	struct plan *plan = arena_get(a, sizeof(*plan), e);
	struct steps s = {.plan = plan,
			  .spec = spec,
			  .facts = facts,
			  .arena = a,
			  .log = request->log,
			  .gated = request->wait_start};

	if (!plan)
		return -1;
	plan->recorded = true;
	plan->spec = spec;
	plan->process = spec->process;
	plan->id = request->id;
	plan->rootfs = request->rootfs;
	plan->bundle = request->bundle;
	plan->listen_fds = request->listen_fds;
	plan->preserve_fds = request->preserve_fds;
	if (build_cgroup(&s, request, e) || build_rdt(&s, request, e) ||
	    build_namespaces(&s, request, e) || build_rootfs(&s, request, e) ||
	    build_cgroup_owner(&s, e) ||
	    build_console(&s, spec->process, request->console_socket, true, e) ||
	    build_hooks(&s, HOOK_PRESTART, e) || build_hooks(&s, HOOK_CREATE_RUNTIME, e) ||
	    build_pivot(&s, request, e) || build_process(&s, spec->process, e) ||
	    build_gate(&s, request, e))
		return -1;
	return steps_finish(&s, ret, e);
}
