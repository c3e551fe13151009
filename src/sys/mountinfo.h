/*
 * The mounts of a mount namespace, mostly the caller's, as the kernel lists them
 * (proc_pid_mountinfo(5)): for what has no descriptor to ask. The list can be long, so nothing that
 * happens for every container may need it; cgroup/detect.c, which must, reads it in its own way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

struct mountinfo {
	uint64_t id, parent;        /* as mountfd_where has it */
	const char *root;           /* what of the file system is mounted: "/" is all */
	const char *point;          /* where */
	const char *options, *type; /* "ro,nosuid" of the mount alone; "ext4" */
	const struct mountinfo *next;
};

/* In the order of the kernel; NULL behind the last. */
int mountinfo_read(struct arena *a, const struct mountinfo **ret, struct err *e) must_check;

/* The same of such a list as text, which is written to and must live as long as the mounts. */
int mountinfo_parse(char *text, struct arena *a, const struct mountinfo **ret,
		    struct err *e) must_check;

/* The same for the mount namespace of another process. */
int mountinfo_read_of(pid_t pid, struct arena *a, const struct mountinfo **ret,
		      struct err *e) must_check;

/* The mount with this number, NULL when there is none. */
const struct mountinfo *mountinfo_find(const struct mountinfo *list, uint64_t id);
