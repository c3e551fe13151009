/*
 * See scratch.h.
 */
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"

struct arena scratch_arena;
struct err scratch_err;
int scratch = -1;
char scratch_path[64];

int scratch_setup(void **state)
{
	(void)state;
	(void)snprintf(scratch_path, sizeof(scratch_path), "/tmp/creel-test-XXXXXX");
	if (!mkdtemp(scratch_path) || chmod(scratch_path, 0755))
		return -1;
	scratch = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scratch < 0 ? -1 : arena_init(&scratch_arena, ARENA_LIMIT, &scratch_err);
}

static int remove_all(void *argument)
{
	(void)argument;
	return execlp("rm", "rm", "-rf", scratch_path, NULL);
}

int scratch_teardown(void **state)
{
	(void)state;
	fd_close(&scratch);
	arena_done(&scratch_arena);
	return scratch_fork(remove_all, NULL);
}

/* Anew: a file that is emptied and filled again costs some file systems a write to the disk. */
static void write_file(const char *name, const char *content, mode_t mode)
{
	_close_ int fd = -1;

	(void)unlinkat(scratch, name, 0);
	fd = openat(scratch, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fd_write(fd, content, strlen(content), name, &scratch_err), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

void scratch_file(const char *name, const char *content)
{
	write_file(name, content, 0644);
}

void scratch_script(const char *name, const char *lines)
{
	const char *text = arena_format(&scratch_arena, &scratch_err, "#!/bin/sh\n%s\n", lines);

	assert_non_null(text);
	write_file(name, text, 0755);
}

void scratch_directory(const char *name)
{
	assert_int_equal(mkdirat(scratch, name, 0755), 0);
}

void scratch_link(const char *name, const char *text)
{
	assert_int_equal(symlinkat(text, scratch, name), 0);
}

const char *scratch_name(const char *name)
{
	const char *path = arena_format(&scratch_arena, &scratch_err, "%s/%s", scratch_path, name);

	assert_non_null(path);
	return path;
}

const char *scratch_read(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length;
	char *text;

	if (fd < 0 || fd_read(fd, 1u << 20, &scratch_arena, path, &text, &length, &scratch_err))
		return NULL;
	return text;
}

size_t scratch_open_files(void)
{
	DIR *list = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(list);
	while (readdir(list))
		count++;
	(void)closedir(list);
	return count - 3; /* ".", ".." and the list itself */
}

void scratch_need_root(void)
{
	if (geteuid() != 0)
		skip();
}

int scratch_fork(int (*body)(void *argument), void *argument)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(body(argument));
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
