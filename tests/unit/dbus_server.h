/*
 * Another end for a D-Bus client: it follows a script, and makes its messages by a code of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What comes unasked, behind an answer: a signal of systemd's manager. */
struct dbus_sign {
	const char *sender, *member, *signature;
	const char *text[4]; /* arguments; numbers in digits */
};

/* One call that must come, and what is answered. */
struct dbus_turn {
	const char *member;
	const char *holds, *lacks; /* texts that must stand in the call's bytes, and must not */
	const char *error;         /* the name of a refusal, whose text is text[0] */
	const char *signature;     /* of the reply; NULL: none */
	const char *text[4];
	struct dbus_sign before, after; /* without a member: none */
	const char *raw;                /* bytes in place of an answer, and then no more */
	size_t raw_size;
	bool silent; /* no answer, and no more */
};

/*
 * Listens at "bus" in the test's directory, in a process of its own, and talks to one client.
 * welcome: what it says to the authentication, NULL: what a bus says; then comes Hello unless
 * direct.
 */
void dbus_server_start(const char *welcome, bool direct, const struct dbus_turn *turns,
		       size_t count);

/* Waits for its end, and fails the test when the client did not follow the script. */
void dbus_server_finish(void);

/* "unix:path=DIRECTORY/bus" */
const char *dbus_server_address(void);

#define dbus_server(turns) dbus_server_start(NULL, false, turns, sizeof(turns) / sizeof(*(turns)))
