/*
 * Another end for a D-Bus client: see dbus_server.h.
 */
#include "dbus_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#define UNIQUE ":1.1" /* who the other end is, on its bus */

static pid_t server;

/* ---- messages -------------------------------------------------------------------------------- */

struct bytes {
	uint8_t data[4096];
	size_t size;
};

static void put(struct bytes *to, const void *from, size_t size, size_t alignment)
{
	while (to->size % alignment)
		to->data[to->size++] = 0;
	memcpy(to->data + to->size, from, size);
	to->size += size;
}

static void put_u32(struct bytes *to, uint32_t number)
{
	put(to, &number, 4, 4);
}

static void put_text(struct bytes *to, const char *text)
{
	put_u32(to, (uint32_t)strlen(text));
	put(to, text, strlen(text) + 1, 1);
}

static void put_field(struct bytes *to, uint8_t code, char type, const void *value)
{
	uint8_t head[4] = {code, 1, (uint8_t)type, 0}, length;

	if (!value)
		return;
	put(to, head, sizeof(head), 8);
	if (type == 'u') {
		put(to, value, 4, 4);
	} else if (type == 'g') {
		length = (uint8_t)strlen(value);
		put(to, &length, 1, 1);
		put(to, value, length + 1u, 1);
	} else {
		put_text(to, value);
	}
}

static void put_arguments(struct bytes *to, const char *signature, const char *const *text)
{
	for (; signature && *signature; signature++, text++) {
		if (*signature == 'v')
			put(to, "\1s", 3, 1);
		if (*signature == 'u')
			put_u32(to, (uint32_t)atoi(*text));
		else
			put_text(to, *text);
	}
}

struct outgoing {
	uint8_t type;
	uint32_t reply_to;
	const char *path, *interface, *member, *error, *sender, *signature;
	const char *const *text;
};

static void send_message(int fd, const struct outgoing *m)
{
	uint8_t head[4] = {'l', m->type, 1, 1};
	struct bytes all = {.size = 0}, body = {.size = 0};
	uint32_t length;

	put_arguments(&body, m->signature, m->text);
	put(&all, head, sizeof(head), 1);
	put_u32(&all, (uint32_t)body.size);
	put_u32(&all, 77);
	put_u32(&all, 0);
	put_field(&all, 1, 'o', m->path);
	put_field(&all, 2, 's', m->interface);
	put_field(&all, 3, 's', m->member);
	put_field(&all, 4, 's', m->error);
	put_field(&all, 5, 'u', m->reply_to ? &m->reply_to : NULL);
	put_field(&all, 7, 's', m->sender);
	put_field(&all, 8, 'g', m->signature);
	length = (uint32_t)all.size - 16;
	memcpy(all.data + 12, &length, 4);
	put(&all, body.data, body.size, 8);
	if (write(fd, all.data, all.size) != (ssize_t)all.size)
		_exit(10);
}

/* ---- the conversation ------------------------------------------------------------------------ */

static void receive(int fd, uint8_t *to, size_t size)
{
	if (recv(fd, to, size, MSG_WAITALL) != (ssize_t)size)
		_exit(11);
}

/* One call, whole. */
static size_t receive_call(int fd, uint8_t *to, size_t room)
{
	uint32_t body, fields;
	size_t size;

	receive(fd, to, 16);
	memcpy(&body, to + 4, 4);
	memcpy(&fields, to + 12, 4);
	size = 16 + (fields + 7) / 8 * 8 + body;
	if (to[0] != 'l' || to[1] != 1 || to[3] != 1 || size > room)
		_exit(12);
	receive(fd, to + 16, size - 16);
	return size;
}

static bool has(const uint8_t *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text));
}

static void send_sign(int fd, const struct dbus_sign *sign)
{
	const struct outgoing m = {
		.type = 4,
		.path = "/org/freedesktop/systemd1",
		.interface = "org.freedesktop.systemd1.Manager",
		.member = sign->member,
		.sender = sign->sender ? sign->sender : UNIQUE,
		.signature = sign->signature,
		.text = sign->text,
	};

	if (sign->member)
		send_message(fd, &m);
}

/* False: it was the last. */
static bool take_turn(int fd, const struct dbus_turn *turn)
{
	uint8_t call[16384];
	size_t size = receive_call(fd, call, sizeof(call));
	struct outgoing answer = {
		.type = turn->error ? 3 : 2,
		.error = turn->error,
		.sender = UNIQUE,
		.signature = turn->error ? "s" : turn->signature,
		.text = turn->text,
	};

	memcpy(&answer.reply_to, call + 8, 4);
	if (!has(call, size, turn->member) || (turn->holds && !has(call, size, turn->holds)) ||
	    (turn->lacks && has(call, size, turn->lacks))) {
		(void)fprintf(stderr, "a call is not %s as it should be\n", turn->member);
		_exit(13);
	}
	if (turn->raw && write(fd, turn->raw, turn->raw_size) != (ssize_t)turn->raw_size)
		_exit(14);
	if (turn->raw || turn->silent)
		return false;
	send_sign(fd, &turn->before);
	send_message(fd, &answer);
	send_sign(fd, &turn->after);
	return true;
}

static void serve(int listener, const char *welcome, bool direct, const struct dbus_turn *turns,
		  size_t count)
{
	static const char expected[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	static const struct dbus_turn hello = {
		.member = "Hello", .signature = "s", .text = {":1.42"}};
	int fd = accept(listener, NULL, NULL);
	bool more = true;
	uint8_t words[64];

	receive(fd, words, sizeof(expected) - 1);
	if (memcmp(words, expected, sizeof(expected) - 1) != 0)
		_exit(15);
	if (!welcome)
		welcome = "DATA\r\nOK 42af67102d820291cab63c546b0259fe\r\n";
	if (write(fd, welcome, strlen(welcome)) < 0)
		_exit(16);
	if (!direct)
		more = take_turn(fd, &hello);
	for (size_t i = 0; i < count && more; i++)
		more = take_turn(fd, &turns[i]);
	(void)shutdown(fd, SHUT_WR);
	/* A client that has more to say breaks the script. */
	if (more && read(fd, words, sizeof(words)) > 0)
		_exit(17);
	_exit(0);
}

void dbus_server_start(const char *welcome, bool direct, const struct dbus_turn *turns,
		       size_t count)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/bus", scratch_path);
	assert_int_equal(bind(listener, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(listener, 1), 0);
	server = fork();
	assert_true(server >= 0);
	if (!server) {
		(void)alarm(20);
		serve(listener, welcome, direct, turns, count);
	}
	(void)close(listener);
}

void dbus_server_finish(void)
{
	int status = -1;

	assert_int_equal(waitpid(server, &status, 0), server);
	assert_int_equal(status, 0);
	assert_int_equal(unlink(scratch_name("bus")), 0);
}

const char *dbus_server_address(void)
{
	return arena_format(&scratch_arena, &scratch_err, "unix:path=%s/bus", scratch_path);
}
