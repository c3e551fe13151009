/*
 * Being told what happens to a cgroup: that memory ran out in it, and that it is empty or gone. For
 * events. Nothing here asks again and again, but for the last processes of a container whose init
 * has ended.
 */
#pragma once

#include "cgroup/cgroup.h"

enum {
	CGROUP_WATCH_OOM = 1, /* the kernel killed for lack of memory, or (version 1) is about to */
	CGROUP_WATCH_END = 2, /* no process is left */
};

struct cgroup_watch {
	int memory;    /* eventfd (version 1) or memory.events; −1: no controller tells */
	int control;   /* memory.oom_control of version 1, or −1 */
	int populated; /* cgroup.events, or −1: then init stands for all */
	int init;
	bool init_ended;
	uint64_t kills; /* those known of */
};
#define CGROUP_WATCH_NONE \
	((struct cgroup_watch){.memory = -1, .control = -1, .populated = -1, .init = -1})

/*
 * Begins to watch. init is a pidfd of the container's init and is borrowed: where there is no
 * version 2 hierarchy nobody tells that a cgroup is empty, and its end is taken for that.
 */
int cgroup_watch_begin(const struct cgroup_paths *paths, int init, struct cgroup_watch *ret,
		       struct err *e) must_check;

/*
 * Waits at most so many nanoseconds. *ret_what gets what happened: OOM, END, both, or 0 when the
 * time is over, or a little earlier.
 */
int cgroup_watch_wait(struct cgroup_watch *watch, int64_t nanoseconds, unsigned *ret_what,
		      struct err *e) must_check;

void cgroup_watch_end(struct cgroup_watch *watch);
