/*
 * Doers of the process's limits and privileges. They run late in init, in an order that
 * plan/build_process.c explains.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "sys/caps.h"
#include "sys/inroot.h"
#include "sys/process.h"

int do_rlimit(struct walk *w, const struct step *step, struct err *e)
{
	pid_t pid = w->side == SIDE_RUNTIME ? w->pid : 0;
	const char *name = word_name(&words_rlimits, (uint64_t)step->rlimit.type);

	if (!process_set_rlimit(pid, step->rlimit.type, step->rlimit.soft, step->rlimit.hard, e))
		return 0;
	if (e->sys == EPERM)
		err_hint(e, "%s: raising a hard limit takes CAP_SYS_RESOURCE",
			 name ? name : "the limit");
	else if (e->sys == EINVAL)
		err_hint(e, "%s: the soft limit may not be above the hard one",
			 name ? name : "the limit");
	return err_wrap(e, "error setting rlimits for ready process");
}

int do_no_new_privs(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	(void)step;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_sys(e, "set no_new_privs");
	return 0;
}

int do_bounding(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	return caps_bound(step->bounding, e);
}

/*
 * The path must lead to a directory inside the root: it is opened there, without magic links, and
 * the kernel is asked afterwards where the process is ("(unreachable)" when it is outside).
 */
static int enter_cwd(struct walk *w, const char *path, struct err *e)
{
	_close_ int fd = inroot_open(w->root, path, O_PATH | O_DIRECTORY, e);
	char now[4096];

	if (fd < 0)
		return err_wrap(e, "chdir to cwd (\"%s\") set in config.json failed", path);
	if (fchdir(fd))
		return err_sys(e, "chdir to cwd (\"%s\") set in config.json failed", path);
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0)
		return errno == ENAMETOOLONG || errno == ERANGE ? 0 : err_sys(e, "getcwd");
	if (now[0] != '/')
		return err_set(
			e, ERR_INVALID,
			"current working directory is outside of container mount namespace root "
			"-- possible container breakout detected");
	return 0;
}

/* While the root can still be written. */
int do_cwd_make(struct walk *w, const struct step *step, struct err *e)
{
	_close_ int fd = inroot_mkdir(w->root, step->text, 0755, e);

	return fd < 0 ? err_wrap(e, "mkdir cwd") : 0;
}

int do_cwd(struct walk *w, const struct step *step, struct err *e)
{
	if (!enter_cwd(w, step->text, e))
		return 0;
	/*
	 * A directory that is closed to root (NFS with root squash) may be open to the process's
	 * user.
	 */
	w->cwd_later = e->sys == EACCES || e->sys == EPERM;
	return w->cwd_later ? 0 : -1;
}

/*
 * What of the caller's may become the process's. Not a device: with the caller's terminal a user of
 * the host would be given what is typed there, with a disk all that is on it. Not a file that is
 * only read: its owner could open it again by /proc/self/fd, and write.
 */
static bool may_own(int fd, mode_t mode, bool own_terminal)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
	case S_IFSOCK:
		return true;
	case S_IFREG:
		return (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDONLY;
	case S_IFCHR:
		return own_terminal; /* made for it */
	default:
		return false;
	}
}

/*
 * Pipes and files that the caller handed over as 0, 1 and 2 belong to the process, so that it can
 * open /dev/stdout.
 */
static void own_stdio(uint32_t uid, bool own_terminal)
{
	for (int fd = 0; fd <= 2; fd++) {
		struct stat st;

		if (fstat(fd, &st) || st.st_uid == uid || !may_own(fd, st.st_mode, own_terminal))
			continue;
		if (fchown(fd, uid, (gid_t)-1))
			continue; /* not ours to give (EPERM), no owner in this namespace (EINVAL),
				     read-only (EROFS) */
	}
}

/*
 * A user namespace that somebody without privilege made denies groups for ever
 * (user_namespaces(7)): who joins it keeps those he has, as the maker of it did.
 */
static int set_groups(const struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_user *user = step->user.item;
	bool denied;

	if (!step->user.setgroups ||
	    !syscall(SYS_setgroups, user->additional_gid_count, user->additional_gids))
		return 0;
	denied = errno == EPERM && w->plan->user_namespace;
	if (denied && !user->additional_gid_count)
		return 0;
	err_sys(e, "cannot set additional groups%s", denied ? " in user namespace" : "");
	return denied ? err_hint(e,
				 "the user namespace denies setgroups: its maker had no privilege")
		      : -1;
}

int do_user(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_user *user = step->user.item;

	own_stdio(user->uid, w->plan->process->terminal);
	(void)umask(step->user.umask);
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return err_sys(e, "keep capabilities");
	if (set_groups(w, step, e))
		return -1;
	if (syscall(SYS_setresgid, user->gid, user->gid, user->gid)) {
		if (errno == EINVAL)
			return err_set(e, ERR_INVALID,
				       "cannot set gid to unmapped user in user namespace");
		return err_sys(e, "setgid %u", user->gid);
	}
	if (syscall(SYS_setresuid, user->uid, user->uid, user->uid)) {
		if (errno == EINVAL)
			return err_set(e, ERR_INVALID,
				       "cannot set uid to unmapped user in user namespace");
		return err_sys(e, "setuid %u", user->uid);
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
	return w->cwd_later ? enter_cwd(w, w->plan->process->cwd, e) : 0;
}

int do_caps(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_capabilities *wanted = step->caps;
	struct caps own, set;

	(void)w;
	if (caps_get(&own, e))
		return -1;
	set = (struct caps){
		.permitted = wanted->permitted & own.permitted,
		.inheritable = wanted->inheritable & own.permitted,
	};
	set.effective = wanted->effective & set.permitted;
	if (caps_set(&set, e))
		return -1;
	(void)caps_ambient(wanted->ambient & set.permitted & set.inheritable);
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0))
		return err_sys(e, "clear keep capabilities");
	return 0;
}
