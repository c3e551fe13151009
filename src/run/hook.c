/*
 * Running one hook: see hook.h. Its three standard streams are files in memory: nothing can block
 * on a pipe, and what it leaves running in the background keeps nothing of ours open.
 */
#include "run/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "sys/pidfd.h"

#define OUTPUT_SHOWN 400 /* bytes of each stream that an error holds */

extern char **environ;

void hook_write_state(struct json_writer *w, const char *key, const struct state_record *record,
		      const char *status, int64_t pid)
{
	json_write_object(w, key);
	json_write_string(w, "ociVersion", record->oci_version ? record->oci_version : "");
	json_write_string(w, "id", record->id);
	json_write_string(w, "status", status);
	if (pid)
		json_write_i64(w, "pid", pid);
	json_write_string(w, "bundle", record->bundle);
	if (record->annotations.count)
		json_write_map(w, "annotations", &record->annotations);
	json_write_end(w);
}

const char *hook_state(const struct state_record *record, const char *status, int64_t pid,
		       struct arena *a, struct err *e)
{
	struct json_writer w;
	struct str out;

	str_init(&out, a);
	json_write_init(&w, &out, NULL);
	hook_write_state(&w, NULL, record, status, pid);
	return str_end(&out, e);
}

static int memory_file(const char *content, struct err *e)
{
	_close_ int fd = (int)syscall(SYS_memfd_create, "hook", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "make a file in memory for a hook");
	if (fd_write(fd, content, strlen(content), "the state for a hook", e))
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "rewind the state for a hook");
	return fd_take(&fd);
}

/* The beginning of what a hook wrote, for the error. */
static void shown(int fd, char text[OUTPUT_SHOWN + 1])
{
	ssize_t n = pread(fd, text, OUTPUT_SHOWN, 0);

	text[n > 0 ? n : 0] = '\0';
	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
}

static char **vector(const struct str_list *list, struct arena *a, struct err *e)
{
	char **v = arena_get_array(a, list->count + 2, sizeof(*v), e);

	for (size_t i = 0; v && i < list->count; i++)
		v[i] = (char *)(uintptr_t)list->item[i];
	return v;
}

/* Starts it in a session of its own, so that all of it can be ended together. */
static int start(const struct spec_hook *hook, const int streams[3], const char *cwd,
		 struct arena *a, pid_t *ret_pid, struct err *e)
{
	char **args = vector(&hook->args, a, e);
	char **env = hook->env_given ? vector(&hook->env, a, e) : environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int failed;

	if (!args || !env)
		return -1;
	if (!hook->args.count)
		args[0] = (char *)(uintptr_t)hook->path;
	sigemptyset(&none);
	failed = posix_spawn_file_actions_init(&actions) || posix_spawnattr_init(&attributes);
	for (int fd = 0; fd < 3 && !failed; fd++)
		failed = posix_spawn_file_actions_adddup2(&actions, streams[fd], fd);
	if (!failed && cwd)
		failed = posix_spawn_file_actions_addchdir_np(&actions, cwd);
	if (!failed)
		failed = posix_spawnattr_setflags(&attributes,
						  POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK) ||
			 posix_spawnattr_setsigmask(&attributes, &none);
	if (failed)
		return err_set(e, ERR_NO_MEMORY, "fork/exec %s: out of memory", hook->path);
	failed = posix_spawn(ret_pid, hook->path, &actions, &attributes, args, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	errno = failed;
	return failed ? err_sys(e, "fork/exec %s", hook->path) : 0;
}

/* Waits for its end; past the timeout it and what it started are killed, and the answer is 1. */
static int await(pid_t pid, const struct spec_hook *hook, int *ret_status, struct err *e)
{
	int timeout = -1, late = 0;
	_close_ int fd = pidfd_get(pid, e);

	if (fd < 0)
		return -1;
	if (hook->timeout.set && hook->timeout.value > 0 && hook->timeout.value < 2000000)
		timeout = (int)hook->timeout.value * 1000;
	if (timeout >= 0) {
		late = pidfd_wait_all(&fd, 1, timeout, e);
		if (late < 0)
			return -1;
		if (late)
			(void)kill(-pid, SIGKILL);
	}
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for hook %s", hook->path);
	return late;
}

/* A signal in the words that the messages of other tools have made familiar. */
static const char *signal_words(int number)
{
	static const char *const words[] = {
		[SIGHUP] = "hangup",
		[SIGINT] = "interrupt",
		[SIGQUIT] = "quit",
		[SIGILL] = "illegal instruction",
		[SIGTRAP] = "trace/breakpoint trap",
		[SIGABRT] = "aborted",
		[SIGBUS] = "bus error",
		[SIGFPE] = "floating point exception",
		[SIGKILL] = "killed",
		[SIGUSR1] = "user defined signal 1",
		[SIGSEGV] = "segmentation fault",
		[SIGUSR2] = "user defined signal 2",
		[SIGPIPE] = "broken pipe",
		[SIGALRM] = "alarm clock",
		[SIGTERM] = "terminated",
	};

	return number > 0 && (size_t)number < array_len(words) && words[number] ? words[number]
										: "unknown";
}

static int judge(int status, const int streams[3], struct err *e)
{
	char output[OUTPUT_SHOWN + 1], errors[OUTPUT_SHOWN + 1];

	if (status == 0)
		return 0;
	shown(streams[1], output);
	shown(streams[2], errors);
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYSTEM, "signal: %s, stdout: %s, stderr: %s",
			       signal_words(WTERMSIG(status)), output, errors);
	return err_set(e, ERR_SYSTEM, "exit status %d, stdout: %s, stderr: %s", WEXITSTATUS(status),
		       output, errors);
}

static int run(const struct spec_hook *hook, const char *state, const char *cwd, struct arena *a,
	       struct err *e)
{
	_close_ int input = memory_file(state, e);
	_close_ int output = input < 0 ? -1 : memory_file("", e);
	_close_ int errors = output < 0 ? -1 : memory_file("", e);
	const int streams[3] = {input, output, errors};
	int status = 0, late;
	pid_t pid = 0;

	if (errors < 0 || start(hook, streams, cwd, a, &pid, e))
		return -1;
	late = await(pid, hook, &status, e);
	if (late > 0)
		return err_set(e, ERR_SYSTEM, "hook ran past specified timeout of %lld.0s",
			       (long long)hook->timeout.value);
	return late < 0 ? -1 : judge(status, streams, e);
}

int hook_run(const struct spec_hook *hook, enum hook_kind kind, size_t index, const char *state,
	     const char *cwd, struct arena *a, struct err *e)
{
	if (!run(hook, state, cwd, a, e))
		return 0;
	return err_wrap(e, "error running %s hook #%zu", word_name(&words_hooks, kind), index);
}
