/*
 * The table that ps(1) wrote, and the lines of it that are a container's. Its columns are whatever
 * the options made them: only the one named PID is known. Called by cmd_ps.c; pure.
 */
#pragma once

#include <creel.h>

#include "base/str.h"

#define PS_SHOWN 1000 /* bytes of what ps said that an error tells */

/* What ps wrote, not ended with NUL. */
struct ps_text {
	const char *text;
	size_t length;
};

struct ps_processes {
	const pid_t *pid; /* sorted */
	size_t count;
};

/* Adds the header and the lines of these processes. Errors: no column PID, or no pid in it. */
int ps_table_filter(struct ps_text text, const struct ps_processes *of, struct str *out,
		    struct creel_error *e) must_check;
