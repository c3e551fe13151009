/*
 * "Did you mean": the known name that is nearest to what was typed, for the hint of a usage error.
 */
#pragma once

#include <stddef.h>

struct suggestion {
	const char *typed;
	size_t length;    /* of typed */
	size_t distance;  /* how many letters differ; a better offer has fewer */
	const char *name; /* the best so far, NULL: nothing is near enough */
};

/* Starts looking for what was meant by length bytes of typed, which is borrowed. */
struct suggestion suggestion_for(const char *typed, size_t length);

/* Offers one more candidate, which is borrowed. */
void suggestion_offer(struct suggestion *s, const char *name);
