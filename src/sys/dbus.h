/*
 * A client of D-Bus, as much of it as talking to systemd takes: one connection, method calls, and
 * signals to wait for. Nobody is waited for longer than DBUS_PATIENCE, and no memory is taken but
 * from the arena.
 *
 * Called by cgroup/unit.c alone. Of our own, because loading libsystemd takes longer than all that
 * a runtime does for most of its commands. Source: the D-Bus Specification.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/dbus_message.h"

#define DBUS_PATIENCE 30 /* seconds that an answer, or a job of systemd, may take */

struct dbus {
	int fd;
	bool direct; /* no bus in between, but the one who is talked to */
	uint32_t serial;
	struct arena *arena;
	const char *refusal; /* name of the error that answered the last call, NULL: none did */
	uint8_t *in;         /* DBUS_MESSAGE_MAX bytes */
	size_t used, taken;  /* bytes in it, and how many of them are the message given last */
};

/*
 * Connects to the first part of the address that answers ("unix:path=/run/user/1000/bus;…") and
 * says who we are, which the other end asks the kernel. direct: systemd's own socket, which is no
 * bus. Errors: ERR_SYSTEM, with the errno of connect(2) when nobody answers.
 */
int dbus_open(const char *address, bool direct, struct arena *a, struct dbus *ret,
	      struct err *e) must_check;
void dbus_close(struct dbus *d);

/*
 * Calls and waits for the reply, which is good until the next call; signals that come before it are
 * dropped. A refusal is an error with its text, and d->refusal names it.
 */
int dbus_call(struct dbus *d, const struct dbus_call *call, struct dbus_message *ret,
	      struct err *e) must_check;

/* Asks the bus for signals ("type='signal',…"); a direct connection has them all. */
int dbus_match(struct dbus *d, const char *rule, struct err *e) must_check;

/* The next signal: 1, or 0 when none came before the deadline. */
int dbus_next_signal(struct dbus *d, int64_t deadline, struct dbus_message *ret,
		     struct err *e) must_check;
