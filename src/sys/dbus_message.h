/*
 * The messages of D-Bus as bytes: values and calls become a message, what comes in is taken apart.
 * Pure, for sys/dbus.c, for what makes values (sys/dbus_text.c, cgroup/unit*.c), and for the
 * fuzzer.
 *
 * What comes in is trusted in nothing: every length is held against what is there, and types other
 * than the basic ones are refused, since no answer that creel asks for has them. Source: the D-Bus
 * Specification, "Type System" and "Message Protocol".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct dbus_value;

struct dbus_list {
	const struct dbus_value *item;
	size_t count;
};

/* One value of any type. */
struct dbus_value {
	const char *type; /* its signature: "s", "t", "as", "a(ss)", "v" … */
	union {
		uint64_t number;       /* y b n q i u x t, in two's complement; d as its bits */
		const char *text;      /* s o g; UTF-8 */
		struct dbus_list list; /* elements of an array, members of a struct, the one value
					  in a variant */
	};
};

struct dbus_call {
	const char *destination; /* NULL: the other end of the connection */
	const char *path, *interface, *member;
	struct dbus_list arguments;
};

enum dbus_type { DBUS_CALL = 1, DBUS_REPLY = 2, DBUS_ERROR = 3, DBUS_SIGNAL = 4 };

#define DBUS_HEAD 16 /* bytes that tell how long the message is */
#define DBUS_MESSAGE_MAX (256u << 10)

/*
 * A message that came in. Strings and body are in the bytes it was read from; "" for what it has
 * not.
 */
struct dbus_message {
	unsigned type; /* enum dbus_type, or one of the future */
	uint32_t reply_to;
	const char *sender, *path, *interface, *member, *error, *signature;
	const uint8_t *body;
	size_t body_size;
};

/*
 * The call as bytes. Errors: ERR_NO_MEMORY, ERR_INVALID when it would be longer than
 * DBUS_MESSAGE_MAX.
 */
int dbus_encode_call(const struct dbus_call *call, uint32_t serial, struct arena *a,
		     struct str *ret, struct err *e) must_check;

/* How long the message is that begins with these DBUS_HEAD bytes; at most DBUS_MESSAGE_MAX. */
int dbus_message_length(const uint8_t *head, size_t *ret, struct err *e) must_check;

/* Takes a whole message apart; size is what dbus_message_length said. */
int dbus_decode(const uint8_t *data, size_t size, struct dbus_message *ret,
		struct err *e) must_check;

/*
 * The body's values, which must be of exactly these basic types, one letter each: ret has as many.
 * For "v" it gives the value inside.
 */
int dbus_read(const struct dbus_message *message, const char *types, struct dbus_value *ret,
	      struct err *e) must_check;
