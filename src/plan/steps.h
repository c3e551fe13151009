/*
 * Putting a plan together: the list under construction, shared by the build_* files and by nobody
 * else.
 */
#pragma once

#include "plan/plan.h"

struct steps {
	struct plan *plan;
	const struct spec *spec;
	const struct plan_facts *facts;
	struct arena *arena;
	const struct log *log;
	size_t capacity;
	bool gated; /* what is behind the gate is done with start, and not with this command */
};

/*
 * Adds a step; its side and stage come from the table of kinds. NULL and ERR_NO_MEMORY at the
 * limit.
 */
struct step *steps_add(struct steps *s, enum step_kind kind, const char *pointer,
		       struct err *e) must_check;

/* Puts the steps into the order of time and gives the finished plan. */
int steps_finish(struct steps *s, struct plan **ret, struct err *e) must_check;

/* The chapters of the story, in the order of plan_build. */
int build_cgroup(struct steps *s, const struct plan_request *request, struct err *e) must_check;
int build_rdt(struct steps *s, const struct plan_request *request, struct err *e) must_check;
int build_rdt_exec(struct steps *s, const struct resctrl_group *known, struct err *e) must_check;
int build_cgroup_owner(struct steps *s, struct err *e) must_check; /* after build_rootfs */
int build_affinity(struct steps *s, const char *list, const char *pointer,
		   struct err *e) must_check;
int build_namespaces(struct steps *s, const struct plan_request *request, struct err *e) must_check;
int build_rootfs(struct steps *s, const struct plan_request *request, struct err *e) must_check;
int build_labels(struct steps *s, const struct spec_process *process, struct err *e) must_check;
int build_mount_label(struct steps *s, struct plan_mount *mount, struct err *e) must_check;
int build_devices(struct steps *s, struct err *e) must_check; /* after build_mounts */
int build_mounts(struct steps *s, const struct plan_request *request, struct err *e) must_check;
/* Behind the mounts of config.json: the place from which the program tells that it is ready. */
int build_notify(struct steps *s, const struct plan_request *request, struct err *e) must_check;
int build_hooks(struct steps *s, enum hook_kind kind, struct err *e) must_check;
int build_readonly_mounts(struct steps *s, struct err *e) must_check;
int build_settings(struct steps *s, struct err *e) must_check;
int build_root_propagation(struct steps *s, struct err *e) must_check;
int build_console(struct steps *s, const struct spec_process *process, const char *socket,
		  bool dev_console, struct err *e) must_check;
int build_report(struct steps *s, const char *pidfd_socket, const char *word,
		 struct err *e) must_check;
int build_process(struct steps *s, const struct spec_process *process, struct err *e) must_check;

/* The very end, for create and exec: with no_new_privs only execve comes behind the filter. */
int build_execution(struct steps *s, const struct spec_process *process, struct err *e) must_check;

/* The SELinux label of a process: that of the container when it has none of its own; or NULL. */
const char *build_process_label(const struct steps *s, const struct spec_process *process);

/* Facts that several chapters ask for. */
const struct idmap_range *build_ranges(struct steps *s, const struct spec_id_maps *maps,
				       struct err *e) must_check;
bool build_dev_is_mounted(const struct plan *plan); /* a bind covers /dev; after build_mounts */
