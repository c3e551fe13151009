/*
 * Changing limits: what is completed from the files of version 2, and that a failed change leaves
 * the files as they were. The directories are plain ones; real cgroups are in test_cgroup_act.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "cgroup/cgroup.h"
#include "scratch.h"

static struct cgroup_path place;
static const struct cgroup_paths paths = {&place, 1};
static const struct cgroup_unit no_unit;

static void have(const char *hierarchy)
{
	place = (struct cgroup_path){hierarchy, scratch_path};
}

/* What the file says by now. */
#define says(file, text) assert_string_equal(scratch_read(scratch_name(file)), text)

/* ---- the host -------------------------------------------------------------------------------- */

static void the_paths_tell_the_layout(void **state)
{
	struct cgroup_path two[] = {{"memory", "/m"}, {"", "/u"}};
	struct cgroup_host host;

	(void)state;
	have("");
	assert_false(cgroup_host_of(&paths, &scratch_arena, &host, &scratch_err));
	assert_int_equal(host.layout, CGROUP_V2);
	have("memory");
	assert_false(cgroup_host_of(&paths, &scratch_arena, &host, &scratch_err));
	assert_int_equal(host.layout, CGROUP_V1);
	assert_false(cgroup_host_of(&(struct cgroup_paths){two, 2}, &scratch_arena, &host,
				    &scratch_err));
	assert_int_equal(host.layout, CGROUP_HYBRID);
	assert_string_equal(host.item[0].name, "memory");
	assert_false(cgroup_host_of(&(struct cgroup_paths){NULL, 0}, &scratch_arena, &host,
				    &scratch_err));
	assert_int_equal(host.layout, CGROUP_NONE);
}

/* ---- completing ------------------------------------------------------------------------------ */

static struct spec_resources change;

static int complete(const struct spec_resources *config)
{
	return cgroup_complete(&paths, config, &change, &scratch_err);
}

static void quota_keeps_the_period_and_the_other_way_round(void **state)
{
	(void)state;
	have("");
	scratch_file("cpu.max", "25000 50000\n");
	change = (struct spec_resources){.cpu.quota = {7000, true}};
	assert_false(complete(NULL));
	assert_int_equal(change.cpu.period.value, 50000);
	change = (struct spec_resources){.cpu.period = {9000, true}};
	assert_false(complete(NULL));
	assert_int_equal(change.cpu.quota.value, 25000);
	change = (struct spec_resources){.cpu.burst = {5, true}};
	assert_false(complete(NULL));
	assert_false(change.cpu.quota.set || change.cpu.period.set);
	scratch_file("cpu.max", "max 50000\n");
	change = (struct spec_resources){.cpu.period = {9000, true}};
	assert_false(complete(NULL));
	assert_int_equal(change.cpu.quota.value, -1);
}

static void what_the_file_does_not_say_is_not_made_up(void **state)
{
	static const char *const texts[] = {
		"", "max", "max ", "x 1", "5 x", "5 -1", "99999999999999999999 5"};

	(void)state;
	have("");
	for (size_t i = 0; i < array_len(texts); i++) {
		scratch_file("cpu.max", texts[i]);
		change = (struct spec_resources){.cpu.period = {9000, true}};
		assert_false(complete(NULL));
		assert_false(change.cpu.quota.set);
	}
}

static void memory_and_swap_together_stay_where_they_are(void **state)
{
	(void)state;
	have("");
	scratch_file("memory.max", "1000\n");
	scratch_file("memory.swap.max", "500\n");
	change = (struct spec_resources){.memory.limit = {1200, true}};
	assert_false(complete(NULL));
	assert_int_equal(change.memory.swap.value, 1500);
	change = (struct spec_resources){.memory.limit = {1501, true}};
	assert_int_equal(complete(NULL), -1);
	assert_string_equal(scratch_err.text, "memory+swap limit should be >= memory limit");
	assert_string_equal(scratch_err.pointer, "/linux/resources/memory/limit");
	change = (struct spec_resources){.memory.limit = {-1, true}};
	assert_false(complete(NULL));
	assert_false(change.memory.swap.set);
	scratch_file("memory.swap.max", "max\n");
	change = (struct spec_resources){.memory.limit = {9999, true}};
	assert_false(complete(NULL));
	assert_false(change.memory.swap.set);
}

static void swap_that_was_given_by_itself_moves_with_nothing(void **state)
{
	struct str_pair pair = {"memory.swap.max", "500"};
	const struct spec_resources unified = {.unified = {&pair, 1}};

	(void)state;
	have("");
	scratch_file("memory.max", "1000\n");
	scratch_file("memory.swap.max", "500\n");
	change = (struct spec_resources){.memory.limit = {9999, true}};
	assert_false(complete(&unified));
	assert_false(change.memory.swap.set);
	change = unified;
	change.memory.limit = (struct opt_i64){9999, true};
	assert_false(complete(NULL));
	assert_false(change.memory.swap.set);
}

static void swap_finds_the_limit_of_memory(void **state)
{
	const struct spec_resources checks = {.memory.check_before_update = {true, true}};

	(void)state;
	have("");
	scratch_file("memory.max", "1000\n");
	change = (struct spec_resources){.memory.swap = {1500, true}};
	assert_false(complete(&checks));
	assert_int_equal(change.memory.limit.value, 1000);
	assert_false(change.memory.check_before_update.value);
	scratch_file("memory.max", "max\n");
	change = (struct spec_resources){.memory.swap = {1500, true}};
	assert_false(complete(NULL));
	assert_false(change.memory.limit.set);
}

