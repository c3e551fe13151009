/*
 * Mounts as descriptors: a mount is made or cloned detached, gets its attributes, and is then
 * attached onto a descriptor whose path was resolved and checked before. No path below a
 * container's root is used here; the callers are run/do_mount.c and run/do_rootfs.c. Sources:
 * fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2), mount_setattr(2).
 *
 * Closing a detached mount that was never attached costs a grace period of the kernel: attach every
 * one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/*
 * Attributes of a mount, MOUNT_ATTR_… of mount_setattr(2), and one propagation (MS_SHARED, …; 0:
 * unchanged).
 */
struct mountfd_attr {
	uint64_t set, clear;
	uint64_t propagation;
};

/*
 * Makes a new mount of a file system: type ("tmpfs"), source, and data as in the fourth column of
 * fstab ("mode=755,size=64m", NULL: none). sb_flags are those MS_ flags that are a matter of the
 * file system (MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK; others are not
 * looked at), attr_set the MOUNT_ATTR_ bits of the mount. Gives a detached mount. The error holds
 * what the file system itself said, when it said something.
 */
int mountfd_new(const char *type, const char *source, const char *data, unsigned long sb_flags,
		uint64_t attr_set, struct err *e) must_check;

/*
 * Whether fsconfig(2) cannot take the source or one of the options, which mount(2) can: the layers
 * of an overlay are soon longer than 255 bytes.
 */
bool mountfd_is_long(const char *source, const char *data);

/*
 * The way for those: mounts the file system with mount(2) on the open target, which is named by its
 * number in procfs (one that procfs_open gave), so that no path is looked up a second time. flags
 * are MS_….
 */
int mountfd_mount_on(int target, int procfs, const char *type, const char *source, const char *data,
		     unsigned long flags, struct err *e) must_check;

/*
 * Changes the options of the file system that is mounted at fd: data as above, and the MS_ flags of
 * a file system that are set and cleared.
 */
int mountfd_reconfigure(int fd, const char *data, unsigned long set, unsigned long cleared,
			struct err *e) must_check;

/*
 * Clones the mount at dirfd/path (path "" for dirfd itself), with all mounts below when recursive.
 * Detached.
 */
int mountfd_clone(int dirfd, const char *path, bool recursive, struct err *e) must_check;

/* As mountfd_clone, but does not follow a symbolic link at the end of path. */
int mountfd_clone_nofollow(int dirfd, const char *path, bool recursive, struct err *e) must_check;

/*
 * Changes attributes of the mount at fd, of all mounts below it too when recursive. Errors keep
 * errno in e->sys.
 */
int mountfd_set(int fd, const struct mountfd_attr *attr, bool recursive, struct err *e) must_check;

/* The same on dirfd/path, for the runtime's own "/" and rootfs. */
int mountfd_set_at(int dirfd, const char *path, const struct mountfd_attr *attr, bool recursive,
		   struct err *e) must_check;

/*
 * Maps the ids of the detached mount at fd, of all mounts below it too when recursive, by those of
 * a user namespace: inside is what the file system has, outside what is seen. EINVAL in e->sys: a
 * file system that cannot be id-mapped.
 */
int mountfd_map_ids(int fd, int user_namespace, bool recursive, struct err *e) must_check;

/* Attaches the detached mount onto the open target. */
int mountfd_attach(int mount, int target, struct err *e) must_check;

/* The number of the mount that fd is on, and whether fd is its root. */
int mountfd_where(int fd, uint64_t *ret_id, bool *ret_root, struct err *e) must_check;

/* MS_RDONLY, MS_NOSUID, … of mount(2) as MOUNT_ATTR_ bits. */
uint64_t mountfd_attr_of_flags(unsigned long ms_flags);

/* What a remount with these flags changes: set ones, and ones that are explicitly not to be set. */
struct mountfd_attr mountfd_change_of_flags(unsigned long set, unsigned long cleared);
