/*
 * Paths inside a container's tree. This is the one place that looks names up there: everybody else
 * gets a descriptor from here and acts on it. The tree is hostile; its owner may have put a
 * symbolic link anywhere and may swap names while we look. openat2(2) with RESOLVE_IN_ROOT never
 * leaves the root, and whatever is created is created by its last name alone, exclusively, in a
 * directory that is open already. root may be any directory of the tree that somebody got from
 * here, for names that are made in it.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Opens path below root, links followed as if root were "/", with flags as in open(2) (O_PATH for a
 * target of a mount). Magic links of procfs are refused. Errors keep errno in e->sys.
 */
int inroot_open(int root, const char *path, int flags, struct err *e) must_check;

/* The same for a path none of whose components may be a symbolic link. */
int inroot_open_plain(int root, const char *path, int flags, struct err *e) must_check;

/*
 * As inroot_open_plain, and no component may be on another mount than root: for procfs, where
 * nothing may cover a file.
 */
int inroot_open_onefs(int root, const char *path, int flags, struct err *e) must_check;

/* Opens the directory path (O_PATH), making what is missing of it with mode. */
int inroot_mkdir(int root, const char *path, mode_t mode, struct err *e) must_check;

/* Opens the file path (O_PATH), making it empty, and the directories above it, when it is missing.
 */
int inroot_mkfile(int root, const char *path, mode_t mode, struct err *e) must_check;

/*
 * Makes a device node, FIFO or regular file; an existing one is EEXIST in e->sys. Directories above
 * are made.
 */
int inroot_mknod(int root, const char *path, mode_t mode, dev_t device, struct err *e) must_check;

/* Makes a symbolic link; an existing one with the same text is fine, anything else EEXIST. */
int inroot_symlink_new(int root, const char *path, const char *text, struct err *e) must_check;

/*
 * Makes a symbolic link; an existing one with the same text is fine, one with another text is
 * replaced.
 */
int inroot_symlink(int root, const char *path, const char *text, struct err *e) must_check;
