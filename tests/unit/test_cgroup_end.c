/*
 * The end of real control groups: killed whatever they do, removed whatever is in them.
 */
#include "cgroup_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup/knob.h"

/* Forks as fast as it is let, at most so many at a time. */
static void fork_on(void)
{
	for (;;)
		if (fork() < 0)
			(void)usleep(100);
}

static void a_fork_bomb_is_killed(void **state)
{
	struct cgroup cg;
	double start;
	pid_t pid;

	(void)state;
	need_v1("pids");
	cg = made();
	good(set("pids", "pids.max", "100"));
	pid = spawn(&cg, fork_on);
	cgroup_close(&cg);
	while (count_pids() < 50)
		(void)sched_yield();
	start = seconds();
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	assert_true(seconds() - start < 9);
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
}

/*
 * Version 1 without its unified side, as on a machine that has none: only pidfds and the freezer
 * help.
 */
static void a_fork_bomb_is_killed_without_cgroup_kill(void **state)
{
	struct cgroup_paths all;
	struct cgroup cg;
	pid_t pid;

	(void)state;
	need_v1("pids");
	cg = made();
	good(set("pids", "pids.max", "100"));
	all = fx.paths;
	for (size_t i = 0; i < fx.paths.count; i++)
		if (!*fx.paths.item[i].name)
			fx.paths.count = i; /* it comes last */
	pid = spawn(&cg, fork_on);
	cgroup_close(&cg);
	while (count_pids() < 50)
		(void)sched_yield();
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&all, &fx.arena, &fx.e));
}

/* One cgroup in dir, one in that, and a process in the lower one where processes are listed. */
static void nest_in(const struct cgroup_path *dir, int number)
{
	const char *child = arena_format(&fx.arena, &fx.e, "%s/%d", dir->path, number);
	const char *deep = arena_format(&fx.arena, &fx.e, "%s/deep", child);

	(void)mkdir(child, 0755);
	(void)mkdir(deep, 0755);
	if ((strcmp(dir->name, "devices") && *dir->name) || fork())
		return;
	(void)knob_write(deep, "cgroup.procs", "0");
	for (;;)
		(void)pause();
}

/* What a container does that runs containers: cgroups of its own, with processes in them. */
static void nest(void)
{
	for (size_t i = 0; i < fx.paths.count; i++)
		for (int number = 0; number < 3 && !paths_repeat(&fx.paths, i); number++)
			nest_in(&fx.paths.item[i], number);
}

static void nested_groups_go_too(void **state)
{
	size_t want = 1;

	(void)state;
	need_cgroups();
	for (size_t k = 0; k < fx.paths.count; k++)
		want += !strcmp(fx.paths.item[k].name, "devices") || !*fx.paths.item[k].name ? 3
											     : 0;
	(void)made_with(nest);
	while (count_pids() < want)
		(void)sched_yield();
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(count_pids(), 0);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	for (size_t i = 0; i < fx.paths.count; i++)
		assert_false(exists(&fx.paths.item[i]));
}

static void end_soon(void)
{
	(void)usleep(50000);
	_exit(0);
}

static void removing_waits_for_the_dying(void **state)
{
	double start = seconds();

	(void)state;
	need_cgroups();
	(void)made_with(end_soon);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	assert_true(seconds() - start < 2);
	for (size_t i = 0; i < fx.paths.count; i++)
		assert_false(exists(&fx.paths.item[i]));
}

static void a_very_deep_tree_is_removed(void **state)
{
	const char *top;
	int fd;

	(void)state;
	need_cgroups();
	top = fx.paths.item[fx.paths.count - 1].path; /* one hierarchy will do */
	assert_int_equal(mkdir(top, 0755), 0);
	fd = open(top, O_PATH);
	for (int i = 0; i < 300; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "a-name-of-some-length", 0755), 0);
		next = openat(fd, "a-name-of-some-length", O_PATH);
		(void)close(fd);
		fd = next;
	}
	(void)close(fd);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	assert_int_not_equal(access(top, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_group(a_fork_bomb_is_killed),
		with_group(a_fork_bomb_is_killed_without_cgroup_kill),
		with_group(nested_groups_go_too),
		with_group(removing_waits_for_the_dying),
		with_group(a_very_deep_tree_is_removed),
	};
	int failed = cmocka_run_group_tests_name("layout of the machine", tests,
						 fixture_find_layout, fixture_forget_layout);

	return failed + cmocka_run_group_tests_name("version 2 alone", tests,
						    fixture_find_version_2, fixture_forget_layout);
}
