/*
 * Carrying a plan out: two processes walk the same list of steps, each doing its own column.
 *
 * carry_prepare does what comes before the process exists, spawn_process makes it, carry_runtime
 * does the rest of the runtime's column. The new process runs carry_init and never returns from it.
 * Whatever the plan does not hold is not done.
 */
#pragma once

#include "run/walk.h"

/* The prepare stage of the runtime. */
int carry_prepare(struct walk *w, struct err *e) must_check;

/*
 * The stages behind the clone, to the end of the record stage; init is left at its gate, or
 * executes.
 */
int carry_runtime(struct walk *w, struct err *e) must_check;

/* Waits, behind carry_runtime and without a gate, until init executes its program. */
int carry_wait_exec(struct walk *w, struct err *e) must_check;

/* What the new process does after the clone, to its end: executes the program or ends the process.
 */
void carry_init(struct walk *w) __attribute__((noreturn));

/* The join stage alone: the process in between (see spawn.c). */
int carry_intermediate(struct walk *w, struct err *e) must_check;
