/*
 * The state directory: what an id may be, who owns it, and how it goes away.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "scratch.h"
#include "state/store.h"

static const char *root; /* not there at first */

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	root = scratch_name("run/creel");
	return 0;
}

static int create(const char *id)
{
	return store_create(root, id, &scratch_err);
}

static int open_locked(const char *id)
{
	return store_open(root, id, true, &scratch_err);
}

static void made(const char *id)
{
	int fd = create(id);

	assert_true(fd >= 0);
	fd_close(&fd);
}

#define fails_with(call, wanted, words) \
	do { \
		assert_int_equal(call, -1); \
		assert_int_equal(scratch_err.code, wanted); \
		assert_string_equal(scratch_err.text, words); \
	} while (0)

/* ---- ids ---------------------------------------------------------------------------------------
 */

static void ids_that_are_good(void **state)
{
	char longest[NAME_MAX + 1];
	static const char *const ids[] = {
		"a", "Z9", "my_box-1.2+3", "...", "-", "+", ".hidden", "a..b", "0",
	};

	(void)state;
	for (size_t i = 0; i < array_len(ids); i++)
		assert_int_equal(store_check_id(ids[i], &scratch_err), 0);
	memset(longest, 'i', NAME_MAX);
	longest[NAME_MAX] = '\0';
	assert_int_equal(store_check_id(longest, &scratch_err), 0);
	made(longest);
}

static void ids_that_are_not(void **state)
{
	char too_long[NAME_MAX + 2];
	static const char *const ids[] = {
		".", "..", "a/b", "/", "a b", "a\n", "a:b", "é", "a\\b", "~", "a\x7f", "../x",
	};

	(void)state;
	fails_with(store_check_id("", &scratch_err), ERR_USAGE, "container id cannot be empty");
	for (size_t i = 0; i < array_len(ids); i++) {
		fails_with(store_check_id(ids[i], &scratch_err), ERR_USAGE,
			   "invalid container ID format");
		fails_with(create(ids[i]), ERR_USAGE, "invalid container ID format");
		fails_with(open_locked(ids[i]), ERR_USAGE, "invalid container ID format");
	}
	memset(too_long, 'i', NAME_MAX + 1);
	too_long[NAME_MAX + 1] = '\0';
	fails_with(store_check_id(too_long, &scratch_err), ERR_USAGE,
		   "invalid container ID format");
	assert_non_null(strstr(scratch_err.hint, "letters, digits"));
}

/* ---- claiming and opening -----------------------------------------------------------------------
 */

