/*
 * Staying with a program in the foreground: see foreground.h.
 */
#include "run/foreground.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/pidfd.h"

void foreground_none(struct foreground *f)
{
	f->signals = -1;
}

int foreground_begin(struct foreground *f, bool subreaper, struct err *e)
{
	sigset_t all;

	if (subreaper && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		return err_sys(e, "become the reaper of the container's processes");
	sigfillset(&all);
	f->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->signals < 0)
		return err_sys(e, "make a descriptor for signals");
	if (!sigprocmask(SIG_BLOCK, &all, &f->before))
		return 0;
	fd_close(&f->signals);
	return err_sys(e, "block signals");
}

void foreground_end(struct foreground *f)
{
	struct signalfd_siginfo late;

	if (f->signals < 0)
		return;
	while (read(f->signals, &late, sizeof(late)) == (ssize_t)sizeof(late))
		;
	fd_close(&f->signals);
	(void)sigprocmask(SIG_SETMASK, &f->before, NULL);
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

/* Whether this signal is for the runtime alone. Writing to a closed pipe raises one of those. */
static bool ours(const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
	case SIGURG:
	case SIGWINCH:
		return true;
	case SIGPIPE:
		return info->ssi_pid == (uint32_t)getpid();
	default:
		return false;
	}
}

/* Passes on what has come; true when there was something to pass on. */
static bool forward(int signals, const struct walk *w, struct relay *relay)
{
	struct signalfd_siginfo info;
	bool forwarded = false;
	struct err gone;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGWINCH)
			relay_resize(relay);
		if (info.ssi_signo == SIGCONT)
			relay_resume(relay);
		if (ours(&info))
			continue;
		forwarded = true;
		if (pidfd_signal(w->pidfd, (int)info.ssi_signo, &gone))
			break;
		log_add(w->log, LOG_LEVEL_DEBUG, "signal %u was passed on to process %d",
			info.ssi_signo, (int)w->pid);
	}
	return forwarded;
}

/* Shows the program's last words. A signal spares the wait for a caller who does not read them. */
static void finish(int signals, const struct walk *w, struct relay *relay)
{
	struct pollfd wait[1 + RELAY_FDS] = {{.fd = signals, .events = POLLIN}};

	while (relay_has_rest(relay)) {
		relay_watch(relay, wait + 1);
		if (poll(wait, array_len(wait), -1) < 0 && errno != EINTR)
			return;
		if (forward(signals, w, relay))
			return;
		relay_move(relay, wait + 1);
	}
}

int foreground_wait(struct foreground *f, struct walk *w, struct relay *relay, int *ret_status,
		    struct err *e)
{
	struct pollfd wait[3 + RELAY_FDS] = {{.fd = w->pidfd, .events = POLLIN},
					     {.fd = f->signals, .events = POLLIN},
					     {.events = POLLIN}};

	do {
		wait[2].fd = w->notify.inside;
		relay_watch(relay, wait + 3);
		if (poll(wait, array_len(wait), -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the container");
		/* The caller stays, so to a service manager it is the main process. */
		if (wait[2].fd >= 0 && wait[2].revents)
			notify_take(&w->notify, getpid());
		(void)forward(f->signals, w, relay);
		relay_move(relay, wait + 3);
	} while (!reap(w->pid, ret_status));
	log_add(w->log, LOG_LEVEL_DEBUG, "process %d ended with status %d", (int)w->pid,
		*ret_status);
	finish(f->signals, w, relay);
	return 0;
}
