/*
 * D-Bus messages as bytes: calls are made as others make them, what a real bus and a real systemd
 * said is understood, and everything else is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "arena_fixture.h"
#include "base/str.h"
#include "sys/dbus_message.h"

/* A bus's answer to Hello, and systemd's words, as they were on the wire. */
static const char hello_reply[] =
	"l\2\1\1\12\0\0\0\1\0\0\0=\0\0\0\6\1s\0\5\0\0\0:1.15\0\0\0\5\1u\0\1\0\0\0\10\1g\0\1s"
	"\0\0\7\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0\0\5\0\0\0:1.15\0";
static const char job_removed[] =
	"l\4\1\1I\0\0\0G\0\0\0\215\0\0\0\1\1o\0\31\0\0\0/org/freedesktop/systemd1\0\0\0\0\0"
	"\0\0\2\1s\0 \0\0\0org.freedesktop.systemd1.Manager\0\0\0\0\0\0\0\0\3\1s\0\12\0\0\0J"
	"obRemoved\0\0\0\0\0\0\10\1g\0\4uoss\0\0\0\0\0\0\0\7\1s\0\4\0\0\0:1.1\0\0\0\0:\0\0\0"
	" \0\0\0/org/freedesktop/systemd1/job/58\0\0\0\0\16\0\0\0runc-rec.scope\0\0\4\0\0\0d"
	"one\0";
static const char control_group[] =
	"l\2\1\1\066\0\0\0A\0\0\0-\0\0\0\5\1u\0\2\0\0\0\6\1s\0\5\0\0\0:1.15\0\0\0\10\1g\0\1v"
	"\0\0\7\1s\0\4\0\0\0:1.1\0\0\0\0\1s\0\0-\0\0\0/user.slice/user-1000.slice/user@1000."
	"service\0";

/* ---- calls ----------------------------------------------------------------------------------- */

static void a_call_without_arguments(void **state)
{
	static const char expected[] = "l\1\0\1\0\0\0\0\1\0\0\0m\0\0\0"
				       "\1\1o\0\25\0\0\0/org/freedesktop/DBus\0\0\0"
				       "\2\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0\0"
				       "\3\1s\0\5\0\0\0Hello\0\0\0"
				       "\6\1s\0\24\0\0\0org.freedesktop.DBus\0\0\0";
	const struct dbus_call hello = {
		.destination = "org.freedesktop.DBus",
		.path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus",
		.member = "Hello",
	};
	struct str out;

	(void)state;
	assert_int_equal(dbus_encode_call(&hello, 1, &arena, &out, &e), 0);
	assert_int_equal(out.length, sizeof(expected));
	assert_memory_equal(out.text, expected, sizeof(expected));
}

/* The bytes behind the header of a call with one argument. */
static const char *body_of(const struct dbus_value *value, size_t *ret_size)
{
	const struct dbus_call call = {.member = "M", .arguments = {value, 1}};
	struct dbus_message message;
	struct str out;
	size_t length;

	assert_int_equal(dbus_encode_call(&call, 7, &arena, &out, &e), 0);
	assert_int_equal(dbus_message_length((const uint8_t *)out.text, &length, &e), 0);
	assert_int_equal(length, out.length);
	assert_int_equal(dbus_decode((const uint8_t *)out.text, length, &message, &e), 0);
	assert_int_equal(message.type, DBUS_CALL);
	assert_string_equal(message.member, "M");
	assert_string_equal(message.signature, value->type);
	*ret_size = message.body_size;
	return (const char *)message.body;
}

#define NUMBER(t, n) \
	{ \
		.type = t, .number = n \
	}
#define TEXT(t, s) \
	{ \
		.type = t, .text = s \
	}
#define LIST(t, l) \
	{ \
		.type = t, .list = { l, array_len(l) } \
	}

