/*
 * Readiness of the program (sd_notify(3)): it says READY=1 at a socket of its container's own, and
 * the runtime tells the service manager, whose NOTIFY_SOCKET the container cannot reach.
 *
 * The socket lies in the state directory, below a directory that is bound into the container: it is
 * made by whoever waits, which is run, or start for a created container. What the container sends
 * is not passed on: the runtime says its own words once, and drops descriptors unseen.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/log.h"

struct notify {
	int inside;  /* socket that the container's processes send to, −1: none */
	int outside; /* connected to the caller's NOTIFY_SOCKET, −1: none */
	int barrier; /* pipe that is closed at its other end when what was told has been read */
	long barrier_end; /* the second, of the monotonic clock, at which its wait is given up */
	bool told;        /* READY came and was told */
	const struct log *log;
};

/* Nobody waits to hear of readiness. */
void notify_none(struct notify *n);

/* Makes the directory that is bound into the container. */
int notify_make_place(int state, struct err *e) must_check;

/* Whether the container was made with such a directory. */
bool notify_has_place(int state);

/*
 * Connects to the service manager's socket, a path or "@name", and listens at the container's.
 * Failures to tell are warnings in log from here on: the program runs all the same.
 */
int notify_open(struct notify *n, int state, const char *socket, const struct log *log,
		struct err *e) must_check;

/*
 * Takes one datagram from inside, where poll(2) says that there is one. The first that has READY=1
 * on a line is told, with main as the service's main process; all others are dropped, so that no
 * sender is ever held up.
 */
void notify_take(struct notify *n, pid_t main);

/* Waits until the program is ready or the process pidfd ends, then settles. */
void notify_wait(struct notify *n, int pidfd, pid_t main);

/*
 * Waits until the service manager has read what was told, 30 s at most: it asks the kernel who a
 * sender is, and nobody can tell once that has ended.
 */
void notify_settle(struct notify *n);

void notify_close(struct notify *n);
