/*
 * A cgroup and everything below it. The container may have made its children, so their number,
 * depth and names are not ours to choose: the walk holds one descriptor, never a path that grows,
 * and never recurses.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* The processes in top and below it, sorted, each once. A missing cgroup has none. */
int tree_pids(const char *top, struct arena *a, pid_t **ret, size_t *ret_count,
	      struct err *e) must_check;

/* Removes all cgroups below top, children first. Those that are busy stay without an error. */
int tree_remove_below(const char *top, struct arena *a, struct err *e) must_check;
