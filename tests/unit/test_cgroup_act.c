/*
 * Real control groups: made, entered, limited, frozen, emptied and removed. Runs as root only, on the machine's own
 * layout and then, in a mount namespace of its own, on a view that has version 2 alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"

static struct arena arena;
static struct err e;
static struct cgroup_host host;
static struct cgroup_paths paths;
static char name[64];

#define good(call) \
	do { \
		if (call) \
			fail_msg("%s: %s; %s", #call, e.text, e.hint); \
	} while (0)

/* ---- fixture ----------------------------------------------------------------------------------------------- */

static int find_layout(void **state)
{
	(void)state;
	if (arena_init(&arena, ARENA_LIMIT, &e) || cgroup_detect(true, &arena, &host, &e))
		return -1;
	return 0;
}

/* The machine's mounts stay as they are: this is a mount namespace of our own. */
static int find_version_2(void **state)
{
	if (!geteuid() && (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
			   mount("cgroup2", CGROUP_ROOT, "cgroup2", 0, NULL)))
		return -1;
	return find_layout(state);
}

static int forget_layout(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

static void place(const char *path)
{
	good(cgroup_place(&host, path, "id", &arena, &paths, &e));
}

/* Every test has "/creel-test-PID-N", and may make what it likes in it. */
static int setup(void **state)
{
	static int number;

	(void)state;
	(void)snprintf(name, sizeof(name), "/creel-test-%d-%d", getpid(), number++);
	if (geteuid() || host.layout == CGROUP_NONE)
		return 0;
	place(name);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (geteuid() || host.layout == CGROUP_NONE)
		return 0;
	place(name);
	return cgroup_kill(&paths, &arena, &e) || cgroup_remove(&paths, &arena, &e);
}

static void need(bool met, const char *what)
{
	if (met && !geteuid())
		return;
	print_message("skipped: needs root and %s\n", what);
	skip();
}

static void need_cgroups(void)
{
	need(host.layout != CGROUP_NONE, "control groups");
}

static void need_v1(const char *controller)
{
	need(host.layout != CGROUP_V2 && paths.count && paths_find(&paths, controller), controller);
}

static bool exists(const struct cgroup_path *path)
{
	return !access(path->path, F_OK);
}

/* A process in the cgroup, which is then in what what() does; what may be NULL for waiting. */
static pid_t spawn(const struct cgroup *cg, void (*what)(void))
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (cgroup_join_self(cg, &e) || cgroup_join_unified(cg, &e))
			_exit(1);
		(void)!write(fds[1], "", 1);
		(void)signal(SIGTERM, SIG_IGN);
		if (what)
			what();
		for (;;)
			(void)pause();
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	(void)close(fds[0]);
	return pid;
}

static struct cgroup made(void)
{
	struct cgroup cg;

	good(cgroup_make(&paths, &arena, &cg, &e));
	return cg;
}

static pid_t made_with(void (*what)(void))
{
	struct cgroup cg = made();
	pid_t pid = spawn(&cg, what);

	cgroup_close(&cg);
	return pid;
}

static size_t count_pids(void)
{
	size_t count;
	pid_t *pids;

	good(cgroup_pids(&paths, &arena, &pids, &count, &e));
	return count;
}

/* How the process ended; it must have. */
static int ending(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	return status;
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- life -------------------------------------------------------------------------------------------------- */

static void is_made_entered_killed_and_removed(void **state)
{
	pid_t pid, *pids;
	size_t count;

	(void)state;
	need_cgroups();
	pid = made_with(NULL);
	for (size_t i = 0; i < paths.count; i++)
		assert_true(exists(&paths.item[i]));
	good(cgroup_pids(&paths, &arena, &pids, &count, &e));
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], pid);
	good(cgroup_kill(&paths, &arena, &e));
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&paths, &arena, &e));
	for (size_t i = 0; i < paths.count; i++)
		assert_false(exists(&paths.item[i]));
	good(cgroup_kill(&paths, &arena, &e));
	good(cgroup_remove(&paths, &arena, &e));
	assert_int_equal(count_pids(), 0);
}

