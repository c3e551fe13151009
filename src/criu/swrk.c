/*
 * Speaking with criu: see swrk.h.
 */
#include "criu/swrk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/fdpass.h"
#include "sys/pidfd.h"

#define MESSAGE_MAX 40960 /* bytes: criu's own are a few hundred */
#define USUAL_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define END_TIMEOUT 30000 /* ms that criu has to undo what it did */

extern char **environ;

/* ---- starting -------------------------------------------------------------------------------- */

int criu_open(struct criu_talk *t, const struct log *log, struct arena *a, int *ret_other,
	      struct err *e)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_sys(e, "make the socket between runtime and criu");
	*t = (struct criu_talk){.socket = pair[0], .log = log, .arena = a};
	*ret_other = pair[1];
	return 0;
}

/* Streams 0 to 2 are /dev/null, 3 is the socket; signals are as criu expects them. */
static int spawn(const char *path, int socket, pid_t *ret_pid)
{
	char *argv[] = {(char[]){"criu"}, (char[]){"swrk"}, (char[]){"3"}, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawnattr_init(&attributes);
	for (int fd = 0; fd < 3 && !failed; fd++)
		failed = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, socket, CRIU_SOCKET);
	sigemptyset(&none);
	if (!failed)
		failed = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) ||
			 posix_spawnattr_setsigmask(&attributes, &none);
	if (!failed)
		failed = posix_spawn(ret_pid, path, &actions, &attributes, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attributes);
	return failed;
}

int criu_start(struct criu_talk *t, const struct criu_program *program, const struct log *log,
	       struct arena *a, struct err *e)
{
	_close_ int other = -1;

	if (criu_open(t, log, a, &other, e))
		return -1;
	errno = spawn(program->path, other, &t->pid);
	if (!errno)
		return 0;
	fd_close(&t->socket);
	return err_sys(e, "exec: \"criu\": fork/exec %s", program->path);
}

/* ---- talking --------------------------------------------------------------------------------- */

