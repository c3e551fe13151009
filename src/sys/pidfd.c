/*
 * Processes held by a descriptor: see pidfd.h.
 */
#include "sys/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

int pidfd_get(pid_t pid, struct err *e)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return err_sys(e, "open process %d", (int)pid);
	return fd;
}

int pidfd_signal(int pidfd, int signal, struct err *e)
{
	if (!syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0))
		return 0;
	err_sys(e, "send signal %d", signal);
	if (e->sys != EACCES) /* plain permissions are EPERM */
		return -1;
	return err_hint(e, "a security module forbids it: the AppArmor profile of the container "
			   "must take signals from the one of this program");
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Waits for one process; 1 when it ended, 0 when time ran out. A pidfd is readable from the end of
 * its process on.
 */
static int wait_one(int pidfd, int64_t end, struct err *e)
{
	struct pollfd wait = {.fd = pidfd, .events = POLLIN};

	for (;;) {
		int64_t left = end < 0 ? -1 : end - now_ms();
		int n = poll(&wait, 1, end < 0 ? -1 : left < 0 ? 0 : (int)left);

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return err_sys(e, "wait for a process");
	}
}

int pidfd_wait_all(int *pidfds, size_t count, int timeout, struct err *e)
{
	int64_t end = timeout < 0 ? -1 : now_ms() + timeout;
	int left = 0;

	for (size_t i = 0; i < count; i++) {
		int ended = pidfds[i] < 0 ? 0 : wait_one(pidfds[i], end, e);

		if (ended < 0)
			return -1;
		if (ended)
			fd_close(&pidfds[i]);
		left += pidfds[i] >= 0;
	}
	return left;
}