static void enters_every_hierarchy(void **state)
{
	char file[64], text[4096];
	const char *at;
	pid_t pid;
	int lines = 0;

	(void)state;
	need_cgroups();
	pid = made_with(NULL);
	(void)snprintf(file, sizeof(file), "%d/cgroup", pid);
	assert_true(knob_read("/proc", file, text, sizeof(text)) > 0);
	for (at = text; (at = strstr(at, name)); at++)
		lines++;
	for (size_t i = 0; i < paths.count; i++)
		lines -= !paths_repeat(&paths, i);
	assert_int_equal(lines, 0);
}

static void an_existing_one_must_be_empty(void **state)
{
	struct cgroup cg;

	(void)state;
	need_cgroups();
	(void)made_with(NULL);
	assert_int_equal(cgroup_make(&paths, &arena, &cg, &e), -1);
	assert_int_equal(e.code, ERR_STATE);
	assert_non_null(strstr(e.text, "container's cgroup is not empty: 1 process(es) found"));
	assert_int_equal(count_pids(), 1);
	good(cgroup_kill(&paths, &arena, &e));
	cg = made();
	cgroup_close(&cg);
}

static void what_was_made_before_a_failure_is_removed(void **state)
{
	struct cgroup_path item[CGROUP_V1_MAX + 2];
	struct cgroup_paths more = {.item = item};
	struct cgroup cg;

	(void)state;
	need_cgroups();
	place(arena_format(&arena, &e, "%s/a/b", name));
	memcpy(item, paths.item, paths.count * sizeof(*item));
	item[paths.count] = (struct cgroup_path){"none", "/proc/creel-test/x"};
	more.count = paths.count + 1;
	assert_int_equal(cgroup_make(&more, &arena, &cg, &e), -1);
	assert_string_equal(e.text, "unable to apply cgroup configuration: mkdir /proc/creel-test: no such file or "
				    "directory");
	place(name);
	for (size_t i = 0; i < paths.count; i++)
		assert_false(exists(&paths.item[i]));
}

static void cpusets_are_inherited_through_new_levels(void **state)
{
	char ours[4096], root[4096];
	struct cgroup cg;

	(void)state;
	need_v1("cpuset");
	place(arena_format(&arena, &e, "%s/a/b", name));
	cg = made();
	cgroup_close(&cg);
	assert_true(knob_read(CGROUP_ROOT "/cpuset", "cpuset.cpus", root, sizeof(root)) > 0);
	assert_true(knob_read(paths_find(&paths, "cpuset"), "cpuset.cpus", ours, sizeof(ours)) > 0);
	assert_string_equal(ours, root);
}

/* ---- settings ---------------------------------------------------------------------------------------------- */

static int set(const char *controller, const char *file, const char *value)
{
	const struct cgroup_setting setting = {
		.name = controller, .file = file, .value = value, .pointer = "/linux/resources/x"};

	return cgroup_write(&paths, &setting, &e);
}

static const char *get(const char *controller, const char *file)
{
	static char text[64];

	assert_true(knob_read(paths_find(&paths, controller), file, text, sizeof(text)) >= 0);
	return text;
}

static void settings_are_written(void **state)
{
	struct cgroup cg;

	(void)state;
	need_v1("pids");
	cg = made();
	cgroup_close(&cg);
	good(set("pids", "pids.max", "17"));
	assert_string_equal(get("pids", "pids.max"), "17");
	assert_int_equal(set("pids", "pids.max", "many"), -1);
	assert_int_equal(e.sys, EINVAL);
	assert_string_equal(e.pointer, "/linux/resources/x");
	assert_string_equal(e.text, arena_format(&arena, &e, "failed to write \"many\": write %s/pids.max: "
						 "invalid argument", paths_find(&paths, "pids")));
	assert_int_equal(set("nothing", "x.y", "1"), -1);
	assert_string_equal(e.text, "the container is in no cgroup of controller \"nothing\"");
}