static int send_bytes(struct criu_talk *t, const struct str *message, struct err *e)
{
	ssize_t n;

	if (message->failed)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a message to criu");
	do
		n = send(t->socket, message->text, message->length, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(e, "send to criu") : 0;
}

static int receive(struct criu_talk *t, char *buf, struct criu_reply *ret, struct err *e)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec part = {.iov_base = buf, .iov_len = MESSAGE_MAX};
	struct msghdr packet;
	_close_ int passed = -1;
	ssize_t n;

	do {
		packet = (struct msghdr){.msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 .msg_controllen = CMSG_LEN(sizeof(int))};
		n = recvmsg(t->socket, &packet, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "receive");
	passed = fdpass_taken(&packet);
	if (n == 0) {
		t->vanished = true;
		return err_set(e, ERR_SYSTEM, "unexpected EOF");
	}
	if (packet.msg_flags & MSG_TRUNC)
		return err_set(e, ERR_INVALID, "a message is longer than %d bytes", MESSAGE_MAX);
	if (criu_decode(buf, (size_t)n, ret, e))
		return -1;
	ret->passed = fd_take(&passed);
	return 0;
}

static int answer(struct criu_talk *t, const struct criu_reply *told,
		  const struct criu_question *question, struct err *e)
{
	struct str message;

	log_add(t->log, LOG_LEVEL_DEBUG, "criu: %s", told->script);
	if (question->listen && question->listen(question->user, told, e))
		return -1;
	str_init(&message, t->arena);
	criu_answer(&message, true);
	return send_bytes(t, &message, e);
}

static int fail_reply(const struct criu_reply *reply, struct err *e)
{
	err_set(e, ERR_SYSTEM, "criu failed: type %s errno %d", criu_type_name(reply->type),
		reply->number);
	e->sys = reply->number;
	return -1;
}

/* Listens until there is a reply, or a failure; *ret_ours says whether that was the listener's. */
static int listen_for(struct criu_talk *t, const struct criu_question *question, bool *ret_ours,
		      struct criu_reply *ret, struct err *e)
{
	char *buf = arena_get(t->arena, MESSAGE_MAX, e);
	struct criu_reply reply;
	int failed;

	if (!buf)
		return -1;
	for (;;) {
		if (receive(t, buf, &reply, e))
			return -1;
		if (reply.type != CRIU_NOTIFY || !reply.success)
			break;
		failed = answer(t, &reply, question, e);
		fd_close(&reply.passed);
		*ret_ours = failed;
		if (failed)
			return -1;
	}
	fd_close(&reply.passed);
	*ret = reply;
	return 0;
}

int criu_converse(struct criu_talk *t, const struct criu_question *question, struct criu_reply *ret,
		  struct err *e)
{
	struct criu_reply reply;
	struct str request;
	bool ours = false;

	str_init(&request, t->arena);
	criu_request(&request, question->type, question->options, question->features);
	if (send_bytes(t, &request, e))
		return err_wrap(e, "criu failed");
	if (listen_for(t, question, &ours, &reply, e))
		return ours ? -1 : err_wrap(e, "criu failed");
	if (!reply.success)
		return fail_reply(&reply, e);
	if (reply.type != (unsigned)question->type)
		return err_set(e, ERR_SYSTEM, "criu failed: it replies to %s and not to %s",
			       criu_type_name(reply.type), criu_type_name(question->type));
	/* It waits for a dump now, which is another command's: that fails, and so does criu. */
	t->cut_short = question->type == CRIU_PRE_DUMP;
	*ret = reply;
	return 0;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static int wait_for(pid_t pid)
{
	struct err ignored;
	_close_ int pidfd = pidfd_get(pid, &ignored);
	int status = 0;

	if (pidfd < 0 || pidfd_wait_all(&pidfd, 1, END_TIMEOUT, &ignored))
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

int criu_end(struct criu_talk *t, int failed, struct err *e)
{
	int status;

	fd_close(&t->socket);
	if (t->pid <= 0)
		return failed;
	status = wait_for(t->pid);
	t->pid = 0;
	if (!status || (failed ? !t->vanished : t->cut_short))
		return failed;
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYSTEM, "criu failed: signal %d", WTERMSIG(status));
	return err_set(e, ERR_SYSTEM, "criu failed: exit status %d", WEXITSTATUS(status));
}

/* ---- questions ------------------------------------------------------------------------------- */

/* One request that nothing else belongs to. */
static int ask(const struct criu_program *program, enum criu_type type,
	       const struct criu_features *features, const struct log *log, struct arena *a,
	       struct criu_reply *ret, struct err *e)
{
	const struct criu_question question = {.type = type, .features = features};
	struct criu_talk t = CRIU_SILENT;

	if (criu_start(&t, program, log, a, e))
		return -1;
	return criu_end(&t, criu_converse(&t, &question, ret, e), e);
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

static int look_up(const char *search, struct arena *a, const char **ret, struct err *e)
{
	if (!search)
		search = USUAL_PATH;
	while (*search) {
		size_t length = strcspn(search, ":");
		const char *candidate = arena_format(a, e, "%.*s/criu", (int)length, search);

		if (!candidate)
			return -1;
		if (*candidate == '/' && length && is_program(candidate)) {
			*ret = candidate;
			return 0;
		}
		search += length + (search[length] == ':');
	}
	err_set(e, ERR_UNSUPPORTED, "exec: \"criu\": executable file not found in $PATH");
	e->sys = ENOENT;
	return err_hint(e, "install the package criu");
}

int criu_find(const char *search, unsigned least, const struct log *log, struct arena *a,
	      struct criu_program *ret, struct err *e)
{
	struct criu_program program = {0};
	struct criu_reply reply;

	if (look_up(search, a, &program.path, e) ||
	    ask(&program, CRIU_VERSION, NULL, log, a, &reply, e))
		return err_wrap(e, "CRIU version check failed");
	program.version = reply.version;
	if (program.version < least) {
		err_set(e, ERR_UNSUPPORTED, "CRIU version %u must be %u or higher", program.version,
			least);
		return err_hint(e, "%s is too old", program.path);
	}
	log_add(log, LOG_LEVEL_DEBUG, "using %s, version %u", program.path, program.version);
	*ret = program;
	return 0;
}

int criu_check_features(const struct criu_program *program, const struct criu_features *wanted,
			const struct log *log, struct arena *a, struct err *e)
{
	struct criu_reply reply;

	if (ask(program, CRIU_FEATURE_CHECK, wanted, log, a, &reply, e)) {
		log_add(log, LOG_LEVEL_DEBUG, "%s", e->text);
		return err_set(e, ERR_SYSTEM, "CRIU feature check failed");
	}
	if (wanted->mem_track && !reply.features.mem_track) {
		err_set(e, ERR_UNSUPPORTED, "CRIU is missing features");
		return err_hint(e, "this kernel does not track which memory is written "
				   "(CONFIG_MEM_SOFT_DIRTY)");
	}
	if (wanted->lazy_pages && !reply.features.lazy_pages) {
		err_set(e, ERR_UNSUPPORTED, "CRIU is missing features");
		return err_hint(e, "this kernel or criu cannot load memory when it is used "
				   "(CONFIG_USERFAULTFD)");
	}
	return 0;
}
