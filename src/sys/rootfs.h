/*
 * Two rare ways of preparing a root: when the host's mounts stay shared, and when pivot_root cannot
 * be used.
 */
#pragma once

#include "base/err.h"

/*
 * pivot_root(2) refuses a root whose parent mount is shared: makes the mount that holds path
 * private.
 */
int rootfs_make_parent_private(const char *path, struct err *e) must_check;

/*
 * --no-pivot, for a host whose own root is an initial ramdisk: moves the mount root onto "/" and
 * enters it. Less safe than pivot_root, since the host's mounts stay underneath; its procfs and
 * sysfs mounts are taken away first.
 */
int rootfs_move(int root, struct err *e) must_check;
