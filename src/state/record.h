/*
 * state.json: what is remembered of one container. It is written before anything is made that would
 * have to be found again, and replaced as a whole. The keys are those that outside tools read in
 * runc's file of the same name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"

struct state_record {
	const char *id;
	const char *oci_version; /* of the configuration */
	const char *created;     /* RFC 3339, UTC, nanoseconds */
	const char *bundle, *rootfs;
	int64_t pid;    /* of init in the runtime's pid namespace, 0 until it is there */
	uint64_t start; /* its start time, clock ticks since boot */
	/* the boot that all of this is of; NULL: it does not outlive a boot */
	const char *boot;
	struct str_map annotations;
	struct str_map cgroup_paths; /* hierarchy name → directory; none: none was made */
	uint64_t cgroup_inode;       /* which cgroup it is; 0: not known */
	const char *systemd_unit;    /* NULL: systemd has no part in the cgroup */
	/* D-Bus address of the systemd whose unit it is, "": the machine's */
	const char *systemd_bus;
	struct str_map namespace_paths; /* "NEWPID" → "/proc/PID/ns/pid" */
	bool rootless;
	bool no_new_keyring; /* the container is in the session keyring of who made it */
	bool private_pids;   /* init is the first process of a pid namespace: all others end with it
			      */
	/* whether config.json in the state directory has to be read for them */
	bool poststart_hooks, poststop_hooks;
	const char *rdt_path, *rdt_monitor_path; /* of the resctrl groups, NULL: none */
	bool rdt_own;                            /* the first of them is the container's alone */
	bool seccomp_agent; /* the same: start passes the listener of a filter on */
	/* "pipe:[123]" where the n-th standard stream was a pipe, otherwise ""; none: none was */
	struct str_list external_descriptors;
};

/* Now, as created wants it, in the arena. */
const char *state_record_now(struct arena *a, struct err *e) must_check;

/* Writes the record into the container's directory, whole or not at all. */
int state_record_write(int dir, const struct state_record *record, struct arena *a,
		       struct err *e) must_check;

/*
 * Reads it. A missing file is ERR_NOT_FOUND `container does not exist`; a damaged one ERR_INVALID,
 * with file, line and column.
 */
int state_record_read(int dir, struct arena *a, struct state_record **ret,
		      struct err *e) must_check;
