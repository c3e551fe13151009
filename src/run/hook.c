/*
 * Running one hook: see hook.h. Its three standard streams are files in memory: nothing can block
 * on a pipe, and what it leaves running in the background keeps nothing of ours open.
 *
 * A hook with a timeout is started by a process in between, its keeper, to whom all orphans of the
 * hook fall: so it can end everything that the hook started, in whichever session that may be.
 */
#include "run/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"

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

/* Starts it in a session of its own: no terminal of the caller's is its. */
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

static int wait_for(pid_t pid, const char *what, int *ret_status, struct err *e)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for hook %s", what);
	return 0;
}

/* What became of a hook. */
struct outcome {
	bool failed;    /* to start, or to be waited for: why */
	bool late;      /* it was ended */
	int status;     /* as waitpid(2) gives it */
	struct err why; /* crosses the pipe as it is */
};

/* ---- the keeper ------------------------------------------------------------------------------ */

/* Kills what is below the caller until nothing is. The children of what dies fall to it. */
static void end_all(void)
{
	pid_t children[256];
	int count;

	while ((count = procfs_children(children, array_len(children))) > 0) {
		for (int i = 0; i < count; i++)
			(void)kill(children[i], SIGKILL);
		(void)waitpid(-1, NULL, 0);
	}
}

/* Waits for the end of a hook, or ends it and all that it started when its time is up. */
static int keep(pid_t pid, const struct spec_hook *hook, struct outcome *o, struct err *e)
{
	bool countable = hook->timeout.value < 2000000; /* in milliseconds, as an int */
	int timeout = countable ? (int)hook->timeout.value * 1000 : -1;
	_close_ int fd = pidfd_get(pid, e);
	int left = fd < 0 ? -1 : pidfd_wait_all(&fd, 1, timeout, e);

	o->late = left > 0;
	if (left)
		(void)kill(-pid, SIGKILL); /* all there is where children are not listed */
	if (left < 0)
		return -1;
	if (wait_for(pid, hook->path, &o->status, e))
		return -1;
	if (left)
		end_all();
	return 0;
}

/*
 * The keeper lives as long as the hook, even if the runtime is killed: it holds nothing of the
 * runtime's (the lock of the state directory), and no signal for the runtime's group ends it.
 */
static void keeper(const struct spec_hook *hook, const int streams[3], const char *cwd, int answer,
		   struct arena *a) __attribute__((noreturn));
static void keeper(const struct spec_hook *hook, const int streams[3], const char *cwd, int answer,
		   struct arena *a)
{
	static const int standard[] = {0, 1, 2};
	struct outcome o = {0};
	sigset_t all;
	pid_t pid;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(streams[fd], fd) < 0)
			_exit(1);
	if ((answer != 3 && dup3(answer, 3, O_CLOEXEC) < 0) ||
	    syscall(SYS_close_range, 4, ~0u, 0) || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		_exit(1);
	o.failed = start(hook, standard, cwd, a, &pid, &o.why) || keep(pid, hook, &o, &o.why);
	_exit(write(3, &o, sizeof(o)) != (ssize_t)sizeof(o));
}

static int run_kept(const struct spec_hook *hook, const int streams[3], const char *cwd,
		    struct arena *a, struct outcome *ret, struct err *e)
{
	_close_ int answer = -1;
	_close_ int other_end = -1;
	int ends[2], ignored;
	ssize_t n;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return err_sys(e, "make a pipe to the keeper of a hook");
	answer = ends[0];
	other_end = ends[1];
	pid = fork();
	if (pid == 0)
		keeper(hook, streams, cwd, other_end, a);
	if (pid < 0)
		return err_sys(e, "fork the keeper of hook %s", hook->path);
	fd_close(&other_end);
	do
		n = read(answer, ret, sizeof(*ret));
	while (n < 0 && errno == EINTR);
	if (wait_for(pid, hook->path, &ignored, e))
		return -1;
	return n == (ssize_t)sizeof(*ret)
		       ? 0
		       : err_set(e, ERR_SYSTEM, "the keeper of hook %s ended unexpectedly",
				 hook->path);
}

/* ---- how it ended ---------------------------------------------------------------------------- */

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
	struct outcome o = {0};
	pid_t pid = 0;

	if (errors < 0)
		return -1;
	if (hook->timeout.set) {
		if (run_kept(hook, streams, cwd, a, &o, e))
			return -1;
	} else {
		o.failed = start(hook, streams, cwd, a, &pid, &o.why) ||
			   wait_for(pid, hook->path, &o.status, &o.why);
	}
	if (o.failed) {
		*e = o.why;
		return -1;
	}
	if (o.late)
		return err_set(e, ERR_SYSTEM, "hook ran past specified timeout of %lld.0s",
			       (long long)hook->timeout.value);
	return judge(o.status, streams, e);
}

int hook_run(const struct spec_hook *hook, enum hook_kind kind, size_t index, const char *state,
	     const char *cwd, struct arena *a, struct err *e)
{
	if (!run(hook, state, cwd, a, e))
		return 0;
	return err_wrap(e, "error running %s hook #%zu", word_name(&words_hooks, kind), index);
}
