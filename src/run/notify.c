/*
 * Readiness of the program: see notify.h. Everything that arrives inside is the container's word
 * and may be hostile. Nobody else can send it: the state directory is closed to other users.
 */
#include "run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "state/store.h"
#include "sys/address.h"
#include "sys/fdpass.h"
#include "sys/inroot.h"

#define NOTIFY_NAME "notify.sock" /* the last part of NOTIFY_INSIDE */
#define TIME_LIMIT 30             /* seconds that a service manager may take for an answer */
#define DATAGRAM_MAX 4096         /* a longer one is nothing that sd_notify sends */

void notify_none(struct notify *n)
{
	*n = (struct notify){.inside = -1, .outside = -1, .barrier = -1};
}

void notify_close(struct notify *n)
{
	fd_close(&n->inside);
	fd_close(&n->outside);
	fd_close(&n->barrier);
}

int notify_make_place(int state, struct err *e)
{
	/* The mode must not depend on the umask: any user of the container may send. */
	if (mkdirat(state, STORE_NOTIFY, 0755) || fchmodat(state, STORE_NOTIFY, 0755, 0))
		return err_sys(e, "make the directory of the notify socket");
	return 0;
}

bool notify_has_place(int state)
{
	struct stat st;

	return !fstatat(state, STORE_NOTIFY, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode);
}

/* A privileged container can write to its directory: no name in it is followed. */
static int open_to_all(int place, struct err *e)
{
	_close_ int node = inroot_open_plain(place, NOTIFY_NAME, O_PATH, e);
	struct sockaddr_un path = address_of(node);
	struct stat st;

	if (node < 0)
		return -1;
	if (fstat(node, &st) || !S_ISSOCK(st.st_mode) || chmod(path.sun_path, 0777))
		return err_sys(e, "open the notify socket to the container's users");
	return 0;
}

static int listen_inside(int state, struct err *e)
{
	_close_ int place = openat(state, STORE_NOTIFY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = address_below(place, NOTIFY_NAME);

	if (place >= 0)
		(void)unlinkat(place, NOTIFY_NAME, 0); /* of a start that was killed */
	if (place < 0 || fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)))
		return err_sys(e, "make the notify socket");
	return open_to_all(place, e) ? -1 : fd_take(&fd);
}

static int dial(int fd, const char *socket)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	_close_ int listener = -1;
	size_t length = strlen(socket);

	if (*socket == '@' && length <= sizeof(un.sun_path)) { /* an abstract name begins by NUL */
		memcpy(un.sun_path + 1, socket + 1, length - 1);
		return connect(fd, (struct sockaddr *)&un,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	}
	listener = fd_open(socket, O_PATH);
	un = address_of(listener);
	return listener < 0 ? -1 : connect(fd, (struct sockaddr *)&un, sizeof(un));
}

static int connect_outside(const char *name, struct err *e)
{
	static const struct timeval limit = {.tv_sec = TIME_LIMIT};
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (*name != '/' && *name != '@') {
		err_set(e, ERR_USAGE, "NOTIFY_SOCKET: %s is not the name of a unix socket", name);
		return err_hint(e, "an absolute path or @NAME; unset it when nobody listens");
	}
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		return err_sys(e, "make a socket");
	if (dial(fd, name)) {
		err_sys(e, "NOTIFY_SOCKET: dial unixgram %s: connect", name);
		return err_hint(e,
				"the service manager must listen there; unset it when none does");
	}
	return fd_take(&fd);
}

int notify_open(struct notify *n, int state, const char *socket, const struct log *log,
		struct err *e)
{
	_close_ int outside = connect_outside(socket, e);
	int inside = outside < 0 ? -1 : listen_inside(state, e);

	if (inside < 0)
		return -1;
	*n = (struct notify){
		.inside = inside, .outside = fd_take(&outside), .barrier = -1, .log = log};
	return 0;
}

static long now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* The write end of the barrier's pipe goes along, and stays open until the message is read. */
static int send_barrier(struct notify *n, struct err *e)
{
	_close_ int theirs = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return err_sys(e, "make a pipe");
	n->barrier = ends[0];
	n->barrier_end = now() + TIME_LIMIT;
	theirs = ends[1];
	return fdpass_send(n->outside, "BARRIER=1", theirs, e);
}

static void tell(struct notify *n, pid_t main)
{
	char text[48];
	struct err e;

	(void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%d\n", (int)main);
	if (send(n->outside, text, strlen(text), MSG_NOSIGNAL) < 0)
		err_sys(&e, "send");
	else if (!send_barrier(n, &e))
		return;
	log_add(n->log, LOG_LEVEL_WARNING, "tell NOTIFY_SOCKET of readiness: %s", e.text);
}

static bool says_ready(const char *text, size_t length)
{
	static const char ready[] = "READY=1";
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line = (size_t)((newline ? newline : end) - text);

		if (line == strlen(ready) && !memcmp(text, ready, line))
			return true;
		text += line + 1;
	}
	return false;
}

void notify_take(struct notify *n, pid_t main)
{
	char text[DATAGRAM_MAX];
	/*
	 * Without room for descriptors the kernel closes those that come along: a BARRIER is
	 * answered by that. MSG_TRUNC: the length is the true one.
	 */
	ssize_t length = recv(n->inside, text, sizeof(text), MSG_DONTWAIT | MSG_TRUNC);

	if (n->told || length <= 0 || length > (ssize_t)sizeof(text))
		return;
	if (text[length - 1] == '\0') /* some count the end of their string */
		length--;
	n->told = says_ready(text, (size_t)length);
	if (n->told)
		tell(n, main);
}

void notify_wait(struct notify *n, int pidfd, pid_t main)
{
	while (n->inside >= 0 && !n->told) {
		struct pollfd wait[] = {{.fd = n->inside, .events = POLLIN},
					{.fd = pidfd, .events = POLLIN}};

		if (poll(wait, array_len(wait), -1) < 0 && errno != EINTR)
			return;
		if (wait[0].revents) /* first: its last word may have been READY */
			notify_take(n, main);
		else if (wait[1].revents)
			return;
	}
	notify_settle(n);
}

void notify_settle(struct notify *n)
{
	bool timely = true;

	while (n->barrier >= 0 && timely) {
		struct pollfd wait[] = {{.fd = n->barrier}, {.fd = n->inside, .events = POLLIN}};
		long left = n->barrier_end - now();

		timely = left > 0 &&
			 (poll(wait, array_len(wait), (int)left * 1000) >= 0 || errno == EINTR);
		if (timely && wait[1].revents) /* the program may wait for a barrier of its own */
			notify_take(n, 0);
		if (timely && wait[0].revents)
			fd_close(&n->barrier);
	}
	if (!timely)
		log_add(n->log, LOG_LEVEL_WARNING, "NOTIFY_SOCKET did not answer within %d s",
			TIME_LIMIT);
	fd_close(&n->barrier);
}
