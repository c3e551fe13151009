/*
 * Running a hook: what it gets, what its failure tells, and that it cannot hold us up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/hook.h"
#include "scratch.h"
#include "sys/process.h"

static const char state_text[] = "{\"id\":\"box\"}";

/* A hook that runs these lines of sh. Its standard output is for errors alone: it writes files. */
static struct spec_hook hook_of(const char *lines)
{
	scratch_script("hook", lines);
	return (struct spec_hook){.path = scratch_name("hook")};
}

static int run(const struct spec_hook *hook)
{
	return hook_run(hook, HOOK_CREATE_RUNTIME, 2, state_text, scratch_path, &scratch_arena,
			&scratch_err);
}

static int run_lines(const char *lines)
{
	struct spec_hook hook = hook_of(lines);

	return run(&hook);
}

/* What the hook wrote into the file "told". */
static const char *told(void)
{
	const char *text = scratch_read(scratch_name("told"));

	return text ? text : "nothing";
}

#define BEFORE "error running createRuntime hook #2: "

/* ---- what it gets ------------------------------------------------------------------------------
 */

static void the_state_is_on_standard_input(void **state)
{
	(void)state;
	assert_int_equal(run_lines("cat >told"), 0);
	assert_string_equal(told(), state_text);
}

static void a_state_of_any_size_passes(void **state)
{
	char *big = arena_get(&scratch_arena, 1u << 20, &scratch_err);
	struct spec_hook hook = hook_of("wc -c >told");

	(void)state;
	assert_non_null(big);
	memset(big, 'x', (1u << 20) - 1);
	assert_int_equal(
		hook_run(&hook, HOOK_POSTSTOP, 0, big, scratch_path, &scratch_arena, &scratch_err),
		0);
	assert_string_equal(told(), "1048575\n");
	/* Nor must it be read. */
	hook = hook_of("exit 0");
	assert_int_equal(
		hook_run(&hook, HOOK_POSTSTOP, 0, big, scratch_path, &scratch_arena, &scratch_err),
		0);
}

static void the_arguments_are_the_whole_command_line(void **state)
{
	const char *args[] = {"name", "one", "", "two words"};
	struct spec_hook hook = hook_of("");

	(void)state;
	hook.path = "/bin/sh";
	args[1] = "-c";
	args[2] = "echo $0-$# >told";
	hook.args = (struct str_list){args, 4};
	assert_int_equal(run(&hook), 0);
	assert_string_equal(told(), "two words-0\n");
}

/* The state is made of commands here, for a shell that has no other script. */
static void without_arguments_it_has_its_path(void **state)
{
	struct spec_hook hook = {.path = "/bin/sh"};

	(void)state;
	assert_int_equal(hook_run(&hook, HOOK_PRESTART, 0, "echo $0-$# >told", scratch_path,
				  &scratch_arena, &scratch_err),
			 0);
	assert_string_equal(told(), "/bin/sh-0\n");
}

static void an_absent_environment_is_the_callers(void **state)
{
	(void)state;
	assert_int_equal(setenv("OF_THE_CALLER", "yes", 1), 0);
	assert_int_equal(run_lines("echo $OF_THE_CALLER >told"), 0);
	assert_int_equal(unsetenv("OF_THE_CALLER"), 0);
	assert_string_equal(told(), "yes\n");
}

static void a_given_environment_is_all_it_has(void **state)
{
	const char *env[] = {"A=1", "B=two words"};
	struct spec_hook hook = hook_of("tr '\\0' '|' </proc/$$/environ >told");

	(void)state;
	hook.env_given = true;
	hook.env = (struct str_list){env, 2};
	assert_int_equal(run(&hook), 0);
	assert_string_equal(told(), "A=1|B=two words|");
	hook.env.count = 0;
	assert_int_equal(run(&hook), 0);
	assert_string_equal(told(), "");
}

