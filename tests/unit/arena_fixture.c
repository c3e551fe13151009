/*
 * See arena_fixture.h.
 */
#include "arena_fixture.h"

struct arena arena;
struct err e;

int arena_setup(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_LIMIT, &e);
}

int arena_teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}
