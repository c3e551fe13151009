/*
 * A directory of real files for one test, and what else most tests of system calls need.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* The test that runs: its arena, its directory (descriptor and absolute path), its error. */
extern struct arena scratch_arena;
extern struct err scratch_err;
extern int scratch;
extern char scratch_path[64];

/* For cmocka: before and after each test. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* Each makes one thing below the directory; a failure fails the test. Mode 0644 or 0755. */
void scratch_file(const char *name, const char *content);
void scratch_directory(const char *name);
void scratch_link(const char *name, const char *text);
void scratch_script(const char *name, const char *lines); /* of sh; mode 0755 */

/* The absolute path of a name below the directory, in the arena. */
const char *scratch_name(const char *name);

/* The content of a file by its absolute path, in the arena; NULL when there is none. */
const char *scratch_read(const char *path);

/* How many descriptors the process has open. */
size_t scratch_open_files(void);

/* Skips the test for a caller who is not root. */
void scratch_need_root(void);

/*
 * Runs the function in a process of its own, for what cannot be undone, and gives its exit status,
 * or 128 and the signal that ended it. The function's result is the status. It must not assert: in
 * that process, the other tests would follow.
 */
int scratch_fork(int (*body)(void *argument), void *argument);