static void it_begins_where_it_is_told_to(void **state)
{
	struct spec_hook hook = hook_of("pwd >$1/told");
	const char *args[] = {"hook", scratch_path};
	char here[256];

	(void)state;
	hook.args = (struct str_list){args, 2};
	assert_int_equal(run(&hook), 0);
	assert_int_equal(strncmp(told(), scratch_path, strlen(scratch_path)), 0);
	assert_int_equal(
		hook_run(&hook, HOOK_PRESTART, 0, state_text, NULL, &scratch_arena, &scratch_err),
		0);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(strncmp(told(), here, strlen(here)), 0);
}

/* Not by a shell, which begins with setting its signals right. */
static void it_has_no_blocked_signals(void **state)
{
	const char *args[] = {"grep", "-q", "SigBlk:.0000000000000000$", "/proc/self/status"};
	struct spec_hook hook = {.path = "/bin/grep", .args = {args, array_len(args)}};
	sigset_t all, old;
	int failed;

	(void)state;
	sigfillset(&all);
	assert_int_equal(sigprocmask(SIG_SETMASK, &all, &old), 0);
	failed = run(&hook);
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	assert_int_equal(failed, 0);
}

static void it_leads_a_session(void **state)
{
	(void)state;
	assert_int_equal(run_lines("test $(cut -d ' ' -f 6 /proc/self/stat) = $$"), 0);
}

static void it_has_none_of_our_descriptors(void **state)
{
	(void)state;
	assert_int_equal(process_cloexec_from(3, &scratch_err), 0); /* those of the test's caller */
	assert_int_equal(run_lines("ls /proc/self/fd >told"), 0);
	assert_string_equal(told(), "0\n1\n2\n3\n"); /* 3: what ls reads */
}

/* ---- how it fails -------------------------------------------------------------------------------
 */

static void a_failure_tells_status_and_output(void **state)
{
	(void)state;
	assert_int_equal(run_lines("echo to out; echo to err >&2; echo; echo; exit 3"), -1);
	assert_string_equal(scratch_err.text,
			    BEFORE "exit status 3, stdout: to out, stderr: to err");
	assert_int_equal(run_lines("exit 255"), -1);
	assert_string_equal(scratch_err.text, BEFORE "exit status 255, stdout: , stderr: ");
}

static void an_end_by_signal_is_told(void **state)
{
	(void)state;
	assert_int_equal(run_lines("kill -9 $$"), -1);
	assert_string_equal(scratch_err.text, BEFORE "signal: killed, stdout: , stderr: ");
}

static void long_output_is_cut(void **state)
{
	(void)state;
	assert_int_equal(run_lines("head -c 1000000 /dev/zero | tr '\\0' o; exit 1"), -1);
	assert_non_null(strstr(scratch_err.text, "stdout: oooooooooo"));
	assert_non_null(strstr(scratch_err.text, "o, stderr: "));
	assert_in_range(strlen(scratch_err.text), 400, 600);
}

static void the_place_of_the_hook_is_told(void **state)
{
	struct spec_hook hook = hook_of("exit 1");

	(void)state;
	assert_int_equal(
		hook_run(&hook, HOOK_POSTSTART, 0, state_text, NULL, &scratch_arena, &scratch_err),
		-1);
	assert_int_equal(strncmp(scratch_err.text, "error running poststart hook #0: ", 33), 0);
}

static void what_cannot_be_executed_is_told(void **state)
{
	struct spec_hook hook = {.path = "/nowhere/hook"};

	(void)state;
	assert_int_equal(run(&hook), -1);
	assert_string_equal(scratch_err.text,
			    BEFORE "fork/exec /nowhere/hook: no such file or directory");
	hook.path = scratch_path;
	assert_int_equal(run(&hook), -1);
	assert_non_null(strstr(scratch_err.text, ": permission denied"));
	scratch_file("text", "");
	hook.path = scratch_name("text");
	assert_int_equal(run(&hook), -1);
	assert_non_null(strstr(scratch_err.text, ": permission denied"));
}

static void a_directory_to_begin_in_must_be_there(void **state)
{
	struct spec_hook hook = hook_of("exit 0");

	(void)state;
	assert_int_equal(hook_run(&hook, HOOK_PRESTART, 0, state_text, scratch_name("nowhere"),
				  &scratch_arena, &scratch_err),
			 -1);
	assert_non_null(strstr(scratch_err.text, "no such file or directory"));
}

