/*
 * Staying with a program in the foreground: waiting for it, passing signals on, reaping what is
 * left to us.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>

#include "base/err.h"
#include "run/relay.h"
#include "run/walk.h"

struct foreground {
	int signals;     /* descriptor that signals are read from, −1: nobody stays */
	sigset_t before; /* those that were blocked */
};

/* Nobody stays with the program. */
void foreground_none(struct foreground *f);

/*
 * Blocks all signals, so that none is lost between the start of the program and the waiting. With
 * subreaper orphans of the container become the caller's children.
 */
int foreground_begin(struct foreground *f, bool subreaper, struct err *e) must_check;

/*
 * Waits for the process of the walk, forwarding every signal but SIGCHLD, SIGURG and SIGWINCH,
 * tells of its readiness, and relays its terminal until all that it showed is out. *ret_status: its
 * exit status, or 128 + the signal that ended it.
 */
int foreground_wait(struct foreground *f, struct walk *w, struct relay *relay, int *ret_status,
		    struct err *e) must_check;

/* Takes what came for the program too late, and lets signals through again. */
void foreground_end(struct foreground *f);
