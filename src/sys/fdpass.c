/*
 * Passing a descriptor: see fdpass.h.
 */
#include "sys/fdpass.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "sys/address.h"

#define TRIES 20
#define PAUSE 10 /* milliseconds */

static int connect_once(int connection, const char *path)
{
	_close_ int listener = fd_open(path, O_PATH);
	struct sockaddr_un un = address_of(listener);

	if (listener < 0)
		return -1;
	return connect(connection, (struct sockaddr *)&un, sizeof(un));
}

int fdpass_connect(const char *path, struct err *e)
{
	_close_ int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connection < 0)
		return err_sys(e, "make a socket");
	for (int i = 1; connect_once(connection, path); i++) {
		if ((errno == ENOENT || errno == ECONNREFUSED) && i < TRIES) {
			(void)poll(NULL, 0, PAUSE);
			continue;
		}
		err_sys(e, "dial unix %s: connect", path);
		return err_hint(e, "somebody must listen at the socket by now");
	}
	return fd_take(&connection);
}

int fdpass_send(int connection, const char *text, int passed, struct err *e)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
	struct msghdr packet = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	ssize_t n;

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &passed, sizeof(int));
	do
		n = sendmsg(connection, &packet, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? err_sys(e, "send a descriptor") : 0;
}

int fdpass_taken(const struct msghdr *packet)
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(packet);
	int fd;

	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}
