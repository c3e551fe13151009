/*
 * Doers of the program: finding it, preparing its environment, executing it.
 *
 * The look-up happens at create, so that a missing program is told there and not at start. Texts
 * are Go's, since engines tell "not found" from "not executable" by them.
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

/* Whether path is a file that the caller may execute; errno says why not. */
static bool executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return false;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return false;
	}
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) && (errno == EACCES || errno == EPERM))
		return false;
	if (st.st_mode & 0111)
		return true;
	errno = EACCES;
	return false;
}

static int fail_path(const char *name, struct err *e)
{
	int number = errno;

	if (number == EACCES || number == EPERM || number == EISDIR) {
		err_set(e, ERR_SYSTEM, "exec: \"%s\": %s", name, err_errno_text(number));
		if (number == EACCES)
			err_hint(e, "the file needs the x permission for the process's user");
	} else {
		err_set(e, ERR_SYSTEM, "exec: \"%s\": stat %s: %s", name, name,
			err_errno_text(number));
	}
	e->sys = number;
	return -1;
}

static int find_in_path(struct walk *w, const char *name, const char *path, struct err *e)
{
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
		path += length + (path[length] == ':');
	}
	err_set(e, ERR_SYSTEM, "exec: \"%s\": executable file not found in $PATH", name);
	e->sys = ENOENT;
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

int do_lookup(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_process *process = w->plan->process;
	const char *name = process->args.item[0];

	(void)step;
	/*
	 * What is left takes no time, and at its end init hears of the runtime's death by the
	 * closed socket: a runtime that has done its work must be able to go.
	 */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	w->argv = arena_get_array(w->arena, process->args.count + 1, sizeof(*w->argv), e);
	if (!w->argv)
		return -1;
	for (size_t i = 0; i < process->args.count; i++)
		w->argv[i] = (char *)(uintptr_t)process->args.item[i];
	if (build_env(w, process, e))
		return -1;
	if (!strchr(name, '/'))
		return find_in_path(w, name, env_value(&process->env, "PATH"), e);
	if (!executable(name))
		return fail_path(name, e);
	w->program = name;
	return 0;
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
	(void)step;
	(void)execve(w->program, w->argv, w->env);
	return err_sys(e, "exec %s", w->program);
}
