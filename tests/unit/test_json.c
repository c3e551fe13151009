/*
 * The JSON reader: what it takes, what it refuses, and where it says the fault is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/str.h"
#include "document.h"

/* Reads over a whole document; the message of the error, or "". */
static const char *refusal(const char *text, size_t length)
{
	struct json_input input = document_bytes(text, length);
	static struct err e;
	struct json j;

	e.text[0] = '\0';
	e.pointer[0] = '\0';
	if (!json_init(&j, &input, &e) && !json_skip(&j, &e))
		return "";
	assert_int_equal(e.code, ERR_INVALID);
	return strcat(strcat(e.text, " "), e.pointer);
}

static void takes_what_rfc_8259_allows(void **state)
{
	static const char *const texts[] = {
		"null",
		"true",
		"false",
		"0",
		"-0",
		"-1",
		"10",
		"1.5",
		"1e3",
		"1E+3",
		"-0.25e-7",
		"\"\"",
		"[]",
		"{}",
		" \t\r\n[ 1 , [ ] , { } ] ",
		"{\"a\":1,\"a\":2}",
		"{\"\":{\"\":[null]}}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\uD83D\\uDE00\"",
		"\"\x7f\"",
		"\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
		"123456789012345678901234567890",
		"{} trailing text is not looked at, as in runc",
		"nullx",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++)
		assert_string_equal(refusal(texts[i], strlen(texts[i])), "");
}

static const struct {
	const char *text, *refusal;
} refusals[] = {
	{"", "config.json:1:1: unexpected end of JSON input "},
	{" ", "config.json:1:2: unexpected end of JSON input "},
	{"{ bad", "config.json:1:3: invalid character 'b' looking for beginning of object key "
		  "string "},
	{"{'a':1}", "config.json:1:2: invalid character '\\'' looking for beginning of object "
		    "key string "},
	{"\xef\xbb\xbf{}",
	 "config.json:1:1: invalid character '\xef\xbb\xbf' looking for beginning of "
	 "value "},
	{"{\"a\" 1}", "config.json:1:6: invalid character '1' after object key /a"},
	{"{\"a\":1 \"b\":2}",
	 "config.json:1:8: invalid character '\"' after object key:value pair /a"},
	{"{\"a\":1,}", "config.json:1:8: invalid character '}' looking for beginning of object key "
		       "string "},
	{"[1,]", "config.json:1:4: invalid character ']' looking for beginning of value /1"},
	{"[1 2]", "config.json:1:4: invalid character '2' after array element /0"},
	{"[1}", "config.json:1:3: invalid character '}' after array element /0"},
	{"[", "config.json:1:2: unexpected end of JSON input /0"},
	{"{\"a\":[1,\n\n {\"b\": x}]}",
	 "config.json:3:8: invalid character 'x' looking for beginning of value /a/1/b"},
	{"{\"a/b\":{\"~\":[x]}}",
	 "config.json:1:14: invalid character 'x' looking for beginning of value "
	 "/a~1b/~0/0"},
	{"nul", "config.json:1:4: unexpected end of JSON input "},
	{"[tru]", "config.json:1:5: invalid character ']' in literal true /0"},
	{"[falsy]", "config.json:1:6: invalid character 'y' in literal false /0"},
	{"[NaN]", "config.json:1:2: invalid character 'N' looking for beginning of value /0"},
	{"[+1]", "config.json:1:2: invalid character '+' looking for beginning of value /0"},
	{"[.5]", "config.json:1:2: invalid character '.' looking for beginning of value /0"},
	{"[01]", "config.json:1:3: invalid character '1' after array element /0"},
	{"[-]", "config.json:1:3: invalid character ']' in numeric literal /0"},
	{"[1.]", "config.json:1:4: invalid character ']' after decimal point in numeric "
		 "literal /0"},
	{"[1e]", "config.json:1:4: invalid character ']' in exponent of numeric literal /0"},
	{"[0x10]", "config.json:1:3: invalid character 'x' after array element /0"},
	{"\"a", "config.json:1:3: unexpected end of JSON input "},
	{"\"a\nb\"", "config.json:1:3: invalid character '\\x0a' in string literal "},
	{"\"\\x\"", "config.json:1:3: invalid character 'x' in string escape code "},
	{"\"\\", "config.json:1:3: unexpected end of JSON input "},
	{"\"\\u12g4\"",
	 "config.json:1:6: invalid character 'g' in \\u hexadecimal character escape "},
	{"\"\\u12", "config.json:1:6: unexpected end of JSON input "},
	{"\"\\u0000\"", "config.json:1:2: a string may not contain NUL "},
	{"\"\\ud800\"", "config.json:1:2: lone surrogate \\ud800 in string "},
	{"\"\\udc00\"", "config.json:1:2: lone surrogate \\udc00 in string "},
	{"\"\\ud800\\u0041\"", "config.json:1:2: lone surrogate \\ud800 in string "},
	{"\"\\ud800\\", "config.json:1:2: lone surrogate \\ud800 in string "},
	{"\"\x80\"", "config.json:1:2: a string is not valid UTF-8 "},
	{"\"\xc0\xaf\"", "config.json:1:2: a string is not valid UTF-8 "},
	{"\"\xed\xa0\x80\"", "config.json:1:2: a string is not valid UTF-8 "},
	{"\"\xf4\x90\x80\x80\"", "config.json:1:2: a string is not valid UTF-8 "},
	{"\"\xe2\x82", "config.json:1:2: a string is not valid UTF-8 "},
	{"\"\xc3\xa9\xc3\xa9\" x", ""},
	{"[\"\xc3\xa9\xc3\xa9\" x",
	 "config.json:1:7: invalid character 'x' after array element /0"},
};

