/*
 * How the files of a cgroup are spoken to, one set of functions for each version. act.c, end.c and
 * place_fs.c choose between them by the name of the hierarchy; nobody else does. dir is always
 * the cgroup's absolute directory, a deadline is sys/deadline.h's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

/* ---- version 1 ------------------------------------------------------------------------------- */

/*
 * Gives dir, and ancestors of it that have none, the cpus and memory nodes of the ancestor above: a
 * process cannot enter a cpuset without. old: dir was there before and may have its own.
 */
int files_v1_inherit_cpuset(const char *dir, bool old, struct err *e) must_check;

/* Makes the errno of a refused write the error that says what it means. Returns −1. */
int files_v1_explain_write(const char *dir, const struct cgroup_setting *setting, int number,
			   struct err *e) must_check;

/* freezer.state. Freezing gives 1 when somebody thawed it before it was frozen. */
int files_v1_frozen(const char *dir, bool *ret, struct err *e) must_check;
int files_v1_freeze(const char *dir, bool frozen, int64_t deadline, struct err *e) must_check;

/* ---- version 2 ------------------------------------------------------------------------------- */

/*
 * Enables all of the machine's controllers for dir, as far as its ancestors let it, without an
 * error.
 */
void files_v2_enable_all(const char *dir);

/* Enables one controller for dir. The error names the ancestor that does not pass it on, and why.
 */
int files_v2_enable(const char *dir, const char *controller, struct err *e) must_check;

/* Like files_v1_explain_write. */
int files_v2_explain_write(const char *dir, const struct cgroup_setting *setting, int number,
			   struct err *e) must_check;

/* memory.checkBeforeUpdate. */
int files_v2_check_usage(const char *dir, const struct cgroup_setting *setting,
			 struct err *e) must_check;

/* The same by cgroup.freeze and cgroup.events. */
int files_v2_frozen(const char *dir, bool *ret, struct err *e) must_check;
int files_v2_freeze(const char *dir, bool frozen, int64_t deadline, struct err *e) must_check;
