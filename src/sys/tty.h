/*
 * Terminals: making a pseudo-terminal in a devpts, taking one as standard streams and controlling
 * terminal, its size, and raw mode of the caller's own. Callers: run/do_console.c inside the
 * container, run/relay.c and container/terminal.c outside. Sources: pty(7), ioctl_tty(2),
 * termios(3).
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

#include "base/err.h"

struct tty_size {
	uint16_t rows, columns; /* 0: not known */
};

/*
 * Makes a pseudo-terminal in the devpts at /dev/pts below the open directory root and gives its
 * master. Nothing but a devpts will do: a directory of the image in its place is an error, and no
 * link on the way to it is followed. The terminal is unlocked.
 */
int tty_make(int root, struct err *e) must_check;

/* Opens the slave by way of the master alone: nobody can put another file in its place. */
int tty_open_slave(int master, struct err *e) must_check;

/* The slave's name in its devpts, "/dev/pts/N". */
int tty_name(int master, char ret[TTY_NAME_MAX], struct err *e) must_check;

/*
 * Makes the slave the caller's standard streams and its controlling terminal; the caller leads a
 * session that has none.
 */
int tty_adopt(int slave, struct err *e) must_check;

/* Lets a newline be a newline, without a carriage return before it (ONLCR). */
int tty_keep_newlines(int fd, struct err *e) must_check;

/* The size in characters. */
int tty_get_size(int fd, struct tty_size *ret, struct err *e) must_check;
int tty_set_size(int fd, struct tty_size size, struct err *e) must_check;

/*
 * The terminal that the caller was started on: standard error, output or input, the first that is
 * one, else the controlling terminal. A descriptor of its own. ENXIO in e->sys when there is none:
 * `open /dev/tty: no such device or address`.
 */
int tty_find(struct err *e) must_check;

/* Whether the terminal fd is the caller's controlling one and another job has it at the moment. */
bool tty_in_background(int fd);

/*
 * The terminal fd once more, for reading and writing without waiting; fd itself, which others
 * share, stays as it is.
 */
int tty_reopen(int fd, struct err *e) must_check;

/* Passes every key on as it is; output goes on as before. *ret_before is for tty_restore. */
int tty_make_raw(int fd, struct termios *ret_before, struct err *e) must_check;
void tty_restore(int fd, const struct termios *before);
