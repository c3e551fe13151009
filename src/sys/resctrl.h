/*
 * resctrl: shares of cache and memory bandwidth that the processor keeps to (Intel RDT and what
 * others have of it). A group is a directory; which processes are in it stands in its "tasks",
 * what they get in its "schemata". Source: the kernel's filesystems/resctrl.rst.
 *
 * Callers: container asks what there is, run makes and joins, container removes. What a group has
 * to be is decided by plan/build_rdt.c.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/* Where the kernel wants it mounted. */
#define RESCTRL_MOUNT "/sys/fs/resctrl"

/* A fact about the machine, plain enough to be written by hand in a golden test. */
struct resctrl_host {
	bool mounted;
	bool l3, mb; /* cache and bandwidth can be shared out */
};

struct resctrl_group {
	const char *root;     /* the mount */
	const char *path;     /* of the group: tasks, schemata; root itself for the default one */
	const char *monitor;  /* of a monitoring group in it; NULL: none */
	const char *schemata; /* to be in force, each line with its newline; NULL: as they are */
	bool own;             /* it is the container's alone: made with it and removed with it */
};

/* What the file system at root can do. */
struct resctrl_host resctrl_detect(const char *root);

/*
 * Makes the group, or finds it, and its monitoring group. Schemata are written into a new or own
 * group; in one of others they must be in force already. A group of others without schemata to
 * make it of must exist. What it made before a failure it removes; the kernel's own words on what
 * it refused are in the error.
 */
int resctrl_make(const struct resctrl_group *group, struct arena *a, struct err *e) must_check;

/* Whether every part of the lines `wanted` stands in the lines `now`, spelled in whatever way. */
bool resctrl_in_force(const char *now, const char *wanted);

/* "tasks" of a group and of its monitoring group; −1: not open. */
struct resctrl_tasks {
	int group, monitor;
};
#define RESCTRL_CLOSED ((struct resctrl_tasks){-1, -1})

/*
 * Opens them, so that a process can join when it sees the directories no more. A group that is
 * gone is passed over: its processes are in the default one then.
 */
int resctrl_open(const struct resctrl_group *group, struct resctrl_tasks *ret,
		 struct err *e) must_check;
void resctrl_close(struct resctrl_tasks *tasks);

/* Called by the new process: joins both. */
int resctrl_join(const struct resctrl_tasks *tasks, struct err *e) must_check;

/* Removes the directories that are not NULL; missing ones are fine. */
int resctrl_remove(const char *monitor, const char *path, struct err *e) must_check;
