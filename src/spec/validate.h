/*
 * The rules that concern more than one field of config.json, or that the specification puts on one
 * value.
 *
 * Pure: nothing of the machine is looked at. Texts and order are runc's, as far as users meet them;
 * every error has the JSON pointer of what is wrong. What needs the machine (does the root exist,
 * is SELinux on, is that network namespace the host's) is checked where it is used.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "spec/spec.h"

/*
 * Checks a whole configuration. rootless: the caller's effective user is not root. a is for
 * scratch. Warnings (deprecated relative destinations, personality flags, …) go to log. Errors:
 * ERR_INVALID.
 */
int spec_validate(const struct spec *spec, bool rootless, struct arena *a, const struct log *log,
		  struct err *e) must_check;

/* Checks a process alone: what exec runs. Same errors. */
int spec_validate_process(const struct spec_process *process, struct err *e) must_check;
