/*
 * Doers of the namespaces' steps, and of what init is before it has a root: score, ids, session.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "run/doers.h"
#include "sys/affinity.h"
#include "sys/idmap.h"
#include "sys/process.h"
#include "sys/procfs.h"

int do_oom_score(struct walk *w, const struct step *step, struct err *e)
{
	char text[16], path[48];

	(void)snprintf(text, sizeof(text), "%d", step->oom_score);
	if (w->side == SIDE_RUNTIME) {
		(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)w->pid);
		return file_write(AT_FDCWD, path, text, e);
	}
	if (w->procfs < 0)
		w->procfs = procfs_open(e);
	if (w->procfs < 0)
		return -1;
	return procfs_write(w->procfs, "self/oom_score_adj", text, e);
}

int do_affinity(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	return affinity_set(step->text, e);
}

int do_ns_join(struct walk *w, const struct step *step, struct err *e)
{
	_close_ int fd = fd_open(step->ns.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);

	(void)w;
	if (fd < 0)
		return err_sys(e, "namespace path: lstat %s", step->ns.path);
	if (process_setns(fd, (int)ns_clone_flag(step->ns.type),
			  word_name(&words_namespaces, step->ns.type), e))
		return err_wrap(e, "%s", step->ns.path);
	return 0;
}

int do_ns_join_init(struct walk *w, const struct step *step, struct err *e)
{
	if (step->ns_flags &&
	    process_setns(w->container, (int)step->ns_flags, "the container's", e))
		return -1;
	fd_close(&w->container);
	w->root = fd_open("/", O_PATH | O_DIRECTORY);
	if (w->root < 0)
		return err_sys(e, "open the container's root");
	return 0;
}

int do_id_maps(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan *plan = w->plan;

	(void)step;
	return idmap_write(w->pid, plan->uids, plan->uid_count, plan->gids, plan->gid_count,
			   w->arena, e);
}

int do_become_root(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	(void)step;
	if (setresgid(0, 0, 0) || setresuid(0, 0, 0)) {
		err_sys(e, "become root in the user namespace");
		return err_hint(e, "id 0 of the container must be in uidMappings and gidMappings");
	}
	/* The kernel takes the one and the other back when the user changes. */
	if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_sys(e, "become unreadable to other processes");
	return 0;
}

int do_ns_new(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	return process_unshare(step->ns_flags, e);
}

int do_session(struct walk *w, const struct step *step, struct err *e)
{
	if (setsid() < 0 && errno != EPERM)
		return err_sys(e, "make a new session");
	return step->keyring ? process_join_keyring(w->plan->id, e) : 0;
}

int do_loopback(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	(void)step;
	return process_loopback_up(e);
}
