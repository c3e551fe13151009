/*
 * Debug lines: see log.h.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

bool log_wants(const struct log *log, enum log_level level)
{
	return log && log->sink && level <= log->level;
}

void log_add(const struct log *log, enum log_level level, const char *format, ...)
{
	int number = errno;
	char message[2048];
	va_list args;

	if (!log_wants(log, level))
		return;
	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) >= 0)
		log->sink(log->user, level, message);
	va_end(args);
	errno = number;
}
