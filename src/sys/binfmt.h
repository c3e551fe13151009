/*
 * Whether the machine executes more than the kernel's own formats: handlers of binfmt_misc, which
 * run programs of other machines in an emulator. Asked by run/carry.c on behalf of init, which
 * cannot see the host any more. Source: the kernel's admin-guide/binfmt-misc.rst.
 */
#pragma once

#include <stdbool.h>

#include "sys/executable.h"

/*
 * Whether a handler takes the program called name that was found to be at fault; true also when it
 * cannot be told. in_user_namespace: the caller is in one.
 */
bool binfmt_may_take(const char *name, const struct executable_fault *fault,
		     bool in_user_namespace);

/* The same of the handlers in an open directory. */
bool binfmt_listed(int directory, const char *name, const struct executable_fault *fault);
