/*
 * The D-Bus client: getting in, calls and their answers, signals, and ends that do not keep to the
 * protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "dbus_server.h"
#include "scratch.h"
#include "sys/dbus.h"
#include "sys/deadline.h"

static const struct dbus_call ping = {
	.destination = "org.example",
	.path = "/org/example",
	.interface = "org.example.Door",
	.member = "Ping",
};

static struct dbus open_bus(bool direct)
{
	struct dbus d;

	if (dbus_open(dbus_server_address(), direct, &scratch_arena, &d, &scratch_err))
		fail_msg("%s", scratch_err.text);
	return d;
}

static void a_call_gives_its_reply(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "Ping",
		 .holds = "org.example.Door",
		 .signature = "os",
		 .text = {"/a/path", "pong"}},
		{.member = "Ping"},
	};
	struct dbus_message reply;
	struct dbus_value value[2];
	struct dbus d;

	(void)state;
	dbus_server(turns);
	d = open_bus(false);
	assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), 0);
	assert_int_equal(dbus_read(&reply, "os", value, &scratch_err), 0);
	assert_string_equal(value[0].text, "/a/path");
	assert_string_equal(value[1].text, "pong");
	assert_string_equal(reply.sender, ":1.1");
	assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), 0);
	assert_string_equal(reply.signature, "");
	dbus_close(&d);
	dbus_server_finish();
}

static void systemds_own_socket_is_no_bus(void **state)
{
	static const struct dbus_turn turns[] = {{.member = "Ping"}};
	struct dbus_message reply;
	struct dbus d;

	(void)state;
	dbus_server_start("OK 0\r\n", true, turns, 1);
	d = open_bus(true);
	assert_int_equal(dbus_match(&d, "type='signal'", &scratch_err), 0);
	assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), 0);
	dbus_close(&d);
	dbus_server_finish();
}

static void a_refusal_is_named(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "Ping", .error = "org.example.Tired", .text = {"not today"}},
		{.member = "Ping"},
	};
	struct dbus_message reply;
	struct dbus d;

	(void)state;
	dbus_server(turns);
	d = open_bus(false);
	assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), -1);
	assert_string_equal(d.refusal, "org.example.Tired");
	assert_string_equal(scratch_err.text, "not today");
	assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), 0);
	assert_null(d.refusal);
	dbus_close(&d);
	dbus_server_finish();
}

static void signals_are_asked_for_and_come(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "AddMatch", .holds = "member='News'"},
		{.member = "Ping",
		 .before = {.member = "Old", .signature = ""},
		 .after = {.member = "News", .signature = "us", .text = {"7", "seven"}}},
	};
	struct dbus_message message;
	struct dbus_value value[2];
	struct dbus d;

	(void)state;
	dbus_server(turns);
	d = open_bus(false);
	assert_int_equal(dbus_match(&d, "type='signal',member='News'", &scratch_err), 0);
	assert_int_equal(dbus_call(&d, &ping, &message, &scratch_err), 0);
	assert_int_equal(message.type, DBUS_REPLY);
	assert_int_equal(dbus_next_signal(&d, deadline_in(10), &message, &scratch_err), 1);
	assert_string_equal(message.member, "News");
	assert_int_equal(dbus_read(&message, "us", value, &scratch_err), 0);
	assert_int_equal(value[0].number, 7);
	assert_string_equal(value[1].text, "seven");
	assert_true(dbus_next_signal(&d, deadline_in(0), &message, &scratch_err) <= 0);
	dbus_close(&d);
	dbus_server_finish();
}

static void what_is_no_message_ends_the_call(void **state)
{
	static const struct {
		const char *raw;
		size_t size;
		const char *text;
	} cases[] = {
		{"", 0, "D-Bus: the other end closed the connection"},
		{"l\2\1\1", 4, "D-Bus: the other end closed the connection"},
		{"HTTP/1.1 400 Bad Request\r\n\r\n", 28,
		 "D-Bus: a message came that makes no sense"},
		{"l\2\1\1\xff\xff\xff\xff\1\0\0\0\0\0\0\0", 16,
		 "D-Bus: a message came that is too long"},
		{"l\2\1\1\0\0\0\0\1\0\0\0\0\0\0\0", 16,
		 "D-Bus: a message came that makes no sense"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const struct dbus_turn turn = {
			.member = "Ping", .raw = cases[i].raw, .raw_size = cases[i].size};
		struct dbus_message reply;
		struct dbus d;

		dbus_server_start(NULL, false, &turn, 1);
		d = open_bus(false);
		assert_int_equal(dbus_call(&d, &ping, &reply, &scratch_err), -1);
		assert_string_equal(scratch_err.text, cases[i].text);
		assert_null(d.refusal);
		dbus_close(&d);
		dbus_server_finish();
	}
}

static void who_does_not_let_us_in_is_an_error(void **state)
{
	static const char *const answers[] = {
		"REJECTED EXTERNAL\r\n",        "DATA\r\nREJECTED\r\n", "\r\n",
		"HTTP/1.1 400 Bad Request\r\n", "no end of line",
	};
	struct dbus d;

	(void)state;
	for (size_t i = 0; i < array_len(answers); i++) {
		size_t open = scratch_open_files();

		dbus_server_start(answers[i], true, NULL, 0);
		assert_int_equal(
			dbus_open(dbus_server_address(), true, &scratch_arena, &d, &scratch_err),
			-1);
		assert_true(strstr(scratch_err.text, "D-Bus: "));
		assert_int_equal(scratch_open_files(), open);
		dbus_server_finish();
	}
}

/* What is behind "unix:" of the server's address, with every byte escaped. */
static const char *escaped(const char *path)
{
	struct str text;

	str_init(&text, &scratch_arena);
	for (; *path; path++)
		str_addf(&text, "%%%02X", (unsigned)*path);
	return text.text;
}

