/*
 * The errors that the command line finds itself, in the form of those of the library.
 */
#pragma once

#include <creel.h>

#include "base/err.h"

/* Sets the error. Returns −1, so that `return cli_fail(e, …)` reads well. */
int cli_fail(struct creel_error *e, enum creel_code code, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/* The same for a system call: appends ": " and the text of errno. Returns −1. */
int cli_fail_errno(struct creel_error *e, const char *format, ...) printf_like(2, 3)
	__attribute__((cold));

/* Passes on what a function of base/ found. Returns −1. */
int cli_fail_base(struct creel_error *e, const struct err *from) __attribute__((cold));

/* Says how to mend it. Returns −1. */
int cli_hint(struct creel_error *e, const char *format, ...) printf_like(2, 3)
	__attribute__((cold));
