/*
 * A library that only takes notes: what the tests of the command line link in place of the real
 * one.
 */
#pragma once

#include <creel.h>

/*
 * What was called since fake_reset, one call a line: "create c1 bundle=/b detach". Ends with a
 * newline.
 */
extern char fake_notes[4096];

/* When its text is not empty every later call that can fail does, with this error. */
extern struct creel_error fake_error;

/* What run and exec answer, and what state and list show. */
extern int fake_status;
extern struct creel_state fake_states[4];
extern size_t fake_state_count;

/* What ps shows. */
extern pid_t fake_pids[4];
extern size_t fake_pid_count;

/* The options that creel_new was given. */
extern struct creel_options fake_options;
extern char fake_root[256];

void fake_reset(void);
