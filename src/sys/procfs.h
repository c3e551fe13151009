/*
 * procfs without trusting a path: a private instance for what is written through it, and plain
 * reads of the runtime's own /proc for what is only looked at. In a container's tree /proc may be
 * anything, so labels, sysctls and scores go through procfs_open alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* The inode of the root of every procfs. */
#define PROCFS_ROOT_INODE 1

/*
 * The root of a procfs nobody else can mount over: a detached instance of the caller's pid
 * namespace, or, where that is not permitted, /proc after a check that it really is the root of a
 * procfs. Gives a descriptor.
 */
int procfs_open(struct err *e) must_check;

/* Opens a file below it without crossing mounts or links other than "self". */
int procfs_open_file(int procfs, const char *path, int flags, struct err *e) must_check;

/*
 * Opens what the runtime's own /proc has of another process: "root/etc" is below its root, in its
 * mount namespace.
 */
int procfs_open_of(pid_t pid, const char *name, int flags, struct err *e) must_check;

/* Opens a namespace of the caller's by its name in /proc/self/ns ("time_for_children"). */
int procfs_open_ns(int procfs, const char *name, struct err *e) must_check;

/* Writes text in one write to a file below it. */
int procfs_write(int procfs, const char *path, const char *text, struct err *e) must_check;

/*
 * Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)) and its
 * state letter. A pid with another start time is another process. Errors: ENOENT or ESRCH in e->sys
 * when there is no such process.
 */
int procfs_start_time(pid_t pid, uint64_t *ret_start, char *ret_state, struct err *e) must_check;

/* A name of the time since the machine was booted, in the arena; NULL when it is not to be had. */
const char *procfs_boot(struct arena *a);

/*
 * The children of the caller, which must have one thread: at most max of them, how many is given.
 * −1 where that is not to be known: /proc is missing, is that of another pid namespace, or the
 * kernel does not list children.
 */
int procfs_children(pid_t *ret, int max);

/* Whether setgroups(2) is denied in the caller's user namespace (user_namespaces(7)). */
bool procfs_setgroups_denied(void);

/* Whether the caller is in a user namespace that does not map all ids to themselves. */
bool procfs_in_user_namespace(void);

/* The number that a file of /proc holds, such as a sysctl; false when there is none. */
bool procfs_number(const char *path, uint64_t *ret);

/*
 * Whether the caller's user namespace, or one inside it, owns its mount namespace: in another one
 * it can clone no tree, whatever its capabilities.
 */
bool procfs_owns_mounts(void);
