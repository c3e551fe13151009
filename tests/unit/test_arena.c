/*
 * The arena: zeroed, aligned, never moving, and with an end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"

#define LIMIT 65536

static struct arena a;
static struct err e;

static int setup(void **state)
{
	(void)state;
	return arena_init(&a, LIMIT, &e);
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&a);
	return 0;
}

static void memory_is_zero_and_aligned(void **state)
{
	(void)state;
	for (size_t size = 0; size < 100; size++) {
		unsigned char *p = arena_get(&a, size, &e);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
}

static void the_limit_is_an_error(void **state)
{
	(void)state;
	assert_non_null(arena_get(&a, LIMIT - 32, &e));
	assert_null(arena_get(&a, 64, &e));
	assert_int_equal(e.code, ERR_NO_MEMORY);
	assert_non_null(arena_get(&a, 16, &e)); /* what still fits is given */
	assert_null(arena_get(&a, SIZE_MAX, &e));
	assert_null(arena_get(&a, SIZE_MAX - 15, &e));
}

static void what_undoes_has_a_reserve(void **state)
{
	(void)state;
	assert_non_null(arena_get(&a, LIMIT, &e));
	assert_null(arena_get(&a, 16, &e));
	arena_use_reserve(&a);
	assert_non_null(arena_get(&a, ARENA_RESERVE - 16, &e));
	assert_null(arena_get(&a, 32, &e));
	assert_int_equal(arena_reset(&a, &e), 0);
	assert_null(arena_get(&a, LIMIT + 1, &e)); /* the next command has no more than others */
}

static void an_array_may_not_overflow(void **state)
{
	(void)state;
	assert_null(arena_get_array(&a, SIZE_MAX / 2, 4, &e));
	assert_int_equal(e.code, ERR_NO_MEMORY);
	assert_null(arena_get_array(&a, SIZE_MAX, SIZE_MAX, &e));
	assert_non_null(arena_get_array(&a, 10, 10, &e));
}

static void an_array_grows_and_keeps_what_it_has(void **state)
{
	size_t capacity = 0;
	uint32_t *array = NULL;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		array = arena_grow(&a, array, i, &capacity, sizeof(*array), &e);
		assert_non_null(array);
		assert_true(capacity > i);
		assert_int_equal(array[i], 0);
		array[i] = i;
		(void)!arena_get(&a, 1, &e); /* something else is put behind it */
	}
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(array[i], i);
}

static void text_is_copied_and_formatted(void **state)
{
	char *copy = arena_copy(&a, "abcdef", 3, &e);
	char *text = arena_format(&a, &e, "%s-%d", "x", 7);

	(void)state;
	assert_string_equal(copy, "abc");
	assert_string_equal(text, "x-7");
	assert_string_equal(arena_copy(&a, NULL, 0, &e), "");
	assert_null(arena_format(&a, &e, "%*d", LIMIT, 1));
}

static void giving_back_nothing_is_fine(void **state)
{
	struct arena none = {0};

	(void)state;
	arena_done(NULL);
	arena_done(&none);
	arena_done(&a);
	assert_null(a.start);
	assert_int_equal(arena_init(&a, LIMIT, &e), 0);
}

static void a_reset_arena_is_zero_again(void **state)
{
	char *p = arena_get(&a, 10000, &e), *again;

	(void)state;
	assert_non_null(p);
	memset(p, 'x', 10000);
	assert_int_equal(arena_reset(&a, &e), 0);
	again = arena_get(&a, 10000, &e);
	assert_ptr_equal(again, p);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(again[i], 0);
}

static void what_is_kept_outlives_a_reset(void **state)
{
	const size_t sizes[] = {1, 100, 5000, 50000}; /* within the kept page and far beyond it */
	char *kept = arena_get(&a, 5000, &e), *p;

	(void)state;
	assert_non_null(kept);
	memset(kept, 'k', 5000);
	arena_keep(&a);
	for (size_t i = 0; i < array_len(sizes); i++) {
		p = arena_get(&a, sizes[i], &e);
		assert_non_null(p);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(p[at], 0);
		memset(p, 'x', sizes[i]);
		assert_int_equal(arena_reset(&a, &e), 0);
	}
	for (size_t at = 0; at < 5000; at++)
		assert_int_equal(kept[at], 'k');
}

static void a_limit_beyond_the_machine_is_an_error(void **state)
{
	struct arena huge;

	(void)state;
	assert_int_equal(arena_init(&huge, SIZE_MAX / 2, &e), -1);
	assert_int_equal(e.code, ERR_SYSTEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(memory_is_zero_and_aligned, setup, teardown),
		cmocka_unit_test_setup_teardown(the_limit_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(what_undoes_has_a_reserve, setup, teardown),
		cmocka_unit_test_setup_teardown(an_array_may_not_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(an_array_grows_and_keeps_what_it_has, setup,
						teardown),
		cmocka_unit_test_setup_teardown(text_is_copied_and_formatted, setup, teardown),
		cmocka_unit_test_setup_teardown(giving_back_nothing_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reset_arena_is_zero_again, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_outlives_a_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(a_limit_beyond_the_machine_is_an_error, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
