/*
 * The relay between the caller and the terminal of a program in the foreground: keys go from
 * standard input to the master, what the program shows goes from the master to standard output, and
 * the caller's terminal is raw meanwhile. Used by run/foreground.c, which owns the loop, and begun
 * and ended by the verbs.
 *
 * When the caller's terminal is gone, the program's is hung up too, as if it had been the same.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/arena.h"
#include "base/err.h"

/* What was read and waits to be written: data[at … end). */
struct relay_flow {
	char *data;
	size_t at, end;
};

struct relay {
	int caller; /* the caller's terminal, for its mode and size; −1: none */
	bool raw;   /* it is raw; its mode was before */
	struct termios before;
	int in, out; /* the caller's standard input and output; −1: at their end */
	bool in_tty;
	bool held;         /* in is not read until the caller is in the foreground again */
	int master, slave; /* of the program; the slave keeps the terminal from ending while no
			      program has it open */
	struct relay_flow keys, shown;
};

#define RELAY_FDS 3

/* A relay that does nothing, for a program without a terminal. */
void relay_none(struct relay *r);

/* Begins to relay for the terminal master, which it takes over, and makes the caller's raw. */
int relay_begin(struct relay *r, int master, struct arena *a, struct err *e) must_check;

/* Restores the caller's terminal and closes everything. */
void relay_end(struct relay *r);

/* What poll(2) shall wait for, and what is done when it returns. */
void relay_watch(const struct relay *r, struct pollfd wait[RELAY_FDS]);
void relay_move(struct relay *r, const struct pollfd wait[RELAY_FDS]);

/* The size of the caller's terminal has changed (SIGWINCH). */
void relay_resize(struct relay *r);

/* The caller is back in the foreground (SIGCONT). */
void relay_resume(struct relay *r);

/* The program has ended: whether something that it showed is still to be moved. */
bool relay_has_rest(struct relay *r);
