/*
 * Real control groups: made, entered, limited and frozen.
 */
#include "cgroup_fixture.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "cgroup/knob.h"

static const struct cgroup_unit no_unit;

/* ---- life ------------------------------------------------------------------------------------ */

static void is_made_entered_killed_and_removed(void **state)
{
	pid_t pid, *pids;
	size_t count;

	(void)state;
	need_cgroups();
	pid = made_with(NULL);
	for (size_t i = 0; i < fx.paths.count; i++)
		assert_true(exists(&fx.paths.item[i]));
	good(cgroup_pids(&fx.paths, &fx.arena, &pids, &count, &fx.e));
	assert_int_equal(count, 1);
	assert_int_equal(pids[0], pid);
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(ending(pid), SIGKILL);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	for (size_t i = 0; i < fx.paths.count; i++)
		assert_false(exists(&fx.paths.item[i]));
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
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
	for (at = text; (at = strstr(at, fx.name)); at++)
		lines++;
	for (size_t i = 0; i < fx.paths.count; i++)
		lines -= !paths_repeat(&fx.paths, i);
	assert_int_equal(lines, 0);
}

static void one_removed_before_it_is_entered_is_told(void **state)
{
	struct cgroup cg;

	(void)state;
	need_v1("pids");
	cg = made();
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(cgroup_join_self(&cg, &fx.e), -1);
	assert_int_equal(fx.e.sys, ENODEV);
	assert_non_null(strstr(fx.e.hint, "removed meanwhile"));
	cgroup_close(&cg);
}

static void an_existing_one_must_be_empty(void **state)
{
	struct cgroup cg;

	(void)state;
	need_cgroups();
	(void)made_with(NULL);
	assert_int_equal(cgroup_make(&fx.paths, &fx.arena, &cg, &fx.e), -1);
	assert_int_equal(fx.e.code, ERR_STATE);
	assert_string_equal(fx.e.text, "container's cgroup is not empty: 1 process(es) found");
	assert_int_equal(count_pids(), 1);
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
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
	place(arena_format(&fx.arena, &fx.e, "%s/a/b", fx.name));
	memcpy(item, fx.paths.item, fx.paths.count * sizeof(*item));
	item[fx.paths.count] = (struct cgroup_path){"none", "/proc/creel-test/x"};
	more.count = fx.paths.count + 1;
	assert_int_equal(cgroup_make(&more, &fx.arena, &cg, &fx.e), -1);
	assert_string_equal(
		fx.e.text,
		"unable to apply cgroup configuration: mkdir /proc/creel-test: no such file or "
		"directory");
	place(fx.name);
	for (size_t i = 0; i < fx.paths.count; i++)
		assert_false(exists(&fx.paths.item[i]));
}

static void cpusets_are_inherited_through_new_levels(void **state)
{
	char ours[4096], root[4096];
	struct cgroup cg;

	(void)state;
	need_v1("cpuset");
	place(arena_format(&fx.arena, &fx.e, "%s/a/b", fx.name));
	cg = made();
	cgroup_close(&cg);
	assert_true(knob_read(CGROUP_ROOT "/cpuset", "cpuset.cpus", root, sizeof(root)) > 0);
	assert_true(knob_read(paths_find(&fx.paths, "cpuset"), "cpuset.cpus", ours, sizeof(ours)) >
		    0);
	assert_string_equal(ours, root);
}

/* ---- settings -------------------------------------------------------------------------------- */

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
	assert_int_equal(fx.e.sys, EINVAL);
	assert_string_equal(fx.e.pointer, "/linux/resources/x");
	assert_string_equal(fx.e.text, arena_format(&fx.arena, &fx.e,
						    "failed to write \"many\": write %s/pids.max: "
						    "invalid argument",
						    paths_find(&fx.paths, "pids")));
	assert_int_equal(set("nothing", "x.y", "1"), -1);
	assert_string_equal(fx.e.text, "the container is in no cgroup of controller \"nothing\"");
}

static void a_missing_file_may_have_a_stand_in(void **state)
{
	const struct cgroup_setting other = {
		.name = "pids", .file = "pids.max", .value = "21", .pointer = "/x"};
	const struct cgroup_setting first = {.name = "pids",
					     .file = "no.such",
					     .value = "1",
					     .pointer = "/x",
					     .otherwise = &other};
	const struct cgroup_setting optional = {
		.name = "pids", .file = "no.such", .value = "1", .pointer = "/x", .optional = true};
	struct cgroup cg;

	(void)state;
	need_v1("pids");
	cg = made();
	cgroup_close(&cg);
	good(cgroup_write(&fx.paths, &first, &fx.e));
	assert_string_equal(get("pids", "pids.max"), "21");
	good(cgroup_write(&fx.paths, &optional, &fx.e));
	assert_int_equal(set("pids", "no.such", "1"), -1);
	assert_int_equal(fx.e.sys, ENOENT);
}

