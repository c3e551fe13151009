/*
 * Commands that take a regular expression in place of an id (--regex), and so many containers.
 */
#pragma once

#include "cli/call.h"

/*
 * Carries act out for each container whose id the first operand matches. One that fails is told
 * about as a warning and keeps the others from nothing; one that vanished meanwhile is no failure.
 * −1 when any failed: the error counts them.
 */
int each_match(struct call *call, struct creel *creel,
	       int (*act)(struct call *call, struct creel *creel, const char *id,
			  struct creel_error *ret_error),
	       struct creel_error *ret_error);
