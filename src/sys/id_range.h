/*
 * A line of an id map: so many ids, from here on inside of a user namespace and from there on
 * outside (user_namespaces(7)). For idmap, which writes maps, and subid, whose programs do.
 */
#pragma once

#include <stdint.h>

struct idmap_range {
	uint32_t inside, outside, size;
};
