/*
 * Making a process: see process.h.
 */
#include "sys/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/refusal.h"

#define NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP | CLONE_NEWTIME)

/*
 * The old system call, for sandboxes whose filter does not know clone3. Its flags have no room for
 * a cgroup.
 */
static pid_t clone_old(const struct process_clone *clone)
{
	unsigned long flags =
		(unsigned long)clone->flags | (clone->ret_pidfd ? CLONE_PIDFD : 0u) | SIGCHLD;

	if (clone->flags & CSIGNAL) { /* CLONE_NEWTIME is where the exit signal was */
		errno = ENOSYS;
		return -1;
	}
#if defined(__s390x__)
	return (pid_t)syscall(SYS_clone, NULL, flags, clone->ret_pidfd, NULL, 0);
#else
	return (pid_t)syscall(SYS_clone, flags, NULL, clone->ret_pidfd, NULL, 0);
#endif
}

pid_t process_clone(const struct process_clone *clone, struct err *e)
{
	struct clone_args args = {
		.flags = clone->flags | (clone->ret_pidfd ? (uint64_t)CLONE_PIDFD : 0),
		.pidfd = (uint64_t)(uintptr_t)clone->ret_pidfd,
		.exit_signal = clone->flags & CLONE_PARENT ? 0 : SIGCHLD,
	};
	pid_t pid;

	if (clone->cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (unsigned)clone->cgroup;
	}
	*clone->ret_in_cgroup = clone->cgroup >= 0;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == EACCES && clone->cgroup >= 0) {
		*clone->ret_in_cgroup = false;
		args.flags &= ~CLONE_INTO_CGROUP;
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	}
	if (pid < 0 && errno == ENOSYS) {
		*clone->ret_in_cgroup = false;
		pid = clone_old(clone);
	}
	if (pid < 0) {
		err_sys(e, "clone a process");
		if (clone->flags & NAMESPACES)
			refusal_of_namespaces(clone->flags, e);
		return -1;
	}
	return pid;
}

int process_setns(int fd, int nstype, const char *name, struct err *e)
{
	if (syscall(SYS_setns, fd, nstype))
		return err_sys(e, "failed to setns into %s namespace", name);
	return 0;
}

int process_unshare(uint64_t flags, struct err *e)
{
	if (!syscall(SYS_unshare, (unsigned long)flags))
		return 0;
	err_sys(e, "unshare namespaces (flags 0x%llx)", (unsigned long long)flags);
	refusal_of_namespaces(flags, e);
	return -1;
}

int process_join_keyring(const char *id, struct err *e)
{
	char name[512];
	unsigned long permissions;
	long key;

	(void)snprintf(name, sizeof(name), "_ses.%s", id);
	key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0);
	if (key < 0 && (errno == ENOSYS || errno == EPERM))
		return 0; /* no keyrings in this kernel, or a sandbox that hides them: nothing is
			     shared then */
	if (key < 0)
		return err_sys(e, "unable to join session keyring: create session key");
	/*
	 * Possessor: all; user: view, read and link, which is usual, and search, by which exec
	 * finds it (keyctl(2), KEYCTL_SETPERM).
	 */
	permissions = 0x3f000000u | 0x001b0000u;
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, permissions, 0, 0) && errno != EACCES &&
	    errno != ENOSYS)
		return err_sys(e, "set permissions of the session keyring");
	return 0;
}

int process_fill_streams(struct err *e)
{
	struct pollfd streams[] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};

	if (poll(streams, array_len(streams), 0) <= 0)
		return 0;
	for (int fd = 0; fd <= 2; fd++) {
		if (!(streams[fd].revents & POLLNVAL))
			continue;
		if (fd_open("/dev/null", O_RDWR) != fd || fcntl(fd, F_SETFD, 0))
			return err_sys(e, "open /dev/null for a closed standard stream");
	}
	return 0;
}

int process_check_preserved(uint64_t count, struct err *e)
{
	for (int i = 0; (uint64_t)i < count; i++) {
		int flags = fcntl(3 + i, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			continue;
		errno = EBADF; /* with close-on-exec it is one of ours, which took a free number */
		return err_sys(e, "unable to stat preserved-fd %d (of %llu)", i,
			       (unsigned long long)count);
	}
	return 0;
}

int process_cloexec_from(unsigned first, struct err *e)
{
	if (syscall(SYS_close_range, first, ~0u, CLOSE_RANGE_CLOEXEC))
		return err_sys(e, "close_range");
	return 0;
}

int process_close_others(unsigned first, const int *kept, size_t count, struct err *e)
{
	unsigned next;

	/* the next one that is kept, again and again: they are few */
	for (;; first = next + 1) {
		next = ~0u;
		for (size_t i = 0; i < count; i++)
			if (kept[i] >= 0 && (unsigned)kept[i] >= first && (unsigned)kept[i] < next)
				next = (unsigned)kept[i];
		if (next > first && syscall(SYS_close_range, first, next - 1, 0))
			return err_sys(e, "close_range");
		if (next == ~0u)
			return 0;
	}
}

void process_reset_signals(void)
{
	/* All zero is the default action whatever the layout is; libc keeps two signals to itself.
	 */
	static const uint64_t standard[8];
	sigset_t none;

	for (int number = 1; number <= 64; number++)
		(void)syscall(SYS_rt_sigaction, number, standard, NULL, 8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int process_loopback_up(struct err *e)
{
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	if (fd < 0 && errno == EAFNOSUPPORT)
		return 0; /* a kernel without IPv4 */
	if (fd < 0)
		return err_sys(e, "open a socket for the loopback interface");
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		return err_sys(e, "bring the loopback interface up");
	return 0;
}

void process_retitle(char *memory, size_t size, const char *title)
{
	size_t length = strnlen(title, size - 1);

	memset(memory, 0, size);
	memcpy(memory, title, length);
}

int process_set_rlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard, struct err *e)
{
	struct {
		uint64_t soft, hard;
	} limit = {soft, hard};

	if (syscall(SYS_prlimit64, pid, resource, &limit, NULL))
		return err_sys(e, "error setting rlimit type %d", resource);
	return 0;
}
