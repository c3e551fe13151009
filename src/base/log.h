/*
 * Where debug lines and warnings go. Failures are error values and never come here: a warning is
 * what the specification wants told while the work goes on, or what went wrong when it was done
 * already. The program that uses the library (cli) gives a sink and chooses format and level there.
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