static void a_missing_file_may_have_a_stand_in(void **state)
{
	const struct cgroup_setting other = {.name = "pids", .file = "pids.max", .value = "21", .pointer = "/x"};
	const struct cgroup_setting first = {
		.name = "pids", .file = "no.such", .value = "1", .pointer = "/x", .otherwise = &other};
	const struct cgroup_setting optional = {
		.name = "pids", .file = "no.such", .value = "1", .pointer = "/x", .optional = true};
	struct cgroup cg;

	(void)state;
	need_v1("pids");
	cg = made();
	cgroup_close(&cg);
	good(cgroup_write(&paths, &first, &e));
	assert_string_equal(get("pids", "pids.max"), "21");
	good(cgroup_write(&paths, &optional, &e));
	assert_int_equal(set("pids", "no.such", "1"), -1);
	assert_int_equal(e.sys, ENOENT);
}

static void an_update_finds_the_order(void **state)
{
	static struct cgroup_setting rows[] = {
		{.name = "memory", .file = "memory.limit_in_bytes", .value = "10485760", .pointer = "/a"},
		{.name = "memory", .file = "memory.memsw.limit_in_bytes", .value = "20971520", .pointer = "/b"},
	};
	const struct cgroup_settings settings = {rows, 2};
	struct cgroup cg;

	(void)state;
	need_v1("memory");
	cg = made();
	cgroup_close(&cg);
	if (access(arena_format(&arena, &e, "%s/%s", paths_find(&paths, "memory"), rows[1].file), F_OK))
		need(false, "swap accounting");
	good(cgroup_update(&paths, &settings, &arena, &e));
	rows[0].value = "31457280"; /* above the old limit with swap */
	rows[1].value = "41943040";
	good(cgroup_update(&paths, &settings, &arena, &e));
	assert_string_equal(get("memory", rows[1].file), "41943040");
	rows[0].value = "10485760";
	rows[1].value = "10485760"; /* below the old limit */
	good(cgroup_update(&paths, &settings, &arena, &e));
	assert_string_equal(get("memory", rows[0].file), "10485760");
	rows[1].value = "4096"; /* below the new one */
	assert_int_equal(cgroup_update(&paths, &settings, &arena, &e), -1);
	assert_string_equal(e.pointer, "/b");
}

static void use_memory(void)
{
	size_t size = 8 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	memset(memory, 1, size);
}

static void a_limit_below_usage_says_so(void **state)
{
	(void)state;
	need_v1("memory");
	(void)made_with(use_memory);
	while (knob_number(paths_find(&paths, "memory"), "memory.usage_in_bytes") < 8 << 20)
		(void)sched_yield();
	assert_int_equal(set("memory", "memory.limit_in_bytes", "4096"), -1);
	assert_int_equal(e.sys, EBUSY);
	assert_non_null(strstr(e.text, "unable to set memory limit to 4096 (current usage: "));
	assert_non_null(strstr(e.text, ", peak usage: "));
}

/* ---- controllers of version 2 ------------------------------------------------------------------------------ */

static void need_v2(void)
{
	need(host.layout == CGROUP_V2, "version 2 alone");
}

/* A controller that the view has; the machine's version 1 hierarchies keep the others. */
static const char *available(char list[512])
{
	assert_true(knob_read(CGROUP_ROOT, "cgroup.controllers", list, 512) >= 0);
	list[strcspn(list, " ")] = '\0';
	need(*list, "a version 2 controller");
	return list;
}

static void controllers_are_enabled_down_to_the_container(void **state)
{
	char ours[512], machine[512];
	struct cgroup cg;

	(void)state;
	need_v2();
	place(arena_format(&arena, &e, "%s/a/b", name));
	cg = made();
	cgroup_close(&cg);
	assert_true(knob_read(CGROUP_ROOT, "cgroup.controllers", machine, sizeof(machine)) >= 0);
	assert_true(knob_read(paths.item[0].path, "cgroup.controllers", ours, sizeof(ours)) >= 0);
	assert_string_equal(ours, machine);
}

