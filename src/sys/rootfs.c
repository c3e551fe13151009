/*
 * Rare ways of preparing a root: see rootfs.h.
 */
#include "sys/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/mountfd.h"
#include "sys/mountinfo.h"

int rootfs_make_parent_private(const char *path, struct err *e)
{
	struct mountfd_attr private = {.propagation = MS_PRIVATE};
	char at[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(at))
		return err_set(e, ERR_INVALID, "root path: file name too long");
	memcpy(at, path, strlen(path) + 1);
	/*
	 * Only the place where a mount begins takes attributes (EINVAL elsewhere): it is the first
	 * that accepts.
	 */
	while (mountfd_set_at(AT_FDCWD, *at ? at : "/", &private, false, e)) {
		slash = strrchr(at, '/');
		if (e->sys != EINVAL || !slash || !*at)
			return err_wrap(e, "make the mount of the root file system private");
		*slash = '\0';
	}
	return 0;
}

static bool is_below(const char *path, const char *top)
{
	size_t length = strlen(top);

	return !strncmp(path, top, length) && (path[length] == '/' || !path[length]);
}

/* A path that leads to another mount by now, or to none, is passed over. */
static int set_propagation(const char *path, uint64_t propagation, bool recursive, struct err *e)
{
	struct mountfd_attr change = {.propagation = propagation};

	if (!mountfd_set_at(AT_FDCWD, path, &change, recursive, e))
		return 0;
	return e->sys == EINVAL || e->sys == ENOENT ? 0 : -1;
}

/*
 * Takes the mount at a path of the host away; where that is not permitted, covers it. The host must
 * not see it go, nor what is below it, so neither they nor what they are mounted on may be shared.
 */
static int hide(const char *path, const char *parent, struct err *e)
{
	_close_ int target = -1, cover = -1;

	if (set_propagation(parent, MS_PRIVATE, false, e) ||
	    set_propagation(path, MS_SLAVE, true, e))
		return -1;
	if (!syscall(SYS_umount2, path, 2 /* MNT_DETACH */))
		return 0;
	if (errno != EINVAL && errno != EPERM)
		return err_sys(e, "unmount %s", path);
	target = fd_open(path, O_PATH | O_DIRECTORY);
	if (target < 0)
		return err_sys(e, "open %s", path);
	cover = mountfd_new("tmpfs", "tmpfs", NULL, MS_RDONLY, MOUNT_ATTR_RDONLY, e);
	return cover < 0 || mountfd_attach(cover, target, e) ? -1 : 0;
}

static int hide_revealing(const char *root, struct arena *a, struct err *e)
{
	const struct mountinfo *all, *parent;

	if (mountinfo_read(a, &all, e))
		return -1;
	for (const struct mountinfo *mount = all; mount; mount = mount->next) {
		if (!str_equal(mount->root, "/") || is_below(mount->point, root) ||
		    (!str_equal(mount->type, "proc") && !str_equal(mount->type, "sysfs")))
			continue;
		parent = mountinfo_find(all, mount->parent);
		if (hide(mount->point, parent ? parent->point : "/", e))
			return err_wrap(e, "hide the host's %s", mount->type);
	}
	return 0;
}

int rootfs_move(int root, const char *path, struct arena *a, struct err *e)
{
	if (hide_revealing(path, a, e))
		return -1;
	/* What is moved onto a shared "/" would be moved onto the host's. */
	if (set_propagation("/", MS_PRIVATE, false, e))
		return err_wrap(e, "make / private");
	if (fchdir(root) || syscall(SYS_mount, ".", "/", NULL, MS_MOVE, NULL))
		return err_sys(e, "move the container's root to /");
	if (chroot(".") || chdir("/"))
		return err_sys(e, "enter the container's root");
	return 0;
}
