/*
 * One arena per command: memory that is given out piece by piece and returned as a whole.
 *
 * The address space is reserved once and the kernel provides a page when it is first touched, so
 * nothing is copied when the arena grows and pointers into it stay good until arena_done. All
 * memory from it is zero.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ARENA_LIMIT (48u << 20)  /* bytes that one command may use, whatever its input says */
#define ARENA_RESERVE (1u << 20) /* bytes beyond that, for taking back what was done */

struct arena {
	char *start;
	size_t used, limit, reserved;
	size_t kept;         /* bytes at its start that a reset leaves alone */
	uint32_t fail_piece; /* a test's: the how manieth piece from here on is refused; 0: none */
};

/* Reserves limit bytes of address space. Errors: ERR_SYSTEM. */
int arena_init(struct arena *a, size_t limit, struct err *e) must_check;

/*
 * From here on there is ARENA_RESERVE more: for whoever undoes something, which a command that ran
 * out of memory must be able to.
 */
void arena_use_reserve(struct arena *a);

/* Gives the memory back; NULL-safe, and safe on a zeroed arena. */
void arena_done(struct arena *a);

/* What was given out until now outlives arena_reset. */
void arena_keep(struct arena *a);

/* Takes back what was given out since arena_keep; the address space stays. Errors: ERR_SYSTEM. */
int arena_reset(struct arena *a, struct err *e) must_check;

/*
 * size bytes, zeroed, aligned to 16; size 0 gives a valid pointer. NULL and ERR_NO_MEMORY at the
 * limit.
 */
void *arena_get(struct arena *a, size_t size, struct err *e) must_check;

/* count elements of size bytes, with the overflow check. */
void *arena_get_array(struct arena *a, size_t count, size_t size, struct err *e) must_check;

/*
 * Grows the array old (count elements of size bytes, capacity *capacity) to hold one more; copies
 * when it moves.
 */
void *arena_grow(struct arena *a, void *old, size_t count, size_t *capacity, size_t size,
		 struct err *e) must_check;

/* A copy of length bytes, with a NUL behind it. */
char *arena_copy(struct arena *a, const char *from, size_t length, struct err *e) must_check;

/* A formatted string. */
char *arena_format(struct arena *a, struct err *e, const char *format, ...)
	printf_like(3, 4) must_check;
