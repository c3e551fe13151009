/*
 * Looking things up in struct cgroup_paths: for the files of this folder that act.
 */
#pragma once

#include "base/str.h"
#include "cgroup/cgroup.h"

/* The directory of a hierarchy, NULL when the container has none in it. */
static inline const char *paths_find(const struct cgroup_paths *paths, const char *name)
{
	for (size_t i = 0; i < paths->count; i++)
		if (str_equal(paths->item[i].name, name))
			return paths->item[i].path;
	return NULL;
}

/* Whether entry i is the directory of an earlier entry: cpu and cpuacct mostly share a mount. */
static inline bool paths_repeat(const struct cgroup_paths *paths, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_equal(paths->item[k].path, paths->item[i].path))
			return true;
	return false;
}

/* Whether there is no version 1 hierarchy among them. */
static inline bool paths_only_unified(const struct cgroup_paths *paths)
{
	return paths->count == 1 && !*paths->item[0].name;
}
