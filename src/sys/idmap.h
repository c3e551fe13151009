/*
 * User and group id maps of a user namespace, written from outside it (user_namespaces(7)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "sys/id_range.h"

/*
 * Writes the maps of the user namespace of pid. An unprivileged caller that may not write them uses
 * newuidmap(1) and newgidmap(1), or for one range of its own id denies setgroups first, as the
 * kernel demands.
 */
int idmap_write(pid_t pid, const struct idmap_range *uids, size_t uid_count,
		const struct idmap_range *gids, size_t gid_count, struct arena *a,
		struct err *e) must_check;

/*
 * A new user namespace with these maps, for mounts whose ids it maps (mount_setattr(2)): no process
 * is left in it. Gives a descriptor.
 */
int idmap_namespace(const struct idmap_range *uids, size_t uid_count,
		    const struct idmap_range *gids, size_t gid_count, struct arena *a,
		    struct err *e) must_check;

/* The outside id of an inside one; false when it is not mapped. */
bool idmap_outside(const struct idmap_range *ranges, size_t count, uint32_t inside, uint32_t *ret);
