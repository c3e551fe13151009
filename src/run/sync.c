/*
 * The protocol between the runtime and init: see sync.h.
 */
#include "run/sync.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/fdpass.h"

/* Messages without an error end before it: a kilobyte and more need not be copied each time. */
#define SHORT_MESSAGE offsetof(struct sync_message, err)

int sync_pair(int ret[2], struct err *e)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret))
		return err_sys(e, "make the socket between runtime and init");
	return 0;
}

static int send_message(int fd, const struct sync_message *message, size_t size, int passed,
			struct err *e)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t n;

	if (passed >= 0) {
		packet.msg_control = control.space;
		packet.msg_controllen = sizeof(control.space);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &passed, sizeof(int));
	}
	do
		n = sendmsg(fd, &packet, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "send to the other process");
	return 0;
}

int sync_send_done(int fd, int stage, struct err *e)
{
	struct sync_message message = {.kind = SYNC_DONE, .stage = stage};

	return send_message(fd, &message, SHORT_MESSAGE, -1, e);
}

int sync_send_exec(int fd, struct err *e)
{
	struct sync_message message = {.kind = SYNC_EXEC};

	return send_message(fd, &message, SHORT_MESSAGE, -1, e);
}

int sync_send_spawned(int fd, int64_t pid, int pidfd, struct err *e)
{
	struct sync_message message = {.kind = SYNC_SPAWNED, .value = pid};

	return send_message(fd, &message, SHORT_MESSAGE, pidfd, e);
}

int sync_send_terminal(int fd, int master, struct err *e)
{
	struct sync_message message = {.kind = SYNC_TERMINAL};

	return send_message(fd, &message, SHORT_MESSAGE, master, e);
}

/* What lies behind the end of a text is the sender's own memory, and stays there. */
static void put_error(struct sync_message *message, const struct err *e)
{
	message->err.code = e->code;
	message->err.sys = e->sys;
	memcpy(message->err.pointer, e->pointer, strnlen(e->pointer, sizeof(e->pointer)));
	memcpy(message->err.text, e->text, strnlen(e->text, sizeof(e->text)));
	memcpy(message->err.hint, e->hint, strnlen(e->hint, sizeof(e->hint)));
}

int sync_send_doubt(int fd, const struct executable_fault *doubt, struct err *e)
{
	struct sync_message message = {.kind = SYNC_DOUBT, .stage = doubt->nested};

	put_error(&message, &doubt->why);
	memcpy(message.head, doubt->head, sizeof(message.head));
	return send_message(fd, &message, sizeof(message), -1, e);
}

int sync_send_listener(int fd, int listener, struct err *e)
{
	struct sync_message message = {.kind = SYNC_LISTENER};

	return send_message(fd, &message, SHORT_MESSAGE, listener, e);
}

void sync_send_failed(int fd, const struct err *why)
{
	struct sync_message message = {.kind = SYNC_FAILED};
	struct err ignored;

	put_error(&message, why);
	if (send_message(fd, &message, sizeof(message), -1, &ignored))
		return;
}

void sync_send_log(int fd, const char *text)
{
	struct sync_message message = {.kind = SYNC_LOG};
	struct err ignored;

	err_set(&message.err, ERR_SYSTEM, "%s", text);
	if (send_message(fd, &message, sizeof(message), -1, &ignored))
		return;
}

/* An error that came is one, whatever was sent: init shares its life with hostile code. */
static void make_whole(struct err *e)
{
	e->text[sizeof(e->text) - 1] = '\0';
	e->hint[sizeof(e->hint) - 1] = '\0';
	e->pointer[sizeof(e->pointer) - 1] = '\0';
	if (e->pointer[0] != '/')
		e->pointer[0] = '\0';
	if (e->code < ERR_SYSTEM || e->code > ERR_NO_MEMORY)
		e->code = ERR_SYSTEM;
	if (!e->text[0])
		(void)snprintf(e->text, sizeof(e->text), "the other process does not say why");
}

/* One message: 1, or 0 at end of file. *ret_passed gets its descriptor or −1. */
static int receive_message(int fd, struct sync_message *ret, int *ret_passed, struct err *e)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = {.iov_base = ret, .iov_len = sizeof(*ret)};
	struct msghdr packet;
	ssize_t n;

	/* ECONNRESET, once: it ended before it had read all. What it sent is still to be read. */
	do {
		packet = (struct msghdr){.msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = control,
					 /* not its padding: a second one would fit in */
					 .msg_controllen = CMSG_LEN(sizeof(int))};
		n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return err_sys(e, "receive from the other process");
	*ret_passed = fdpass_taken(&packet);
	if (n == 0)
		return 0;
	if ((size_t)n < SHORT_MESSAGE || (ret->kind >= SYNC_LOG && (size_t)n != sizeof(*ret)))
		return err_set(e, ERR_SYSTEM,
			       "receive from the other process: a message of %zd bytes", n);
	if (ret->kind >= SYNC_LOG)
		make_whole(&ret->err);
	return 1;
}