static void every_type_has_its_place(void **state)
{
	static const struct dbus_value bytes[] = {NUMBER("y", 1), NUMBER("y", 255)};
	static const struct dbus_value big[] = {NUMBER("t", UINT64_MAX)};
	static const struct dbus_value texts[] = {TEXT("s", "a"), TEXT("s", "bcd")};
	static const struct dbus_value pair[] = {TEXT("s", "P"), NUMBER("u", 5)};
	static const struct dbus_value pairs[] = {LIST("(su)", pair)};
	static const struct dbus_value in_variant[] = {NUMBER("b", 1)};
	static const struct {
		struct dbus_value value;
		const char *body;
		size_t size;
	} cases[] = {
		{NUMBER("y", 7), "\7", 1},
		{NUMBER("n", (uint64_t)-2), "\xfe\xff", 2},
		{NUMBER("u", 0x01020304), "\4\3\2\1", 4},
		{NUMBER("i", (uint64_t)-1), "\xff\xff\xff\xff", 4},
		{NUMBER("t", 1), "\1\0\0\0\0\0\0", 8},
		{TEXT("s", "text"), "\4\0\0\0text", 9},
		{TEXT("o", "/"), "\1\0\0\0/", 6},
		{TEXT("g", "as"), "\2as", 4},
		{LIST("ay", bytes), "\2\0\0\0\1\xff", 6},
		{{.type = "au"}, "\0\0\0", 4},
		/* an array's elements are aligned, and that is not part of its length */
		{LIST("at", big), "\10\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", 16},
		{{.type = "a(ss)"}, "\0\0\0\0\0\0\0", 8},
		{LIST("as", texts), "\20\0\0\0\1\0\0\0a\0\0\0\3\0\0\0bcd", 20},
		{LIST("a(su)", pairs), "\14\0\0\0\0\0\0\0\1\0\0\0P\0\0\0\5\0\0", 20},
		{LIST("v", in_variant), "\1b\0\0\1\0\0", 8},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		size_t size;
		const char *body = body_of(&cases[i].value, &size);

		assert_int_equal(size, cases[i].size);
		assert_memory_equal(body, cases[i].body, size);
	}
}

