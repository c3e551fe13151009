/*
 * The messages of criu as bytes: requests are made as others make them, what a real criu said is
 * understood, and everything else is refused or passed over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "arena_fixture.h"
#include "criu/message.h"
#include "criu/wire.h"

#define NUMBER_MAX_TEXT "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"

/* ---- the wire -------------------------------------------------------------------------------- */

static struct str made;

static struct wire wire_of(const char *bytes, size_t size)
{
	return (struct wire){.at = (const uint8_t *)bytes, .end = (const uint8_t *)bytes + size};
}

#define assert_made(bytes) \
	do { \
		assert_int_equal(made.length, sizeof(bytes) - 1); \
		assert_memory_equal(made.text, bytes, sizeof(bytes) - 1); \
	} while (0)

static void numbers_and_texts_as_bytes(void **state)
{
	struct str inner;

	(void)state;
	str_init(&made, &arena);
	wire_add_number(&made, 1, 0);
	wire_add_number(&made, 2, 150);
	wire_add_number(&made, 63, UINT64_MAX);
	wire_add_text(&made, 3, "testing");
	str_init(&inner, &arena);
	wire_add_number(&inner, 1, 1);
	wire_add_message(&made, 4, &inner);
	wire_add_text(&made, 5, "");
	assert_made("\x08\x00\x10\x96\x01\xf8\x03" NUMBER_MAX_TEXT "\x1a\x07testing\x22\x02\x08\x01"
		    "\x2a\x00");
}

static void numbers_come_back(void **state)
{
	static const uint64_t numbers[] = {
		0, 1, 127, 128, 16383, 16384, 1u << 31, UINT64_MAX - 1, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < array_len(numbers); i++) {
		struct wire_field field;
		struct wire w;

		str_init(&made, &arena);
		wire_add_number(&made, 536870911, numbers[i]);
		w = wire_of(made.text, made.length);
		assert_int_equal(wire_next(&w, &field, &e), 1);
		assert_true(field.is_number && field.number == 536870911);
		assert_true(field.value == numbers[i]);
		assert_int_equal(wire_next(&w, &field, &e), 0);
	}
}

static void other_wire_types_are_passed_over(void **state)
{
	struct wire w = wire_of("\x09"
				"12345678"
				"\x0d"
				"1234"
				"\x08\x05",
				16);
	struct wire_field field;

	(void)state;
	assert_int_equal(wire_next(&w, &field, &e), 1);
	assert_false(field.is_number);
	assert_int_equal(field.content.end - field.content.at, 8);
	assert_int_equal(wire_next(&w, &field, &e), 1);
	assert_int_equal(wire_next(&w, &field, &e), 1);
	assert_int_equal(field.value, 5);
}

