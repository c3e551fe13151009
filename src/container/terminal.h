/*
 * Who shall have the terminal of a process: the listener at a console socket, or the caller's own
 * terminal. What make.c and exec_process.c ask before anything is changed.
 */
#pragma once

#include "container/runtime.h"

/*
 * Holds process.terminal against the way in which the process will run (detached: nobody stays with
 * it), and gives a terminal in the foreground the size of the caller's. Errors are those of runc:
 * `cannot allocate tty if runc will detach without setting console socket`, `cannot use console
 * socket if runc will not detach or allocate tty`, `open /dev/tty: no such device or address`.
 */
int terminal_prepare(struct spec_process *process, const char *console_socket, bool detached,
		     struct err *e) must_check;
