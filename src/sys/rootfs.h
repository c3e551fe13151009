/*
 * Two rare ways of preparing a root: when the host's mounts stay shared, and when pivot_root cannot
 * be used.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*
 * pivot_root(2) refuses a root whose parent mount is shared: makes the mount that holds path
 * private.
 */
int rootfs_make_parent_private(const char *path, struct err *e) must_check;

/*
 * --no-pivot, for a host whose own root is an initial ramdisk: moves the mount root, which is at
 * path, onto "/" and enters it. The host's mounts stay underneath: since the kernel lets a user
 * namespace mount procfs and sysfs only if a whole one is in sight already, those of the host are
 * taken away or covered first, as pivot_root would.
 */
int rootfs_move(int root, const char *path, struct arena *a, struct err *e) must_check;
