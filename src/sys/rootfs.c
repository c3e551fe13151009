/*
 * Rare ways of preparing a root: see rootfs.h.
 */
#include "sys/rootfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"
#include "sys/mountfd.h"

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

int rootfs_move(int root, struct err *e)
{
	static const char *const revealing[] = {"/proc", "/sys"};

	for (size_t i = 0; i < array_len(revealing); i++)
		if (syscall(SYS_umount2, revealing[i], 2 /* MNT_DETACH */) && errno != EINVAL &&
		    errno != ENOENT)
			return err_sys(e, "unmount the host's %s", revealing[i]);
	if (fchdir(root) || syscall(SYS_mount, ".", "/", NULL, MS_MOVE, NULL))
		return err_sys(e, "move the container's root to /");
	if (chroot(".") || chdir("/"))
		return err_sys(e, "enter the container's root");
	return 0;
}
