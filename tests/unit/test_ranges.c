/*
 * Lists of processors and memory nodes: what is one, and which bits it sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/ranges.h"
#include "base/str.h"

static void lists_are_read(void **state)
{
	static const struct {
		const char *text;
		int count;
		unsigned long first;
	} rows[] = {
		{"0", 1, 0x1},       {"0-3,7", 5, 0x8f}, {"7,0-3", 5, 0x8f},
		{"1,1,0-1", 2, 0x3}, {"5-5", 1, 0x20},   {" 0 , 2-3 ", 3, 0xd},
		{",0,,1,", 2, 0x3},  {"007", 1, 0x80},   {"0-31", 32, 0xffffffff},
		{"00001", 1, 0x2},   {"0,8191", 2, 0x1},
	};
	struct ranges set;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_int_equal(ranges_parse(rows[i].text, &set), rows[i].count);
		assert_int_equal(set.bits[0], rows[i].first);
	}
	assert_int_equal(set.bits[array_len(set.bits) - 1] >> (RANGES_WORD - 1), 1);
}

static void what_is_no_list(void **state)
{
	static const char *const texts[] = {"",      " ",    ",",      "x",          "1x",   "-1",
					    "1-",    "3-1",  "1 2",    "1- 2",       "1 -2", "0x1",
					    "1-2-3", "8192", "0-8192", "99999999999"};
	struct ranges set = {{42}};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++)
		if (ranges_parse(texts[i], &set) != -1)
			fail_msg("\"%s\" is taken for a list", texts[i]);
	assert_int_equal(set.bits[0], 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_read),
		cmocka_unit_test(what_is_no_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
