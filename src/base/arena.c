/*
 * The arena: see arena.h. It never frees a piece and never moves one.
 */
#include "base/arena.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The how manieth piece a test wants to be refused: CREEL_FAIL_PIECE of creel-faulty. */
static uint32_t fail_piece(void)
{
#ifdef CREEL_FAULTS
	const char *piece = getenv("CREEL_FAIL_PIECE");

	return piece ? (uint32_t)strtoul(piece, NULL, 10) : 0;
#else
	return 0;
#endif
}

int arena_init(struct arena *a, size_t limit, struct err *e)
{
	size_t reserved = limit + ARENA_RESERVE;
	void *start = mmap(NULL, reserved, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return err_sys(e, "reserve %zu bytes of address space", reserved);
	(void)madvise(start, reserved, MADV_NOHUGEPAGE); /* a few pages are used of many */
	*a = (struct arena){
		.start = start, .limit = limit, .reserved = reserved, .fail_piece = fail_piece()};
	return 0;
}

void arena_use_reserve(struct arena *a)
{
	a->limit = a->reserved;
	a->fail_piece = 0;
}

void arena_done(struct arena *a)
{
	if (a && a->start)
		(void)munmap(a->start, a->reserved);
	if (a)
		*a = (struct arena){0};
}

void arena_keep(struct arena *a)
{
	a->kept = a->used;
}

/* The kernel takes whole pages back; the one that is kept in part is cleared by hand. */
int arena_reset(struct arena *a, struct err *e)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (a->kept + page - 1) / page * page;
	size_t partly = a->used < whole ? a->used : whole;

	if (a->used > whole && madvise(a->start + whole, a->used - whole, MADV_DONTNEED))
		return err_sys(e, "empty the arena");
	memset(a->start + a->kept, 0, partly - a->kept);
	a->used = a->kept;
	a->limit = a->reserved - ARENA_RESERVE;
	return 0;
}

static bool is_refused(struct arena *a)
{
	return a->fail_piece && !--a->fail_piece;
}

void *arena_get(struct arena *a, size_t size, struct err *e)
{
	size_t at = (a->used + 15) & ~(size_t)15;

	if (at > a->limit || size > a->limit - at || is_refused(a)) {
		err_set(e, ERR_NO_MEMORY, "out of memory: one command may use %zu MiB",
			a->limit >> 20);
		return NULL;
	}
	a->used = at + size;
	return a->start + at;
}

void *arena_get_array(struct arena *a, size_t count, size_t size, struct err *e)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		bytes = (size_t)-1;
	return arena_get(a, bytes, e);
}

void *arena_grow(struct arena *a, void *old, size_t count, size_t *capacity, size_t size,
		 struct err *e)
{
	bool last = old && (char *)old + *capacity * size == a->start + a->used;
	size_t wanted = *capacity ? *capacity * 2 : 8;
	size_t used = a->used;
	void *new;

	if (count < *capacity)
		return old;
	if (last) /* the last piece of the arena grows where it is */
		a->used = (size_t)((char *)old - a->start);
	new = arena_get_array(a, wanted, size, e);
	if (!new) {
		a->used = used;
		return NULL;
	}
	if (old && new != old)
		memcpy(new, old, count * size);
	*capacity = wanted;
	return new;
}

char *arena_copy(struct arena *a, const char *from, size_t length, struct err *e)
{
	char *to = arena_get(a, length + 1, e);

	if (to && length)
		memcpy(to, from, length);
	return to;
}

char *arena_format(struct arena *a, struct err *e, const char *format, ...)
{
	va_list args, again;
	char *to;
	int n;

	va_start(args, format);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	to = n < 0 ? NULL : arena_get(a, (size_t)n + 1, e);
	if (to)
		(void)vsnprintf(to, (size_t)n + 1, format, again);
	else if (n < 0)
		err_sys(e, "format a string");
	va_end(again);
	return to;
}
