/*
 * The table-driven reader: Go's rules for keys, repetition and null, each kind of member, and what
 * is said about wrong ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_table.h"
#include "document.h"

struct port {
	const char *name;
	uint32_t number;
	int kind;
};
struct ports {
	struct port *item;
	size_t count;
};
struct numbers {
	uint32_t *item;
	size_t count;
};

struct thing {
	bool on;
	uint16_t u16;
	uint32_t u32;
	int32_t i32;
	uint64_t u64;
	int64_t i64;
	struct opt_bool opt_on;
	struct opt_u16 opt_u16;
	struct opt_u32 opt_u32;
	struct opt_i32 opt_i32;
	struct opt_u64 opt_u64;
	struct opt_i64 opt_i64;
	const char *text;
	struct str_list list;
	bool list_given;
	struct str_map map;
	struct numbers ids, colours;
	uint32_t bits;
	char letter;
	struct port port, *other;
	struct ports ports, named;
	unsigned odd;
};

enum { COLOURS, KINDS };
enum { THING, PORT, PART };

static const struct word colours[] = {{"red", 1}, {"green", 2}, {"blue", 4}};
static const struct word kinds[] = {{"tcp", 't'}, {"udp", 'u'}};
static const struct words words_colours = {colours, array_len(colours)},
			  words_kinds = {kinds, array_len(kinds)};
static const struct json_words words[] = {
	[COLOURS] = {&words_colours, "no colour \"", "\""},
	[KINDS] = {&words_kinds, "kind ", " is unknown"},
};

static const struct json_field thing_fields[] = {
	{FIELD("on", struct thing, on)},
	{FIELD("u16", struct thing, u16)},
	{FIELD("u32", struct thing, u32)},
	{FIELD("i32", struct thing, i32)},
	{FIELD("u64", struct thing, u64)},
	{FIELD("i64", struct thing, i64)},
	{FIELD("optOn", struct thing, opt_on)},
	{FIELD("optU16", struct thing, opt_u16)},
	{FIELD("optU32", struct thing, opt_u32)},
	{FIELD("optI32", struct thing, opt_i32)},
	{FIELD("optU64", struct thing, opt_u64)},
	{FIELD("optI64", struct thing, opt_i64)},
	{FIELD("text", struct thing, text)},
	{FIELD("list", struct thing, list), GIVEN(struct thing, list_given)},
	{FIELD("map", struct thing, map)},
	{U32S_FIELD("ids", struct thing, ids)},
	{WORDS_FIELD("colours", struct thing, colours, COLOURS)},
	{BITS_FIELD("bits", struct thing, bits, COLOURS)},
	{OPT_WORD_FIELD("letter", struct thing, letter, KINDS)},
	{OBJECT_FIELD("port", struct thing, port, PORT)},
	{POINTER_FIELD("other", struct thing, other, PORT)},
	{LIST_FIELD("ports", struct thing, ports, PORT)},
	{NAMED_FIELD("named", struct thing, named, PORT)},
	{PART_FIELD("part", PART)},
	{ODD_FIELD("odd", struct thing, odd, 0)},
};
static const struct json_field port_fields[] = {
	{FIELD("number", struct port, number)},
	{WORD_FIELD("kind", struct port, kind, KINDS)},
};
static const struct json_field part_fields[] = {{FIELD("u32", struct thing, u32)}};

static void port_init(void *object)
{
	((struct port *)object)->number = 80;
}

static int read_odd(struct json *j, const struct json_field *field, void *object, struct err *e)
{
	assert_string_equal(field->key, "odd");
	((struct thing *)object)->odd++;
	return json_skip(j, e);
}

static const struct json_table tables[] = {
	[THING] = {JSON_TABLE(thing_fields, struct thing)},
	[PORT] = {JSON_TABLE(port_fields, struct port), .init = port_init},
	[PART] = {JSON_TABLE(part_fields, struct thing)},
};
static int (*const odd[])(struct json *j, const struct json_field *field, void *object,
			  struct err *e) = {read_odd};
static const struct json_schema schema = {tables, words, odd};

static struct err error;

static int read_thing(const char *text, struct thing *ret)
{
	struct json_input input = document(text);
	struct json j;

	*ret = (struct thing){0};
	error = (struct err){0};
	input.log = &document_log;
	if (json_init(&j, &input, &error))
		return -1;
	return json_read(&j, &schema, THING, ret, &error);
}

static void reads(const char *text, struct thing *ret)
{
	if (read_thing(text, ret))
		fail_msg("%s: %s", text, error.text);
}

static void refuses(const char *text, const char *refusal, const char *pointer)
{
	struct thing t;

	if (!read_thing(text, &t))
		fail_msg("%s was taken", text);
	assert_string_equal(error.text, refusal);
	assert_string_equal(error.pointer, pointer);
	assert_int_equal(error.code, ERR_INVALID);
}

static void numbers_and_switches_go_to_their_places(void **state)
{
	struct thing t;

	(void)state;
	reads("{'on':true,'u16':65535,'u32':4294967295,'i32':-2147483648,"
	      "'u64':18446744073709551615,"
	      "'i64':-9223372036854775808}",
	      &t);
	assert_true(t.on);
	assert_int_equal(t.u16, 65535);
	assert_int_equal(t.u32, UINT32_MAX);
	assert_int_equal(t.i32, INT32_MIN);
	assert_true(t.u64 == UINT64_MAX);
	assert_true(t.i64 == INT64_MIN);
}

static void absent_values_are_told_from_zero(void **state)
{
	struct thing t;

	(void)state;
	reads("{}", &t);
	assert_false(t.opt_on.set || t.opt_u16.set || t.opt_u32.set || t.opt_i32.set ||
		     t.opt_u64.set || t.opt_i64.set);
	reads("{'optOn':false,'optU16':0,'optU32':0,'optI32':0,'optU64':0,'optI64':0}", &t);
	assert_true(t.opt_on.set && t.opt_u16.set && t.opt_u32.set && t.opt_i32.set &&
		    t.opt_u64.set && t.opt_i64.set);
	reads("{'optOn':true,'optU16':1,'optU32':2,'optI32':-3,'optU64':4,'optI64':-5}", &t);
	assert_true(t.opt_on.value && t.opt_u16.value == 1 && t.opt_u32.value == 2 &&
		    t.opt_i32.value == -3 && t.opt_u64.value == 4 && t.opt_i64.value == -5);
}

static void an_empty_text_reads_as_absent(void **state)
{
	struct thing t;

	(void)state;
	reads("{'text':'x'}", &t);
	assert_string_equal(t.text, "x");
	reads("{'text':''}", &t);
	assert_null(t.text);
}

static void keys_match_in_any_case(void **state)
{
	struct thing t;

	(void)state;
	reads("{'ON':true,'optu16':7,'\\u0054ext':'x'}", &t);
	assert_true(t.on);
	assert_int_equal(t.opt_u16.value, 7);
	assert_string_equal(t.text, "x");
}

static void the_last_of_a_repeated_key_wins(void **state)
{
	struct thing t;

	(void)state;
	reads("{'u32':1,'list':['a','b'],'U32':2,'list':['c'],'map':{'k':'1','l':'2','k':'3'}}",
	      &t);
	assert_int_equal(t.u32, 2);
	assert_int_equal(t.list.count, 1);
	assert_string_equal(t.list.item[0], "c");
	assert_int_equal(t.map.count, 2);
	assert_string_equal(t.map.item[0].key, "k");
	assert_string_equal(t.map.item[0].value, "3");
	assert_string_equal(t.map.item[1].value, "2");
}

static void null_leaves_everything_as_it_is(void **state)
{
	struct thing t;

	(void)state;
	reads("{'on':true,'on':null,'text':'x','text':null,'list':null,'other':null,'port':null,"
	      "'optU32':null,'map':null,'ports':null,'named':null,'ids':null,'bits':null,"
	      "'odd':null}",
	      &t);
	assert_true(t.on);
	assert_string_equal(t.text, "x");
	assert_false(t.list_given || t.opt_u32.set);
	assert_null(t.other);
	assert_int_equal(t.odd, 0);
	reads("{'list':[null],'ids':[1,null],'map':{'k':null}}", &t);
	assert_string_equal(t.list.item[0], "");
	assert_int_equal(t.ids.item[1], 0);
	assert_string_equal(t.map.item[0].value, "");
}

static void lists_keep_their_order_however_long(void **state)
{
	char text[40000] = "{'ids':[0";
	size_t used = strlen(text);
	struct thing t;

	(void)state;
	for (unsigned i = 1; i < 5000; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, ",%u", i);
	(void)snprintf(text + used, sizeof(text) - used, "]}");
	reads(text, &t);
	assert_int_equal(t.ids.count, 5000);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(t.ids.item[i], i);
	reads("{'ids':[],'list':[]}", &t);
	assert_int_equal(t.ids.count, 0);
	assert_true(t.list_given);
}

static void words_become_numbers(void **state)
{
	struct thing t;

	(void)state;
	reads("{'colours':['blue','red'],'bits':['red','blue','red'],'letter':'udp'}", &t);
	assert_int_equal(t.colours.count, 2);
	assert_int_equal(t.colours.item[0], 4);
	assert_int_equal(t.colours.item[1], 1);
	assert_int_equal(t.bits, 5);
	assert_int_equal(t.letter, 'u');
	refuses("{'bits':['red','Blue']}", "config.json:1:16: no colour \"Blue\"", "/bits/1");
	refuses("{'letter':'sctp'}", "config.json:1:11: kind sctp is unknown", "/letter");
	refuses("{'colours':[null]}", "config.json:1:13: no colour \"\"", "/colours/0");
}

static void objects_are_read_by_their_tables(void **state)
{
	struct thing t;

	(void)state;
	reads("{'port':{'number':1,'kind':'tcp'},'other':{'kind':'udp'},'part':{'u32':9},"
	      "'ports':[{'kind':'tcp'},{'kind':'udp','number':3}],'odd':[{}]}",
	      &t);
	assert_int_equal(t.port.number, 1);
	assert_int_equal(t.port.kind, 't');
	assert_int_equal(t.other->number, 80);
	assert_int_equal(t.u32, 9);
	assert_int_equal(t.ports.count, 2);
	assert_int_equal(t.ports.item[0].number, 80);
	assert_int_equal(t.ports.item[1].number, 3);
	assert_int_equal(t.odd, 1);
}

static void a_repeated_object_is_filled_further(void **state)
{
	struct thing t;

	(void)state;
	reads("{'part':{'u32':9},'other':{'kind':'udp','number':5},'part':{},"
	      "'other':{'kind':'tcp'}}",
	      &t);
	assert_int_equal(t.u32, 9);
	assert_int_equal(t.other->kind, 't');
	assert_int_equal(t.other->number, 5);
}

static void named_objects_keep_their_names(void **state)
{
	struct thing t;

	(void)state;
	reads("{'named':{'http':{'kind':'tcp'},'dns':{'kind':'udp','number':53},"
	      "'http':{'kind':'udp','number':443}}}",
	      &t);
	assert_int_equal(t.named.count, 2);
	assert_string_equal(t.named.item[0].name, "http");
	assert_int_equal(t.named.item[0].number, 443);
	assert_string_equal(t.named.item[1].name, "dns");
	assert_int_equal(t.named.item[1].number, 53);
}

static void a_word_that_must_be_there_is_missed(void **state)
{
	(void)state;
	refuses("{\n'port': {'number':1}}", "config.json:2:9: kind  is unknown", "/port");
	refuses("{'ports':[{'kind':'tcp'},{'kind':null}]}", "config.json:1:26: kind  is unknown",
		"/ports/1");
	refuses("{'ports':[null]}", "config.json:1:11: kind  is unknown", "/ports/0");
}

static void wrong_types_are_told_with_both_names(void **state)
{
	static const struct {
		const char *text, *refusal, *pointer;
	} rows[] = {
		{"[]", "cannot use array as object for config.json", ""},
		{"{'on':'x'}", "cannot use string as bool for on", "/on"},
		{"{'optOn':1}", "cannot use number as bool for optOn", "/optOn"},
		{"{'text':{}}", "cannot use object as string for text", "/text"},
		{"{'u32':true}", "cannot use bool as integer for u32", "/u32"},
		{"{'list':'x'}", "cannot use string as array of strings for list", "/list"},
		{"{'list':['a',1]}", "cannot use number as string for list[1]", "/list/1"},
		{"{'ids':{}}", "cannot use object as array of integers for ids", "/ids"},
		{"{'map':[]}", "cannot use array as object of strings for map", "/map"},
		{"{'map':{'a/b':1}}", "cannot use number as string for map.a/b", "/map/a~1b"},
		{"{'port':'x'}", "cannot use string as object for port", "/port"},
		{"{'ports':{}}", "cannot use object as array of objects for ports", "/ports"},
		{"{'ports':[{'kind':'tcp'},7]}", "cannot use number as object for ports[1]",
		 "/ports/1"},
		{"{'named':[]}", "cannot use array as object of objects for named", "/named"},
		{"{'named':{'x':{'number':'1'}}}",
		 "cannot use string as integer for named.x.number", "/named/x/number"},
		{"{'bits':'red'}", "cannot use string as array of strings for bits", "/bits"},
		{"{'letter':1}", "cannot use number as string for letter", "/letter"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct thing t;

		assert_int_equal(read_thing(rows[i].text, &t), -1);
		assert_non_null(strstr(error.text, rows[i].refusal));
		assert_string_equal(error.pointer, rows[i].pointer);
	}
}

static void unknown_members_are_skipped_and_told(void **state)
{
	struct thing t;

	(void)state;
	reads("{'port':{'kind':'tcp',\n'speed':[{'x':1}]},'u32':6}", &t);
	assert_int_equal(t.u32, 6);
	assert_string_equal(document_log_text,
			    "debug: config.json:2:1: unknown member port.speed is ignored\n");
	refuses("{'unknown':[1,}",
		"config.json:1:15: invalid character '}' looking for beginning of value",
		"/unknown/1");
}

static void a_flood_of_unknown_members_is_not_told(void **state)
{
	char text[2000] = "{'x':0";
	struct thing t;

	(void)state;
	for (int i = 0; i < 200; i++)
		strcat(text, ",'x':0");
	reads(strcat(text, "}"), &t);
	assert_non_null(strstr(
		document_log_text,
		"debug: config.json:1:296: unknown member x is ignored, and so may be others\n"));
	assert_null(strstr(document_log_text, "config.json:1:302"));
}

/* A map of so many members, of which only one in `distinct` has a name of its own. */
static void refuses_members(const char *begin, int count, int distinct, const char *pointer)
{
	size_t room = 5000 * 16, used = strlen(begin);
	char *text = malloc(room);
	struct thing t;

	assert_non_null(text);
	memcpy(text, begin, used + 1);
	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, room - used, "%s'k%d':''", i ? "," : "",
					 i % distinct);
	(void)snprintf(text + used, room - used, "}}");
	if (!read_thing(text, &t))
		fail_msg("%d members of %d names after %s were taken", count, distinct, begin);
	assert_non_null(strstr(error.text, ": more than 4096 named members"));
	assert_string_equal(error.pointer, pointer);
	free(text);
}

/* Repeated ones too: each is compared with those before it. */
static void a_document_with_too_many_named_members_is_refused(void **state)
{
	(void)state;
	refuses_members("{'map':{", 4097, 4097, "/map/k4096");
	refuses_members("{'map':{", 4097, 100, "/map/k96");
	refuses_members("{'named':{'a':{'kind':'tcp'}},'map':{", 4096, 4096, "/map/k4095");
	refuses_members("{'map':{'x':''},'map':{", 4096, 4096, "/map/k4095");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_and_switches_go_to_their_places,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(absent_values_are_told_from_zero, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(an_empty_text_reads_as_absent, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(keys_match_in_any_case, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(the_last_of_a_repeated_key_wins, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(null_leaves_everything_as_it_is, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(lists_keep_their_order_however_long, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(words_become_numbers, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(objects_are_read_by_their_tables, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(a_repeated_object_is_filled_further, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(named_objects_keep_their_names, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(a_word_that_must_be_there_is_missed, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(wrong_types_are_told_with_both_names,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(unknown_members_are_skipped_and_told,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(a_flood_of_unknown_members_is_not_told,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(a_document_with_too_many_named_members_is_refused,
						document_setup, document_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
