/*
 * Whole files: see file.h.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

int file_read(int dirfd, const char *name, size_t limit, struct arena *a, char **ret_data,
	      size_t *ret_length, struct err *e)
{
	_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return err_sys(e, "open %s", name);
	if (fstat(fd, &st))
		return err_sys(e, "stat %s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "read %s: not a regular file", name);
	return fd_read(fd, limit, a, name, ret_data, ret_length, e);
}

int file_write(int dirfd, const char *name, const char *text, struct err *e)
{
	_close_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return err_sys(e, "open %s", name);
	do
		n = write(fd, text, strlen(text));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_sys(e, "write \"%s\" to %s", text, name);
	return 0;
}

void file_remove(int dirfd, const char *name)
{
	(void)unlinkat(dirfd, name, 0);
}

static int new_file(int dirfd, const char *name, mode_t mode)
{
	return openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
}

int file_replace(int dirfd, const char *name, mode_t mode, const void *data, size_t length,
		 struct err *e)
{
	_close_ int fd = -1;
	const char *base = strrchr(name, '/');
	int folder = (int)(base ? base + 1 - name : 0);
	char temporary[4096];
	int failed;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%.*s.%s.%ld", folder, name,
			     name + folder, (long)getpid()) >= sizeof(temporary))
		return err_set(e, ERR_INVALID, "write %s: the path is too long", name);
	fd = new_file(dirfd, temporary, mode);
	if (fd < 0 && errno == EEXIST && !unlinkat(dirfd, temporary, 0))
		fd = new_file(dirfd, temporary, mode); /* left by a killed process with our pid */
	if (fd < 0)
		return err_sys(e, "open %s", temporary);
	failed = fd_write(fd, data, length, name, e);
	if (!failed && renameat(dirfd, temporary, dirfd, name))
		failed = err_sys(e, "rename %s to %s", temporary, name);
	if (failed)
		(void)unlinkat(dirfd, temporary, 0);
	return failed;
}