static void an_update_finds_the_order(void **state)
{
	static struct cgroup_setting rows[] = {
		{.name = "memory",
		 .file = "memory.limit_in_bytes",
		 .value = "10485760",
		 .pointer = "/a"},
		{.name = "memory",
		 .file = "memory.memsw.limit_in_bytes",
		 .value = "20971520",
		 .pointer = "/b"},
	};
	const struct cgroup_settings settings = {rows, 2};
	struct cgroup cg;

	(void)state;
	need_v1("memory");
	cg = made();
	cgroup_close(&cg);
	if (access(arena_format(&fx.arena, &fx.e, "%s/%s", paths_find(&fx.paths, "memory"),
				rows[1].file),
		   F_OK))
		need(false, "swap accounting");
	good(cgroup_update(&fx.paths, &no_unit, &settings, &fx.arena, &fx.e));
	rows[0].value = "31457280"; /* above the old limit with swap */
	rows[1].value = "41943040";
	good(cgroup_update(&fx.paths, &no_unit, &settings, &fx.arena, &fx.e));
	assert_string_equal(get("memory", rows[1].file), "41943040");
	rows[0].value = "10485760";
	rows[1].value = "10485760"; /* below the old limit */
	good(cgroup_update(&fx.paths, &no_unit, &settings, &fx.arena, &fx.e));
	assert_string_equal(get("memory", rows[0].file), "10485760");
	rows[1].value = "4096"; /* below the new one */
	assert_int_equal(cgroup_update(&fx.paths, &no_unit, &settings, &fx.arena, &fx.e), -1);
	assert_string_equal(fx.e.pointer, "/b");
}

static void use_memory(void)
{
	size_t size = 8 << 20;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	memset(memory, 1, size);
}

static void a_limit_below_usage_says_so(void **state)
{
	(void)state;
	need_v1("memory");
	(void)made_with(use_memory);
	while (knob_number(paths_find(&fx.paths, "memory"), "memory.usage_in_bytes") < 8 << 20)
		(void)sched_yield();
	assert_int_equal(set("memory", "memory.limit_in_bytes", "4096"), -1);
	assert_int_equal(fx.e.sys, EBUSY);
	assert_non_null(strstr(fx.e.text, "unable to set memory limit to 4096 (current usage: "));
	assert_non_null(strstr(fx.e.text, ", peak usage: "));
}

/* ---- controllers of version 2 ---------------------------------------------------------------- */

static void need_v2(void)
{
	need(fx.host.layout == CGROUP_V2, "version 2 alone");
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
	place(arena_format(&fx.arena, &fx.e, "%s/a/b", fx.name));
	cg = made();
	cgroup_close(&cg);
	assert_true(knob_read(CGROUP_ROOT, "cgroup.controllers", machine, sizeof(machine)) >= 0);
	assert_true(knob_read(fx.paths.item[0].path, "cgroup.controllers", ours, sizeof(ours)) >=
		    0);
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
	assert_int_equal(fx.e.code, ERR_UNSUPPORTED);
	assert_string_equal(fx.e.text,
			    "cgroup controller \"nothing\" is not available in /sys/fs/cgroup");
	assert_string_equal(fx.e.hint, "the kernel has it not, or a version 1 hierarchy holds it");
}

static void a_parent_with_processes_is_named(void **state)
{
	char list[512];
	struct cgroup cg;
	const char *file, *parent;

	(void)state;
	need_v2();
	file = arena_format(&fx.arena, &fx.e, "%s.no-such-file", available(list));
	(void)made_with(NULL);
	parent = fx.paths.item[0].path;
	place(arena_format(&fx.arena, &fx.e, "%s/child", fx.name));
	cg = made();
	cgroup_close(&cg);
	assert_int_equal(set("", file, "1"), -1);
	assert_int_equal(fx.e.sys, EBUSY);
	assert_string_equal(fx.e.text,
			    arena_format(&fx.arena, &fx.e,
					 "enable cgroup controller \"%s\" in "
					 "%s/cgroup.subtree_control: device or resource busy",
					 list, parent));
	assert_int_equal(strncmp(fx.e.hint, parent, strlen(parent)), 0);
}