static void refuses_what_rfc_8259_forbids(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_len(refusals); i++)
		assert_string_equal(refusal(refusals[i].text, strlen(refusals[i].text)),
				    refusals[i].refusal);
}

static void refuses_nul_bytes_anywhere(void **state)
{
	(void)state;
	assert_string_equal(
		refusal("[\0]", 3),
		"config.json:1:2: invalid character '\\x00' looking for beginning of value /0");
	assert_string_equal(refusal("\"a\0b\"", 5),
			    "config.json:1:3: invalid character '\\x00' in string literal ");
}

static void refuses_deep_nesting(void **state)
{
	static const char inside[] =
		"config.json:1:129: arrays and objects are nested deeper than 128 ";
	char text[JSON_DEPTH * 2 + 8];

	(void)state;
	memset(text, '[', JSON_DEPTH);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	assert_string_equal(refusal(text, sizeof(text) - 8), "");
	memset(text, '[', JSON_DEPTH + 1);
	assert_memory_equal(refusal(text, sizeof(text) - 8), inside, sizeof(inside) - 1);
}

static void gives_up_at_once_on_a_million_brackets(void **state)
{
	size_t length = 1000000;
	char *text = malloc(length);
	clock_t begin = clock();

	(void)state;
	assert_non_null(text);
	memset(text, '{', length);
	assert_true(*refusal(text, length));
	memset(text, '[', length);
	assert_non_null(strstr(refusal(text, length), "nested deeper than 128"));
	assert_true(clock() - begin < CLOCKS_PER_SEC);
	free(text);
}

static void refuses_a_text_over_the_limit(void **state)
{
	struct json_input input = {
		.name = "config.json", .text = "", .length = (size_t)JSON_LIMIT + 1};
	struct json j;
	struct err e;

	(void)state;
	assert_int_equal(json_init(&j, &input, &e), -1);
	assert_string_equal(e.text, "config.json is larger than 16 MiB");
}

/* ---- values ---------------------------------------------------------------------------------- */

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *text, *value;
	} rows[] = {
		{"\"\"", ""},
		{"\"plain\"", "plain"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00!\"",
		 "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!"},
		{"\"\\uffff\\u0001\"", "\xef\xbf\xbf\x01"},
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct json_input input = document(rows[i].text);
		const char *value;
		struct json j;

		assert_int_equal(json_init(&j, &input, &e), 0);
		assert_int_equal(json_string(&j, &value, &e), 0);
		assert_string_equal(value, rows[i].value);
	}
}

static void plain_strings_stay_where_they_are(void **state)
{
	struct json_input input = document("\"no copy\"");
	const char *value;
	struct json j;
	struct err e;

	(void)state;
	assert_int_equal(json_init(&j, &input, &e), 0);
	assert_int_equal(json_string(&j, &value, &e), 0);
	assert_ptr_equal(value, input.text + 1);
	assert_int_equal(document_arena.used, 0);
}

