/*
 * Doers of the program: finding it, preparing its environment, executing it.
 *
 * The look-up happens at create, so that a missing program is told there and not at start, and one
 * that the kernel will not execute as well. Texts are Go's, since engines tell "not found" from
 * "not executable" by them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "run/sync.h"
#include "sys/executable.h"
#include "sys/inroot.h"
#include "sys/passwd.h"
#include "sys/process.h"

static const char *env_value(const struct str_list *env, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;

	for (size_t i = 0; i < env->count; i++)
		if (!strncmp(env->item[i], name, length) && env->item[i][length] == '=')
			value = env->item[i] + length + 1;
	return value;
}

/*
 * Whether path is a file that the caller may execute; errno says why not. Sandboxes that do not
 * know faccessat2 refuse it with EPERM: the permission bits must do then, and execve decides.
 */
static bool executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return false;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EACCES;
		return false;
	}
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) && errno == EACCES)
		return false;
	if (st.st_mode & 0111)
		return true;
	errno = EACCES;
	return false;
}

/* Which of the reasons it is why a file that is there may not be executed. */
static void hint_permission(const char *path, struct err *e)
{
	struct stat st;

	if (stat(path, &st))
		err_hint(e, "a directory above it is closed to the process's user");
	else if (!S_ISREG(st.st_mode))
		err_hint(e, "%s is not a regular file", path);
	else if (executable_on_noexec(path))
		err_hint(e, "%s is on a mount with the option noexec", path);
	else
		err_hint(e, "%s needs the x permission for the process's user", path);
}

static int fail_path(const char *name, struct err *e)
{
	int number = errno;

	if (number == EACCES || number == EPERM || number == EISDIR) {
		err_set(e, ERR_SYSTEM, "exec: \"%s\": %s", name, err_errno_text(number));
		if (number == EACCES)
			hint_permission(name, e);
	} else {
		err_set(e, ERR_SYSTEM, "exec: \"%s\": stat %s: %s", name, name,
			err_errno_text(number));
	}
	e->sys = number;
	return -1;
}

static int find_in_path(struct walk *w, const char *name, const char *path, struct err *e)
{
	const char *closed = NULL;

	while (path && *path) {
		size_t length = strcspn(path, ":");
		const char *candidate = arena_format(w->arena, e, "%.*s%s%s", (int)length, path,
						     length ? "/" : "./", name);

		if (!candidate)
			return -1;
		if (executable(candidate)) {
			w->program = candidate;
			return 0;
		}
		if (errno == EACCES && !closed)
			closed = candidate;
		path += length + (path[length] == ':');
	}
	err_set(e, ERR_SYSTEM, "exec: \"%s\": executable file not found in $PATH", name);
	e->sys = ENOENT;
	if (closed)
		hint_permission(closed, e);
	return -1;
}

/* An environment under construction. Names are compared by their hashes first: there may be many.
 */
struct env {
	char **entry;
	uint32_t *hash;
	size_t count;
};

/* Of the name with its "=" (FNV-1a). *ret_length gets their length. */
static uint32_t hash_name(const char *entry, size_t *ret_length)
{
	uint32_t hash = 2166136261u;
	size_t i = 0;

	while (entry[i] && entry[i] != '=')
		hash = (hash ^ (unsigned char)entry[i++]) * 16777619u;
	*ret_length = i + 1;
	return hash;
}

/* The first entry of a name keeps its place, the last one its value. */
static void add_env(struct env *env, const char *entry)
{
	size_t length;
	uint32_t hash = hash_name(entry, &length);
	size_t i = 0;

	while (i < env->count &&
	       (env->hash[i] != hash || strncmp(env->entry[i], entry, length) != 0))
		i++;
	env->entry[i] = (char *)(uintptr_t)entry;
	env->hash[i] = hash;
	env->count += i == env->count;
}

