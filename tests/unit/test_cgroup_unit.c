/*
 * What is asked of systemd, and what its answers lead to. systemd is played by a script; the real
 * one has its turn in tests/run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cgroup/unit.h"
#include "dbus_server.h"
#include "scratch.h"

#define JOB "/org/freedesktop/systemd1/job/58"
#define UNIT_EXISTS "org.freedesktop.systemd1.UnitExists"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"

/* How the usual calls go. */
#define MATCH \
	{ \
		.member = "AddMatch", .holds = "member='JobRemoved'" \
	}
#define RESET \
	{ \
		.member = "ResetFailedUnit", .holds = "runc-box.scope" \
	}
#define REMOVED(who, job, result) \
	{ \
		.sender = who, .member = "JobRemoved", .signature = "uoss", .text = { \
			"58", \
			job, \
			"runc-box.scope", \
			result \
		} \
	}

static struct cgroup_property properties[] = {
	{.name = "Description", .value = {.type = "s", .text = "a box"}},
	{.name = "OOMPolicy", .value = {.type = "s", .text = "kill"}, .optional = true},
	{.name = "CPUWeight", .value = {.type = "t", .number = 0}, .optional = true},
};

static struct cgroup_unit unit_of_user(const char *name)
{
	return (struct cgroup_unit){.name = name, .bus = dbus_server_address()};
}

static int start_named(const char *name)
{
	const struct cgroup_properties all = {properties, array_len(properties)};
	const struct cgroup_unit unit = unit_of_user(name);
	size_t open = scratch_open_files();
	int failed = cgroup_unit_start(&unit, &all, 4711, &scratch_arena, &scratch_err);

	assert_int_equal(scratch_open_files(), open);
	dbus_server_finish();
	return failed;
}

static int start(void)
{
	return start_named("runc-box.scope");
}

static void a_unit_is_started_around_a_process(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .holds = "PIDs",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB, "done")},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), 0);
}

static void only_the_end_of_our_job_counts(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .before = REMOVED(NULL, JOB, "canceled"), /* an old one: numbers come again */
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB "0", "failed")},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), -1);
	assert_non_null(strstr(scratch_err.text, "closed the connection"));
}

static void signals_of_others_do_not_count(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(":1.666", JOB, "done")},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), -1);
	assert_non_null(strstr(scratch_err.text, "closed the connection"));
}

static void a_job_that_fails_is_told_and_cleared_away(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB, "failed")},
		RESET,
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), -1);
	assert_string_equal(scratch_err.text,
			    "error creating systemd unit `runc-box.scope`: got `failed`");
}

static void what_is_left_of_a_failed_unit_is_cleared_away(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit", .error = UNIT_EXISTS, .text = {"it was loaded"}},
		RESET,
		{.member = "StartTransientUnit",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB, "done")},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), 0);
}

static void a_unit_in_use_is_an_error(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit", .error = UNIT_EXISTS, .text = {"it was loaded"}},
		{.member = "ResetFailedUnit", .error = NO_SUCH_UNIT, .text = {"not failed"}},
		{.member = "StartTransientUnit", .error = UNIT_EXISTS, .text = {"it was loaded"}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), -1);
	assert_string_equal(scratch_err.text,
			    "unable to start unit \"runc-box.scope\": it was loaded");
}

static void a_slice_may_be_there_and_takes_no_process(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .lacks = "PIDs",
		 .error = UNIT_EXISTS,
		 .text = {"it was loaded"}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start_named("a-b.slice"), 0);
}

static void an_old_systemd_is_asked_without_what_it_does_not_know(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .holds = "OOMPolicy",
		 .error = "org.freedesktop.DBus.Error.PropertyReadOnly",
		 .text = {"Cannot set property OOMPolicy, or unknown property."}},
		{.member = "StartTransientUnit",
		 .lacks = "OOMPolicy",
		 .holds = "CPUWeight",
		 .error = "org.freedesktop.DBus.Error.InvalidArgs",
		 .text = {"Value specified in CPUWeight is out of range"}},
		{.member = "StartTransientUnit",
		 .lacks = "CPUWeight",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB, "done")},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), 0);
}

static void what_must_be_is_not_left_out(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StartTransientUnit",
		 .error = "org.freedesktop.DBus.Error.PropertyReadOnly",
		 .text = {"Cannot set property Description, or unknown property."}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(start(), -1);
	assert_non_null(strstr(scratch_err.text, "Cannot set property Description"));
}

static void no_systemd_is_an_error(void **state)
{
	const struct cgroup_unit unit = unit_of_user("runc-box.scope");
	const struct cgroup_properties none = {0};

	(void)state;
	assert_int_equal(cgroup_unit_start(&unit, &none, 1, &scratch_arena, &scratch_err), -1);
	assert_true(str_starts(scratch_err.text, "talk to systemd: D-Bus: connect to"));
}

