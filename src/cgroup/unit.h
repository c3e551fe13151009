/*
 * Units of systemd: what the files of this folder that deal with them share.
 */
#pragma once

#include "base/str.h"
#include "cgroup/cgroup.h"

/* Slices hold other units and are made by nobody's process; everything else is a scope. */
static inline bool unit_is_slice(const char *name)
{
	return str_ends(name, ".slice");
}

/* Asks systemd for its own cgroup: "/user.slice/user-1000.slice/user@1000.service", "" is the root.
 */
int unit_find_root(const char *bus, struct arena *a, const char **ret, struct err *e) must_check;