static void the_directories_are_closed_to_others(void **state)
{
	mode_t mask = umask(0);
	struct stat st;

	(void)state;
	made("box");
	(void)umask(mask);
	assert_int_equal(stat(root, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(scratch_name("run/creel/box"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* As a delete does that finds a directory without a record: it locks it and removes it. */
static void remove_for_ever(void)
{
	const char *path = scratch_name("run/creel/box");
	struct stat st;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB) && !fstat(fd, &st) && st.st_nlink)
			(void)rmdir(path);
		if (fd >= 0)
			(void)close(fd);
	}
}

static void what_is_claimed_is_there_whatever_a_delete_does(void **state)
{
	pid_t remover = fork();

	(void)state;
	if (remover == 0)
		remove_for_ever();
	for (int i = 0; i < 2000; i++) {
		_close_ int dir = create("box");
		struct stat ours, named;

		if (dir < 0)
			fail_msg("%s", scratch_err.text);
		assert_int_equal(fstat(dir, &ours), 0);
		assert_int_equal(stat(scratch_name("run/creel/box"), &named), 0);
		assert_true(ours.st_nlink > 0 && ours.st_ino == named.st_ino);
		assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	}
	(void)kill(remover, SIGKILL);
	(void)waitpid(remover, NULL, 0);
}

static void an_id_can_be_claimed_once(void **state)
{
	(void)state;
	made("box");
	fails_with(create("box"), ERR_EXISTS, "container with given ID already exists");
	scratch_file("run/creel/file", "");
	fails_with(create("file"), ERR_EXISTS, "container with given ID already exists");
	scratch_link("run/creel/link", "/nowhere");
	fails_with(create("link"), ERR_EXISTS, "container with given ID already exists");
}

static void claimed_means_locked(void **state)
{
	int claim = create("box"), other;

	(void)state;
	assert_true(claim >= 0);
	assert_int_equal(fcntl(claim, F_GETFD), FD_CLOEXEC);
	other = store_open(root, "box", false, &scratch_err); /* looking does not wait */
	assert_true(other >= 0);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	fd_close(&claim);
	assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
	fd_close(&other);
}

static void commands_on_one_container_come_after_one_another(void **state)
{
	struct pollfd done = {.events = POLLIN};
	int claim = create("box"), ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		fd_close(&claim);
		_exit(open_locked("box") < 0 || write(ends[1], "x", 1) != 1);
	}
	done.fd = ends[0];
	assert_int_equal(poll(&done, 1, 50), 0);
	fd_close(&claim);
	assert_int_equal(poll(&done, 1, 5000), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void whoever_waited_finds_the_next_owner(void **state)
{
	struct pollfd done = {.events = POLLIN};
	int claim = create("box"), ends[2], status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) { /* what it opens first is the old directory */
		struct stat st;
		int fd;

		fd_close(&claim);
		fd = open_locked("box");
		_exit(fd < 0 || fstat(fd, &st) || !st.st_nlink || write(ends[1], "x", 1) != 1);
	}
	done.fd = ends[0];
	assert_int_equal(poll(&done, 1, 50), 0);
	assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	made("box");
	fd_close(&claim);
	assert_int_equal(poll(&done, 1, 5000), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void a_lock_can_be_let_go_and_taken_back(void **state)
{
	int claim = create("box"), other;
	bool there = false;

	(void)state;
	store_unlock(claim);
	other = open_locked("box");
	assert_true(other >= 0);
	fd_close(&other);
	assert_int_equal(store_lock(claim, "box", &there, &scratch_err), 0);
	assert_true(there);
	store_unlock(claim);
	assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	made("box"); /* another one of that name */
	assert_int_equal(store_lock(claim, "box", &there, &scratch_err), 0);
	assert_false(there);
	fd_close(&claim);
}

static void what_is_no_container_does_not_exist(void **state)
{
	(void)state;
	fails_with(open_locked("box"), ERR_NOT_FOUND, "container does not exist");
	made("other");
	fails_with(open_locked("box"), ERR_NOT_FOUND, "container does not exist");
	scratch_file("run/creel/file", "");
	fails_with(open_locked("file"), ERR_NOT_FOUND, "container does not exist");
	scratch_directory("elsewhere");
	scratch_link("run/creel/link", "../../elsewhere");
	assert_int_equal(open_locked("link"), -1);
}

static void a_root_that_cannot_be_made(void **state)
{
	char path[PATH_MAX + 10];

	(void)state;
	scratch_file("run", "");
	assert_int_equal(create("box"), -1);
	assert_int_equal(scratch_err.sys, ENOTDIR);
	fails_with(store_create("/proc/nowhere/creel", "box", &scratch_err), ERR_SYSTEM,
		   "mkdir /proc/nowhere: no such file or directory");
	assert_non_null(strstr(scratch_err.hint, "--root"));
	memset(path, 'r', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	fails_with(store_create(path, "box", &scratch_err), ERR_USAGE,
		   "state directory: file name too long");
	fails_with(store_open(path, "box", false, &scratch_err), ERR_USAGE,
		   "state directory: file name too long");
}

/* ---- removing ----------------------------------------------------------------------------------
 */

static bool there(const char *name)
{
	struct stat st;

	return !fstatat(scratch, name, &st, AT_SYMLINK_NOFOLLOW);
}

static void remove_box(void)
{
	assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	assert_false(there("run/creel/box"));
}

static void removing_takes_everything(void **state)
{
	(void)state;
	made("box");
	remove_box();
	made("box");
	scratch_file("run/creel/box/" STORE_STATE, "{}");
	scratch_file("run/creel/box/" STORE_CONFIG, "{}");
	scratch_file("run/creel/box/" STORE_START, "");
	remove_box();
	made("box");
	scratch_file("run/creel/box/." STORE_STATE ".77", "left by a write that was killed");
	scratch_directory("run/creel/box/nested");
	scratch_file("run/creel/box/nested/file", "");
	scratch_directory("run/creel/box/empty");
	remove_box();
	assert_true(there("run/creel"));
}

static void removing_follows_no_link(void **state)
{
	(void)state;
	made("box");
	scratch_directory("elsewhere");
	scratch_file("elsewhere/file", "");
	scratch_link("run/creel/box/link", "../../../elsewhere");
	scratch_link("run/creel/link", "../../elsewhere");
	remove_box();
	assert_int_equal(store_remove(root, "link", &scratch_err), -1);
	assert_true(there("elsewhere/file"));
}

static void removing_what_is_gone_is_no_error(void **state)
{
	(void)state;
	assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	made("other");
	assert_int_equal(store_remove(root, "box", &scratch_err), 0);
	assert_true(there("run/creel/other"));
}

/* Deeper than descriptors and paths would reach; a privileged container could do that. */
static void removing_takes_any_depth(void **state)
{
	int at, below;

	(void)state;
	made("box");
	scratch_directory("run/creel/box/notify");
	at = openat(scratch, "run/creel/box/notify", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int depth = 0; depth < 3000; depth++) {
		assert_int_equal(mkdirat(at, "removed.1", 0700), 0);
		assert_int_equal(symlinkat("/", at, "link"), 0);
		below = openat(at, "removed.1", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		fd_close(&at);
		at = below;
	}
	fd_close(&at);
	remove_box();
}

static void a_ruin_is_removed(void **state)
{
	(void)state;
	made("box");
	scratch_directory("run/creel/box/" STORE_STATE);
	scratch_file("run/creel/box/" STORE_STATE "/file", "");
	scratch_file("run/creel/box/." STORE_MAKING ".77", "left by a write that was killed");
	assert_int_equal(store_remove_ruin(root, "box", &scratch_err), 0);
	assert_false(there("run/creel/box"));
	assert_int_equal(store_remove_ruin(root, "box", &scratch_err), 0);
}

/* --root may name a directory of something else. */
static void what_is_no_containers_is_no_ruin(void **state)
{
	(void)state;
	made("box");
	scratch_file("run/creel/box/" STORE_STATE, "");
	scratch_file("run/creel/box/thesis", "");
	assert_int_equal(store_remove_ruin(root, "box", &scratch_err), -1);
	assert_int_equal(scratch_err.code, ERR_STATE);
	assert_non_null(strstr(scratch_err.text, "/box: \"thesis\" in it is not a container's"));
	assert_true(there("run/creel/box/" STORE_STATE));
	assert_true(there("run/creel/box/thesis"));
}

/* ---- listing -----------------------------------------------------------------------------------
 */

static void the_list_is_sorted_and_has_containers_alone(void **state)
{
	static const char *const wanted[] = {".hidden", "10", "9", "B", "a", "c"};
	struct str_list ids;

	(void)state;
	for (size_t i = array_len(wanted); i-- > 0;)
		made(wanted[i]);
	scratch_file("run/creel/file", "");
	scratch_link("run/creel/link", "a");
	scratch_directory("run/creel/no id");
	scratch_directory("run/creel/a:b");
	assert_int_equal(store_list(root, true, &scratch_arena, &ids, &scratch_err), 0);
	assert_int_equal(ids.count, array_len(wanted));
	for (size_t i = 0; i < ids.count; i++)
		assert_string_equal(ids.item[i], wanted[i]);
}

static void a_missing_root_has_no_containers(void **state)
{
	struct str_list ids = {.count = 77};

	(void)state;
	assert_int_equal(store_list(root, false, &scratch_arena, &ids, &scratch_err), 0);
	assert_int_equal(ids.count, 0);
	assert_int_equal(store_list(root, true, &scratch_arena, &ids, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
	scratch_file("run", "");
	assert_int_equal(store_list(scratch_name("run"), false, &scratch_arena, &ids, &scratch_err),
			 -1);
	assert_int_equal(scratch_err.sys, ENOTDIR);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(ids_that_are_good),
		test(ids_that_are_not),
		test(the_directories_are_closed_to_others),
		test(what_is_claimed_is_there_whatever_a_delete_does),
		test(an_id_can_be_claimed_once),
		test(claimed_means_locked),
		test(commands_on_one_container_come_after_one_another),
		test(whoever_waited_finds_the_next_owner),
		test(a_lock_can_be_let_go_and_taken_back),
		test(what_is_no_container_does_not_exist),
		test(a_root_that_cannot_be_made),
		test(removing_takes_everything),
		test(removing_follows_no_link),
		test(removing_what_is_gone_is_no_error),
		test(removing_takes_any_depth),
		test(a_ruin_is_removed),
		test(what_is_no_containers_is_no_ruin),
		test(the_list_is_sorted_and_has_containers_alone),
		test(a_missing_root_has_no_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
