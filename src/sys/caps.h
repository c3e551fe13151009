/*
 * Capabilities by capget(2), capset(2) and prctl(2), without libcap. A set is a bit mask, 1 <<
 * CAP_CHOWN and so on.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct caps {
	uint64_t effective, permitted, inheritable;
};

/* All capabilities that the running kernel knows. */
uint64_t caps_all(void);

int caps_get(struct caps *ret, struct err *e) must_check;
int caps_set(const struct caps *c, struct err *e) must_check;

/* Drops every capability that is not in keep from the bounding set. */
int caps_bound(uint64_t keep, struct err *e) must_check;

/*
 * Makes the ambient set exactly this; needs each in permitted and inheritable. Gives the bits that
 * were refused.
 */
uint64_t caps_ambient(uint64_t set);
