/*
 * Whole files by name, below a directory descriptor: the state directory, the bundle, /proc and
 * cgroup files. Never used inside a container's tree (sys/inroot.h is for that).
 */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Reads dirfd/name whole (at most limit bytes) into the arena. A FIFO, socket or device in its
 * place is refused with ERR_INVALID instead of blocking. Errors keep errno in e->sys (ENOENT tells
 * a missing file).
 */
int file_read(int dirfd, const char *name, size_t limit, struct arena *a, char **ret_data,
	      size_t *ret_length, struct err *e) must_check;

/* Writes text in one write to an existing file (a knob of procfs or cgroupfs). */
int file_write(int dirfd, const char *name, const char *text, struct err *e) must_check;

/* Removes dirfd/name; a missing one is fine. Best effort: for taking back what was just made. */
void file_remove(int dirfd, const char *name);

/*
 * Makes dirfd/name hold data, whole or not at all: a temporary file beside it is renamed over it.
 * Mode is subject to the umask. Nothing is left behind on failure.
 */
int file_replace(int dirfd, const char *name, mode_t mode, const void *data, size_t length,
		 struct err *e) must_check;
