/*
 * Values of D-Bus as text: what annotations may say, and what they may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "arena_fixture.h"
#include "base/str.h"
#include "sys/dbus_text.h"

static void values_are_understood(void **state)
{
	static const struct {
		const char *text, *type, *again;
	} cases[] = {
		{"true", "b", "true"},
		{" false ", "b", "false"},
		{"0", "i", "0"},
		{"-5", "i", "-5"},
		{"2147483647", "i", "2147483647"},
		{"byte 255", "y", "255"},
		{"int16 -32768", "n", "-32768"},
		{"uint16 65535", "q", "65535"},
		{"int32 -2147483648", "i", "-2147483648"},
		{"uint32 4294967295", "u", "4294967295"},
		{"int64 -9223372036854775808", "x", "-9223372036854775808"},
		{"uint64 18446744073709551615", "t", "18446744073709551615"},
		{"@t 9", "t", "9"},
		{"2.5", "d", "2.5"},
		{"double 3", "d", "3"},
		{"-0.25", "d", "-0.25"},
		{"'text'", "s", "\"text\""},
		{"\"it's\"", "s", "\"it's\""},
		{"'a\\n\\t\\\\\\'\\\"b'", "s", "\"a\n\t\\\\'\\\"b\""},
		{"''", "s", "\"\""},
		{"string 'x'", "s", "\"x\""},
		{"objectpath '/a'", "o", "\"/a\""},
		{"['a', 'b']", "as", "[\"a\", \"b\"]"},
		{"@as []", "as", "[]"},
		{"[uint64 1, 2]", "at", "[1, 2]"},
		{"@au [1,2 , 3]", "au", "[1, 2, 3]"},
		{"('/dev/null', 'rw')", "(ss)", "(\"/dev/null\", \"rw\")"},
		{"(1,)", "(i)", "(1)"},
		{"[('/dev/a','r'),('/dev/b','w')]", "a(ss)",
		 "[(\"/dev/a\", \"r\"), (\"/dev/b\", \"w\")]"},
		{"@a(ss) []", "a(ss)", "[]"},
		{"@(st) ('a', 1)", "(st)", "(\"a\", 1)"},
		{"[[1],[2,3]]", "aai", "[[1], [2, 3]]"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct dbus_value value;
		struct str again;

		if (dbus_parse(cases[i].text, &arena, &value, &e))
			fail_msg("%s: %s", cases[i].text, e.text);
		assert_string_equal(value.type, cases[i].type);
		str_init(&again, &arena);
		dbus_add_text(&again, &value);
		assert_string_equal(again.text, cases[i].again);
	}
}

static const char *const no_values[] = {
	"",
	" ",
	"yes",
	"text",
	"True",
	"'",
	"'a",
	"\"a'",
	"'\\",
	"'\\x'",
	"1 2",
	"true false",
	"byte 256",
	"byte -1",
	"int16 32768",
	"2147483648",
	"-2147483649",
	"uint32 4294967296",
	"uint64 -1",
	"uint64 18446744073709551616",
	"int64 9223372036854775808",
	"99999999999999999999999999",
	"-",
	"--1",
	"1.",
	"1.x",
	"uint64 1.5",
	"uint64 'a'",
	"boolean 1",
	"string true",
	"string 1",
	"[",
	"[]",
	"[1",
	"[1,",
	"[1 2]",
	"[1,'a']",
	"[1, uint32 2]",
	"@as [1]",
	"@s []",
	"(",
	"()",
	"(1",
	"(1 2)",
	"@(ss) ('a')",
	"@(s) ('a','b')",
	"@ss 'a'",
	"@z 1",
	"@ 1",
	"@a []",
	"@a{sv} {}",
	"@v <1>",
	"{}",
	"<1>",
	"[[[[[[[[[1]]]]]]]]]",
	"@aaaaaaaaaai []",
	"b'bytes'",
	"nothing",
};

static void everything_else_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(no_values); i++) {
		struct dbus_value value;

		if (!dbus_parse(no_values[i], &arena, &value, &e))
			fail_msg("%s was taken as %s", no_values[i], value.type);
		assert_int_equal(e.code, ERR_INVALID);
	}
}

static void a_type_of_any_length_is_no_overrun(void **state)
{
	char text[400] = "@";
	struct dbus_value value;

	(void)state;
	memset(text + 1, '(', 300);
	assert_int_equal(dbus_parse(text, &arena, &value, &e), -1);
	memset(text + 2, 's', 300);
	strcpy(text + 302, ") 1");
	assert_int_equal(dbus_parse(text, &arena, &value, &e), -1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)
	const struct CMUnitTest tests[] = {
		test(values_are_understood),
		test(everything_else_is_refused),
		test(a_type_of_any_length_is_no_overrun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
