/*
 * The doer of hooks: prestart and createRuntime by the runtime, createContainer and startContainer
 * by init.
 */
#include <unistd.h>

#include "run/doers.h"
#include "run/hook.h"

int do_hook(struct walk *w, const struct step *step, struct err *e)
{
	bool by_runtime = w->side == SIDE_RUNTIME;
	const char *status = step->hook.kind == HOOK_START_CONTAINER ? "created" : "creating";
	const char *cwd = step->hook.kind == HOOK_CREATE_CONTAINER ? w->plan->rootfs : NULL;
	const char *state =
		hook_state(w->record, status, by_runtime ? w->pid : getpid(), w->arena, e);

	if (!state)
		return -1;
	if (by_runtime)
		cwd = w->plan->bundle;
	return hook_run(step->hook.item, step->hook.kind, step->hook.index, state, cwd, w->arena,
			e);
}
