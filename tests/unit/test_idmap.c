/*
 * Id maps: the arithmetic, and maps of real user namespaces read back from the kernel.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/idmap.h"

static void an_inside_id_has_one_outside_id(void **state)
{
	static const struct idmap_range ranges[] = {
		{0, 1000, 1},  {1, 100000, 65535},    {70000, 0, 0},
		{70000, 5, 1}, {4294967290u, 200, 6}, /* to the last id there is */
	};
	static const struct {
		uint32_t inside;
		int64_t outside;
	} rows[] = {
		{0, 1000},  {1, 100000}, {65535, 165534},   {65536, -1},        {69999, -1},
		{70000, 5}, {70001, -1}, {4294967289u, -1}, {4294967290u, 200}, {4294967295u, 205},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		uint32_t outside = 77;
		bool mapped = idmap_outside(ranges, array_len(ranges), rows[i].inside, &outside);

		assert_int_equal(mapped, rows[i].outside >= 0);
		assert_true(outside == (mapped ? rows[i].outside : 77));
	}
	assert_false(idmap_outside(NULL, 0, 0, &(uint32_t){0}));
}

/* ---- real ones ----------------------------------------------------------------------------------
 */

static pid_t child;

/* A process in a new user namespace, which waits to be killed. */
static bool start_child(void)
{
	char ready = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return false;
	child = fork();
	if (child == 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || unshare(CLONE_NEWUSER) ||
		    write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	fd_close(&ends[1]);
	(void)!read(ends[0], &ready, 1);
	fd_close(&ends[0]);
	return ready == 'x';
}

static void end_child(void)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static const char *map_of_child(const char *file)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, file);
	return scratch_read(path);
}

static void maps_are_written_whole(void **state)
{
	static const struct idmap_range uids[] = {{0, 100000, 1000}, {5000, 0, 1}};
	static const struct idmap_range gids[] = {{0, 200000, 4294767295u}};

	(void)state;
	scratch_need_root();
	assert_true(start_child());
	assert_int_equal(idmap_write(child, uids, 2, gids, 1, &scratch_arena, &scratch_err), 0);
	assert_string_equal(map_of_child("uid_map"), "         0     100000       1000\n"
						     "      5000          0          1\n");
	assert_string_equal(map_of_child("gid_map"), "         0     200000 4294767295\n");
	assert_string_equal(map_of_child("setgroups"), "allow\n");
	end_child();
}

/* The kernel takes 340 ranges; they must all come in one write. */
static void many_ranges(void **state)
{
	struct idmap_range ranges[341];

	(void)state;
	scratch_need_root();
	for (uint32_t i = 0; i < array_len(ranges); i++)
		ranges[i] = (struct idmap_range){i, i, 1};
	assert_true(start_child());
	assert_int_equal(idmap_write(child, ranges, 341, NULL, 0, &scratch_arena, &scratch_err),
			 -1);
	assert_int_equal(scratch_err.sys, EINVAL);
	assert_non_null(strstr(scratch_err.text, "map ids of the user namespace: write "));
	assert_int_equal(idmap_write(child, ranges, 340, NULL, 0, &scratch_arena, &scratch_err), 0);
	assert_non_null(strstr(map_of_child("uid_map"), "       339        339          1\n"));
	end_child();
}

static void a_process_that_is_gone(void **state)
{
	static const struct idmap_range one = {0, 0, 1};

	(void)state;
	scratch_need_root();
	assert_true(start_child());
	end_child();
	assert_int_equal(idmap_write(child, &one, 1, &one, 1, &scratch_arena, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
}

/* ---- without privilege --------------------------------------------------------------------------
 */

static bool become_somebody(void)
{
	return !setresgid(1000, 1000, 1000) && !setresuid(1000, 1000, 1000) &&
	       !prctl(PR_SET_DUMPABLE, 1);
}

static int map_oneself(void *argument)
{
	static const struct idmap_range own = {0, 1000, 1};

	(void)argument;
	if (!become_somebody() || setenv("PATH", scratch_path, 1) || !start_child())
		return 99;
	if (idmap_write(child, &own, 1, &own, 1, &scratch_arena, &scratch_err))
		return 1;
	if (!str_equal(map_of_child("uid_map"), "         0       1000          1\n") ||
	    !str_equal(map_of_child("gid_map"), "         0       1000          1\n"))
		return 2;
	return str_equal(map_of_child("setgroups"), "deny\n") ? 0 : 3;
}

static void the_own_id_needs_no_helper(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(map_oneself, NULL), 0);
}

/* Whether the helper got the child's pid and these ranges. */
static bool helper_was_told(const char *helper, const char *ranges)
{
	const char *told = scratch_read(
		arena_format(&scratch_arena, &scratch_err, "%s/bin/%s.told", scratch_path, helper));
	const char *wanted =
		arena_format(&scratch_arena, &scratch_err, "%s %d%s", helper, (int)child, ranges);

	return told && str_equal(told, wanted);
}

/* As somebody, with the directory "bin" as the only place of programs. */
static int map_ranges(void *argument)
{
	static const struct idmap_range uids[] = {{0, 1000, 1}, {1, 100000, 65536}};
	static const struct idmap_range gids[] = {{0, 1000, 1}, {1, 200000, 65536}};
	const char *wanted = argument;

	if (!become_somebody() || setenv("PATH", scratch_name("bin"), 1) || !start_child())
		return 99;
	if (!idmap_write(child, uids, 2, gids, 2, &scratch_arena, &scratch_err)) {
		if (!str_equal(map_of_child("setgroups"), "allow\n"))
			return 1;
		return !wanted && helper_was_told("newuidmap", " 0 1000 1 1 100000 65536\n") &&
				       helper_was_told("newgidmap", " 0 1000 1 1 200000 65536\n")
			       ? 0
			       : 2;
	}
	return wanted && str_equal(scratch_err.text, wanted) && scratch_err.hint[0] ? 0 : 3;
}

static void helpers_get_the_ranges(void **state)
{
	(void)state;
	scratch_need_root();
	scratch_directory("bin");
	assert_int_equal(fchmodat(scratch, ".", 0777, 0), 0);
	scratch_script("bin/newuidmap", "echo $0 $* | /bin/sed \"s,.*/,,\" >>$0.told");
	scratch_script("bin/newgidmap", "echo $0 $* | /bin/sed \"s,.*/,,\" >>$0.told");
	assert_int_equal(fchmodat(scratch, "bin", 0777, 0), 0);
	assert_int_equal(scratch_fork(map_ranges, NULL), 0);
}

static void a_missing_helper_is_told(void **state)
{
	static char text[] = "run newuidmap: no such file or directory";

	(void)state;
	scratch_need_root();
	scratch_directory("bin");
	assert_int_equal(scratch_fork(map_ranges, text), 0);
}

static void a_helper_that_refuses_is_told(void **state)
{
	static char text[] = "newuidmap failed: uid range [0-1) -> [7-8) not allowed";

	(void)state;
	scratch_need_root();
	scratch_directory("bin");
	scratch_script("bin/newuidmap",
		       "echo 'newuidmap: uid range [0-1) -> [7-8) not allowed' >&2; exit 1");
	assert_int_equal(scratch_fork(map_ranges, text), 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(an_inside_id_has_one_outside_id),
		test(maps_are_written_whole),
		test(many_ranges),
		test(a_process_that_is_gone),
		test(the_own_id_needs_no_helper),
		test(helpers_get_the_ranges),
		test(a_missing_helper_is_told),
		test(a_helper_that_refuses_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
