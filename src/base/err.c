/*
 * Error values: see err.h. The one place where errno becomes words and where the parts of an error
 * are joined.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * The words are those of the kernel's own manual (errno(3)) in lower case; engines decide exit
 * codes by them.
 */
static const char *const errno_texts[] = {
	[EPERM] = "operation not permitted",
	[ENOENT] = "no such file or directory",
	[ESRCH] = "no such process",
	[EINTR] = "interrupted system call",
	[EIO] = "input/output error",
	[ENXIO] = "no such device or address",
	[E2BIG] = "argument list too long",
	[ENOEXEC] = "exec format error",
	[EBADF] = "bad file descriptor",
	[ECHILD] = "no child processes",
	[EAGAIN] = "resource temporarily unavailable",
	[ENOMEM] = "cannot allocate memory",
	[EACCES] = "permission denied",
	[EFAULT] = "bad address",
	[EBUSY] = "device or resource busy",
	[EEXIST] = "file exists",
	[EXDEV] = "invalid cross-device link",
	[ENODEV] = "no such device",
	[ENOTDIR] = "not a directory",
	[EISDIR] = "is a directory",
	[EINVAL] = "invalid argument",
	[ENFILE] = "too many open files in system",
	[EMFILE] = "too many open files",
	[ENOTTY] = "inappropriate ioctl for device",
	[ETXTBSY] = "text file busy",
	[EFBIG] = "file too large",
	[ENOSPC] = "no space left on device",
	[EROFS] = "read-only file system",
	[EMLINK] = "too many links",
	[EPIPE] = "broken pipe",
	[ERANGE] = "numerical result out of range",
	[EDEADLK] = "resource deadlock avoided",
	[ENAMETOOLONG] = "file name too long",
	[ENOSYS] = "function not implemented",
	[ENOTEMPTY] = "directory not empty",
	[ELOOP] = "too many levels of symbolic links",
	[ENODATA] = "no data available",
	[EOVERFLOW] = "value too large for defined data type",
	[ELIBBAD] = "accessing a corrupted shared library",
	[EUSERS] = "too many users",
	[EOPNOTSUPP] = "operation not supported",
	[EADDRINUSE] = "address already in use",
	[ECONNRESET] = "connection reset by peer",
	[ETIMEDOUT] = "connection timed out",
	[EPROTOTYPE] = "protocol wrong type for socket",
	[ECONNREFUSED] = "connection refused",
	[ESTALE] = "stale file handle",
	[EDQUOT] = "disk quota exceeded",
	[ENOKEY] = "required key not available",
};

const char *err_errno_text(int number)
{
	if (number > 0 && (size_t)number < sizeof(errno_texts) / sizeof(errno_texts[0]) &&
	    errno_texts[number])
		return errno_texts[number];
	return strerror(number);
}

static void put(char *buf, size_t size, const char *format, va_list args) printf_like(3, 0);
static void put(char *buf, size_t size, const char *format, va_list args)
{
	if (vsnprintf(buf, size, format, args) < 0)
		buf[0] = '\0';
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
	va_list args;

	e->code = (int)code;
	e->sys = 0;
	e->pointer[0] = '\0';
	e->hint[0] = '\0';
	va_start(args, format);
	put(e->text, sizeof(e->text), format, args);
	va_end(args);
	return -1;
}

int err_sys(struct err *e, const char *format, ...)
{
	int number = errno;
	va_list args;
	size_t used;

	e->code = ERR_SYSTEM;
	e->sys = number;
	e->pointer[0] = '\0';
	e->hint[0] = '\0';
	va_start(args, format);
	put(e->text, sizeof(e->text), format, args);
	va_end(args);
	used = strlen(e->text);
	(void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", err_errno_text(number));
	errno = number;
	return -1;
}

/*
 * Moves the text in buf back and writes the new piece, which ends where the old text begins, before
 * it.
 */
static void prepend(char *buf, size_t size, const char *piece)
{
	size_t head = strnlen(piece, size - 1);
	size_t tail = strnlen(buf, size - 1 - head);

	memmove(buf + head, buf, tail);
	memcpy(buf, piece, head);
	buf[head + tail] = '\0';
}

int err_wrap(struct err *e, const char *format, ...)
{
	char piece[512];
	va_list args;

	va_start(args, format);
	put(piece, sizeof(piece) - 2, format, args);
	va_end(args);
	memcpy(piece + strlen(piece), ": ", 3);
	prepend(e->text, sizeof(e->text), piece);
	return -1;
}

int err_in(struct err *e, const char *format, ...)
{
	char piece[ERR_POINTER_MAX];
	va_list args;

	va_start(args, format);
	put(piece, sizeof(piece), format, args);
	va_end(args);
	prepend(e->pointer, sizeof(e->pointer), piece);
	return -1;
}

int err_hint(struct err *e, const char *format, ...)
{
	va_list args;

	if (e->hint[0])
		return -1;
	va_start(args, format);
	put(e->hint, sizeof(e->hint), format, args);
	va_end(args);
	return -1;
}

size_t err_message(const struct err *e, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s%s%s%s%s%s", e->text, e->pointer[0] ? " (config.json: " : "",
			 e->pointer, e->pointer[0] ? ")" : "", e->hint[0] ? "; hint: " : "",
			 e->hint);

	if (n < 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}