static void a_controller_that_is_not_there_is_named(void **state)
{
	struct cgroup cg;

	(void)state;
	need_v2();
	cg = made();
	cgroup_close(&cg);
	assert_int_equal(set("", "nothing.max", "1"), -1);
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_string_equal(e.text, "cgroup controller \"nothing\" is not available in /sys/fs/cgroup");
	assert_string_equal(e.hint,
			    "the kernel was built or booted without it, or a version 1 hierarchy holds it");
}

static void a_parent_with_processes_is_named(void **state)
{
	char list[512];
	struct cgroup cg;
	const char *file, *parent;

	(void)state;
	need_v2();
	file = arena_format(&arena, &e, "%s.no-such-file", available(list));
	(void)made_with(NULL);
	parent = paths.item[0].path;
	place(arena_format(&arena, &e, "%s/child", name));
	cg = made();
	cgroup_close(&cg);
	assert_int_equal(set("", file, "1"), -1);
	assert_int_equal(e.sys, EBUSY);
	assert_string_equal(e.text, arena_format(&arena, &e, "enable cgroup controller \"%s\" in "
						 "%s/cgroup.subtree_control: device or resource busy", list, parent));
	assert_int_equal(strncmp(e.hint, parent, strlen(parent)), 0);
}

static void a_threaded_ancestor_is_named(void **state)
{
	char list[512];
	struct cgroup cg;
	const char *file, *parent;

	(void)state;
	need_v2();
	file = arena_format(&arena, &e, "%s.no-such-file", available(list));
	cg = made();
	cgroup_close(&cg);
	parent = paths.item[0].path;
	place(arena_format(&arena, &e, "%s/threaded", name));
	assert_int_equal(mkdir(paths.item[0].path, 0755), 0);
	assert_int_equal(knob_write(paths.item[0].path, "cgroup.type", "threaded"), 0);
	place(arena_format(&arena, &e, "%s/threaded/child", name));
	cg = made();
	cgroup_close(&cg);
	assert_string_equal(get("", "cgroup.type"), "threaded");
	assert_int_equal(set("", file, "1"), -1);
	assert_string_equal(e.text, arena_format(&arena, &e, "cannot enter cgroupv2 \"%s\" with domain controllers "
						 "-- it is in domain threaded mode", parent));
}

/* ---- freezing ---------------------------------------------------------------------------------------------- */

static volatile unsigned *counter;

static void count_up(void)
{
	for (;;)
		++*counter;
}

static bool counts(void)
{
	unsigned before = *counter;
	double end = seconds() + 0.05;

	while (seconds() < end && *counter == before)
		(void)sched_yield();
	return *counter != before;
}

static void freezes_and_thaws(void **state)
{
	struct cgroup cg;
	bool frozen;

	(void)state;
	need_cgroups();
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	(void)made_with(count_up);
	good(cgroup_frozen(&paths, &frozen, &e));
	assert_false(frozen);
	good(cgroup_freeze(&paths, true, &e));
	assert_false(counts());
	good(cgroup_frozen(&paths, &frozen, &e));
	assert_true(frozen);
	good(cgroup_freeze(&paths, false, &e));
	good(cgroup_frozen(&paths, &frozen, &e));
	assert_false(frozen);
	assert_true(counts());
	good(cgroup_freeze(&paths, true, &e));
	good(cgroup_kill(&paths, &arena, &e));
	assert_int_equal(count_pids(), 0);
	good(cgroup_remove(&paths, &arena, &e));
	good(cgroup_frozen(&paths, &frozen, &e));
	assert_false(frozen);
	assert_int_equal(cgroup_freeze(&paths, true, &e), -1);
	assert_int_equal(e.sys, ENOENT);
	/* An empty one can be left frozen. */
	cg = made();
	cgroup_close(&cg);
	good(cgroup_freeze(&paths, true, &e));
	assert_int_equal(cgroup_make(&paths, &arena, &cg, &e), -1);
	assert_non_null(strstr(e.text, "container's cgroup unexpectedly frozen"));
	good(cgroup_freeze(&paths, false, &e));
}

