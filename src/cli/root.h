/*
 * Which directory keeps the state of containers.
 */
#pragma once

#include <creel.h>

#include "base/err.h"
#include "cli/call.h"

/*
 * The directory of --root, or else the default: /run/NAME for root, $XDG_RUNTIME_DIR/NAME for
 * others and for root in a user namespace (unless USER says root), where NAME is that of the
 * program. It is absolute and has no ".", ".." or double slash. A default below XDG_RUNTIME_DIR is
 * made, with the sticky bit: without it the directory would be pruned (XDG Base Directory
 * Specification). Errors: CREEL_USAGE, CREEL_SYSTEM, CREEL_NO_MEMORY.
 */
int root_choose(const struct call *call, const char **ret_root, struct creel_error *e) must_check;
