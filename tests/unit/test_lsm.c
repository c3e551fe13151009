/*
 * Labels for security modules: what is written where, in a /proc that is played by a directory.
 * That they do what they say is for a machine that has the module (tests/run/test_labels.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "scratch.h"
#include "security/lsm.h"

#define LABEL "system_u:system_r:container_t:s0:c1,c2"

/* A /proc whose own process is number 42, with empty files for the labels. */
static int open_proc(void)
{
	scratch_directory("proc");
	scratch_directory("proc/42");
	scratch_directory("proc/42/attr");
	scratch_directory("proc/42/attr/apparmor");
	scratch_link("proc/self", "42");
	scratch_file("proc/42/attr/apparmor/exec", "");
	scratch_file("proc/42/attr/exec", "");
	scratch_file("proc/42/attr/keycreate", "");
	return fd_open(scratch_name("proc"), O_PATH | O_DIRECTORY);
}

static const char *content(const char *name)
{
	return scratch_read(scratch_name(name));
}

static void a_profile_is_written_to_its_own_file(void **state)
{
	_close_ int proc = open_proc();

	(void)state;
	assert_int_equal(lsm_apparmor_on_exec(proc, "docker-default", &scratch_err), 0);
	assert_string_equal(content("proc/42/attr/apparmor/exec"), "exec docker-default");
	assert_string_equal(content("proc/42/attr/exec"), "");
}

static void labels_are_written_as_they_are(void **state)
{
	_close_ int proc = open_proc();

	(void)state;
	assert_int_equal(lsm_selinux_on_exec(proc, LABEL, &scratch_err), 0);
	assert_string_equal(content("proc/42/attr/exec"), LABEL);
	assert_int_equal(lsm_selinux_on_keys(proc, LABEL, &scratch_err), 0);
	assert_string_equal(content("proc/42/attr/keycreate"), LABEL);
	assert_int_equal(lsm_selinux_on_keys(proc, NULL, &scratch_err), 0);
	assert_string_equal(content("proc/42/attr/apparmor/exec"), "");
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
	int proc;

	(void)state;
	scratch_directory("proc");
	scratch_directory("proc/42");
	scratch_link("proc/self", "42");
	proc = fd_open(scratch_name("proc"), O_PATH | O_DIRECTORY);
	assert_int_equal(lsm_apparmor_on_exec(proc, "x", &scratch_err), -1);
	assert_int_equal(lsm_selinux_on_exec(proc, "x", &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
	fd_close(&proc);
}

static void nothing_is_written_behind_a_link(void **state)
{
	_close_ int proc = -1;

	(void)state;
	scratch_directory("proc");
	scratch_directory("proc/42");
	scratch_directory("elsewhere");
	scratch_file("elsewhere/exec", "");
	scratch_link("proc/self", "42");
	scratch_link("proc/42/attr", "../../elsewhere");
	proc = fd_open(scratch_name("proc"), O_PATH | O_DIRECTORY);
	assert_int_equal(lsm_selinux_on_exec(proc, "x", &scratch_err), -1);
	assert_string_equal(content("elsewhere/exec"), "");
}

static void a_long_name_is_refused_whole(void **state)
{
	static char name[5000];
	_close_ int proc = open_proc();

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(lsm_apparmor_on_exec(proc, name, &scratch_err), -1);
	assert_string_equal(content("proc/42/attr/apparmor/exec"), "");
	name[4090] = '\0'; /* "exec ", the name and the end fill the room */
	assert_int_equal(lsm_apparmor_on_exec(proc, name, &scratch_err), 0);
	assert_int_equal(strlen(content("proc/42/attr/apparmor/exec")), 4095);
	assert_string_equal(content("proc/42/attr/apparmor/exec") + 5, name);
}

static const char *with(const char *data, const char *label)
{
	return lsm_mount_data(data, label, &scratch_arena, &scratch_err);
}

static void mount_data_gets_the_label_in_quotes(void **state)
{
	static const char data[] = "mode=755,size=1m";

	(void)state;
	assert_string_equal(with(data, LABEL), "mode=755,size=1m,context=\"" LABEL "\"");
	assert_string_equal(with(NULL, LABEL), "context=\"" LABEL "\"");
	assert_ptr_equal(with(data, NULL), data);
	assert_null(with(NULL, NULL));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(a_profile_is_written_to_its_own_file),
		test(labels_are_written_as_they_are),
		test(a_file_that_is_not_there_is_an_error),
		test(nothing_is_written_behind_a_link),
		test(a_long_name_is_refused_whole),
		test(mount_data_gets_the_label_in_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
