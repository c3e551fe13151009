/*
 * The pure half of cgroup_detect: from the texts of procfs to the layout. For detect.c and its
 * test.
 */
#pragma once

#include "cgroup/cgroup.h"

/*
 * Version 1 and hybrid, from /proc/self/mountinfo. self is /proc/self/cgroup, or NULL: own stays
 * NULL.
 */
int detect_mounts(const char *mountinfo, const char *self, struct arena *a, struct cgroup_host *ret,
		  struct err *e) must_check;

/* Version 2 alone. */
int detect_unified(const char *self, struct arena *a, struct cgroup_host *ret,
		   struct err *e) must_check;
