/*
 * What the two processes that carry a plan out know while they walk it. The verbs (container/) fill
 * it, run/carry.c walks, the doers read and note.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "plan/plan.h"
#include "run/notify.h"
#include "run/sync.h"
#include "state/record.h"

struct walk {
	const struct plan *plan;
	const struct plan_facts *facts;
	struct arena *arena;
	const struct log *log;

	/* both columns, from before the clone */
	enum plan_side side;           /* whose column this process does */
	int sync;                      /* this process's end of the protocol's socket */
	struct sync_incoming incoming; /* what comes over it on the way: terminal, listener */
	struct cgroup cgroup;          /* open cgroup of the container */
	struct resctrl_tasks resctrl;
	bool made_cgroup;  /* the cgroup is ours, and not one that others are in */
	bool in_cgroup;    /* the clone put init into the version 2 cgroup */
	int *trees;        /* plan->tree_count detached mounts */
	int ids_namespace; /* user namespace of the last id-mapped mount, −1: none yet */
	const struct plan_mount_ids *ids; /* what it maps */
	/* memory of the command line and the environment, for exec of that alone; NULL: unknown */
	char *title;
	size_t title_size;
	const char *waiting; /* what ps(1) shows while init waits for start: "creel init" */
	int gate;            /* socket on which init waits for start, −1: none */
	int container;       /* exec: pidfd of the container's init, −1 */
	int console;         /* connected console socket that gets the terminal, −1: none */
	const char *criu;    /* restore: path of the program */
	/* restore: criu's descriptors from 3 on, its end of the conversation first */
	int *criu_fds;
	size_t criu_fd_count;

	/* the runtime's */
	pid_t pid; /* of init, 0 until it exists */
	int pidfd;
	int state;                   /* directory of the container's state, −1: exec */
	struct state_record *record; /* of the container */
	bool reported;               /* the pid file was written */
	struct notify notify;        /* run: waits for the program to be ready */
	const char *pid_file;        /* absolute, NULL: none */

	/* init's */
	int root;            /* the container's root */
	int dev;             /* its /dev, while devices are made; −1 */
	int proc, sys;       /* what is mounted on /proc and /sys in it; −1: nothing */
	int procfs;          /* private procfs, −1 until one is needed */
	int empty;           /* read-only tmpfs that masks directories, −1 until one is needed */
	bool cwd_later;      /* the working directory can only be entered as the process's user */
	const char *program; /* path to execute */
	char **argv, **env;

	unsigned fail_step; /* test builds: the number of the step that fails on purpose, from 1 */
};

/* A walk with every descriptor −1. */
void walk_init(struct walk *w, const struct plan *plan, const struct plan_facts *facts,
	       struct arena *a, const struct log *log);

/*
 * Finds the memory of the words from *first on to the last of the environment, where the kernel
 * laid them out: first is the command line, or the environment itself. Either may be empty.
 */
void walk_find_title(struct walk *w, char **first);

/* Opens the private procfs, w->procfs, when it is first needed. */
int walk_need_procfs(struct walk *w, struct err *e) must_check;

/* Closes what the runtime holds open. */
void walk_done(struct walk *w);