static int build_env(struct walk *w, const struct spec_process *process, struct err *e)
{
	/* HOME, NOTIFY_SOCKET, LISTEN_FDS, LISTEN_PID, the NULL */
	size_t capacity = process->env.count + 5;
	const char *home = env_value(&process->env, "HOME");
	const char *listen = arena_format(w->arena, e, "LISTEN_FDS=%u", w->plan->listen_fds);
	const char *pid = arena_format(w->arena, e, "LISTEN_PID=%d", (int)getpid());
	struct env env = {
		.entry = arena_get_array(w->arena, capacity, sizeof(*env.entry), e),
		.hash = arena_get_array(w->arena, capacity, sizeof(*env.hash), e),
	};

	if (!env.entry || !env.hash || !listen || !pid)
		return -1;
	for (size_t i = 0; i < process->env.count; i++)
		add_env(&env, process->env.item[i]);
	if (!home || !*home) {
		home = passwd_home(w->root, process->user.uid, w->arena);
		home = arena_format(w->arena, e, "HOME=%s", home);
		if (!home)
			return -1;
		add_env(&env, home);
	}
	if (w->plan->notify)
		add_env(&env, "NOTIFY_SOCKET=" NOTIFY_INSIDE);
	if (w->plan->listen_fds) { /* sd_listen_fds(3): they are for the process with this pid */
		add_env(&env, listen);
		add_env(&env, pid);
	}
	env.entry[env.count] = NULL;
	w->env = env.entry;
	return 0;
}

static int look_up(struct walk *w, const struct spec_process *process, struct err *e)
{
	const char *name = process->args.item[0];

	if (!strchr(name, '/'))
		return find_in_path(w, name, env_value(&process->env, "PATH"), e);
	if (!executable(name))
		return fail_path(name, e);
	w->program = name;
	return 0;
}

/*
 * Where the program is not executed at once, create says already that it will fail. Whether the
 * machine has other means, only the runtime can see. A startContainer hook may put in what is
 * missing.
 */
static int look_into(struct walk *w, const struct step *step, struct err *e)
{
	struct executable_fault fault;

	if (w->gate < 0 || w->plan->spec->hooks.kind[HOOK_START_CONTAINER].count ||
	    !executable_refused(w->program, 0, &fault))
		return 0;
	err_wrap(&fault.why, "exec: \"%s\"", w->plan->process->args.item[0]);
	err_in(&fault.why, "%s", step->pointer);
	return sync_send_doubt(w->sync, &fault, e);
}

int do_lookup(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_process *process = w->plan->process;

	/*
	 * What is left takes no time, and at its end init hears of the runtime's death by the
	 * closed socket: a runtime that has done its work must be able to go.
	 */
	if (prctl(PR_SET_PDEATHSIG, 0))
		return err_sys(e, "outlive the runtime");
	w->argv = arena_get_array(w->arena, process->args.count + 1, sizeof(*w->argv), e);
	if (!w->argv)
		return -1;
	for (size_t i = 0; i < process->args.count; i++)
		w->argv[i] = (char *)(uintptr_t)process->args.item[i];
	return build_env(w, process, e) || look_up(w, process, e) || look_into(w, step, e) ? -1 : 0;
}

/*
 * All that is done to be done before the seccomp filter: a strict profile need allow no more than
 * execve. The socket goes with the execution, which tells the runtime that it worked.
 */
int do_close(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	process_reset_signals();
	if (process_cloexec_from(3 + w->plan->listen_fds + w->plan->preserve_fds, e))
		return -1;
	return sync_send_exec(w->sync, e);
}

int do_exec(struct walk *w, const struct step *step, struct err *e)
{
	struct executable_fault fault;

	(void)step;
	(void)execve(w->program, w->argv, w->env);
	err_sys(e, "exec %s", w->program);
	if (executable_refused(w->program, e->sys, &fault) && fault.why.sys == e->sys) {
		*e = fault.why;
		return err_wrap(e, "exec %s", w->program);
	}
	if (e->sys == ETXTBSY)
		err_hint(e, "somebody has the program's file open for writing");
	else if (e->sys == E2BIG)
		err_hint(e,
			 "arguments and environment are more than the kernel takes; RLIMIT_STACK "
			 "counts");
	return -1;
}
