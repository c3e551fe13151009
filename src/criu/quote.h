/*
 * What criu says when it fails: the lines of its log that tell why, for the user's own log, and
 * what `criu check` has against the machine.
 */
#pragma once

#include "base/arena.h"
#include "base/log.h"
#include "criu/swrk.h"

/*
 * Adds every line of dir/name that has "Error" in it, with up to five before it, to log as
 * warnings, under `--- Quoting "PATH"`. *ret_cause gets the first error's words, without criu's own
 * source line, NULL when there is none. A log that cannot be read is a warning.
 */
void criu_quote(int dir, const char *path, const char *name, const struct log *log, struct arena *a,
		const char **ret_cause);

/*
 * Runs `criu check`: what it has against this machine ("Kernel lacks …"), NULL when nothing is
 * known.
 */
const char *criu_complaint(const struct criu_program *program, struct arena *a);
