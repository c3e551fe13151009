/*
 * File descriptors: see fd.h.
 */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void fd_close(int *fd)
{
	int number = errno;

	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
	errno = number;
}

int fd_open(const char *path, int flags)
{
	return openat(AT_FDCWD, path, flags | O_CLOEXEC);
}

int fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

int fd_write(int fd, const void *data, size_t length, const char *what, struct err *e)
{
	const char *at = data;

	while (length) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "write %s", what);
		at += n;
		length -= (size_t)n;
	}
	return 0;
}

int fd_read(int fd, size_t limit, struct arena *a, const char *what, char **ret_data,
	    size_t *ret_length, struct err *e)
{
	struct stat st;
	size_t size = 4096, length = 0;
	char *data;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0)
		size = (size_t)st.st_size < limit ? (size_t)st.st_size : limit;
	data = arena_get(a, size + 1, e);
	while (data) {
		ssize_t n = read(fd, data + length, size + 1 - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read %s", what);
		length += (size_t)n;
		if (length > limit)
			return err_set(e, ERR_INVALID, "%s is larger than %zu bytes", what, limit);
		if (n == 0)
			break;
		if (length > size) { /* data is the arena's last piece, so it grows where it is */
			if (!arena_get(a, size, e))
				return -1;
			size = (size_t)(a->start + a->used - data) - 1;
		}
	}
	if (!data)
		return -1;
	data[length] = '\0';
	*ret_data = data;
	*ret_length = length;
	return 0;
}
