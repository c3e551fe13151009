/*
 * The doer of hooks: prestart and createRuntime by the runtime, createContainer and startContainer
 * by init.
 */
#include <stdint.h>
#include <unistd.h>

#include "run/doers.h"
#include "run/hook.h"

extern char **environ;

#define USUAL_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * What a hook of init's that names no environment has: never the caller's, which may hold secrets.
 * startContainer's is a program of the image, and has the image's. createContainer's is one of the
 * host, in the host's root and with all rights: by the image's environment (LD_PRELOAD) the image
 * could take it over.
 */
static int leave_callers_env(struct walk *w, enum hook_kind kind, struct err *e)
{
	const char *path = USUAL_PATH;
	const struct str_list usual = {.item = &path, .count = 1};
	const struct str_list *env =
		kind == HOOK_CREATE_CONTAINER ? &usual : &w->plan->process->env;
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

	if (!state || (!by_runtime && leave_callers_env(w, step->hook.kind, e)))
		return -1;
	if (by_runtime)
		cwd = w->plan->bundle;
	return hook_run(step->hook.item, step->hook.kind, step->hook.index, state, cwd, w->arena,
			e);
}
