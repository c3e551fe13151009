/*
 * Where debug lines go. The library itself reports failures as error values and never logs above
 * debug; the program that uses it (cli) gives a sink, chooses format and level there, and prints
 * warnings and errors itself.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct log {
	enum log_level level; /* messages above it are dropped before they are formatted */
	void (*sink)(void *user, enum log_level level, const char *message);
	void *user;
};

/* Formats one message (cut at 2 KiB) and hands it to the sink; NULL-safe. Keeps errno. */
void log_add(const struct log *log, enum log_level level, const char *format, ...)
	printf_like(3, 4);

/* Whether a message of this level would be kept: for work that is done for the log alone. */
bool log_wants(const struct log *log, enum log_level level);
