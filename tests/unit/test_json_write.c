/*
 * The JSON writer: the layout and escapes of Go's encoding/json.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_write.h"
#include "document.h"

static struct str out;

static struct json_writer writer(const char *indent)
{
	struct json_writer w;

	str_init(&out, &document_arena);
	json_write_init(&w, &out, indent);
	return w;
}

static void write_sample(struct json_writer *w)
{
	json_write_object(w, NULL);
	json_write_string(w, "id", "c1");
	json_write_u64(w, "large", UINT64_MAX);
	json_write_i64(w, "small", INT64_MIN);
	json_write_bool(w, "yes", true);
	json_write_null(w, "nothing");
	json_write_array(w, "list");
	json_write_u64(w, NULL, 0);
	json_write_object(w, NULL);
	json_write_end(w);
	json_write_array(w, NULL);
	json_write_end(w);
	json_write_string(w, NULL, NULL);
	json_write_end(w);
	json_write_object(w, "last");
	json_write_bool(w, "no", false);
	json_write_end(w);
	json_write_end(w);
}

static void hundredths_have_no_zeros_at_their_end(void **state)
{
	static const uint64_t values[] = {0, 7, 50, 100, 125, 10000, 12030};
	struct json_writer w = writer(NULL);
	struct err e;

	(void)state;
	json_write_array(&w, NULL);
	for (size_t i = 0; i < array_len(values); i++)
		json_write_hundredths(&w, NULL, values[i]);
	json_write_end(&w);
	assert_string_equal(str_end(&out, &e), "[0,0.07,0.5,1,1.25,100,120.3]");
}

static void compact_has_no_space(void **state)
{
	struct json_writer w = writer(NULL);
	struct err e;

	(void)state;
	write_sample(&w);
	assert_string_equal(
		str_end(&out, &e),
		"{\"id\":\"c1\",\"large\":18446744073709551615,\"small\":-9223372036854775808,"
		"\"yes\":true,\"nothing\":null,\"list\":[0,{},[],null],\"last\":{\"no\":false}}");
}

static void indented_has_one_value_a_line(void **state)
{
	struct json_writer w = writer("  ");
	struct err e;

	(void)state;
	write_sample(&w);
	assert_string_equal(str_end(&out, &e), "{\n"
					       "  \"id\": \"c1\",\n"
					       "  \"large\": 18446744073709551615,\n"
					       "  \"small\": -9223372036854775808,\n"
					       "  \"yes\": true,\n"
					       "  \"nothing\": null,\n"
					       "  \"list\": [\n"
					       "    0,\n"
					       "    {},\n"
					       "    [],\n"
					       "    null\n"
					       "  ],\n"
					       "  \"last\": {\n"
					       "    \"no\": false\n"
					       "  }\n"
					       "}");
}

static void strings_are_escaped_as_go_does(void **state)
{
	static const struct {
		const char *value, *json;
	} rows[] = {
		{"", "\"\""},
		{"plain text", "\"plain text\""},
		{"\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
		{"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
		{"<a> & b", "\"\\u003ca\\u003e \\u0026 b\""},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		 "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
		{"\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
		 "\"\xe2\x80\xa7\\u2028\\u2029\xe2\x80\xaa\""},
		{"a\xff\xc3(\xe2\x82", "\"a\\ufffd\\ufffd(\\ufffd\\ufffd\""},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct json_writer w = writer(NULL);
		struct err e;

		json_write_string(&w, NULL, rows[i].value);
		assert_string_equal(str_end(&out, &e), rows[i].json);
	}
}

static void lists_and_maps_are_written_whole(void **state)
{
	const char *items[] = {"a", "b"};
	struct str_pair pairs[] = {{"b", "2"}, {"a&", "1"}, {"c", ""}};
	const struct str_list list = {items, 2}, none = {0};
	const struct str_map map = {pairs, 3};
	struct json_writer w = writer(NULL);
	struct err e;

	(void)state;
	json_write_object(&w, NULL);
	json_write_strings(&w, "list", &list);
	json_write_strings(&w, "none", &none);
	json_write_map(&w, "map", &map);
	json_write_end(&w);
	assert_string_equal(str_end(&out, &e),
			    "{\"list\":[\"a\",\"b\"],\"none\":[],"
			    "\"map\":{\"a\\u0026\":\"1\",\"b\":\"2\",\"c\":\"\"}}");
}

static void writing_goes_on_behind_other_text(void **state)
{
	struct json_writer w = writer(NULL);
	struct err e;

	(void)state;
	str_add(&out, "state: ");
	json_write_array(&w, NULL);
	json_write_end(&w);
	str_add(&out, "\n");
	assert_string_equal(str_end(&out, &e), "state: []\n");
}

static void too_deep_is_a_failure_of_the_string(void **state)
{
	struct json_writer w = writer(NULL);
	struct err e;

	(void)state;
	for (int i = 0; i < 2 * JSON_WRITE_DEPTH; i++)
		json_write_array(&w, NULL);
	assert_null(str_end(&out, &e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_has_no_space),
		cmocka_unit_test(hundredths_have_no_zeros_at_their_end),
		cmocka_unit_test(indented_has_one_value_a_line),
		cmocka_unit_test(strings_are_escaped_as_go_does),
		cmocka_unit_test(lists_and_maps_are_written_whole),
		cmocka_unit_test(writing_goes_on_behind_other_text),
		cmocka_unit_test(too_deep_is_a_failure_of_the_string),
	};

	return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