static void a_threaded_ancestor_is_named(void **state)
{
	char list[512];
	struct cgroup cg;
	const char *file, *parent;

	(void)state;
	need_v2();
	file = arena_format(&fx.arena, &fx.e, "%s.no-such-file", available(list));
	cg = made();
	cgroup_close(&cg);
	parent = fx.paths.item[0].path;
	place(arena_format(&fx.arena, &fx.e, "%s/threaded", fx.name));
	assert_int_equal(mkdir(fx.paths.item[0].path, 0755), 0);
	assert_int_equal(knob_write(fx.paths.item[0].path, "cgroup.type", "threaded"), 0);
	place(arena_format(&fx.arena, &fx.e, "%s/threaded/child", fx.name));
	cg = made();
	cgroup_close(&cg);
	assert_string_equal(get("", "cgroup.type"), "threaded");
	assert_int_equal(set("", file, "1"), -1);
	assert_string_equal(fx.e.text,
			    arena_format(&fx.arena, &fx.e,
					 "cannot enter cgroupv2 \"%s\" with domain controllers "
					 "-- it is in domain threaded mode",
					 parent));
}

/* ---- freezing -------------------------------------------------------------------------------- */

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
	good(cgroup_frozen(&fx.paths, &frozen, &fx.e));
	assert_false(frozen);
	good(cgroup_freeze(&fx.paths, true, &fx.e));
	assert_false(counts());
	good(cgroup_frozen(&fx.paths, &frozen, &fx.e));
	assert_true(frozen);
	good(cgroup_freeze(&fx.paths, false, &fx.e));
	good(cgroup_frozen(&fx.paths, &frozen, &fx.e));
	assert_false(frozen);
	assert_true(counts());
	good(cgroup_freeze(&fx.paths, true, &fx.e));
	good(cgroup_kill(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(count_pids(), 0);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	good(cgroup_frozen(&fx.paths, &frozen, &fx.e));
	assert_false(frozen);
	assert_int_equal(cgroup_freeze(&fx.paths, true, &fx.e), -1);
	assert_int_equal(fx.e.sys, ENOENT);
	/* An empty one can be left frozen. */
	cg = made();
	cgroup_close(&cg);
	good(cgroup_freeze(&fx.paths, true, &fx.e));
	assert_int_equal(cgroup_make(&fx.paths, &fx.arena, &cg, &fx.e), -1);
	assert_string_equal(fx.e.text, "container's cgroup unexpectedly frozen");
	good(cgroup_freeze(&fx.paths, false, &fx.e));
}

static void one_in_its_place_is_another(void **state)
{
	struct cgroup cg;
	struct cgroup_path swapped;
	uint64_t before;

	(void)state;
	need_cgroups();
	cg = made();
	cgroup_close(&cg);
	before = cgroup_inode(&fx.paths);
	assert_int_not_equal(before, 0);
	swapped = fx.paths.item[0]; /* a record keeps them in another order */
	fx.paths.item[0] = fx.paths.item[fx.paths.count - 1];
	fx.paths.item[fx.paths.count - 1] = swapped;
	assert_true(cgroup_inode(&fx.paths) == before);
	good(cgroup_remove(&fx.paths, &fx.arena, &fx.e));
	assert_int_equal(cgroup_inode(&fx.paths), 0);
	cg = made();
	cgroup_close(&cg);
	assert_true(cgroup_inode(&fx.paths) && cgroup_inode(&fx.paths) != before);
	assert_int_equal(cgroup_inode(&(struct cgroup_paths){0}), 0);
}

static void paths_of_a_file_may_be_none_of_cgroups(void **state)
{
	static const char *const others[] = {
		"",
		"/",
		"/etc",
		"/sys/fs/cgroup",
		"/sys/fs/cgroups/a",
		"/sys/fs/cgroup/a/../..",
		"/sys/fs/cgroup/../x",
		"sys/fs/cgroup/a",
	};
	struct cgroup_path item[] = {{"", "/sys/fs/cgroup/a..b/..c"}, {"", ""}};

	(void)state;
	assert_true(cgroup_are_paths(&(struct cgroup_paths){item, 1}));
	for (size_t i = 0; i < array_len(others); i++) {
		item[1].path = others[i];
		assert_false(cgroup_are_paths(&(struct cgroup_paths){item, 2}));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_group(is_made_entered_killed_and_removed),
		with_group(enters_every_hierarchy),
		with_group(one_removed_before_it_is_entered_is_told),
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
		with_group(one_in_its_place_is_another),
		with_group(paths_of_a_file_may_be_none_of_cgroups),
	};
	int failed = cmocka_run_group_tests_name("layout of the machine", tests,
						 fixture_find_layout, fixture_forget_layout);

	return failed + cmocka_run_group_tests_name("version 2 alone", tests,
						    fixture_find_version_2, fixture_forget_layout);
}
