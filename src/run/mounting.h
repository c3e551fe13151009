/*
 * What the doers of mounts share: the place of a mount in the container's root, and what is set on
 * every mount alike. For do_mount*.c.
 */
#pragma once

#include <stdbool.h>

#include "run/walk.h"

/*
 * Opens the target (O_PATH), a directory or another file, after making what is missing of it. It is
 * refused when it is the container's root itself, in a procfs that the entry does not name, or a
 * directory where none is wanted. Links lead nowhere but into the root.
 */
int mounting_target(struct walk *w, const struct plan_mount *mount, bool directory,
		    struct err *e) must_check;

/* Sets what is for the whole tree (rro, …), and the propagation: what comes behind a mount's flags.
 */
int mounting_finish(int mount_fd, const struct plan_mount *mount, struct err *e) must_check;

/*
 * Keeps the open mount of an entry for /proc or /sys (w->proc, w->sys): masks and the like are put
 * on that one, wherever it is by then. Others stay with the caller.
 */
void mounting_keep(struct walk *w, const struct plan_mount *mount, int *mount_fd);

/*
 * The options for the new file system of an entry, before its target is made below root: a tmpfs
 * takes the mode of the directory that it is to cover, unless the entry has one. Where there is
 * none yet, it has its own.
 */
int mounting_data(struct walk *w, const struct plan_mount *mount, int root, const char **ret,
		  struct err *e) must_check;

/* Makes the new file system with these options, detached. */
int mounting_new(const struct plan_mount *mount, const char *data, struct err *e) must_check;
