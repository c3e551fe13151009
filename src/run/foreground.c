/*
 * Staying with a program in the foreground: see foreground.h.
 */
#include "run/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/pidfd.h"

int foreground_begin(bool subreaper, struct err *e)
{
	sigset_t all;
	int fd;

	if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return err_sys(e, "become the reaper of the container's processes");
	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, NULL))
		return err_sys(e, "block signals");
	fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "make a descriptor for signals");
	return fd;
}

/* Reaps every child that has ended; true when pid was among them. */
static bool reap(pid_t pid, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t child;

	while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
		if (child != pid)
			continue;
		ended = true;
		*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return ended;
}

static void forward(int signals, int pidfd)
{
	struct signalfd_siginfo info;
	struct err gone;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int number = (int)info.ssi_signo;

		if (number == SIGCHLD || number == SIGURG || number == SIGWINCH)
			continue;
		if (pidfd_signal(pidfd, number, &gone))
			return;
	}
}

int foreground_wait(int signals, pid_t pid, int pidfd, int *ret_status, struct err *e)
{
	struct pollfd wait[] = {{.fd = pidfd, .events = POLLIN}, {.fd = signals, .events = POLLIN}};

	while (!reap(pid, ret_status)) {
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the container");
		forward(signals, pidfd);
	}
	return 0;
}
