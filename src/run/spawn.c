/*
 * Making the container's process: see spawn.h.
 */
#include "run/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/carry.h"
#include "run/sync.h"
#include "sys/pidfd.h"
#include "sys/process.h"

/*
 * First words of a new process. From here on nobody may read its memory or take its descriptors
 * with ptrace; only a caller without privilege must stay readable until the maps of its new user
 * namespace are written, since the kernel gives the files of an unreadable process to root.
 */
static void begin(struct walk *w, int sync)
{
	bool maps_by_owner = w->plan->clone_flags & CLONE_NEWUSER && geteuid() != 0;
	sigset_t all;

	/*
	 * The first process of a pid namespace never sees a signal that it has no handler for, but
	 * a blocked one stays until there is one (gate.c), or until the program is executed.
	 */
	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	if (!maps_by_owner)
		(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* no init without a runtime: see do_lookup */
	fd_close(&w->sync);
	fd_close(&w->pidfd);
	fd_close(&w->state);
	fd_close(&w->incoming.agent);
	notify_close(&w->notify);
	w->sync = sync;
	w->side = SIDE_INIT;
}

/* Joins what init must be in from the start, then makes init as its own sibling and is done. */
static void intermediate(struct walk *w) __attribute__((noreturn));
static void intermediate(struct walk *w)
{
	int pidfd = -1;
	struct process_clone clone = {
		.flags = w->plan->clone_flags | CLONE_PARENT,
		.cgroup = -1,
		.ret_pidfd = &pidfd,
		.ret_in_cgroup = &(bool){false},
	};
	struct err e;
	pid_t pid;

	if (carry_intermediate(w, &e))
		goto failed;
	pid = process_clone(&clone, &e);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the clone took it back */
		carry_init(w);
	}
	if (pid < 0 || sync_send_spawned(w->sync, pid, pidfd, &e))
		goto failed;
	_exit(0);
failed:
	sync_send_failed(w->sync, &e);
	_exit(255);
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return status;
}

/*
 * Takes the place of the process in between, which has nothing more to do. Its end is waited for
 * first: if it was killed before it told of init, there would be no end of file, since init has
 * the other end of the socket and waits for us. Without a runtime init ends by itself.
 */
static int adopt(struct walk *w, struct err *e)
{
	int status = wait_for(w->pid);
	int64_t pid = 0;

	fd_close(&w->pidfd);
	w->pid = 0;
	if (WIFSIGNALED(status))
		return err_set(e, ERR_SYSTEM, "container init was killed by signal %d",
			       WTERMSIG(status));
	if (sync_receive_spawned(w->sync, &w->incoming, &pid, &w->pidfd, e))
		return -1;
	w->pid = (pid_t)pid;
	return 0;
}

/*
 * Makes the caller's next child a member of the given pid namespace. *ret_own brings it back, but
 * for exec: it makes no further process, and root of a user namespace may not go back to a pid
 * namespace that is not its own.
 */
static int enter_pid_namespace(struct walk *w, int *ret_own, struct err *e)
{
	_close_ int given = -1;

	if (w->plan->join_pid_of_init)
		return process_setns(w->container, CLONE_NEWPID, "pid", e);
	*ret_own = fd_open("/proc/self/ns/pid", O_RDONLY);
	if (*ret_own < 0)
		return err_sys(e, "open the runtime's own pid namespace");
	given = fd_open(w->plan->join_pid_path, O_RDONLY | O_NONBLOCK);
	if (given < 0)
		return err_sys(e, "namespace path: lstat %s", w->plan->join_pid_path);
	return process_setns(given, CLONE_NEWPID, "pid", e);
}

static pid_t clone_process(struct walk *w, struct err *e)
{
	struct process_clone clone = {
		.flags = w->plan->by_intermediate ? 0 : w->plan->clone_flags,
		.cgroup = w->cgroup.unified,
		.ret_pidfd = &w->pidfd,
		.ret_in_cgroup = &w->in_cgroup,
	};

	pid_t pid = process_clone(&clone, e);

	if (pid < 0 && e->sys == EBUSY && clone.cgroup >= 0)
		return err_hint(e, "its cgroup passes controllers on to others, and so can hold no "
				   "process of its own");
	return pid;
}

int spawn_process(struct walk *w, struct err *e)
{
	bool foreign_pids = w->plan->join_pid_path || w->plan->join_pid_of_init;
	_close_ int own_pids = -1;
	_close_ int other_end = -1;
	int pair[2];

	if (sync_pair(pair, e))
		return -1;
	w->sync = pair[0];
	other_end = pair[1];
	if (foreign_pids && enter_pid_namespace(w, &own_pids, e))
		return -1;
	w->pid = clone_process(w, e);
	if (w->pid == 0) {
		begin(w, fd_take(&other_end));
		fd_close(&own_pids);
		if (w->plan->by_intermediate)
			intermediate(w);
		carry_init(w);
	}
	if (w->pid < 0) {
		w->pid = 0;
		return -1;
	}
	if (own_pids >= 0 && process_setns(own_pids, CLONE_NEWPID, "pid", e))
		return -1;
	fd_close(&other_end);
	if (w->plan->by_intermediate && adopt(w, e))
		return -1;
	log_add(w->log, LOG_LEVEL_DEBUG, "init is process %d", (int)w->pid);
	return 0;
}

/* An init that only vanished was killed by somebody: by whom is in its status and its cgroup. */
static void explain_end(struct walk *w, int status, struct err *e)
{
	if (!strstr(e->text, "ended unexpectedly") || !WIFSIGNALED(status))
		return;
	if (w->made_cgroup && cgroup_oom_kills(&w->plan->cgroup))
		err_set(e, ERR_SYSTEM, "container init was OOM-killed (memory limit too low?)");
	else
		err_set(e, ERR_SYSTEM, "container init was killed by signal %d", WTERMSIG(status));
}

void spawn_kill(struct walk *w, struct err *e)
{
	struct err ignored;

	fd_close(&w->sync);
	if (w->pid <= 0)
		return;
	if (w->pidfd < 0 || pidfd_signal(w->pidfd, SIGKILL, &ignored))
		(void)kill(w->pid, SIGKILL);
	explain_end(w, wait_for(w->pid), e);
	w->pid = 0;
}