/* Reads [text] as a signed or unsigned number of some bits; the refusal, or NULL and the value. */
static const char *number_refusal(const char *text, int bits, int64_t *ret)
{
	char list[64];
	struct json_input input;
	static struct err e;
	uint64_t value = 0;
	struct json j;
	int failed;

	(void)snprintf(list, sizeof(list), "[%s]", text);
	input = document(list);
	assert_int_equal(json_init(&j, &input, &e), 0);
	assert_int_equal(json_enter(&j, JSON_ARRAY, "array", &e), 0);
	assert_int_equal(json_next(&j, &e), 1);
	if (bits < 0) {
		failed = json_i64(&j, INT64_MIN >> (64 + bits), INT64_MAX >> (64 + bits), ret, &e);
	} else {
		failed = json_u64(&j, UINT64_MAX >> (64 - bits), &value, &e);
		*ret = (int64_t)value;
	}
	if (!failed)
		assert_int_equal(json_next(&j, &e), 0);
	return failed ? e.text : NULL;
}

static void integers_are_exact_to_their_last_bit(void **state)
{
	static const struct {
		const char *text;
		int bits;
		int64_t value;
	} rows[] = {
		{"0", 64, 0},
		{"0", -64, 0},
		{"-0", -64, 0},
		{"18446744073709551615", 64, -1},
		{"9223372036854775807", -64, INT64_MAX},
		{"-9223372036854775808", -64, INT64_MIN},
		{"9007199254740993", 64, 9007199254740993},
		{"4294967295", 32, 4294967295},
		{"65535", 16, 65535},
		{"-2147483648", -32, INT32_MIN},
		{"2147483647", -32, INT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t value = 77;

		assert_null(number_refusal(rows[i].text, rows[i].bits, &value));
		assert_true(value == rows[i].value);
	}
}

static void integers_out_of_range_are_refused(void **state)
{
	static const struct {
		const char *text;
		int bits;
		const char *refusal;
	} rows[] = {
		{"18446744073709551616", 64,
		 "config.json:1:2: number 18446744073709551616 for [0] is out of range (0 to "
		 "18446744073709551615)"},
		{"-1", 64,
		 "config.json:1:2: number -1 for [0] is out of range (0 to 18446744073709551615)"},
		{"4294967296", 32,
		 "config.json:1:2: number 4294967296 for [0] is out of range (0 to 4294967295)"},
		{"65536", 16, "config.json:1:2: number 65536 for [0] is out of range (0 to 65535)"},
		{"9223372036854775808", -64,
		 "config.json:1:2: number 9223372036854775808 for [0] is out of range "
		 "(-9223372036854775808 to 9223372036854775807)"},
		{"-9223372036854775809", -64,
		 "config.json:1:2: number -9223372036854775809 for [0] is out of range "
		 "(-9223372036854775808 to 9223372036854775807)"},
		{"-2147483649", -32,
		 "config.json:1:2: number -2147483649 for [0] is out of range (-2147483648 to "
		 "2147483647)"},
		{"99999999999999999999999999999999999999999999", -64,
		 "config.json:1:2: number 9999999999999999999999999999999999999999… for [0] "
		 "is out of range (-9223372036854775808 to 9223372036854775807)"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t value;

		assert_string_equal(number_refusal(rows[i].text, rows[i].bits, &value),
				    rows[i].refusal);
	}
}

static void integers_are_not_made_of_anything_else(void **state)
{
	static const struct {
		const char *text, *refusal;
	} rows[] = {
		{"1.0", "config.json:1:2: number 1.0 for [0] is not an integer"},
		{"1e3", "config.json:1:2: number 1e3 for [0] is not an integer"},
		{"\"1\"", "config.json:1:2: cannot use string as integer for [0]"},
		{"true", "config.json:1:2: cannot use bool as integer for [0]"},
		{"[]", "config.json:1:2: cannot use array as integer for [0]"},
		{"truth", "config.json:1:5: invalid character 't' in literal true"},
		{"1.",
		 "config.json:1:4: invalid character ']' after decimal point in numeric literal"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		int64_t value;

		assert_string_equal(number_refusal(rows[i].text, 64, &value), rows[i].refusal);
	}
}

static void a_wrong_type_is_told_with_its_place(void **state)
{
	struct json_input input =
		document("{\n  \"process\": {\n    \"noNewPrivileges\": \"yes\" } }");
	struct json j;
	struct err e;
	bool value;

	(void)state;
	assert_int_equal(json_init(&j, &input, &e), 0);
	assert_int_equal(json_enter(&j, JSON_OBJECT, "object", &e), 0);
	assert_int_equal(json_next(&j, &e), 1);
	assert_string_equal(json_key(&j), "process");
	assert_int_equal(json_enter(&j, JSON_OBJECT, "object", &e), 0);
	assert_int_equal(json_next(&j, &e), 1);
	assert_int_equal(json_bool(&j, &value, &e), -1);
	assert_string_equal(
		e.text, "config.json:3:24: cannot use string as bool for process.noNewPrivileges");
	assert_string_equal(e.pointer, "/process/noNewPrivileges");
	assert_int_equal(json_fail(&j, &e, "no such thing: %d", 5), -1);
	assert_string_equal(e.text, "config.json:3:24: no such thing: 5");
}

static void a_very_long_key_does_not_overflow_the_message(void **state)
{
	char text[4096];
	struct json_input input;
	struct json j;
	struct err e;

	(void)state;
	memset(text, 'k', sizeof(text));
	memcpy(text, "{\"", 2);
	memcpy(text + sizeof(text) - 8, "\":[[1]]", 8);
	input = document(text);
	assert_int_equal(json_init(&j, &input, &e), 0);
	assert_int_equal(json_enter(&j, JSON_OBJECT, "object", &e), 0);
	assert_int_equal(json_next(&j, &e), 1);
	assert_int_equal(json_fail_type(&j, &e, "bool"), -1);
	assert_true(strlen(e.pointer) == sizeof(e.pointer) - 1);
	assert_true(strlen(e.text) < sizeof(e.text) - 1);
}

/* ---- places ---------------------------------------------------------------------------------- */

static void pointers_lead_back_to_line_and_column(void **state)
{
	static const char text[] = "{\n"
				   "  \"process\": {\"args\": [\"sh\", \"-c\\\"}\"],\n"
				   "    \"CWD\": \"/\"},\n"
				   "  \"a/b~\": [[], {\"x\": 1.5}],\n"
				   "  \"twice\": 1, \"twice\": 2 }";
	static const struct {
		const char *pointer;
		unsigned line, column;
	} rows[] = {
		{"", 1, 1},
		{"/process", 2, 14},
		{"/process/args", 2, 23},
		{"/process/args/1", 2, 30},
		{"/process/cwd", 3, 12},
		{"/a~1b~0/1/x", 4, 22},
		{"/twice", 5, 24},
		/* what is not there is told by what is around it */
		{"/process/user/uid", 2, 14},
		{"/process/args/2", 2, 23},
		{"/nothing", 1, 1},
	};
	struct json_input input = document(text);

	(void)state;
	for (int read = 0; read < 2; read++) {
		struct json j;
		struct err e;

		for (size_t i = 0; i < array_len(rows); i++) {
			struct json_place p =
				json_locate(input.text, input.length, rows[i].pointer);

			assert_int_equal(p.line, rows[i].line);
			assert_int_equal(p.column, rows[i].column);
		}
		/* the second time with keys that the reader ended with NUL */
		assert_int_equal(json_init(&j, &input, &e), 0);
		assert_int_equal(json_skip(&j, &e), read ? -1 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_rfc_8259_allows),
		cmocka_unit_test(refuses_what_rfc_8259_forbids),
		cmocka_unit_test(refuses_nul_bytes_anywhere),
		cmocka_unit_test(refuses_deep_nesting),
		cmocka_unit_test(gives_up_at_once_on_a_million_brackets),
		cmocka_unit_test(refuses_a_text_over_the_limit),
		cmocka_unit_test(strings_are_decoded),
		cmocka_unit_test_setup_teardown(plain_strings_stay_where_they_are, document_setup,
						document_teardown),
		cmocka_unit_test(integers_are_exact_to_their_last_bit),
		cmocka_unit_test(integers_out_of_range_are_refused),
		cmocka_unit_test(integers_are_not_made_of_anything_else),
		cmocka_unit_test(a_wrong_type_is_told_with_its_place),
		cmocka_unit_test(a_very_long_key_does_not_overflow_the_message),
		cmocka_unit_test(pointers_lead_back_to_line_and_column),
	};

	return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
