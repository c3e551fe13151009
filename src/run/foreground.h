/*
 * Staying with a program in the foreground: waiting for it, passing signals on, reaping what is
 * left to us.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "run/relay.h"
#include "run/walk.h"

/*
 * Blocks all signals, so that none is lost between the start of the program and the waiting. Gives
 * a descriptor that they are read from. With subreaper orphans of the container become the caller's
 * children.
 */
int foreground_begin(bool subreaper, struct err *e) must_check;

/*
 * Waits for the process of the walk, forwarding every signal but SIGCHLD, SIGURG and SIGWINCH,
 * tells of its readiness, and relays its terminal until all that it showed is out. *ret_status: its
 * exit status, or 128 + the signal that ended it.
 */
int foreground_wait(int signals, struct walk *w, struct relay *relay, int *ret_status,
		    struct err *e) must_check;