/* ---- time --------------------------------------------------------------------------------------
 */

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/*
 * The hook and what it started both hold the writing end of a FIFO open: when it is at its end,
 * both are gone.
 */
static void past_its_timeout_it_and_its_children_are_killed(void **state)
{
	struct spec_hook hook = hook_of("exec 9>fifo; sleep 60 & sleep 60 & wait");
	struct pollfd fifo = {.events = POLLIN};
	double began = seconds();

	(void)state;
	assert_int_equal(mkfifoat(scratch, "fifo", 0600), 0);
	fifo.fd = openat(scratch, "fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	hook.timeout = (struct opt_i64){.value = 1, .set = true};
	assert_int_equal(run(&hook), -1);
	assert_string_equal(scratch_err.text, BEFORE "hook ran past specified timeout of 1.0s");
	assert_in_range((int)(seconds() - began), 1, 10);
	assert_int_equal(poll(&fifo, 1, 5000), 1);
	assert_true(fifo.revents & POLLHUP);
	fd_close(&fifo.fd);
}

static void within_its_timeout_it_is_left_alone(void **state)
{
	struct spec_hook hook = hook_of("echo done >told");

	(void)state;
	hook.timeout = (struct opt_i64){.value = 60, .set = true};
	assert_int_equal(run(&hook), 0);
	assert_string_equal(told(), "done\n");
	hook.timeout.value = 1 << 29; /* milliseconds: 0 in 32 bits */
	assert_int_equal(run(&hook), 0);
	hook.timeout.value = INT64_MAX;
	assert_int_equal(run(&hook), 0);
}

static void what_it_leaves_behind_holds_nobody_up(void **state)
{
	double began = seconds();

	(void)state;
	assert_int_equal(run_lines("sleep 3 & exit 0"), 0);
	assert_true(seconds() - began < 2.5);
}

static void nothing_stays_open(void **state)
{
	size_t before = scratch_open_files();
	struct spec_hook hook = {.path = "/nowhere"};

	(void)state;
	assert_int_equal(run_lines("exit 0"), 0);
	assert_int_equal(run_lines("exit 1"), -1);
	assert_int_equal(run(&hook), -1);
	assert_int_equal(scratch_open_files(), before);
}

/* ---- the state ----------------------------------------------------------------------------------
 */

static void the_state_is_that_of_the_specification(void **state)
{
	struct str_pair pairs[] = {{"a", "\"1\""}};
	struct state_record record = {.oci_version = "1.3.0",
				      .id = "box",
				      .bundle = "/bundle",
				      .annotations = {pairs, 1}};

	(void)state;
	assert_string_equal(
		hook_state(&record, "creating", 77, &scratch_arena, &scratch_err),
		"{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"creating\",\"pid\":77,"
		"\"bundle\":\"/bundle\",\"annotations\":{\"a\":\"\\\"1\\\"\"}}");
	record.annotations.count = 0;
	assert_string_equal(hook_state(&record, "stopped", 0, &scratch_arena, &scratch_err),
			    "{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"stopped\","
			    "\"bundle\":\"/bundle\"}");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(the_state_is_on_standard_input),
		test(a_state_of_any_size_passes),
		test(the_arguments_are_the_whole_command_line),
		test(without_arguments_it_has_its_path),
		test(an_absent_environment_is_the_callers),
		test(a_given_environment_is_all_it_has),
		test(it_begins_where_it_is_told_to),
		test(it_has_no_blocked_signals),
		test(it_leads_a_session),
		test(it_has_none_of_our_descriptors),
		test(a_failure_tells_status_and_output),
		test(an_end_by_signal_is_told),
		test(long_output_is_cut),
		test(the_place_of_the_hook_is_told),
		test(what_cannot_be_executed_is_told),
		test(a_directory_to_begin_in_must_be_there),
		test(past_its_timeout_it_and_its_children_are_killed),
		test(within_its_timeout_it_is_left_alone),
		test(what_it_leaves_behind_holds_nobody_up),
		test(nothing_stays_open),
		test(the_state_is_that_of_the_specification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
