/*
 * Self-protection (CVE-2019-5736): a process that enters a container must not be a handle to the
 * program's file on the host, because /proc/PID/exe of it can be opened from inside.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/*
 * Returns 0 when the running program was started from a protected copy; otherwise executes the
 * program again from one: a read-only detached clone of its own mount, or a sealed copy in memory
 * where a mount is not permitted. Must be called before anything is opened. It does not return in
 * the first process, unless with an error.
 */
int selfexe_protect(char *const argv[], struct err *e) must_check;

/*
 * Whether the program was started through a descriptor, as selfexe_protect does. Costs nothing, and
 * believes whoever started it: for callers who may have forgotten.
 */
bool selfexe_was_protected(void);
