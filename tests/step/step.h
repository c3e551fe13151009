/*
 * What step.c knows of a process at a system call, and of the points that it was told.
 *
 * process.c speaks ptrace(2) about one call; point.c reads words. Neither decides anything.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CALLS 512 /* numbers of system calls are below this */
#define NAME 64
#define POINTS 64

struct process {
	pid_t pid; /* 0: it has ended or was let go */
	char name[NAME];
	unsigned children;
	bool waits; /* stopped before its parent told of it */
	bool begun; /* its calls count */

	/* the call that it is at */
	long call;
	char call_name[32];
	unsigned long args[6];
	unsigned total;
	unsigned nth; /* of calls with this name */
	unsigned seen[CALLS];

	/* to be done when it is left */
	bool skipped, shortened;
	int error;
	/* a signal came between: it will be entered once more, which is no new call */
	bool restarts;
};

enum action { KILL, KILL_ALL, SIGNAL, ERRNO, SHORT, RUN };

struct point {
	char process[NAME]; /* "*": each */
	long call;          /* -1: each */
	unsigned total;     /* 0: by call and nth */
	unsigned nth;       /* 0: each */
	unsigned seen;
	bool done; /* it cannot be met any more */
	enum action action;
	int number; /* of SIGNAL, ERRNO */
	const char *command;
	const char *action_text;
};

/* What POINT and ACTION mean; false when they mean nothing. */
bool point_parse(struct point *p, const char *where, const char *action);

/* Whether a process that has entered a call is there. To be asked once for each call. */
bool point_met(struct point *point, const struct process *p);

/*
 * At a system call stop: fills the call in when a new one is entered, and returns true; does what
 * was put off when it is left.
 */
bool process_call(struct process *p);

/* The call that was entered will fail, and is not made unless it is close(2). */
void process_skip(struct process *p, int error);

/* It is a read or write of more than a byte, of something that may do less than it is asked. */
bool process_may_be_short(const struct process *p);
void process_shorten(struct process *p);

/* ' "TEXT"' of the first argument that points to one; "" when none does. */
void process_text(const struct process *p, char *ret, size_t size);
