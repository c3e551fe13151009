/*
 * Building the list of settings: what the conversions for version 1 and version 2 share. Pure; only
 * this folder's settings*.c may use it.
 */
#pragma once

#include "cgroup/cgroup.h"

struct settings {
	struct cgroup_settings list;
	size_t capacity;
	const struct cgroup_host *host;
	struct arena *arena;
};

/* Which file gets a value; pointer is behind "/linux/resources". */
struct target {
	const char *controller, *file, *pointer;
};

/*
 * Adds a write of value (NULL: e is filled already). Returns the new row, good until the next call,
 * or NULL: version 1 without the controller is ERR_UNSUPPORTED.
 */
struct cgroup_setting *settings_text(struct settings *s, const struct target *to, const char *value,
				     struct err *e) must_check;

/* The same for a number, and the same with "max" for a negative one. */
struct cgroup_setting *settings_number(struct settings *s, const struct target *to, int64_t value,
				       struct err *e) must_check;
struct cgroup_setting *settings_number_or_max(struct settings *s, const struct target *to,
					      int64_t value, struct err *e) must_check;

/* Writes of otherwise_file take the place of row where the kernel has not got row's file. */
int settings_otherwise(struct settings *s, struct cgroup_setting *row, const char *otherwise_file,
		       const char *otherwise_value, struct err *e) must_check;

/* "/blockIO/weightDevice/3": the pointer of an entry; NULL when out of memory. */
const char *settings_entry(struct settings *s, const char *list, size_t i,
			   struct err *e) must_check;

/* Errors with a pointer behind "/linux/resources". Both return −1. */
int settings_refuse(const char *pointer, const char *why, struct err *e) must_check;
int settings_unsupported(const struct settings *s, const char *pointer, struct err *e) must_check;

/* ---- the conversions: all of resources for one version --------------------------------------- */

int settings_v1(struct settings *s, const struct spec_resources *resources,
		struct err *e) must_check;
int settings_v2(struct settings *s, const struct spec_resources *resources,
		struct err *e) must_check;

/* ---- what both versions do in the same way --------------------------------------------------- */

int settings_cpuset(struct settings *s, const struct spec_cpu *cpu, struct err *e) must_check;
int settings_pids(struct settings *s, struct opt_i64 limit, struct err *e) must_check;
int settings_rdma(struct settings *s, const struct spec_rdmas *rdma, struct err *e) must_check;

/* file and reserved are what follows "hugetlb.2MB.". */
int settings_hugepages(struct settings *s, const struct spec_hugepage_limits *limits,
		       const char *file, const char *reserved, struct err *e) must_check;

/* A limit of memory with swap below that of memory alone. */
int settings_check_swap(const struct spec_memory *memory, struct err *e) must_check;
