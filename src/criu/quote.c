/*
 * What criu says when it fails: see quote.h.
 */
#include "criu/quote.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"

#define LOG_LIMIT (16u << 20)  /* bytes of a log that are looked through */
#define PASSED_OVER "rlimit: " /* criu tries to raise its own limits, and goes on without */
#define BEFORE 5               /* lines shown before one with an error */

extern char **environ;

/* Ends a line by NUL in place of its newline, and gives the next one, NULL at the end. */
static char *end_line(char *line)
{
	char *newline = strchr(line, '\n');

	if (!newline)
		return NULL;
	*newline = '\0';
	return newline[1] ? newline + 1 : NULL;
}

/* "(00.012) Error (criu/mount.c:12): mnt: no" → "mnt: no". */
static const char *words_of(const char *line)
{
	const char *error = strstr(line, "Error"), *place = strstr(error, "): ");

	return place ? place + 3 : error;
}

static void quote_text(char *text, const char *path, const char *name, const struct log *log,
		       const char **ret_cause)
{
	const char *last[BEFORE + 1] = {NULL};
	size_t number = 0, told = 0;

	for (char *line = text, *next; line; line = next) {
		next = end_line(line);
		last[number++ % (BEFORE + 1)] = line;
		if (!strstr(line, "Error"))
			continue;
		if (!*ret_cause && !strstr(line, PASSED_OVER))
			*ret_cause = words_of(line);
		if (!told)
			log_add(log, LOG_LEVEL_WARNING, "--- Quoting \"%s/%s\"", path, name);
		else if (number > told + BEFORE + 1)
			log_add(log, LOG_LEVEL_WARNING, "...");
		for (size_t i = number > BEFORE ? number - BEFORE : 1; i <= number; i++)
			if (i > told)
				log_add(log, LOG_LEVEL_WARNING, "%zu:%s", i,
					last[(i - 1) % (BEFORE + 1)]);
		told = number;
	}
	if (told)
		log_add(log, LOG_LEVEL_WARNING, "---");
}

void criu_quote(int dir, const char *path, const char *name, const struct log *log, struct arena *a,
		const char **ret_cause)
{
	size_t length;
	struct err e;
	char *text;

	*ret_cause = NULL;
	if (file_read(dir, name, LOG_LIMIT, a, &text, &length, &e)) {
		log_add(log, LOG_LEVEL_WARNING, "%s", e.text);
		return;
	}
	for (char *nul = text; (nul = memchr(nul, '\0', (size_t)(text + length - nul)));)
		*nul = ' ';
	quote_text(text, path, name, log, ret_cause);
}

/* Runs it with its standard error in a file in memory. */
static int run_check(const char *path, int output)
{
	char *argv[] = {(char[]){"criu"}, (char[]){"check"}, NULL};
	posix_spawn_file_actions_t actions;
	int failed, status;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions))
		return -1;
	failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0) ||
		 posix_spawn_file_actions_adddup2(&actions, output, 1) ||
		 posix_spawn_file_actions_adddup2(&actions, output, 2) ||
		 posix_spawn(&pid, path, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failed)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

const char *criu_complaint(const struct criu_program *program, struct arena *a)
{
	_close_ int output = (int)syscall(SYS_memfd_create, "criu-check", MFD_CLOEXEC);
	size_t length;
	struct err e;
	char *text;

	if (output < 0 || run_check(program->path, output) <= 0 || lseek(output, 0, SEEK_SET) ||
	    fd_read(output, LOG_LIMIT, a, "criu check", &text, &length, &e))
		return NULL;
	for (char *line = text, *next; line; line = next) {
		next = end_line(line);
		if (strstr(line, "Error"))
			return words_of(line);
	}
	return NULL;
}
