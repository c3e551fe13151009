/*
 * Strings: the builder, comparisons, and the strict reading of numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static struct arena a;
static struct err e;

static int setup(void **state)
{
	(void)state;
	return arena_init(&a, 1 << 16, &e);
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&a);
	return 0;
}

static void pieces_become_one_text(void **state)
{
	struct str s;

	(void)state;
	str_init(&s, &a);
	assert_string_equal(str_end(&s, &e), "");
	str_add(&s, "one ");
	str_add_bytes(&s, "two-three", 3);
	str_add_char(&s, ' ');
	str_addf(&s, "%d%s", 3, "!");
	str_add(&s, "");
	assert_string_equal(str_end(&s, &e), "one two 3!");
	assert_int_equal(s.length, 10);
}

static void a_long_text_grows(void **state)
{
	struct str s;

	(void)state;
	str_init(&s, &a);
	for (int i = 0; i < 1000; i++)
		str_addf(&s, "%04d,", i);
	assert_int_equal(s.length, 5000);
	assert_memory_equal(s.text, "0000,0001,", 10);
	assert_string_equal(s.text + 4990, "0998,0999,");
}

static void every_length_fits(void **state)
{
	(void)state;
	for (size_t length = 0; length < 600; length++) {
		char text[600];
		struct str s;

		assert_int_equal(arena_reset(&a, &e), 0);
		memset(text, 'x', length);
		str_init(&s, &a);
		str_add_bytes(&s, text, length);
		str_addf(&s, "%.*s", (int)length, text);
		assert_int_equal(strlen(s.text), 2 * length);
		assert_true(s.length == 2 * length && !s.failed);
	}
}

static void the_first_failure_is_remembered(void **state)
{
	struct str s;

	(void)state;
	str_init(&s, &a);
	str_add(&s, "kept");
	for (int i = 0; i < 100000; i++)
		str_add(&s, "0123456789");
	str_add(&s, "x");
	assert_null(str_end(&s, &e));
	assert_int_equal(e.code, ERR_NO_MEMORY);
	assert_memory_equal(s.text, "kept", 4);
	str_init(&s, &a);
	str_add_bytes(&s, "", SIZE_MAX);
	assert_null(str_end(&s, &e));
}

static void texts_are_compared(void **state)
{
	(void)state;
	assert_true(str_equal("a", "a") && !str_equal("a", "A") && !str_equal("a", "ab"));
	assert_true(str_equal_nocase("aB", "Ab") && !str_equal_nocase("a", "ab"));
	assert_true(str_starts("abc", "ab") && str_starts("a", "") && !str_starts("a", "ab"));
	assert_true(str_ends("abc", "bc") && str_ends("a", "") && !str_ends("c", "bc"));
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	static const char *const wrong[] = {"",
					    "-",
					    "+1",
					    " 1",
					    "1 ",
					    "0x1",
					    "1e3",
					    "1.0",
					    "--1",
					    "1\n",
					    "a",
					    "18446744073709551616",
					    "99999999999999999999"};
	uint32_t u32 = 7;
	uint64_t u64 = 7;
	int64_t i64 = 7;

	(void)state;
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_false(str_to_u64(wrong[i], &u64) || str_to_u32(wrong[i], &u32) ||
			     str_to_i64(wrong[i], &i64));
	assert_false(str_to_u64("-1", &u64) || str_to_u32("-1", &u32) ||
		     str_to_u32("4294967296", &u32));
	assert_false(str_to_i64("9223372036854775808", &i64) ||
		     str_to_i64("-9223372036854775809", &i64));
	assert_true(u32 == 7 && u64 == 7 && i64 == 7);
	assert_true(str_to_u32("4294967295", &u32) && u32 == UINT32_MAX);
	assert_true(str_to_u64("18446744073709551615", &u64) && u64 == UINT64_MAX);
	assert_true(str_to_u64("007", &u64) && u64 == 7);
	assert_true(str_to_i64("9223372036854775807", &i64) && i64 == INT64_MAX);
	assert_true(str_to_i64("-9223372036854775808", &i64) && i64 == INT64_MIN);
	assert_true(str_to_i64("-0", &i64) && i64 == 0);
}

static void a_path_is_cleaned_by_its_words(void **state)
{
	static const char *const rows[][2] = {
		{"/", "/"},           {"", "/"},         {"//a///b/", "/a/b"},
		{"/a/./b/.", "/a/b"}, {"/a/../b", "/b"}, {"/../../a", "/a"},
		{"/a/b/../..", "/"},  {"a/b", "/a/b"},   {"/a/...//..b", "/a/.../..b"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(str_clean_path(&a, rows[i][0], &e), rows[i][1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pieces_become_one_text, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_text_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(every_length_fits, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_failure_is_remembered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_path_is_cleaned_by_its_words, setup, teardown),
		cmocka_unit_test(texts_are_compared),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
