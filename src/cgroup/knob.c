/*
 * The files of a cgroup: see knob.h.
 */
#include "cgroup/knob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

int knob_open(const char *dir, const char *name, int flags)
{
	size_t head = strlen(dir), tail = strlen(name);
	char path[PATH_MAX];

	if (head + tail + 2 > sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, dir, head);
	path[head] = '/';
	memcpy(path + head + 1, name, tail + 1);
	return openat(AT_FDCWD, path, flags | O_CLOEXEC);
}

/* Makes a string of what read(2) returned. */
static ssize_t end_text(char *buf, ssize_t length)
{
	if (length < 0)
		return -1;
	while (length > 0 && buf[length - 1] == '\n')
		length--;
	buf[length] = '\0';
	return length;
}

ssize_t knob_read(const char *dir, const char *name, char *buf, size_t size)
{
	_close_ int fd = knob_open(dir, name, O_RDONLY);

	return fd < 0 ? -1 : end_text(buf, read(fd, buf, size - 1));
}

int knob_write(const char *dir, const char *name, const char *value)
{
	_close_ int fd = knob_open(dir, name, O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -1;
	do
		n = write(fd, value, strlen(value));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

uint64_t knob_number(const char *dir, const char *name)
{
	uint64_t number = 0;
	char text[32];

	if (knob_read(dir, name, text, sizeof(text)) > 0)
		(void)str_to_u64(text, &number);
	return number;
}

bool knob_list_has(const char *list, const char *word)
{
	size_t length = strlen(word);

	while (*list) {
		size_t here = strcspn(list, " \n");

		if (here == length && !memcmp(list, word, length))
			return true;
		list += here + (list[here] != '\0');
	}
	return false;
}

void knob_pause(long microseconds)
{
	struct timespec time = {.tv_nsec = microseconds * 1000};

	(void)ppoll(NULL, 0, &time, NULL);
}

/* Whether text has line as a whole line. */
static bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at += length)
		if ((at == text || at[-1] == '\n') && (at[length] == '\n' || !at[length]))
			return true;
	return false;
}

int knob_wait_event(const char *dir, const char *line, int64_t deadline, struct err *e)
{
	_close_ int fd = knob_open(dir, "cgroup.events", O_RDONLY);
	struct pollfd wait = {.fd = fd, .events = POLLPRI};
	char text[256];

	if (fd < 0)
		return errno == ENOENT ? 1 : err_sys(e, "open %s/cgroup.events", dir);
	for (;;) {
		int left = deadline_left(deadline);

		/* A change after this read makes the poll return, so none is missed. */
		if (end_text(text, pread(fd, text, sizeof(text) - 1, 0)) < 0)
			return errno == ENODEV ? 1 : err_sys(e, "read %s/cgroup.events", dir);
		if (has_line(text, line))
			return 1;
		if (!left)
			return 0;
		if (poll(&wait, 1, left) < 0 && errno != EINTR)
			return err_sys(e, "wait for %s/cgroup.events", dir);
	}
}
