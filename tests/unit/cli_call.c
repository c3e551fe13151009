/*
 * Command lines in this process: see cli_call.h. stdout and stderr are files in memory for the time
 * of the call.
 */
#include "cli_call.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"

#define WORDS 64

struct environment call_environment;

struct captured {
	int fd, file, saved;
};

static struct captured capture(int fd)
{
	struct captured c = {
		.fd = fd, .file = memfd_create("captured", MFD_CLOEXEC), .saved = dup(fd)};

	assert(c.file >= 0 && c.saved >= 0 && dup2(c.file, fd) == fd);
	return c;
}

static void release(struct captured *c, char *text, size_t size)
{
	ssize_t n = pread(c->file, text, size - 1, 0);

	assert(n >= 0 && dup2(c->saved, c->fd) == c->fd);
	text[n] = '\0';
	(void)close(c->saved);
	(void)close(c->file);
}

struct answer call_line(const char *line)
{
	struct answer answer = {0};
	struct captured out, err;
	char copy[4096], *rest, *word;
	char *argv[WORDS + 1] = {0};
	int argc = 0;

	assert(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		assert(argc < WORDS);
		argv[argc++] = strcmp(word, "''") ? word : word + 2;
	}
	out = capture(STDOUT_FILENO);
	err = capture(STDERR_FILENO);
	answer.status = cli_main(argc, argv, &call_environment);
	release(&err, answer.err, sizeof(answer.err));
	release(&out, answer.out, sizeof(answer.out));
	return answer;
}
