/*
 * creel ps: what of the output of ps(1) is shown. A script in PATH stands in for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli_call.h"
#include "fake_creel.h"
#include "scratch.h"

#define PATH "/usr/bin:/bin"

static int setup(void **state)
{
	char path[512];

	if (scratch_setup(state))
		return -1;
	(void)snprintf(path, sizeof(path), "%s:" PATH, scratch_name(""));
	fake_reset();
	call_environment = (struct environment){0};
	fake_pids[0] = 7;
	fake_pids[1] = 4711;
	fake_pid_count = 2;
	return setenv("PATH", path, 1);
}

static int teardown(void **state)
{
	return setenv("PATH", PATH, 1) || scratch_teardown(state) ? -1 : 0;
}

/* Makes the shell commands of body the program ps. */
static void ps_is(const char *body)
{
	scratch_script("ps", body);
}

static void shows(const char *line, const char *wanted)
{
	struct answer answer = call_line(line);

	assert_string_equal(answer.err, "");
	assert_string_equal(answer.out, wanted);
	assert_int_equal(answer.status, 0);
}

static void fails(const char *line, const char *words)
{
	struct answer answer = call_line(line);

	if (!strstr(answer.err, words))
		fail_msg("\"%s\" is not in \"%s\"", words, answer.err);
	assert_string_equal(answer.out, "");
	assert_int_equal(answer.status, 1);
}

static void json_is_an_array_of_pids(void **state)
{
	(void)state;
	shows("creel ps --format json c1", "[7,4711]\n");
	fake_pid_count = 0;
	shows("creel ps -f=json c1", "null\n");
}

static void the_lines_of_the_container_are_shown(void **state)
{
	(void)state;
	ps_is("echo 'UID   PID  CMD'; echo 'root  47  a'; echo 'root   7  b 4711'; echo;"
	      "echo 'root 4711 c'; printf 'root 471 d'");
	shows("creel ps c1", "UID   PID  CMD\nroot   7  b 4711\nroot 4711 c\n");
	fake_pid_count = 0;
	shows("creel ps c1", "UID   PID  CMD\n");
}

static void the_last_line_may_lack_its_newline(void **state)
{
	(void)state;
	ps_is("printf 'PID\\n\\t7'");
	shows("creel ps c1", "PID\n\t7\n");
	ps_is("printf PID");
	shows("creel ps c1", "PID\n");
}

static void the_callers_options_are_passed_on(void **state)
{
	(void)state;
	ps_is("echo \"PID $*\"");
	shows("creel ps c1", "PID -ef\n");
	shows("creel ps c1 -o pid -f json", "PID -o pid -f json\n");
	shows("creel ps c1 -- aux", "PID aux\n");
}

static void output_of_a_megabyte_is_no_trouble(void **state)
{
	(void)state;
	ps_is("echo PID CMD; echo 7 first; n=0; while [ $n -lt 2000 ]; do n=$((n + 1));"
	      "printf '8 %0600d\\n' 1; done; echo 4711 last");
	shows("creel ps c1", "PID CMD\n7 first\n4711 last\n");
}

static void what_has_no_pid_column_is_refused(void **state)
{
	(void)state;
	ps_is("echo 'UID PPID PIDX'; echo 0 1 2");
	fails("creel ps c1", "msg=\"couldn't find PID field in ps output\"");
	ps_is(":");
	fails("creel ps c1", "msg=\"couldn't find PID field in ps output\"");
}

static void what_is_no_pid_is_refused(void **state)
{
	(void)state;
	ps_is("echo 'STARTED PID'; echo 'Nov xxi 7'");
	fails("creel ps c1", "unable to parse pid: \\\"xxi\\\"");
	ps_is("echo 'CMD PID'; echo 'one'");
	fails("creel ps c1", "unable to parse pid: \\\"\\\"");
	ps_is("echo PID; echo 123456789012345678901234567890");
	fails("creel ps c1", "unable to parse pid");
}

static void a_failing_ps_is_quoted(void **state)
{
	(void)state;
	ps_is("echo PID; echo 'bad option' >&2; exit 3");
	fails("creel ps c1", "msg=\"exit status 3: PID\\nbad option\\n\"");
	ps_is("kill -9 $$");
	fails("creel ps c1", "ps was ended by signal 9");
}

static void a_missing_ps_is_told(void **state)
{
	(void)state;
	assert_int_equal(setenv("PATH", scratch_name("."), 1), 0);
	fails("creel ps c1", "exec: \\\"ps\\\": executable file not found in $PATH");
}

static void the_format_is_checked_first(void **state)
{
	(void)state;
	fails("creel ps -f yaml c1", "msg=\"invalid format option\"");
	assert_null(strstr(fake_notes, "ps c1"));
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(json_is_an_array_of_pids),
		test(the_lines_of_the_container_are_shown),
		test(the_last_line_may_lack_its_newline),
		test(the_callers_options_are_passed_on),
		test(output_of_a_megabyte_is_no_trouble),
		test(what_has_no_pid_column_is_refused),
		test(what_is_no_pid_is_refused),
		test(a_failing_ps_is_quoted),
		test(a_missing_ps_is_told),
		test(the_format_is_checked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
