/*
 * Paths inside a hostile tree, by chance: random trees are held against what the kernel itself says
 * (openat2 with RESOLVE_IN_ROOT), and a tree that changes while we work in it. Every run is the
 * same, but for the race.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "kernel_open.h"
#include "scratch.h"
#include "sys/inroot.h"

#define TREES 40
#define PATHS 50  /* in each tree */
#define ROUNDS 60 /* of the race */

static int root = -1;
static uint32_t chance_state;

static uint32_t chance(uint32_t below)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 17;
	chance_state ^= chance_state << 5;
	return chance_state % below;
}

/* A path of up to five parts: names of the tree, "..", ".", an absolute start, doubled slashes. */
static const char *random_path(void)
{
	static const char *const parts[] = {"a", "b", "c", "d", "e", "..", "a", "b", ".", "c"};
	static char path[256];
	size_t used = 0, count = 1 + chance(5);

	path[0] = '\0';
	if (!chance(8))
		used = (size_t)snprintf(path, sizeof(path), "%s/outside", scratch_path);
	else if (chance(2))
		used = (size_t)snprintf(path, sizeof(path), "/");
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(path + used, sizeof(path) - used, "%s%s",
					 used ? (chance(9) ? "/" : "//") : "",
					 parts[chance(array_len(parts))]);
	return path;
}

/* Fills a directory with directories, files and links by chance. */
static void grow(int at, int depth)
{
	static const char *const names[] = {"a", "b", "c", "d"};

	for (size_t i = 0; i < array_len(names); i++) {
		int below = -1;

		switch (chance(6)) {
		case 0:
			assert_int_equal(mknodat(at, names[i], S_IFREG | 0644, 0), 0);
			break;
		case 1:
		case 2:
			assert_int_equal(symlinkat(random_path(), at, names[i]), 0);
			break;
		case 3:
			break;
		default:
			assert_int_equal(mkdirat(at, names[i], 0755), 0);
			below = openat(at, names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			assert_true(below >= 0);
			if (depth)
				grow(below, depth - 1);
			fd_close(&below);
		}
	}
}

static void assert_same(int one, int other)
{
	struct stat a, b;

	assert_int_equal(fstat(one, &a), 0);
	assert_int_equal(fstat(other, &b), 0);
	assert_true(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* inroot_open finds what the kernel finds, or fails as it does. */
static void compare_open(const char *path)
{
	_close_ int kernel = kernel_open(root, path, O_PATH);
	int number = errno;
	_close_ int ours = inroot_open(root, path, O_PATH, &scratch_err);

	assert_int_equal(ours < 0, kernel < 0);
	if (kernel >= 0)
		assert_same(ours, kernel);
	else
		assert_int_equal(scratch_err.sys, number);
}

/*
 * What is made is what the kernel finds there afterwards; what was there is given as it is; and
 * where nothing could be made, the kernel finds something in the way.
 */
static void compare_make(const char *path, bool directory)
{
	uint64_t flags = directory ? O_PATH | O_DIRECTORY : O_PATH;
	_close_ int before = kernel_open(root, path, flags);
	int was = before < 0 ? errno : 0;
	_close_ int made = directory ? inroot_mkdir(root, path, 0755, &scratch_err)
				     : inroot_mkfile(root, path, 0644, &scratch_err);
	_close_ int after = kernel_open(root, path, flags);

	assert_int_equal(made < 0, after < 0);
	if (made >= 0)
		assert_same(made, after);
	if (before >= 0)
		assert_same(made, before);
	if (was && was != ENOENT)
		assert_int_equal(made, -1);
}

static void nothing_is_outside(void)
{
	int fd = openat(scratch, "outside", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fdopendir(fd);
	struct dirent *entry;

	assert_non_null(list);
	while ((entry = readdir(list)))
		assert_int_equal(entry->d_name[0], '.');
	(void)closedir(list);
	assert_string_equal(scratch_read(scratch_name("file")), "secret");
}

static void in_each_tree(void (*compare)(const char *path))
{
	char name[24];

	scratch_directory("outside");
	scratch_file("file", "secret");
	for (uint32_t tree = 0; tree < TREES; tree++) {
		chance_state = 1 + tree * 2654435761u;
		(void)snprintf(name, sizeof(name), "root%u", tree);
		scratch_directory(name);
		root = openat(scratch, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(root >= 0);
		grow(root, 2);
		for (int i = 0; i < PATHS; i++)
			compare(random_path());
		fd_close(&root);
	}
	nothing_is_outside();
}

static void make_directory(const char *path)
{
	compare_make(path, true);
}

static void make_file(const char *path)
{
	size_t length = strlen(path);

	/* A last name that cannot be made is another matter: see test_inroot.c. */
	if (length && path[length - 1] != '.')
		compare_make(path, false);
}

static void what_is_opened_is_what_the_kernel_opens(void **state)
{
	(void)state;
	in_each_tree(compare_open);
}

static void directories_made_are_where_the_kernel_looks(void **state)
{
	(void)state;
	in_each_tree(make_directory);
}

static void files_made_are_where_the_kernel_looks(void **state)
{
	(void)state;
	in_each_tree(make_file);
}

/* ---- a tree that changes ------------------------------------------------------------------------
 */

/* Swaps a directory of the root and a link out of it until it is killed. */
static void swap_for_ever(void)
{
	for (;;)
		if (syscall(SYS_renameat2, scratch, "root/swap", scratch, "root/evil",
			    2 /* RENAME_EXCHANGE */))
			_exit(1);
}

static const char *numbered(const char *name, int number)
{
	const char *path = arena_format(&scratch_arena, &scratch_err, "%s%d", name, number);

	assert_non_null(path);
	return path;
}

/* Some of it fails, depending on who was faster. None of it may be made outside. */
static int make_everything(int number)
{
	_close_ int a = inroot_mkdir(root, numbered("/swap/a/", number), 0755, &scratch_err);
	_close_ int b = inroot_mkdir(root, numbered("/swap/../swap/b", number), 0755, &scratch_err);
	_close_ int c = inroot_mkdir(root, numbered("/evil/c", number), 0755, &scratch_err);
	_close_ int f = inroot_mkfile(root, numbered("/swap/f", number), 0644, &scratch_err);
	const char *node = numbered("/swap/n", number), *link = numbered("/swap/l", number);

	return (a >= 0) + (b >= 0) + (c >= 0) + (f >= 0) +
	       !inroot_mknod(root, node, S_IFREG | 0644, 0, &scratch_err) +
	       !inroot_symlink(root, link, "text", &scratch_err);
}

static void a_link_put_in_our_way_leads_nowhere(void **state)
{
	int status, made = 0;
	pid_t pid;

	(void)state;
	scratch_directory("outside");
	scratch_file("file", "secret");
	scratch_directory("root");
	scratch_directory("root/swap");
	scratch_link("root/evil", "../outside");
	root = openat(scratch, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		swap_for_ever();
	for (int i = 0; i < ROUNDS; i++)
		made += make_everything(i);
	assert_true(made > ROUNDS);
	fd_close(&root);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	nothing_is_outside();
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(what_is_opened_is_what_the_kernel_opens),
		test(directories_made_are_where_the_kernel_looks),
		test(files_made_are_where_the_kernel_looks),
		test(a_link_put_in_our_way_leads_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
