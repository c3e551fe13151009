/*
 * A container as it is now: its record, and what the machine says of it. The status is always
 * found, never stored.
 */
#pragma once

#include "cgroup/cgroup.h"
#include "container/runtime.h"

struct container {
	const char *id;
	int dir; /* its state directory, −1: none */
	struct state_record *record;
	struct cgroup_paths cgroup; /* from the record; none where it is another's by now */
	struct cgroup_unit unit;    /* the same */
	const char *lost;           /* the cgroup that is another's by now; NULL: none is */
	enum creel_status status;
	pid_t pid; /* of init; 0 when it is not there any more */
	int pidfd; /* of init, from container_hold; −1 */
};

/*
 * Opens a container and finds its status. With lock other commands that change it wait. Errors:
 * ERR_NOT_FOUND `container does not exist`, ERR_INVALID for a damaged state.json.
 */
int container_open(struct creel *c, const char *id, bool lock, struct container *ret,
		   struct err *e) must_check;
void container_close(struct container *ct);

/*
 * ERR_STATE when somebody else than the caller owns the state: what is written there of cgroups,
 * processes and hooks would be done with the caller's rights. container_open with lock asks for it.
 */
int container_check_owner(const struct container *ct, struct err *e) must_check;

/*
 * Holds init by a pidfd and makes sure that it is still the recorded process. An init that is gone
 * by then is no error: pidfd stays −1 and the status becomes stopped.
 */
int container_hold(struct container *ct, struct err *e) must_check;

/*
 * Warns, in runc's words, when what failed (`pause`, `ps`, …) was refused for lack of access to the
 * cgroup.
 */
void container_warn_access(const struct creel *c, const char *verb, const struct err *e);

/*
 * Gives back what the container had: unit, cgroup, state directory; then runs its poststop hooks.
 */
int container_destroy(struct creel *c, struct container *ct, struct err *e) must_check;

/* The configuration as it was at create, from the state directory. */
int container_config(struct creel *c, const struct container *ct, struct spec **ret,
		     struct err *e) must_check;

/* The record's map of cgroup directories as cgroup/ wants it, and back. */
int container_cgroup_of_record(const struct state_record *record, struct arena *a,
			       struct cgroup_paths *ret, struct err *e) must_check;
