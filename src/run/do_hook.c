/*
 * The doer of hooks: prestart and createRuntime by the runtime, createContainer and startContainer
 * by init.
 */
#include <stdint.h>
#include <unistd.h>

#include "run/doers.h"
#include "run/hook.h"

extern char **environ;

/* A hook in the container that names no environment has the program's, not the caller's. */
static int have_program_env(struct walk *w, struct err *e)
{
	const struct str_list *env = &w->plan->process->env;
	char **vector =
		w->env ? w->env : arena_get_array(w->arena, env->count + 1, sizeof(*vector), e);

	if (!vector)
		return -1;
	for (size_t i = 0; i < env->count && !w->env; i++)
		vector[i] = (char *)(uintptr_t)env->item[i];
	environ = vector;
	return 0;
}

int do_hook(struct walk *w, const struct step *step, struct err *e)
{
	bool by_runtime = w->side == SIDE_RUNTIME;
	const char *status = step->hook.kind == HOOK_START_CONTAINER ? "created" : "creating";
	const char *cwd = step->hook.kind == HOOK_CREATE_CONTAINER ? w->plan->rootfs : NULL;
	const char *state =
		hook_state(w->record, status, by_runtime ? w->pid : getpid(), w->arena, e);

	if (!state || (!by_runtime && have_program_env(w, e)))
		return -1;
	if (by_runtime)
		cwd = w->plan->bundle;
	return hook_run(step->hook.item, step->hook.kind, step->hook.index, state, cwd, w->arena,
			e);
}
