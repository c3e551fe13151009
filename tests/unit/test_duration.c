/*
 * Durations as Go writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/duration.h"

#define SECOND 1000000000LL

static void numbers_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t nanoseconds;
	} cases[] = {
		{"0", 0},
		{"-0", 0},
		{"5s", 5 * SECOND},
		{"500ms", SECOND / 2},
		{"1m", 60 * SECOND},
		{"1h30m", 5400 * SECOND},
		{"1.5s", 3 * SECOND / 2},
		{".5s", SECOND / 2},
		{"1.s", SECOND},
		{"7us", 7000},
		{"7µs", 7000},
		{"7μs", 7000},
		{"9ns", 9},
		{"0.9ns", 0},
		{"-1.5h", -5400 * SECOND},
		{"+3s", 3 * SECOND},
		{"1s1s", 2 * SECOND},
		{"0.1000000000000000000000000000001s", SECOND / 10},
		{"9223372036854775807ns", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		int64_t nanoseconds = -7;

		if (!duration_parse(cases[i].text, &nanoseconds) ||
		    nanoseconds != cases[i].nanoseconds)
			fail_msg("%s gives %lld", cases[i].text, (long long)nanoseconds);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"",         "5",
		"s",        "x",
		"5x",       "5 s",
		" 5s",      "5s ",
		"1..5s",    ".s",
		"--5s",     "1e3s",
		"1S",       "5\xc2s",
		"-",        "+",
		"00",       "9223372036854775808ns",
		"2562048h", "9223372036s9223372036s",
		"1d",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		int64_t nanoseconds = -7;

		if (duration_parse(texts[i], &nanoseconds))
			fail_msg("\"%s\" gives %lld", texts[i], (long long)nanoseconds);
		assert_int_equal(nanoseconds, -7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_units),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