static void a_call_that_is_too_long_is_refused(void **state)
{
	char *text = arena_get(&arena, DBUS_MESSAGE_MAX + 1, &e);
	const struct dbus_value value = TEXT("s", text);
	const struct dbus_call call = {.member = "M", .arguments = {&value, 1}};
	struct str out;

	(void)state;
	memset(text, 'x', DBUS_MESSAGE_MAX);
	assert_int_equal(dbus_encode_call(&call, 1, &arena, &out, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
}

/* ---- what comes in --------------------------------------------------------------------------- */

/* From a place of its own, so that the sanitizer sees every overrun. */
static int decode(const void *data, size_t size, const char *types, struct dbus_value *ret)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct dbus_message message;
	size_t length = 0;
	int failed = -1;

	memcpy(copy, data, size);
	if (size >= DBUS_HEAD && !dbus_message_length(copy, &length, &e) && length == size)
		failed = dbus_decode(copy, size, &message, &e) ||
			 dbus_read(&message, types, ret, &e);
	free(copy);
	return failed ? -1 : 0;
}

static void the_answer_of_a_bus(void **state)
{
	struct dbus_message message;
	struct dbus_value value;

	(void)state;
	assert_int_equal(
		dbus_decode((const uint8_t *)hello_reply, sizeof(hello_reply) - 1, &message, &e),
		0);
	assert_int_equal(message.type, DBUS_REPLY);
	assert_int_equal(message.reply_to, 1);
	assert_string_equal(message.sender, "org.freedesktop.DBus");
	assert_int_equal(dbus_read(&message, "s", &value, &e), 0);
	assert_string_equal(value.type, "s");
	assert_string_equal(value.text, ":1.15");
	assert_int_equal(dbus_read(&message, "o", &value, &e), -1);
}

static void the_words_of_systemd(void **state)
{
	struct dbus_message message;
	struct dbus_value value[4];

	(void)state;
	assert_int_equal(
		dbus_decode((const uint8_t *)job_removed, sizeof(job_removed) - 1, &message, &e),
		0);
	assert_int_equal(message.type, DBUS_SIGNAL);
	assert_string_equal(message.member, "JobRemoved");
	assert_string_equal(message.interface, "org.freedesktop.systemd1.Manager");
	assert_int_equal(dbus_read(&message, "uoss", value, &e), 0);
	assert_int_equal(value[0].number, 58);
	assert_string_equal(value[1].text, "/org/freedesktop/systemd1/job/58");
	assert_string_equal(value[2].text, "runc-rec.scope");
	assert_string_equal(value[3].text, "done");
	assert_int_equal(dbus_decode((const uint8_t *)control_group, sizeof(control_group) - 1,
				     &message, &e),
			 0);
	assert_int_equal(dbus_read(&message, "v", value, &e), 0);
	assert_string_equal(value[0].type, "s");
	assert_string_equal(value[0].text, "/user.slice/user-1000.slice/user@1000.service");
}

static void every_beginning_of_a_message_is_refused(void **state)
{
	struct dbus_value value[4];

	(void)state;
	for (size_t size = 0; size < sizeof(job_removed) - 1; size++)
		assert_int_equal(decode(job_removed, size, "uoss", value), -1);
}

/* Whatever becomes of it, no byte outside is touched and no text is without an end. */
static void every_changed_byte_does_no_harm(void **state)
{
	static const uint8_t with[] = {0, 1, 4, 7, 0x20, 's', 'v', 'a', '(', 0x7f, 0x80, 0xff};
	char copy[sizeof(job_removed)];
	struct dbus_value value[4];

	(void)state;
	memcpy(copy, job_removed, sizeof(copy));
	for (size_t i = 0; i < sizeof(copy) - 1; i++) {
		for (size_t k = 0; k < array_len(with); k++) {
			copy[i] = (char)with[k];
			(void)decode(copy, sizeof(copy) - 1, "uoss", value);
		}
		copy[i] = job_removed[i];
	}
	assert_int_equal(decode(copy, sizeof(copy) - 1, "uoss", value), 0);
}

static void what_makes_no_sense_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		char byte;
	} cases[] = {
		{"of another byte order", 0, 'B'},
		{"of another version", 3, 2},
		{"a body that is longer", 4, 0x4a},
		{"a header that ends in a text", 12, 0x20},
		{"a text without an end", 16 + 8 + 25, 'x'},
		{"a text with two ends", 16 + 12, 0},
		{"a field that is an array", 16 + 2, 'a'},
		{"a field of two types", 16 + 1, 2},
		{"a text that is too long", sizeof(job_removed) - 1 - 9, 5},
	};
	char copy[sizeof(job_removed)];
	struct dbus_value value[4];

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		memcpy(copy, job_removed, sizeof(copy));
		copy[cases[i].at] = cases[i].byte;
		if (!decode(copy, sizeof(copy) - 1, "uoss", value))
			fail_msg("%s was taken", cases[i].what);
	}
}

/* Its length says that it ends behind the message, and nothing in it ends it before. */
static void a_text_beyond_the_end_is_refused(void **state)
{
	const size_t size = sizeof(job_removed) - 1;
	char copy[sizeof(job_removed)];
	struct dbus_value value[4];

	(void)state;
	memcpy(copy, job_removed, sizeof(copy));
	copy[size - 1] = 'x';
	copy[size - 5 - 4] = 5;
	assert_int_equal(decode(copy, size, "uoss", value), -1);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)
	const struct CMUnitTest tests[] = {
		test(a_call_without_arguments),
		test(every_type_has_its_place),
		test(a_call_that_is_too_long_is_refused),
		test(the_answer_of_a_bus),
		test(the_words_of_systemd),
		test(every_beginning_of_a_message_is_refused),
		test(every_changed_byte_does_no_harm),
		test(what_makes_no_sense_is_refused),
		test(a_text_beyond_the_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