static void the_first_part_of_the_address_that_answers_is_taken(void **state)
{
	const char *path = scratch_name("bus");
	const char *const addresses[] = {
		arena_format(&scratch_arena, &scratch_err, "unix:path=%s,guid=1", path),
		arena_format(&scratch_arena, &scratch_err, "unix:guid=1,path=%s", path),
		arena_format(&scratch_arena, &scratch_err,
			     "tcp:host=x;unix:path=/none;unix:path=%s", path),
		arena_format(&scratch_arena, &scratch_err, "unix:path=%s;unix:path=/none",
			     escaped(path)),
	};
	struct dbus d;

	(void)state;
	for (size_t i = 0; i < array_len(addresses); i++) {
		dbus_server_start(NULL, true, NULL, 0);
		if (dbus_open(addresses[i], true, &scratch_arena, &d, &scratch_err))
			fail_msg("%s", scratch_err.text);
		dbus_close(&d);
		dbus_server_finish();
	}
}

static void an_address_may_be_abstract(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size;
	struct dbus d;

	(void)state;
	(void)snprintf(un.sun_path + 1, sizeof(un.sun_path) - 1, "creel-test-%d", getpid());
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(un.sun_path + 1));
	assert_int_equal(bind(listener, (struct sockaddr *)&un, size), 0);
	/* Nobody listens: the name is known, and nothing else. */
	assert_int_equal(dbus_open(arena_format(&scratch_arena, &scratch_err, "unix:abstract=%s",
						un.sun_path + 1),
				   true, &scratch_arena, &d, &scratch_err),
			 -1);
	assert_true(str_ends(scratch_err.text, "connection refused"));
	(void)close(listener);
}

static void addresses_of_other_kinds_are_refused(void **state)
{
	static const char *const addresses[] = {
		"",
		";",
		"tcp:host=localhost,port=1",
		"unix:",
		"unix:dir=/tmp",
		"unix:path=%2",
		"unix:path=%zz",
		"path=/run/bus",
		"unix:path=/12345678901234567890123456789012345678901234567890123456789012345678901"
		"2345678901234567890123456789012345678901234567890",
	};
	struct dbus d;

	(void)state;
	for (size_t i = 0; i < array_len(addresses); i++) {
		assert_int_equal(dbus_open(addresses[i], true, &scratch_arena, &d, &scratch_err),
				 -1);
		assert_true(str_starts(scratch_err.text, "D-Bus: connect to"));
	}
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(a_call_gives_its_reply),
		test(systemds_own_socket_is_no_bus),
		test(a_refusal_is_named),
		test(signals_are_asked_for_and_come),
		test(what_is_no_message_ends_the_call),
		test(who_does_not_let_us_in_is_an_error),
		test(the_first_part_of_the_address_that_answers_is_taken),
		test(an_address_may_be_abstract),
		test(addresses_of_other_kinds_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
