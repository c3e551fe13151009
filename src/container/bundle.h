/*
 * From a bundle to a plan: what create, run and explain have in common before anything is changed.
 */
#pragma once

#include "container/runtime.h"
#include "plan/plan.h"
#include "spec/decode.h"

struct bundle {
	const char *path;   /* absolute, without links */
	const char *rootfs; /* the same */
	struct spec *spec;
	struct json_input text; /* of config.json, for errors and for the copy */
	struct plan_facts facts;
};

/*
 * Opens the bundle, reads and checks its configuration, finds the root file system. Changes
 * nothing.
 */
int bundle_load(struct creel *c, const struct creel_create *o, struct bundle *ret,
		struct err *e) must_check;

/* The plan of creating it; wait_start: create, not run. */
int bundle_plan(struct creel *c, const char *id, const struct creel_create *o, struct bundle *b,
		bool wait_start, struct plan **ret, struct err *e) must_check;

/* The plan of restoring it; criu_root is where criu is to find its root. */
int bundle_plan_restore(struct creel *c, const char *id, const struct creel_create *o,
			struct bundle *b, const char *criu_root, struct plan **ret,
			struct err *e) must_check;

/* The machine, as far as a plan asks. own_cgroup: also which cgroups the runtime itself is in. */
int facts_collect(struct creel *c, bool cgroups, bool own_cgroup, struct plan_facts *ret,
		  struct err *e) must_check;

/* Whether the machine has the security modules that a process of a container asks for. */
void facts_of_labels(const struct spec *spec, const struct spec_process *process,
		     struct plan_facts *facts);

/*
 * The path of a socket that the caller names: a relative one is looked for in the bundle, which
 * runc makes its working directory first of all. NULL stays NULL.
 */
int bundle_socket(struct creel *c, const struct bundle *b, const char *path, const char **ret,
		  struct err *e) must_check;

/* The absolute path of an open file. */
const char *bundle_path_of(int fd, struct arena *a, struct err *e) must_check;
