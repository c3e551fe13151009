/*
 * The files of a cgroup ("knobs") and waiting for what they tell: the ground that the rest of this
 * folder stands on.
 *
 * knob_read and knob_write report by errno, as the calls that they stand for: half of their callers
 * expect a refusal and go on. A deadline is sys/deadline.h's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "sys/deadline.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define CGROUP_PATIENCE 10 /* seconds that processes may take to freeze or to die */

/*
 * Opens dir/name with O_CLOEXEC. ENAMETOOLONG when that is longer than any path. (With openat, here
 * and elsewhere: musl's open spends a second system call on O_CLOEXEC.)
 */
int knob_open(const char *dir, const char *name, int flags);

/*
 * Reads dir/name in one read into buf, as a string without the newline at its end. Returns its
 * length; what does not fit is left out.
 */
ssize_t knob_read(const char *dir, const char *name, char *buf, size_t size);

/* Writes value into dir/name in one write. */
int knob_write(const char *dir, const char *name, const char *value);

/* Reads dir/name as a number; 0 when it does not say one. */
uint64_t knob_number(const char *dir, const char *name);

/* Whether the list of words, parted by blanks, has word. */
bool knob_list_has(const char *list, const char *word);

/*
 * Does nothing for so long, below a second. Only for what the kernel gives no event of: the freezer
 * of version 1, and the moment between the end of a process and its leaving the cgroup.
 */
void knob_pause(long microseconds);

/*
 * Waits until cgroup.events in dir has line ("populated 0"). Returns 1 when it has or dir is gone,
 * 0 at the deadline.
 */
int knob_wait_event(const char *dir, const char *line, int64_t deadline, struct err *e) must_check;
