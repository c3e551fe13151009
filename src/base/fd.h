/*
 * File descriptors: closing them, and whole reads and writes. Everything that creel opens has
 * O_CLOEXEC.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/* Closes *fd when it is not negative, keeps errno, and sets *fd to −1. */
void fd_close(int *fd);

/* `_close_ int fd = −1;`: closed when the scope ends. One of the two macros that hide control flow.
 */
#define _close_ __attribute__((cleanup(fd_close)))

/*
 * Opens an existing file of the host, close-on-exec. By openat(2), because musl's open() spends one
 * more system call on that flag. −1 and errno as open(2).
 */
int fd_open(const char *path, int flags);

/* Takes the descriptor out of *fd, so that _close_ does not close it. */
int fd_take(int *fd);

/* Writes all of data, through short writes and EINTR. what names the file for the error. */
int fd_write(int fd, const void *data, size_t length, const char *what, struct err *e) must_check;

/*
 * Reads to the end of file, at most limit bytes (more is ERR_INVALID), into the arena; *ret_data
 * ends with a NUL that *ret_length does not count. Works on files of unknown size (procfs, pipes).
 */
int fd_read(int fd, size_t limit, struct arena *a, const char *what, char **ret_data,
	    size_t *ret_length, struct err *e) must_check;
