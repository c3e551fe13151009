/*
 * UTF-8: every character there is, and every way of being wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/utf8.h"

static void every_character_is_written_and_measured(void **state)
{
	(void)state;
	for (uint32_t c = 1; c <= 0x10ffff; c++) {
		char text[UTF8_MAX + 1] = "";
		size_t length = utf8_put(c, text);

		assert_int_equal(length, c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
		assert_int_equal(strlen(text), length);
		assert_int_equal(utf8_length(text), c >= 0xd800 && c <= 0xdfff ? 0 : length);
	}
}

static void what_is_wrong_has_no_length(void **state)
{
	static const char *const texts[] = {
		"\x80",
		"\xbf",
		"\xc0\x80",
		"\xc1\xbf",
		"\xc2",
		"\xc2x",
		"\xc2\xc2",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xe2\x82x",
		"\xed\xa0\x80",
		"\xed\xbf\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xf0\x9f\x98",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80",
		"\xff",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++)
		assert_int_equal(utf8_length(texts[i]), 0);
	assert_int_equal(utf8_length(""), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_character_is_written_and_measured),
		cmocka_unit_test(what_is_wrong_has_no_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