static int pass_on(struct sync_incoming *in, int listener, struct err *e)
{
	if (fdpass_send(in->agent, in->agent_text, listener, e))
		return err_wrap(e, "seccomp listener");
	fd_close(&in->agent);
	return 0;
}

static void take_doubt(struct sync_incoming *in, const struct sync_message *message)
{
	in->doubt.why = message->err;
	in->doubt.nested = message->stage;
	memcpy(in->doubt.head, message->head, sizeof(in->doubt.head));
}

/* The next message that is not for somebody on the way: as receive_message. */
static int receive(int fd, struct sync_incoming *in, struct sync_message *ret, int *ret_passed,
		   struct err *e)
{
	for (;;) {
		_close_ int passed = -1;
		int got = receive_message(fd, ret, &passed, e);

		if (got > 0 && ret->kind == SYNC_LOG) {
			log_add(in->log, LOG_LEVEL_DEBUG, "%s", ret->err.text);
		} else if (got > 0 && ret->kind == SYNC_TERMINAL && passed >= 0 &&
			   in->terminal < 0) {
			in->terminal = fd_take(&passed);
		} else if (got > 0 && ret->kind == SYNC_LISTENER && passed >= 0 && in->agent >= 0) {
			if (pass_on(in, passed, e))
				return -1;
		} else if (got > 0 && ret->kind == SYNC_DOUBT && !in->doubt.why.code) {
			take_doubt(in, ret);
		} else {
			*ret_passed = fd_take(&passed);
			return got;
		}
	}
}

/* Whether what receive gave (got) is the message that is expected. */
static int expect(int got, const struct sync_message *message, enum sync_kind kind, int stage,
		  struct err *e)
{
	if (got < 0)
		return -1;
	if (got == 0)
		return err_set(e, ERR_SYSTEM, "the other process ended unexpectedly");
	if (message->kind == SYNC_FAILED) {
		*e = message->err;
		return -1;
	}
	if (message->kind != (int)kind || message->stage != stage)
		return err_set(e, ERR_SYSTEM, "expected message %d of stage %d, got %d of stage %d",
			       (int)kind, stage, message->kind, message->stage);
	return 0;
}

int sync_receive_done(int fd, int stage, struct sync_incoming *in, struct err *e)
{
	struct sync_message message;
	_close_ int unexpected = -1;
	int got = receive(fd, in, &message, &unexpected, e);

	return expect(got, &message, SYNC_DONE, stage, e);
}

int sync_receive_failed(int fd, struct sync_incoming *in, struct err *e)
{
	struct sync_message message;
	int got;

	do {
		_close_ int unexpected = -1;

		got = receive(fd, in, &message, &unexpected, e);
	} while (got > 0 && message.kind != SYNC_FAILED);
	return expect(got, &message, SYNC_FAILED, 0, e);
}

int sync_receive_spawned(int fd, struct sync_incoming *in, int64_t *ret_pid, int *ret_pidfd,
			 struct err *e)
{
	struct sync_message message;
	_close_ int pidfd = -1;
	int got = receive(fd, in, &message, &pidfd, e);

	if (expect(got, &message, SYNC_SPAWNED, 0, e))
		return -1;
	if (pidfd < 0)
		return err_set(e, ERR_SYSTEM, "the process in between sent no pidfd");
	*ret_pid = message.value;
	*ret_pidfd = fd_take(&pidfd);
	return 0;
}

/* Sleeps until every copy of the other end is closed; what was sent before stays to be read. */
static int wait_closed(int fd, struct err *e)
{
	struct pollfd wait = {.fd = fd};

	while (poll(&wait, 1, -1) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for the other process");
	return 0;
}

int sync_wait_exec(int fd, struct sync_incoming *in, struct err *e)
{
	bool urgent = in->agent >= 0 || log_wants(in->log, LOG_LEVEL_DEBUG);
	struct sync_message message;
	_close_ int unexpected = -1;
	int got;

	if (!urgent && wait_closed(fd, e))
		return -1;
	got = receive(fd, in, &message, &unexpected, e);
	if (expect(got, &message, SYNC_EXEC, 0, e))
		return -1;
	fd_close(&unexpected);
	got = receive(fd, in, &message, &unexpected, e);
	return got ? expect(got, &message, SYNC_FAILED, 0, e) : 0;
}