static void the_check_before_an_update_is_remembered(void **state)
{
	const struct spec_resources checks = {.memory.check_before_update = {true, true}};

	(void)state;
	have("memory");
	change = (struct spec_resources){.memory.limit = {1500, true}};
	assert_false(complete(&checks));
	assert_true(change.memory.check_before_update.value);
	change.memory.check_before_update = (struct opt_bool){false, true};
	assert_false(complete(&checks));
	assert_false(change.memory.check_before_update.value);
}

/* ---- putting back ---------------------------------------------------------------------------- */

/*
 * The last row's file is missing, so that the update fails when all others are written. The files
 * are not of the kernel: what is written stays in front of what was there.
 */
static void update_fails(struct cgroup_setting *rows, size_t count)
{
	const struct cgroup_settings settings = {rows, count};

	for (size_t i = 0; i < count; i++) {
		rows[i].name = "any";
		rows[i].pointer = "/linux/resources/x";
	}
	have("any");
	assert_int_equal(cgroup_update(&paths, &no_unit, &settings, &scratch_arena, &scratch_err),
			 -1);
	assert_int_equal(scratch_err.sys, 2);
	assert_string_equal(scratch_err.hint, "this kernel was built without it");
}

static void a_failed_update_puts_the_old_values_back(void **state)
{
	struct cgroup_setting rows[] = {
		{.file = "pids.max", .value = "17"},
		{.file = "cpu.max", .value = "25000 50000"},
		{.file = "memory.oom_control", .value = "1"},
		{.file = "missing", .value = "1"},
	};

	(void)state;
	scratch_file("pids.max", "max\n");
	scratch_file("cpu.max", "1000000 1000000\n");
	scratch_file("memory.oom_control", "0\n");
	update_fails(rows, array_len(rows));
	says("pids.max", "max\n");
	says("cpu.max", "1000000 1000000\n");
	says("memory.oom_control", "0\n");
}

static void of_a_file_of_devices_only_the_own_line_is_put_back(void **state)
{
	struct cgroup_setting rows[] = {
		{.file = "io.max", .value = "8:1 rbps=5"},
		{.file = "missing", .value = "1"},
	};

	(void)state;
	scratch_file("io.max", "8:16 rbps=12345 wbps=1\n8:1 rbps=77 wbps=max\n");
	update_fails(rows, array_len(rows));
	says("io.max", "8:1 rbps=77 wbps=max=1\n8:1 rbps=77 wbps=max\n");
}

static void a_device_that_had_no_line_has_no_limit_again(void **state)
{
	static const struct {
		const char *file, *value, *undone;
	} cases[] = {
		{"io.max", "8:0 rbps=5", "8:0 rbps=max"},
		{"io.max", "8:0 rbps=5 wiops=1234567", "8:0 rbps=max wiops=max67"},
		{"io.weight", "8:0 5", "8:0 default"},
		{"blkio.bfq.weight_device", "8:0 5", "8:0 default"},
		{"blkio.throttle.read_bps_device", "8:0 5", "8:0 0"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		struct cgroup_setting rows[] = {
			{.file = cases[i].file, .value = cases[i].value},
			{.file = "missing", .value = "1"},
		};

		scratch_file(cases[i].file, "");
		update_fails(rows, array_len(rows));
		says(cases[i].file, cases[i].undone);
	}
}

static void every_line_of_a_value_is_put_back(void **state)
{
	struct cgroup_setting rows[] = {
		{.file = "io.max", .value = "8:0 rbps=5\n8:1 rbps=6"},
		{.file = "missing", .value = "1"},
	};

	(void)state;
	/* Each write overwrites the one before: at last the second old line stands in front. */
	scratch_file("io.max", "8:0 rbps=1\n8:1 rbps=2\n8:2 rbps=3\n");
	update_fails(rows, array_len(rows));
	says("io.max", "8:1 rbps=2\n8:1 rbps=2\n8:2 rbps=3\n");
}

static void a_stand_in_is_put_back_too(void **state)
{
	const struct cgroup_setting other = {.name = "any",
					     .file = "io.weight",
					     .value = "500",
					     .pointer = "/linux/resources/x"};
	struct cgroup_setting rows[] = {
		{.file = "io.bfq.weight", .value = "50", .otherwise = &other},
		{.file = "missing", .value = "1"},
	};

	(void)state;
	scratch_file("io.weight", "100");
	update_fails(rows, array_len(rows));
	says("io.weight", "100");
}

#define each(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(the_paths_tell_the_layout),
		each(quota_keeps_the_period_and_the_other_way_round),
		each(what_the_file_does_not_say_is_not_made_up),
		each(memory_and_swap_together_stay_where_they_are),
		each(swap_that_was_given_by_itself_moves_with_nothing),
		each(swap_finds_the_limit_of_memory),
		each(the_check_before_an_update_is_remembered),
		each(a_failed_update_puts_the_old_values_back),
		each(of_a_file_of_devices_only_the_own_line_is_put_back),
		each(a_device_that_had_no_line_has_no_limit_again),
		each(every_line_of_a_value_is_put_back),
		each(a_stand_in_is_put_back_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
