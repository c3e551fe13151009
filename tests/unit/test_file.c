/*
 * Whole files by name: what is refused, and that a replaced file is whole or as it was.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/file.h"

static char folder[] = "/tmp/creel-file-XXXXXX";
static struct arena a;
static struct err e;
static int dir;

static int setup(void **state)
{
	(void)state;
	memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
	if (!mkdtemp(folder) || arena_init(&a, 1 << 20, &e))
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0;
}

/* How many entries the folder has besides "." and "..". */
static unsigned entries(void)
{
	DIR *d = opendir(folder);
	unsigned count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	(void)closedir(d);
	return count - 2;
}

static int teardown(void **state)
{
	static const char *const names[] = {"file", "fifo", "sub/file", "dangling"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlinkat(dir, names[i], 0);
	(void)unlinkat(dir, "sub", AT_REMOVEDIR);
	fd_close(&dir);
	arena_done(&a);
	return rmdir(folder);
}

static void a_file_is_written_and_read_whole(void **state)
{
	size_t length;
	char *data;

	(void)state;
	assert_int_equal(file_replace(dir, "file", 0600, "first", 5, &e), 0);
	assert_int_equal(file_replace(dir, "file", 0600, "a\0b", 3, &e), 0);
	assert_int_equal(file_read(dir, "file", 100, &a, &data, &length, &e), 0);
	assert_int_equal(length, 3);
	assert_memory_equal(data, "a\0b", 4);
	assert_int_equal(entries(), 1);
	assert_int_equal(file_read(dir, "file", 2, &a, &data, &length, &e), -1);
	assert_string_equal(e.text, "file is larger than 2 bytes");
}

static void a_missing_file_is_told_by_errno(void **state)
{
	size_t length;
	char *data;

	(void)state;
	assert_int_equal(file_read(dir, "none", 100, &a, &data, &length, &e), -1);
	assert_string_equal(e.text, "open none: no such file or directory");
	assert_int_equal(e.sys, ENOENT);
}

static void what_is_not_a_file_is_refused_at_once(void **state)
{
	size_t length;
	char *data;

	(void)state;
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(file_read(dir, "fifo", 100, &a, &data, &length, &e), -1);
	assert_string_equal(e.text, "read fifo: not a regular file");
	assert_int_equal(file_read(dir, "/dev/zero", 100, &a, &data, &length, &e), -1);
	assert_int_equal(file_read(dir, ".", 100, &a, &data, &length, &e), -1);
}

static void a_knob_is_written_in_place(void **state)
{
	struct stat st;
	size_t length;
	char *data;

	(void)state;
	assert_int_equal(file_write(dir, "file", "1", &e), -1); /* it makes none */
	assert_int_equal(e.sys, ENOENT);
	assert_int_equal(file_replace(dir, "file", 0640, "", 0, &e), 0);
	assert_int_equal(file_write(dir, "file", "1000", &e), 0);
	assert_int_equal(file_read(dir, "file", 100, &a, &data, &length, &e), 0);
	assert_string_equal(data, "1000");
	assert_int_equal(fstatat(dir, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(file_write(dir, "/dev/full", "x", &e), -1);
	assert_string_equal(e.text, "write \"x\" to /dev/full: no space left on device");
}

static void a_file_below_a_folder_is_replaced_there(void **state)
{
	(void)state;
	assert_int_equal(file_replace(dir, "sub/file", 0600, "x", 1, &e), -1);
	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(file_replace(dir, "sub/file", 0600, "x", 1, &e), 0);
	assert_int_equal(faccessat(dir, "sub/file", R_OK, 0), 0);
	assert_int_equal(entries(), 1);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(symlinkat("elsewhere", dir, "dangling"), 0);
	assert_int_equal(file_replace(dir, "dangling", 0600, "x", 1, &e), 0);
	assert_int_equal(fstatat(dir, "dangling", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(entries(), 1);
}

static void a_failed_replacement_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir, "sub", 0700), 0);
	assert_int_equal(file_replace(dir, "file", 0600, "x", 1, &e), 0);
	assert_int_equal(renameat(dir, "file", dir, "sub/file"), 0);
	/* a folder is in its place */
	assert_int_equal(file_replace(dir, "sub", 0600, "x", 1, &e), -1);
	assert_int_equal(entries(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_written_and_read_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_missing_file_is_told_by_errno, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_not_a_file_is_refused_at_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_knob_is_written_in_place, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_below_a_folder_is_replaced_there, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_link_is_replaced_and_not_followed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_failed_replacement_leaves_nothing, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
