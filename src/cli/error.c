/*
 * Errors of the command line: see error.h.
 */
#include "cli/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

printf_like(3, 0) static void put(char *buf, size_t size, const char *format, va_list args)
{
	if (vsnprintf(buf, size, format, args) < 0)
		buf[0] = '\0';
}

int cli_fail(struct creel_error *e, enum creel_code code, const char *format, ...)
{
	va_list args;

	*e = (struct creel_error){.code = (int)code};
	va_start(args, format);
	put(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

int cli_fail_errno(struct creel_error *e, const char *format, ...)
{
	int number = errno;
	va_list args;
	size_t used;

	*e = (struct creel_error){.code = CREEL_SYSTEM, .sys = number};
	va_start(args, format);
	put(e->text, sizeof(e->text), format, args);
	va_end(args);
	used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", err_errno_text(number));
	return -1;
}

int cli_fail_base(struct creel_error *e, const struct err *from)
{
	cli_fail(e, (enum creel_code)from->code, "%s", from->text);
	e->sys = from->sys;
	return cli_hint(e, "%s", from->hint);
}

int cli_hint(struct creel_error *e, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	put(e->hint, sizeof(e->hint), format, args);
	va_end(args);
	return -1;
}
