/*
 * Which cgroup a process of exec joins, on directories that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/cgroup.h"
#include "cgroup/paths.h"
#include "scratch.h"

static struct cgroup_path items[3];
static struct cgroup_paths paths, chosen;

/* cpu and cpuacct on one mount, as is usual, and memory on another. */
static int setup(void **state)
{
	static const char *const made[] = {
		"cpu",    "cpu/box",    "cpu/box/sub",    "cpu/box/two",
		"memory", "memory/box", "memory/box/sub", "memory/boxes"};

	if (scratch_setup(state))
		return -1;
	for (size_t i = 0; i < array_len(made); i++)
		scratch_directory(made[i]);
	items[0] = (struct cgroup_path){"cpu", scratch_name("cpu/box")};
	items[1] = (struct cgroup_path){"cpuacct", items[0].path};
	items[2] = (struct cgroup_path){"memory", scratch_name("memory/box")};
	paths = (struct cgroup_paths){items, 3};
	return 0;
}

static int choose(const char *first, const char *second)
{
	const char *const wanted[] = {first, second, NULL};

	return cgroup_for_exec(&paths, wanted, 1, &scratch_arena, &chosen, &scratch_err);
}

/* Below the container's cgroup in each hierarchy: "" is the cgroup itself. */
static void goes_to(const char *cpu, const char *cpuacct, const char *memory)
{
	const char *const below[] = {cpu, cpuacct, memory};

	assert_int_equal(chosen.count, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(chosen.item[i].name, items[i].name);
		assert_true(str_starts(chosen.item[i].path, items[i].path));
		assert_string_equal(chosen.item[i].path + strlen(items[i].path), below[i]);
	}
}

static void refused(const char *first, const char *second, const char *words)
{
	assert_int_equal(choose(first, second), -1);
	assert_string_equal(scratch_err.text, words);
}

static void without_a_wish_the_containers_own(void **state)
{
	(void)state;
	assert_int_equal(choose(NULL, NULL), 0);
	goes_to("", "", "");
	assert_int_equal(cgroup_for_exec(&paths, NULL, 1, &scratch_arena, &chosen, &scratch_err),
			 0);
	goes_to("", "", "");
}

static void a_path_is_for_all(void **state)
{
	(void)state;
	assert_int_equal(choose("//sub", NULL), 0);
	goes_to("/sub", "/sub", "/sub");
	assert_int_equal(choose("/", NULL), 0);
	goes_to("/", "/", "/");
}

static void controllers_of_one_mount_go_together(void **state)
{
	(void)state;
	assert_int_equal(choose("cpuacct:sub", NULL), 0);
	goes_to("/sub", "/sub", "");
	assert_int_equal(choose("cpu,cpuacct:sub", NULL), 0);
	goes_to("/sub", "/sub", "");
	assert_int_equal(choose("cpu:two", "memory:sub"), 0);
	goes_to("/two", "/two", "/sub");
	refused("cpu:sub", "cpuacct:two",
		"invalid --cgroup argument(s): controller cpu specified multiple times");
}

static void the_containers_own_are_not_changed(void **state)
{
	(void)state;
	assert_int_equal(choose("sub", NULL), 0);
	assert_string_equal(items[0].path, scratch_name("cpu/box"));
}

static void what_is_not_there_or_not_below_is_refused(void **state)
{
	(void)state;
	assert_int_equal(choose("two", NULL), -1); /* in one of two */
	assert_int_equal(scratch_err.sys, ENOENT);
	refused("..", NULL, ".. is not a sub cgroup path");
	refused("memory:../boxes", NULL, "../boxes is not a sub cgroup path");
	refused("sub/../..", NULL, "sub/../.. is not a sub cgroup path");
	assert_int_equal(choose("..sub", NULL), -1); /* but dots may begin a name */
	assert_int_equal(scratch_err.sys, ENOENT);
	refused("pids:sub", NULL, "unknown controller pids in SubCgroupPaths");
	refused("memory,:sub", NULL,
		"invalid --cgroup argument: memory,:sub (empty <controller> prefix)");
	refused("memory:sub", "sub",
		"invalid --cgroup argument: sub (missing <controller>: prefix)");
}

static void a_container_without_cgroups_has_nothing_below_them(void **state)
{
	(void)state;
	paths.count = 0;
	assert_int_equal(choose(NULL, NULL), 0);
	assert_int_equal(chosen.count, 0);
	refused("sub", NULL, "cgroup sub: the container has no cgroup");
	refused("cpu:sub", NULL, "unknown controller cpu in SubCgroupPaths");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(without_a_wish_the_containers_own),
		test(a_path_is_for_all),
		test(controllers_of_one_mount_go_together),
		test(the_containers_own_are_not_changed),
		test(what_is_not_there_or_not_below_is_refused),
		test(a_container_without_cgroups_has_nothing_below_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
