/*
 * The frame of the fuzzers: see frame.h.
 */
#include "frame.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spec/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena arena;
	char *text = malloc(size + 1); /* not in the arena: the sanitizer knows where it ends */
	struct err e;

	if (!text || (!arena.start && arena_init(&arena, FUZZ_MEMORY, &e)))
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	fuzz_one(text, size, &arena);
	free(text);
	if (arena.used > 1u << 18) { /* beyond that the kernel is faster */
		fuzz_hold(!arena_reset(&arena, &e), "%s", e.text);
	} else {
		memset(arena.start, 0, arena.used);
		arena.used = 0;
	}
	return 0;
}

_Noreturn void fuzz_broken(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)fputs("does not hold: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputs("\n", stderr);
	va_end(args);
	abort();
}

void fuzz_hold_error(const struct err *e)
{
	fuzz_hold(e->code >= ERR_SYSTEM && e->code <= ERR_NO_MEMORY, "an error has the code %d",
		  e->code);
	fuzz_hold(e->text[0], "an error has no text");
	fuzz_hold(!e->pointer[0] || e->pointer[0] == '/', "\"%s\" is no pointer", e->pointer);
}

void fuzz_hold_error_in(const struct json_input *input, struct err *e)
{
	bool placed = e->pointer[0] && e->code != ERR_NO_MEMORY;

	fuzz_hold_error(e);
	spec_point(input, e);
	fuzz_hold(!placed || !strncmp(e->text, input->name, strlen(input->name)),
		  "an error tells no place: %s", e->text);
}

/* ---- inputs of several parts ----------------------------------------------------------------- */

uint8_t fuzz_byte(struct fuzz_rest *rest)
{
	return rest->at < rest->end ? (uint8_t)*rest->at++ : 0;
}

unsigned fuzz_choose(struct fuzz_rest *rest, unsigned below)
{
	return fuzz_byte(rest) % below;
}

char *fuzz_line(struct fuzz_rest *rest, struct arena *a)
{
	const char *start = rest->at, *newline;
	size_t length = (size_t)(rest->end - start);
	struct err e;
	char *line;

	if (!length)
		return NULL;
	newline = memchr(start, '\n', length);
	if (newline)
		length = (size_t)(newline - start);
	rest->at += length + (newline != NULL);
	line = arena_copy(a, start, length, &e);
	fuzz_hold(line, "no memory for a line");
	return line;
}

/* ---- the world ------------------------------------------------------------------------------- */

static char directory_path[256];

static void remove_directory(void)
{
	(void)rmdir(directory_path); /* each fuzzer has emptied it */
}

int fuzz_directory(void)
{
	static int fd = -1;
	const char *place = getenv("TMPDIR");

	if (fd >= 0)
		return fd;
	(void)snprintf(directory_path, sizeof(directory_path), "%s/creel-fuzz-XXXXXX",
		       place ? place : "/tmp");
	if (!mkdtemp(directory_path) || atexit(remove_directory))
		fuzz_broken("make a directory like %s: %m", directory_path);
	fd = open(directory_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_hold(fd >= 0, "open %s: %m", directory_path);
	return fd;
}

void fuzz_write(int directory, const char *name, const void *data, size_t length)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	fuzz_hold(fd >= 0 && write(fd, data, length) == (ssize_t)length, "write %s: %m", name);
	(void)close(fd);
}

void fuzz_send(int fd, const void *data, size_t length, unsigned passed)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FUZZ_PASSED * sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = length};
	struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};

	if (passed) {
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(passed * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(passed * sizeof(int));
		for (unsigned i = 0; i < passed; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &(int){STDERR_FILENO},
			       sizeof(int));
	}
	fuzz_hold(sendmsg(fd, &packet, MSG_DONTWAIT) == (ssize_t)length, "send: %m");
}

unsigned fuzz_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	unsigned count = 0;

	fuzz_hold(list, "open /proc/self/fd: %m");
	while (readdir(list))
		count++;
	(void)closedir(list);
	return count;
}
