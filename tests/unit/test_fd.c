/*
 * Descriptors: who closes them, and whole reads and writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "base/fd.h"

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void closing_keeps_errno_and_forgets_the_number(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), number = fd, none = -1, bad = 1000000;

	(void)state;
	errno = EXDEV;
	fd_close(&fd);
	fd_close(&fd);
	fd_close(&none);
	fd_close(&bad); /* EBADF stays inside */
	assert_int_equal(errno, EXDEV);
	assert_int_equal(fd, -1);
	assert_false(is_open(number));
}

static void a_scope_closes_what_was_not_taken(void **state)
{
	int closed, kept;

	(void)state;
	{
		_close_ int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
		_close_ int second = open("/dev/null", O_RDONLY | O_CLOEXEC);

		closed = first;
		kept = fd_take(&second);
		assert_int_equal(second, -1);
	}
	assert_false(is_open(closed));
	assert_true(is_open(kept));
	fd_close(&kept);
}

/* A pipe takes 64 KiB at a time; a child reads the rest. */
static void a_write_is_whole(void **state)
{
	static char data[300000];
	size_t length;
	int ends[2];
	char *read_back;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (!fork()) {
		fd_close(&ends[0]);
		_exit(fd_write(ends[1], data, sizeof(data), "pipe", &e) ? 1 : 0);
	}
	fd_close(&ends[1]);
	assert_int_equal(fd_read(ends[0], 1 << 19, &arena, "pipe", &read_back, &length, &e), 0);
	assert_int_equal(length, sizeof(data));
	assert_memory_equal(read_back, data, sizeof(data));
	assert_int_equal(read_back[length], 0);
	fd_close(&ends[0]);
}

static void a_failed_write_names_the_file(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fd_write(fd, "x", 1, "state.json", &e), -1);
	assert_string_equal(e.text, "write state.json: no space left on device");
	assert_int_equal(e.sys, ENOSPC);
	fd_close(&fd);
	assert_int_equal(fd_write(fd, "", 0, "nothing", &e), 0);
}

/* Sizes around the first guess, and the limit. */
static void a_read_is_whole_up_to_its_limit(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 4095, 4096, 4097, 8192, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int fd = memfd_create("test", MFD_CLOEXEC);
		size_t length;
		char *data;

		assert_int_equal(ftruncate(fd, (off_t)sizes[i]), 0);
		assert_int_equal(fd_read(fd, sizes[i], &arena, "file", &data, &length, &e), 0);
		assert_int_equal(length, sizes[i]);
		assert_int_equal(data[length], 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		if (sizes[i]) {
			assert_int_equal(
				fd_read(fd, sizes[i] - 1, &arena, "file", &data, &length, &e), -1);
			assert_non_null(strstr(e.text, "file is larger than"));
			assert_int_equal(e.code, ERR_INVALID);
		}
		fd_close(&fd);
	}
}

static void a_file_of_unknown_size_is_read(void **state)
{
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	size_t length;
	char *data;

	(void)state;
	assert_int_equal(fd_read(fd, 65536, &arena, "status", &data, &length, &e), 0);
	assert_int_equal(strlen(data), length);
	assert_memory_equal(data, "Name:", 5);
	fd_close(&fd);
	fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(fd_read(fd, 65536, &arena, "folder", &data, &length, &e), -1);
	assert_string_equal(e.text, "read folder: is a directory");
	fd_close(&fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closing_keeps_errno_and_forgets_the_number),
		cmocka_unit_test(a_scope_closes_what_was_not_taken),
		cmocka_unit_test_setup_teardown(a_write_is_whole, arena_setup, arena_teardown),
		cmocka_unit_test(a_failed_write_names_the_file),
		cmocka_unit_test_setup_teardown(a_read_is_whole_up_to_its_limit, arena_setup,
						arena_teardown),
		cmocka_unit_test_setup_teardown(a_file_of_unknown_size_is_read, arena_setup,
						arena_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
