/*
 * /etc/passwd below a root, read by ourselves: libc's look-ups would load code and files of the
 * image.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"

/*
 * The home directory of a numeric user id; "/" when the file has none, is missing, is not a regular
 * file of at most 1 MiB, or cannot be read. Never fails: a home directory is a convenience.
 */
const char *passwd_home(int root, uint32_t uid, struct arena *a);

/* The name of a numeric user id; NULL when the file has none or cannot be used. Never fails. */
const char *passwd_name(int root, uint32_t uid, struct arena *a);