/* ---- the end ----------------------------------------------------------------------------------------------- */

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
	good(cgroup_kill(&paths, &arena, &e));
	assert_true(seconds() - start < 9);
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&paths, &arena, &e));
}

/* Version 1 without its unified side, as on a machine that has none: only pidfds and the freezer help. */
static void a_fork_bomb_is_killed_without_cgroup_kill(void **state)
{
	struct cgroup_paths all;
	struct cgroup cg;
	pid_t pid;

	(void)state;
	need_v1("pids");
	cg = made();
	good(set("pids", "pids.max", "100"));
	all = paths;
	for (size_t i = 0; i < paths.count; i++)
		if (!*paths.item[i].name)
			paths.count = i; /* it comes last */
	pid = spawn(&cg, fork_on);
	cgroup_close(&cg);
	while (count_pids() < 50)
		(void)sched_yield();
	good(cgroup_kill(&paths, &arena, &e));
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&all, &arena, &e));
}

/* What a container does that runs containers: cgroups of its own, with processes in them. */
static void nest(void)
{
	for (int i = 0; i < 3; i++) {
		for (size_t k = 0; k < paths.count; k++) {
			const char *child = arena_format(&arena, &e, "%s/%d/deep", paths.item[k].path, i);
			char *slash = strrchr(child, '/');

			if (paths_repeat(&paths, k))
				continue;
			*slash = '\0';
			(void)mkdir(child, 0755);
			*slash = '/';
			(void)mkdir(child, 0755);
			if (!strcmp(paths.item[k].name, "devices") || !*paths.item[k].name)
				if (!fork()) {
					(void)knob_write(child, "cgroup.procs", "0");
					for (;;)
						(void)pause();
				}
		}
	}
}

static void nested_groups_go_too(void **state)
{
	size_t want = 1;

	(void)state;
	need_cgroups();
	for (size_t k = 0; k < paths.count; k++)
		want += !strcmp(paths.item[k].name, "devices") || !*paths.item[k].name ? 3 : 0;
	(void)made_with(nest);
	while (count_pids() < want)
		(void)sched_yield();
	good(cgroup_kill(&paths, &arena, &e));
	assert_int_equal(count_pids(), 0);
	good(cgroup_remove(&paths, &arena, &e));
	for (size_t i = 0; i < paths.count; i++)
		assert_false(exists(&paths.item[i]));
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
	good(cgroup_remove(&paths, &arena, &e));
	assert_true(seconds() - start < 2);
	for (size_t i = 0; i < paths.count; i++)
		assert_false(exists(&paths.item[i]));
}

static void a_very_deep_tree_is_removed(void **state)
{
	const char *top;
	int fd;

	(void)state;
	need_cgroups();
	top = paths.item[paths.count - 1].path; /* one hierarchy will do */
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
	good(cgroup_remove(&paths, &arena, &e));
	assert_int_not_equal(access(top, F_OK), 0);
}

#define with_group(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_group(is_made_entered_killed_and_removed),
		with_group(enters_every_hierarchy),
		with_group(an_existing_one_must_be_empty),
		with_group(what_was_made_before_a_failure_is_removed),
		with_group(cpusets_are_inherited_through_new_levels),
		with_group(settings_are_written),
		with_group(a_missing_file_may_have_a_stand_in),
		with_group(an_update_finds_the_order),
		with_group(a_limit_below_usage_says_so),
		with_group(controllers_are_enabled_down_to_the_container),
		with_group(a_controller_that_is_not_there_is_named),
		with_group(a_parent_with_processes_is_named),
		with_group(a_threaded_ancestor_is_named),
		with_group(freezes_and_thaws),
		with_group(a_fork_bomb_is_killed),
		with_group(a_fork_bomb_is_killed_without_cgroup_kill),
		with_group(nested_groups_go_too),
		with_group(removing_waits_for_the_dying),
		with_group(a_very_deep_tree_is_removed),
	};
	int failed = cmocka_run_group_tests_name("layout of the machine", tests, find_layout, forget_layout);

	return failed + cmocka_run_group_tests_name("version 2 alone", tests, find_version_2, forget_layout);
}
