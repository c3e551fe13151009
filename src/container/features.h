/*
 * What this runtime can do, for `creel features`: the features object of the OCI runtime
 * specification (features.md).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*
 * *ret_text gets the JSON with a newline at its end, in the arena. It tells what the program can
 * do, not what the machine has, but for seccomp's supportedFlags. Errors: ERR_NO_MEMORY.
 */
int container_features(struct arena *a, const char **ret_text, struct err *e) must_check;
