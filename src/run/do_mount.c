/*
 * The doer of mounts: one entry of config.json each, by what kind it is of. Whatever is mounted is
 * made or cloned detached, gets its flags, and is attached onto a descriptor of the target, which
 * was looked up within the container's root.
 */
#include <fcntl.h>
#include <linux/mount.h>

#include "base/fd.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

static int remount(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr change = mountfd_change_of_flags(mount->flags, mount->cleared);
	_close_ int target = inroot_open(w->root, mount->target, O_PATH, e);
	bool is_root;
	uint64_t id;

	if (target < 0 || mountfd_where(target, &id, &is_root, e))
		return -1;
	if (!is_root)
		return err_set(e, ERR_INVALID, "nothing is mounted there that could be remounted");
	if (mount->how == MOUNT_RECONFIGURE &&
	    mountfd_reconfigure(target, mount->data, mount->flags & ~(unsigned long)MS_RDONLY,
				mount->cleared & ~(unsigned long)MS_RDONLY, e))
		return -1;
	if ((change.set || change.clear) && mountfd_set(target, &change, false, e))
		return -1;
	return mounting_finish(target, mount, e);
}

int do_mount(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	int failed = -1;

	switch (mount->how) {
	case MOUNT_NEW:
		failed = do_mount_new(w, step, e);
		break;
	case MOUNT_BIND:
		failed = do_mount_bind(w, step, e);
		break;
	case MOUNT_CGROUP:
		failed = do_mount_cgroup(w, step, e);
		break;
	case MOUNT_REMOUNT:
	case MOUNT_RECONFIGURE:
		failed = remount(w, mount, e);
		break;
	}
	if (failed)
		return err_wrap(e, "error mounting \"%s\" to rootfs at \"%s\"",
				mount->source ? mount->source : "", mount->target);
	return 0;
}

int do_mount_readonly(struct walk *w, const struct step *step, struct err *e)
{
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};
	_close_ int target = inroot_open(w->root, step->mount->target, O_PATH, e);

	if (target < 0 || mountfd_set(target, &readonly, false, e))
		return err_wrap(e, "make %s read-only", step->mount->target);
	return 0;
}
