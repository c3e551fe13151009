/*
 * Doers of the namespaces' steps, and of what init is before it has a root: score, ids, session.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "run/doers.h"
#include "security/lsm.h"
#include "sys/affinity.h"
#include "sys/idmap.h"
#include "sys/process.h"
#include "sys/procfs.h"

static int write_oom_score(struct walk *w, const char *text, struct err *e)
{
	char path[48];

	if (w->side == SIDE_RUNTIME) {
		(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)w->pid);
		return file_write(AT_FDCWD, path, text, e);
	}
	return walk_need_procfs(w, e) || procfs_write(w->procfs, "self/oom_score_adj", text, e) ? -1
												: 0;
}

int do_oom_score(struct walk *w, const struct step *step, struct err *e)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", step->oom_score);
	if (!write_oom_score(w, text, e))
		return 0;
	if (e->sys == EACCES)
		err_hint(e, "to lower the score below the caller's takes CAP_SYS_RESOURCE");
	else if (e->sys == EINVAL)
		err_hint(e, "a score goes from -1000 to 1000");
	return err_wrap(e, "failed to update /proc/self/oom_score_adj");
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

/*
 * From here on somebody in the container may look into the process. It keeps what it speaks with,
 * the container's root, and what the caller hands to the program.
 */
static int leave_host(struct walk *w, struct err *e)
{
	const int kept[] = {w->sync, w->console, w->root};

	w->container = w->procfs = -1;
	if (w->title)
		process_retitle(w->title, w->title_size, "");
	return process_close_others(3 + w->plan->listen_fds + w->plan->preserve_fds, kept,
				    array_len(kept), e);
}

int do_ns_join_init(struct walk *w, const struct step *step, struct err *e)
{
	if (step->ns_flags &&
	    process_setns(w->container, (int)step->ns_flags, "the container's", e))
		return -1;
	w->root = fd_open("/", O_PATH | O_DIRECTORY);
	if (w->root < 0)
		return err_sys(e, "open the container's root");
	return leave_host(w, e);
}

static int write_offsets(struct walk *w, const struct spec_time_offsets *offsets, struct err *e)
{
	char text[128];
	bool hidden = w->facts->euid != 0 && prctl(PR_GET_DUMPABLE) != 1;
	int failed;

	/* a clock without an offset is written as 0 */
	(void)snprintf(text, sizeof(text), "monotonic %lld %u\nboottime %lld %u\n",
		       (long long)offsets->monotonic.secs, offsets->monotonic.nanosecs,
		       (long long)offsets->boottime.secs, offsets->boottime.nanosecs);
	/* The kernel gives the files of an unreadable process to root, the caller or not. */
	if (hidden)
		(void)prctl(PR_SET_DUMPABLE, 1);
	failed = procfs_write(w->procfs, "self/timens_offsets", text, e);
	if (hidden)
		(void)prctl(PR_SET_DUMPABLE, 0);
	if (!failed)
		return 0;
	if (e->sys == ERANGE)
		err_hint(e, "an offset may not take a clock below zero or beyond 146 years");
	else if (e->sys == EINVAL)
		err_hint(e, "nanosecs goes up to 999999999");
	return -1;
}

int do_time_offsets(struct walk *w, const struct step *step, struct err *e)
{
	_close_ int fd = -1;

	if (walk_need_procfs(w, e) || process_unshare(CLONE_NEWTIME, e) ||
	    write_offsets(w, step->time_offsets, e))
		return err_wrap(e, "set the offsets of the time namespace");
	/* the caller itself is still where it was: only its children would be inside */
	fd = procfs_open_ns(w->procfs, "time_for_children", e);
	return fd < 0 ? -1 : process_setns(fd, CLONE_NEWTIME, "time", e);
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

static int join_keyring(struct walk *w, const char *label, struct err *e)
{
	if (!label)
		return process_join_keyring(w->plan->id, e);
	if (walk_need_procfs(w, e) || lsm_selinux_on_keys(w->procfs, label, e) ||
	    process_join_keyring(w->plan->id, e))
		return -1;
	return lsm_selinux_on_keys(w->procfs, NULL, e);
}

int do_session(struct walk *w, const struct step *step, struct err *e)
{
	if (setsid() < 0 && errno != EPERM)
		return err_sys(e, "make a new session");
	return step->session.keyring ? join_keyring(w, step->session.label, e) : 0;
}

int do_loopback(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	(void)step;
	return process_loopback_up(e);
}
