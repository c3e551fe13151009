/*
 * What a cgroup has used, as the JSON that runc's `events` has for it: the same names, the same
 * order, the same members left out. Called by events.c.
 */
#pragma once

#include "base/json_write.h"
#include "cgroup/stats.h"

/* Writes the whole object as a member. */
void stats_write(struct json_writer *w, const char *key, const struct cgroup_stats *stats);
