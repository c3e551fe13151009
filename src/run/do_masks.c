/*
 * Doers of linux.maskedPaths and linux.readonlyPaths. Both work on a descriptor of what is really
 * there, never on the path a second time, and fail when they cannot do what was asked: only a path
 * that does not exist is passed over.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "security/lsm.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

static bool missing(const struct err *e)
{
	return e->sys == ENOENT || e->sys == ENOTDIR;
}

/*
 * What is really at a path. Below /proc and /sys that is looked up in what was mounted there:
 * somebody who shares the image with the container may have renamed the directory since.
 */
static int open_protected(struct walk *w, const char *path, struct err *e)
{
	bool plain = !strstr(path, "..");

	if (plain && w->proc >= 0 && str_starts(path, "/proc/"))
		return inroot_open(w->proc, path + strlen("/proc"), O_PATH, e);
	if (plain && w->sys >= 0 && str_starts(path, "/sys/"))
		return inroot_open(w->sys, path + strlen("/sys"), O_PATH, e);
	return inroot_open(w->root, path, O_PATH, e);
}

int do_readonly_path(struct walk *w, const struct step *step, struct err *e)
{
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};
	_close_ int target = open_protected(w, step->text, e);
	_close_ int tree = -1;

	if (target < 0)
		return missing(e) ? 0 : err_wrap(e, "can't make \"%s\" read-only", step->text);
	tree = mountfd_clone(target, "", true, e);
	if (tree < 0 || mountfd_set(tree, &readonly, true, e) || mountfd_attach(tree, target, e))
		return err_wrap(e, "can't make \"%s\" read-only", step->text);
	return 0;
}

/*
 * One empty read-only tmpfs serves all masked directories: the first gets the mount itself, the
 * others clones of it. A detached mount that is never attached would be dear to close.
 */
static int empty_directory(struct walk *w, struct err *e)
{
	const char *data;

	if (w->empty >= 0)
		return mountfd_clone(w->empty, "", false, e);
	data = lsm_mount_data("nr_blocks=1,nr_inodes=1", w->plan->spec->linux_.mount_label,
			      w->arena, e);
	if (!data)
		return -1;
	w->empty = mountfd_new("tmpfs", "tmpfs", data, MS_RDONLY, MOUNT_ATTR_RDONLY, e);
	return w->empty < 0 ? -1 : fcntl(w->empty, F_DUPFD_CLOEXEC, 3);
}

/*
 * The null device in the container, after a look at what it really is: a file in its place would be
 * a way out.
 */
static int null_device(struct walk *w, struct err *e)
{
	_close_ int null = inroot_open_plain(w->root, "/dev/null", O_PATH | O_NOFOLLOW, e);
	struct stat st;

	if (null < 0)
		return -1;
	if (fstat(null, &st))
		return err_sys(e, "stat /dev/null");
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, ERR_INVALID, "/dev/null in the container is not the null device");
	return mountfd_clone(null, "", false, e);
}

int do_mask_path(struct walk *w, const struct step *step, struct err *e)
{
	_close_ int target = open_protected(w, step->text, e);
	_close_ int cover = -1;
	struct stat st;

	if (target < 0)
		return missing(e) ? 0 : err_wrap(e, "can't mask path \"%s\"", step->text);
	if (fstat(target, &st))
		return err_sys(e, "can't mask path \"%s\": stat", step->text);
	cover = S_ISDIR(st.st_mode) ? empty_directory(w, e) : null_device(w, e);
	if (cover < 0 || mountfd_attach(cover, target, e))
		return err_wrap(e, "can't mask path \"%s\"", step->text);
	return 0;
}