static void refuse(const char *bytes, size_t size, const char *why)
{
	struct wire w = wire_of(bytes, size);
	struct wire_field field = {.number = 77};

	assert_int_equal(wire_next(&w, &field, &e), -1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_string_equal(e.text, why);
	assert_int_equal(field.number, 77);
}

static void what_is_no_field_is_refused(void **state)
{
	static const char endless[] = "a number in the message does not end";

	(void)state;
	refuse("\x08", 1, endless);
	refuse("\x88", 1, endless);
	refuse("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, endless);
	refuse("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, endless);
	refuse("\x0a\x05hell", 6, "a field is longer than the message");
	refuse("\x0a" NUMBER_MAX_TEXT, 11, "a field is longer than the message");
	refuse("\x09"
	       "1234567",
	       8, "a field is longer than the message");
	refuse("\x0d"
	       "123",
	       4, "a field is longer than the message");
	refuse("\x00\x00", 2, "a field has no valid number");
	refuse("\x80\x80\x80\x80\x10\x00", 6, "a field has no valid number");
	refuse("\x0b", 1, "a field has the unknown wire type 3");
	refuse("\x0e\x00", 2, "a field has the unknown wire type 6");
}

static void texts_are_cut_and_cannot_steer(void **state)
{
	struct wire w = wire_of("a\x1b\n\x7f\xc3\xa4z", 7);
	char small[4], large[16];

	(void)state;
	wire_text(&w, small, sizeof(small));
	assert_string_equal(small, "a??");
	wire_text(&w, large, sizeof(large));
	assert_string_equal(large, "a???\xc3\xa4z");
}

/* ---- requests -------------------------------------------------------------------------------- */

static void a_question_is_its_type(void **state)
{
	static const struct criu_features features = {.lazy_pages = true};

	(void)state;
	str_init(&made, &arena);
	criu_request(&made, CRIU_VERSION, NULL, NULL);
	assert_made("\x08\x0a");
	str_init(&made, &arena);
	criu_request(&made, CRIU_FEATURE_CHECK, NULL, &features);
	assert_made("\x08\x09\x2a\x04\x08\x00\x10\x01");
	str_init(&made, &arena);
	criu_answer(&made, true);
	assert_made("\x08\x06\x18\x01");
}

static void a_request_has_what_was_given(void **state)
{
	static struct str_pair mount = {"/data", "/srv"}, root = {"", "/box"}, ipc = {"ipc", "/i"};
	static struct criu_inherited pipe = {"pipe:[7]", 1};
	static const char *external[] = {"net[9]:x"};
	const struct criu_options options = {
		.switches = 1u << CRIU_LEAVE_RUNNING | UINT64_C(1) << CRIU_TCP_CLOSE,
		.images_dir = 5,
		.work_dir = -1,
		.pid = 300,
		.log_file = "dump.log",
		.page_server = "::1",
		.page_server_port = 27,
		.empty_namespaces = 0x40000000,
		.cgroup_mode = {.set = true, .value = CRIU_CGROUP_IGNORE},
		.mounts = {&mount, 1},
		.cgroup_roots = {&root, 1},
		.joined = {&ipc, 1},
		.external = {external, 1},
		.inherited = &pipe,
		.inherited_count = 1,
	};

	(void)state;
	str_init(&made, &arena);
	criu_request(&made, CRIU_DUMP, &options, NULL);
	assert_made(
		"\x08\x01\x12\x6a\x08\x05\x10\xac\x02\x18\x01\xa0\x03\x01\x48\x04"
		"\x52\x08"
		"dump.log"
		"\x5a\x07\x0a\x03::1\x10\x1b\xb0\x02\x80\x80\x80\x80\x04"
		"\x90\x02\x00\xba\x01\x0d\x0a\x05/data\x12\x04/srv\xca\x01\x08\x0a\x00\x12\x04/box"
		"\xba\x02\x09\x0a\x03ipc\x12\x02/i\xaa\x02\x08net[9]:x"
		"\xda\x01\x0c\x0a\x08pipe:[7]\x10\x01");
}

static void a_request_without_memory_is_remembered_as_failed(void **state)
{
	static struct str_pair long_pair = {"/", "/"};
	const struct criu_options options = {.mounts = {&long_pair, 1}};
	struct arena none = {0};

	(void)state;
	str_init(&made, &none);
	criu_request(&made, CRIU_DUMP, &options, NULL);
	assert_true(made.failed);
}

/* ---- replies --------------------------------------------------------------------------------- */

static struct criu_reply reply;

#define decode(bytes) assert_int_equal(criu_decode(bytes, sizeof(bytes) - 1, &reply, &e), 0)

static void what_a_real_criu_said(void **state)
{
	(void)state;
	decode("\x08\x0a\x10\x01R\x06\x08\x04\x10\x01 \x01");
	assert_int_equal(reply.type, CRIU_VERSION);
	assert_true(reply.success);
	assert_int_equal(reply.version, 40101);
	decode("\x08\x09\x10\x01"
	       "B\x06\x08\x01\x10\x01\x18\x00");
	assert_true(reply.features.mem_track && reply.features.lazy_pages);
	decode("\x08\x09\x10\x01"
	       "B\x06\x08\x00\x10\x01\x18\x00");
	assert_false(reply.features.mem_track);
	decode("\x08\x06\x10\x01*\x0e\x0a\x0cnetwork-lock");
	assert_int_equal(reply.type, CRIU_NOTIFY);
	assert_string_equal(reply.script, "network-lock");
	assert_int_equal(reply.pid, 0);
	decode("\x08\x06\x10\x01*\x11\x0a\x0cpost-restore\x10\xd2V");
	assert_int_equal(reply.pid, 11090);
	decode("\x08\x02\x10\x00\"\x0b\x08" NUMBER_MAX_TEXT "8\x26");
	assert_int_equal(reply.type, CRIU_RESTORE);
	assert_false(reply.success);
	assert_int_equal(reply.pid, -1);
	assert_int_equal(reply.number, 38);
	assert_int_equal(reply.passed, -1);
}

static void versions(void **state)
{
	(void)state;
	decode("\x08\x0aR\x04\x08\x03\x10\x11");
	assert_int_equal(reply.version, 31700);
	decode("\x08\x0aR\x0b\x08\x03\x10\x11\x1a\x05v3.17"); /* a commit behind 3.17 */
	assert_int_equal(reply.version, 31800);
	decode("\x08\x0aR\x0d\x08" NUMBER_MAX_TEXT "\x10\x64");
	assert_int_equal(reply.version, 999900);
}

static void a_long_stage_is_cut(void **state)
{
	char bytes[300] = "\x08\x06*\xff\x01\x0a\xfc\x01";

	(void)state;
	memset(bytes + 8, 'x', 252);
	assert_int_equal(criu_decode(bytes, 260, &reply, &e), 0);
	assert_int_equal(strlen(reply.script), sizeof(reply.script) - 1);
}

static void unknown_fields_are_passed_over(void **state)
{
	(void)state;
	decode("\x08\x01\x10\x01\x1a\x02\x08\x00\xf8\x07\x05\xfa\x07\x01x");
	assert_int_equal(reply.type, CRIU_DUMP);
	assert_true(reply.success);
	decode("\x08\x01\x08\x06"); /* the last one counts */
	assert_int_equal(reply.type, CRIU_NOTIFY);
	decode("\x08\x01*\x04\x08\x05\x12\x00"); /* numbers and texts in each other's place */
	assert_string_equal(reply.script, "");
}

static void broken_replies_are_refused(void **state)
{
	static const char *const bytes[] = {"\x10\x01", "\x08\x01*\x05\x0a",
					    "\x08\x01R\x02\x08\x80",
					    "\x08\x01"
					    "B\x01\x0b",
					    "\x08\x01\"\x01\x08"};

	(void)state;
	for (size_t i = 0; i < array_len(bytes); i++) {
		reply.type = 77;
		assert_int_equal(criu_decode(bytes[i], strlen(bytes[i]), &reply, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
		assert_int_equal(reply.type, 77);
	}
	assert_int_equal(criu_decode("", 0, &reply, &e), -1);
}

static void every_type_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(criu_type_name(CRIU_DUMP), "DUMP");
	assert_string_equal(criu_type_name(CRIU_PRE_DUMP), "PRE_DUMP");
	assert_string_equal(criu_type_name(CRIU_FEATURE_CHECK), "FEATURE_CHECK");
	assert_string_equal(criu_type_name(13), "SINGLE_PRE_DUMP");
	assert_string_equal(criu_type_name(14), "UNKNOWN");
	assert_string_equal(criu_type_name(UINT32_MAX), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_texts_as_bytes),
		cmocka_unit_test(numbers_come_back),
		cmocka_unit_test(other_wire_types_are_passed_over),
		cmocka_unit_test(what_is_no_field_is_refused),
		cmocka_unit_test(texts_are_cut_and_cannot_steer),
		cmocka_unit_test(a_question_is_its_type),
		cmocka_unit_test(a_request_has_what_was_given),
		cmocka_unit_test(a_request_without_memory_is_remembered_as_failed),
		cmocka_unit_test(what_a_real_criu_said),
		cmocka_unit_test(versions),
		cmocka_unit_test(a_long_stage_is_cut),
		cmocka_unit_test(unknown_fields_are_passed_over),
		cmocka_unit_test(broken_replies_are_refused),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
