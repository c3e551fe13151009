/*
 * Sizes as users write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "cli/size.h"

static void units_are_powers_of_1024(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} cases[] = {
		{"0", 0},
		{"1", 1},
		{"64M", 64 << 20},
		{"64m", 64 << 20},
		{"64MB", 64 << 20},
		{"64mib", 64 << 20},
		{"64 MiB", 64 << 20},
		{"512b", 512},
		{"512B", 512},
		{"1k", 1024},
		{"3 k", 3072},
		{"3 ", 3},
		{"1.5g", 3LL << 29},
		{"0.5", 0},
		{".5k", 512},
		{"2.k", 2048},
		{"1.0000000000000000000000000000001k", 1024},
		{"0.999999999999999999p", (1LL << 50) - 1},
		{"1T", 1LL << 40},
		{"2P", 2LL << 50},
		{"8191.5p", INT64_MAX - (1LL << 49) + 1},
		{"9223372036854775807", INT64_MAX},
		{"00000000000000000000000000000000000000000000001", 1},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		int64_t bytes = -7;

		if (!size_parse(cases[i].text, &bytes) || bytes != cases[i].bytes)
			fail_msg("%s gives %lld", cases[i].text, (long long)bytes);
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"x",
		"k",
		" 1",
		"1  k",
		"-1",
		"-5k",
		"+1",
		"1q",
		"1kk",
		"1bb",
		"1kib2",
		"1kx",
		"1kibb",
		"1e3",
		"0x1",
		"1.5.5",
		"1,5",
		".",
		".k",
		"1\n",
		"8p k",
		"9223372036854775808",
		"8192p",
		"340282366920938463463374607431768211456",
		"99999999999999999999999999999999999999999999k",
		"1\xcb",
		"1`",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		int64_t bytes = -7;

		if (size_parse(texts[i], &bytes))
			fail_msg("\"%s\" gives %lld", texts[i], (long long)bytes);
		assert_int_equal(bytes, -7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_are_powers_of_1024),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
