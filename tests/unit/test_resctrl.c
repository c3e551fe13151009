/*
 * resctrl, in a tree of plain files that stands for it: what is looked for, made, compared,
 * written, joined and removed. A plain directory does not get its files by itself, so groups are
 * there before where their files matter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "scratch.h"
#include "sys/resctrl.h"

static void a_group(const char *name)
{
	scratch_directory(name);
	scratch_file(arena_format(&scratch_arena, &scratch_err, "%s/tasks", name), "");
	scratch_file(arena_format(&scratch_arena, &scratch_err, "%s/schemata", name),
		     "    MB:0=100;1=100\n    L3:0=fffff;1=00ff\n");
	scratch_directory(arena_format(&scratch_arena, &scratch_err, "%s/mon_groups", name));
}

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	scratch_file("schemata", "L3:0=fffff;1=fffff\n");
	scratch_file("tasks", "");
	scratch_directory("info");
	scratch_directory("mon_groups");
	return 0;
}

static struct resctrl_group group_of(const char *name)
{
	return (struct resctrl_group){.root = scratch_path, .path = scratch_name(name)};
}

static int make(const struct resctrl_group *group)
{
	return resctrl_make(group, &scratch_arena, &scratch_err);
}

static const char *content(const char *name)
{
	return scratch_read(scratch_name(name));
}

static bool is_there(const char *name)
{
	struct stat st;

	return !stat(scratch_name(name), &st);
}

/* ---- what there is ----------------------------------------------------------------------------
 */

