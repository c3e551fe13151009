/*
 * The ids that a user may map besides the own one: /etc/subuid and /etc/subgid (subuid(5)) have
 * them, newuidmap(1) and newgidmap(1) of the package uidmap write the maps. Called by idmap alone,
 * when the kernel does not take a map from the caller itself.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "sys/id_range.h"

enum subid_kind { SUBID_USERS, SUBID_GROUPS };

/* Has the program write the map for the user namespace of pid; on failure the hint says why. */
int subid_map(enum subid_kind kind, pid_t pid, const struct idmap_range *ranges, size_t count,
	      struct arena *a, struct err *e) must_check;
