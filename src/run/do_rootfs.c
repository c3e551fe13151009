/*
 * Doers of the root: taking the root file system, pivoting into it, and what is set once "/" is the
 * container's.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "sys/mountfd.h"
#include "sys/procfs.h"
#include "sys/rootfs.h"

int do_root(struct walk *w, const struct step *step, struct err *e)
{
	uint32_t flags = w->plan->propagation;
	struct mountfd_attr change = {.propagation = flags & ~(uint32_t)MS_REC};
	_close_ int target = -1;

	/* Nothing that is mounted from now on may reach the host, unless that was asked for. */
	if (mountfd_set_at(AT_FDCWD, "/", &change, flags & MS_REC || !(flags & MS_SHARED), e))
		return err_wrap(e, "make / %s",
				step->root.propagation ? step->root.propagation : "rslave");
	if (flags & MS_SHARED && rootfs_make_parent_private(step->root.source, e))
		return -1;
	w->root = mountfd_clone(AT_FDCWD, step->root.source, true, e);
	if (w->root < 0)
		return err_wrap(e, "error preparing rootfs");
	target = fd_open(step->root.source, O_PATH | O_DIRECTORY);
	if (target < 0)
		return err_sys(e, "error preparing rootfs: open %s", step->root.source);
	if (mountfd_attach(w->root, target, e))
		return err_wrap(e, "error preparing rootfs: bind %s on itself", step->root.source);
	(void)umask(0); /* modes of what is made in the root are meant as they stand; do_user sets
			   the process's */
	return 0;
}

/* The old root is put on top of the new one, and taken away from there. */
static int leave_old_root(struct walk *w, struct err *e)
{
	struct mountfd_attr slave = {.propagation = MS_SLAVE};
	bool shared = w->plan->propagation & MS_SHARED;
	_close_ int old = shared ? fd_open("/", O_PATH | O_DIRECTORY) : -1;

	if (fchdir(w->root) || syscall(SYS_pivot_root, ".", "."))
		return err_sys(e, "pivot_root");
	/* The host must not see it go. */
	if (shared && mountfd_set(old, &slave, true, e))
		return err_wrap(e, "detach the old root from the host");
	if (syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) || chdir("/"))
		return err_sys(e, "leave the old root");
	return 0;
}

int do_pivot(struct walk *w, const struct step *step, struct err *e)
{
	if (step->root.no_pivot)
		return rootfs_move(w->root, step->root.source, w->arena, e);
	return leave_old_root(w, e);
}

int do_root_propagation(struct walk *w, const struct step *step, struct err *e)
{
	const char *word = step->root.propagation;
	struct mountfd_attr change = {.propagation = MS_SHARED};

	if (str_ends(word, "unbindable"))
		change.propagation = MS_UNBINDABLE;
	if (mountfd_set(w->root, &change, word[0] == 'r', e))
		return err_wrap(e, "make the container's root %s", word);
	return 0;
}

int do_root_readonly(struct walk *w, const struct step *step, struct err *e)
{
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};

	(void)step;
	if (mountfd_set(w->root, &readonly, false, e))
		return err_wrap(e, "make the container's root read-only");
	return 0;
}

int do_hostname(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	if (sethostname(step->text, strlen(step->text)))
		return err_sys(e, "unable to set hostname \"%s\"", step->text);
	return 0;
}

int do_domainname(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	if (setdomainname(step->text, strlen(step->text)))
		return err_sys(e, "unable to set domainname \"%s\"", step->text);
	return 0;
}

int do_sysctl(struct walk *w, const struct step *step, struct err *e)
{
	const char *path = arena_format(w->arena, e, "sys/%s", step->sysctl.key);

	if (!path || walk_need_procfs(w, e))
		return -1;
	if (procfs_write(w->procfs, path, step->sysctl.value, e))
		return err_wrap(e, "set sysctl %s", step->sysctl.key);
	return 0;
}