static void the_machine_is_looked_at(void **state)
{
	struct resctrl_host host = resctrl_detect(scratch_path);

	(void)state;
	assert_true(host.mounted);
	assert_false(host.l3);
	assert_false(host.mb);
	scratch_directory("info/L3CODE");
	scratch_directory("info/MB");
	host = resctrl_detect(scratch_path);
	assert_true(host.l3);
	assert_true(host.mb);
	/* a directory that is there, but with nothing mounted on it */
	assert_false(resctrl_detect(scratch_name("info")).mounted);
	assert_false(resctrl_detect(scratch_name("nowhere")).mounted);
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static void schemata_are_compared_by_what_they_say(void **state)
{
	static const struct {
		const char *wanted;
		bool in_force;
	} rows[] = {
		{"L3:0=fffff;1=ff\n", true},
		{"L3:0=fffff\n", true},
		{"L3: 1 = 0FF ; 0 = FFFFF\n", true},
		{"L3:0=fffff;1=ff\nMB:1=100\n", true},
		{"MB:0=100", true},
		{"\n\nMB:0=0100;\n", true},
		{"", true},
		{"L3:0=ffff\n", false},
		{"L3:2=ff\n", false},
		{"L3:0=fffff;1=f\n", false},
		{"MB:0=10\n", false},
		{"L2:0=f\n", false},
		{"L3:0\n", false},
		{"L3CODE:0=fffff\n", false},
		{"L3:0=fffff\nMB:0=10\n", false},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		if (resctrl_in_force("    MB:0=100;1=100\n    L3:0=fffff;1=00ff\n",
				     rows[i].wanted) != rows[i].in_force)
			fail_msg("\"%s\"", rows[i].wanted);
}

/* ---- making -----------------------------------------------------------------------------------
 */

static void an_own_group_gets_its_schemata(void **state)
{
	struct resctrl_group group = group_of("box");

	(void)state;
	a_group("box");
	group.own = true;
	group.schemata = "L3:0=f\nMB:0=20\n";
	assert_int_equal(make(&group), 0);
	assert_int_equal(strncmp(content("box/schemata"), group.schemata, 15), 0);
}

static void an_own_group_without_schemata_is_made_all_the_same(void **state)
{
	struct resctrl_group group = group_of("box");

	(void)state;
	group.own = true;
	assert_int_equal(make(&group), 0);
	assert_true(is_there("box"));
}

static void a_shared_group_must_have_what_is_asked_for(void **state)
{
	struct resctrl_group group = group_of("shared");

	(void)state;
	a_group("shared");
	group.schemata = "L3:0=fffff;1=ff\n";
	assert_int_equal(make(&group), 0);
	group.schemata = "L3:0=f\n";
	assert_int_equal(make(&group), -1);
	assert_non_null(strstr(scratch_err.text, "do not match"));
	/* it belongs to others: it was neither written nor removed */
	assert_int_equal(strncmp(content("shared/schemata"), "    MB:", 7), 0);
}

static void a_group_without_schemata_must_be_there(void **state)
{
	struct resctrl_group group = group_of("given");

	(void)state;
	assert_int_equal(make(&group), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
	assert_int_equal(strncmp(scratch_err.text, "clos dir not accessible", 23), 0);
	assert_false(is_there("given"));
	a_group("given");
	assert_int_equal(make(&group), 0);
}

static void the_default_group_is_always_there(void **state)
{
	struct resctrl_group group = {.root = scratch_path, .path = scratch_path};

	(void)state;
	group.monitor = scratch_name("mon_groups/box");
	assert_int_equal(make(&group), 0);
	assert_true(is_there("mon_groups/box"));
	assert_int_equal(resctrl_remove(group.monitor, NULL, &scratch_err), 0);
	assert_false(is_there("mon_groups/box"));
}

static void the_kernels_words_are_in_the_error(void **state)
{
	struct resctrl_group group = group_of("new");

	(void)state;
	group.schemata = "L3:0=0\n"; /* a new directory has no schemata here: that is refused */
	scratch_file("info/last_cmd_status", "Mask is empty\n");
	assert_int_equal(make(&group), -1);
	assert_non_null(strstr(scratch_err.text, "set the schemata of"));
	assert_string_equal(scratch_err.hint, "resctrl says: Mask is empty");
	assert_false(is_there("new")); /* what was made is taken back */
}

static void a_monitoring_group_that_cannot_be_made(void **state)
{
	struct resctrl_group group = group_of("box");

	(void)state;
	group.own = true;
	group.monitor = scratch_name("box/mon_groups/box");
	assert_int_equal(make(&group), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
	assert_false(is_there("box"));
}

/* ---- joining ----------------------------------------------------------------------------------
 */

static void the_caller_is_written_into_both(void **state)
{
	struct resctrl_group group = group_of("box");
	struct resctrl_tasks tasks = RESCTRL_CLOSED;
	size_t before = scratch_open_files();

	(void)state;
	a_group("box");
	group.monitor = scratch_name("box/mon_groups/box");
	a_group("box/mon_groups/box");
	assert_int_equal(resctrl_open(&group, &tasks, &scratch_err), 0);
	assert_int_equal(resctrl_join(&tasks, &scratch_err), 0);
	resctrl_close(&tasks);
	assert_string_equal(content("box/tasks"), "0");
	assert_string_equal(content("box/mon_groups/box/tasks"), "0");
	assert_int_equal(scratch_open_files(), before);
}

static void a_group_that_is_gone_is_passed_over(void **state)
{
	struct resctrl_group group = group_of("box");
	struct resctrl_tasks tasks = RESCTRL_CLOSED;

	(void)state;
	assert_int_equal(resctrl_open(&group, &tasks, &scratch_err), 0);
	assert_int_equal(tasks.group, -1);
	assert_int_equal(resctrl_join(&tasks, &scratch_err), 0);
}

static void a_directory_that_is_no_group(void **state)
{
	struct resctrl_group group = group_of("box");
	struct resctrl_tasks tasks = RESCTRL_CLOSED;
	size_t before = scratch_open_files();

	(void)state;
	a_group("box");
	group.monitor = scratch_name("info");
	assert_int_equal(resctrl_open(&group, &tasks, &scratch_err), -1);
	assert_int_equal(scratch_open_files(), before);
}

/* ---- the end ----------------------------------------------------------------------------------
 */

static void removing_takes_what_is_there(void **state)
{
	(void)state;
	scratch_directory("box");
	assert_int_equal(resctrl_remove(NULL, scratch_name("box"), &scratch_err), 0);
	assert_false(is_there("box"));
	assert_int_equal(resctrl_remove(scratch_name("x/y"), scratch_name("box"), &scratch_err), 0);
	assert_int_equal(resctrl_remove(NULL, scratch_name("schemata"), &scratch_err), -1);
	assert_non_null(strstr(scratch_err.text, "unable to remove the resctrl group"));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(the_machine_is_looked_at),
		test(schemata_are_compared_by_what_they_say),
		test(an_own_group_gets_its_schemata),
		test(an_own_group_without_schemata_is_made_all_the_same),
		test(a_shared_group_must_have_what_is_asked_for),
		test(a_group_without_schemata_must_be_there),
		test(the_default_group_is_always_there),
		test(the_kernels_words_are_in_the_error),
		test(a_monitoring_group_that_cannot_be_made),
		test(the_caller_is_written_into_both),
		test(a_group_that_is_gone_is_passed_over),
		test(a_directory_that_is_no_group),
		test(removing_takes_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