static int stop(void)
{
	const struct cgroup_unit unit = unit_of_user("runc-box.scope");
	int failed = cgroup_unit_stop(&unit, &scratch_arena, &scratch_err);

	dbus_server_finish();
	return failed;
}

static void a_unit_is_stopped_and_forgotten(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StopUnit",
		 .holds = "runc-box.scope",
		 .signature = "o",
		 .text = {JOB},
		 .after = REMOVED(NULL, JOB, "done")},
		{.member = "ResetFailedUnit", .error = NO_SUCH_UNIT, .text = {"gone"}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(stop(), 0);
}

static void a_unit_that_is_gone_needs_no_stop(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StopUnit", .error = NO_SUCH_UNIT, .text = {"not loaded"}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(stop(), 0);
}

static void a_refused_stop_is_an_error(void **state)
{
	static const struct dbus_turn turns[] = {
		MATCH,
		{.member = "StopUnit",
		 .error = "org.freedesktop.DBus.Error.AccessDenied",
		 .text = {"Permission denied"}},
	};

	(void)state;
	dbus_server(turns);
	assert_int_equal(stop(), -1);
	assert_string_equal(scratch_err.text,
			    "unable to stop unit \"runc-box.scope\": Permission denied");
}

static void forgetting_stops_nothing(void **state)
{
	static const struct dbus_turn turns[] = {RESET};
	const struct cgroup_unit unit = unit_of_user("runc-box.scope");

	(void)state;
	dbus_server(turns);
	assert_int_equal(cgroup_unit_forget(&unit, &scratch_arena, &scratch_err), 0);
	dbus_server_finish();
}

static void settings_of_a_unit_that_runs_are_told(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "SetUnitProperties",
		 .holds = "MemoryMax",
		 .lacks = "hugetlb",
		 .error = "org.freedesktop.DBus.Error.PropertyReadOnly",
		 .text = {"Cannot set property AllowedCPUs, or unknown property."}},
		{.member = "SetUnitProperties", .holds = "MemoryMax", .lacks = "AllowedCPUs"},
	};
	struct cgroup_setting list[] = {
		{.name = "", .file = "memory.max", .value = "4096"},
		{.name = "", .file = "cpuset.cpus", .value = "0-3"},
		{.name = "", .file = "hugetlb.2MB.max", .value = "0"},
	};
	const struct cgroup_settings settings = {list, array_len(list)};
	const struct cgroup_settings untold = {list + 2, 1};
	const struct cgroup_unit unit = unit_of_user("runc-box.scope");

	(void)state;
	/* What systemd has no word for it is not even called for. */
	assert_int_equal(cgroup_unit_update(&unit, &untold, &scratch_arena, &scratch_err), 0);
	dbus_server(turns);
	assert_int_equal(cgroup_unit_update(&unit, &settings, &scratch_arena, &scratch_err), 0);
	dbus_server_finish();
}

static void a_process_is_attached_below_the_unit(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "AttachProcessesToUnit", .holds = "/sub", .lacks = "/user.slice"},
	};
	struct cgroup_path path = {"", "/sys/fs/cgroup/user.slice/runc-box.scope/sub"};
	const struct cgroup_paths paths = {&path, 1};
	const struct cgroup_unit unit = unit_of_user("runc-box.scope");

	(void)state;
	dbus_server(turns);
	assert_int_equal(cgroup_unit_attach(&unit, &paths, 4711, &scratch_arena, &scratch_err), 0);
	dbus_server_finish();
}

static void systemd_is_asked_where_it_is(void **state)
{
	static const struct dbus_turn turns[] = {
		{.member = "Get",
		 .holds = "ControlGroup",
		 .signature = "v",
		 .text = {"/user.slice"}},
	};
	const char *root;

	(void)state;
	dbus_server(turns);
	assert_int_equal(unit_find_root(dbus_server_address(), &scratch_arena, &root, &scratch_err),
			 0);
	assert_string_equal(root, "/user.slice");
	dbus_server_finish();
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(a_unit_is_started_around_a_process),
		test(only_the_end_of_our_job_counts),
		test(signals_of_others_do_not_count),
		test(a_job_that_fails_is_told_and_cleared_away),
		test(what_is_left_of_a_failed_unit_is_cleared_away),
		test(a_unit_in_use_is_an_error),
		test(a_slice_may_be_there_and_takes_no_process),
		test(an_old_systemd_is_asked_without_what_it_does_not_know),
		test(what_must_be_is_not_left_out),
		test(no_systemd_is_an_error),
		test(a_unit_is_stopped_and_forgotten),
		test(a_unit_that_is_gone_needs_no_stop),
		test(a_refused_stop_is_an_error),
		test(forgetting_stops_nothing),
		test(settings_of_a_unit_that_runs_are_told),
		test(a_process_is_attached_below_the_unit),
		test(systemd_is_asked_where_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
