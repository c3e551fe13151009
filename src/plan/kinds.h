/*
 * The table of step kinds, for the files of plan/ and its tests.
 */
#pragma once

#include "plan/plan.h"

/* What one step makes true and another relies on. */
enum plan_fact {
	HAS_CGROUP = 1 << 0,   /* the cgroup exists and is open */
	IN_CGROUP = 1 << 1,    /* init is in it */
	HAS_MAPS = 1 << 2,     /* ids of the user namespace are mapped */
	HAS_ROOT = 1 << 3,     /* the container's root is open, on a mount of its own */
	IN_ROOT = 1 << 4,      /* "/" of init is the container's root */
	IS_BOUND = 1 << 5,     /* the bounding set is reduced */
	IS_USER = 1 << 6,      /* init runs as the process's user */
	IS_CAPPED = 1 << 7,    /* init has the process's capabilities */
	IS_FILTERED = 1 << 8,  /* the seccomp filter is in force */
	HAS_PROGRAM = 1 << 9,  /* the program was found */
	IS_REPORTED = 1 << 10, /* the caller was told that all is ready */
	IS_CLOSED = 1 << 11,   /* nothing of ours outlives the execution */
	HAS_SESSION = 1 << 12, /* init leads a session of its own */
	HAS_SOCKET = 1 << 13,  /* the console socket is connected */
	HAS_TTY = 1 << 14,     /* standard streams and controlling terminal are the process's */
	HAS_AGENT = 1 << 15,   /* whoever gets the seccomp filter's listener is there */
	HAS_RDT = 1 << 16,     /* the resctrl group exists and is open */
	IS_LABELLED = 1 << 17, /* the program will be confined by its profile or label */
};

struct plan_kind {
	const char *name;
	enum plan_side side;
	enum plan_stage stage;
	unsigned needs, gives; /* enum plan_fact */
};

extern const struct plan_kind plan_kinds[STEP_KINDS];
