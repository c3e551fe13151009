/*
 * Copying a tree of which nothing is known: "from" holds it, "to" is where it goes. What the test
 * cannot do without a container, files of several owners and of other file systems, is in
 * tests/run/test_mounts_copyup.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/copyup.h"
#include "sys/folder.h"

static int from = -1, to = -1;

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	scratch_directory("from");
	scratch_directory("to");
	from = openat(scratch, "from", O_PATH | O_DIRECTORY | O_CLOEXEC);
	to = openat(scratch, "to", O_PATH | O_DIRECTORY | O_CLOEXEC);
	(void)umask(0);
	return from < 0 || to < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	(void)umask(022);
	fd_close(&from);
	fd_close(&to);
	return scratch_teardown(state);
}

static void copied(void)
{
	size_t open_before = scratch_open_files();

	assert_int_equal(copyup(from, to, &scratch_arena, &scratch_err), 0);
	assert_int_equal(scratch_open_files(), open_before);
}

static void nothing_makes_nothing(void **state)
{
	(void)state;
	copied();
	assert_int_equal(unlinkat(scratch, "to", AT_REMOVEDIR), 0);
}

static void content_modes_and_times(void **state)
{
	static const struct timespec times[] = {{1000, 1}, {2000, 2}};
	struct stat st;

	(void)state;
	scratch_directory("from/folder");
	scratch_file("from/folder/file", "content");
	scratch_link("from/folder/link", "../../outside");
	assert_int_equal(fchmodat(from, "folder/file", 04705, 0), 0);
	assert_int_equal(utimensat(from, "folder/file", times, 0), 0);
	assert_int_equal(fchmodat(from, "folder", 0111, 0), 0);
	assert_int_equal(utimensat(from, "folder", times, 0), 0);
	copied();
	assert_string_equal(scratch_read(scratch_name("to/folder/file")), "content");
	assert_int_equal(fstatat(to, "folder/file", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04705);
	assert_int_equal(st.st_mtim.tv_sec * 10 + st.st_mtim.tv_nsec, 20002);
	assert_int_equal(fstatat(to, "folder", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0111);
	assert_int_equal(st.st_mtim.tv_sec, 2000);
	assert_int_equal(fstatat(to, "folder/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
}

/* Names as a language would not expect them. */
static void any_name(void **state)
{
	static const char *const names[] = {"...", " ", "\n", "-rf", "\xff\xfe", "a\\b", "%s"};

	(void)state;
	for (size_t i = 0; i < array_len(names); i++)
		scratch_file(scratch_name(arena_format(&scratch_arena, &scratch_err, "from/%s",
						       names[i])) +
				     strlen(scratch_path) + 1,
			     names[i]);
	copied();
	for (size_t i = 0; i < array_len(names); i++)
		assert_int_equal(faccessat(to, names[i], R_OK, 0), 0);
}

static void a_fifo_is_not_opened(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(mkfifoat(from, "fifo", 0640), 0);
	copied(); /* and not waited for */
	assert_int_equal(fstatat(to, "fifo", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFIFO | 0640);
}

static void extended_attributes(void **state)
{
	char value[8] = "";

	(void)state;
	scratch_file("from/file", "");
	if (setxattr(scratch_name("from/file"), "user.creel", "a\0b", 3, 0))
		skip();
	copied();
	assert_int_equal(getxattr(scratch_name("to/file"), "user.creel", value, sizeof(value)), 3);
	assert_memory_equal(value, "a\0b", 3);
}

static void holes(void **state)
{
	_close_ int fd = openat(from, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct stat st;

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 5 << 20), 1);
	assert_int_equal(ftruncate(fd, 1 << 30), 0);
	copied();
	assert_int_equal(fstatat(to, "sparse", &st, 0), 0);
	assert_int_equal(st.st_size, 1 << 30);
	assert_true(st.st_blocks * 512 < 1 << 20);
}

/* Makes directories within each other and gives the path of the last. */
static const char *make_levels(size_t count)
{
	static char path[PATH_MAX];

	for (size_t used = 0; used < count * 2; used += 2) {
		path[used] = 'd';
		path[used + 1] = '\0';
		assert_int_equal(mkdirat(from, path, 0755), 0);
		path[used + 1] = '/';
		path[used + 2] = '\0';
	}
	return path;
}

static void more_levels_than_files_can_be_open(void **state)
{
	const char *path = make_levels(1900);

	(void)state;
	copied();
	assert_int_equal(faccessat(to, path, X_OK, 0), 0);
}

static void what_is_too_deep_for_a_path_is_told(void **state)
{
	const char *path = make_levels(1990);
	_close_ int deep = openat(from, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char name[NAME_MAX + 1];

	(void)state;
	memset(name, 'n', NAME_MAX);
	name[NAME_MAX] = '\0';
	assert_int_equal(mkdirat(deep, name, 0755), 0);
	assert_int_equal(copyup(from, to, &scratch_arena, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENAMETOOLONG);
}

static void what_is_there_already_is_an_error(void **state)
{
	(void)state;
	scratch_directory("from/folder");
	scratch_file("from/folder/file", "new");
	scratch_directory("to/folder");
	assert_int_equal(copyup(from, to, &scratch_arena, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, EEXIST);
	assert_string_equal(scratch_err.text, "make the directory folder: file exists");
}

static int count(void *user, const struct folder_entry *entry, struct err *e)
{
	size_t *seen = user;

	(void)e;
	*seen += str_starts(entry->name, "entry-");
	return *seen == 700 ? err_set(e, ERR_INVALID, "enough") : 0;
}

static void a_long_list_and_its_early_end(void **state)
{
	_close_ int fd = openat(scratch, "from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t seen = 0;

	(void)state;
	for (unsigned i = 0; i < 600; i++)
		scratch_file(arena_format(&scratch_arena, &scratch_err, "from/entry-%u", i), "");
	assert_int_equal(folder_list(fd, count, &seen, &scratch_err), 0);
	assert_int_equal(seen, 600);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(folder_list(fd, count, &seen, &scratch_err), -1);
	assert_string_equal(scratch_err.text, "enough");
	assert_int_equal(folder_list(-1, count, &seen, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_makes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(content_modes_and_times, setup, teardown),
		cmocka_unit_test_setup_teardown(any_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_fifo_is_not_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(extended_attributes, setup, teardown),
		cmocka_unit_test_setup_teardown(holes, setup, teardown),
		cmocka_unit_test_setup_teardown(more_levels_than_files_can_be_open, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_too_deep_for_a_path_is_told, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_there_already_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_long_list_and_its_early_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
