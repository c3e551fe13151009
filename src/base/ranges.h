/*
 * Lists of small numbers as the kernel writes them, "0-3,7": processors and memory nodes.
 */
#pragma once

#include <stdbool.h>

#define RANGES_MAX 8192 /* numbers from 0 on; no kernel can be built for more of either kind */
#define RANGES_WORD (8 * sizeof(unsigned long))

/* A set of such numbers, in the layout of the kernel's masks. */
struct ranges {
	unsigned long bits[RANGES_MAX / RANGES_WORD];
};

/*
 * Reads a list. Space around its parts and empty parts are passed over, as runc does. Gives how
 * many different numbers there are, at least one; −1 when text is no such list or a number is out
 * of range.
 */
int ranges_parse(const char *text, struct ranges *ret);
