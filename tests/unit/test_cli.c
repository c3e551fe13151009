/*
 * What the command line prints and logs: the bytes that engines and scripts read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli_call.h"
#include "fake_creel.h"

static char directory[64]; /* the working directory of a test, empty at its start */

static int enter_directory(void **state)
{
	(void)state;
	fake_reset();
	call_environment = (struct environment){0};
	(void)snprintf(directory, sizeof(directory), "/tmp/test_cli.XXXXXX");
	return mkdtemp(directory) && !chdir(directory) ? 0 : -1;
}

static int leave_directory(void **state)
{
	(void)state;
	(void)unlink("log");
	(void)unlink("config.json");
	return chdir("/") || rmdir(directory) ? -1 : 0;
}

static void read_text(const char *name, char *buf, size_t size)
{
	FILE *file = fopen(name, "r");
	size_t length;

	assert_non_null(file);
	length = fread(buf, 1, size - 1, file);
	buf[length] = '\0';
	(void)fclose(file);
}

static void assert_starts(const char *text, const char *start)
{
	if (strncmp(text, start, strlen(start)))
		fail_msg("\"%s\" does not start with \"%s\"", text, start);
}

static void show_two(void)
{
	static const struct creel_annotation notes[] = {{"org.example.a", "1"},
							{"org.example.b", "x y"}};

	fake_states[0] = (struct creel_state){
		.id = "web",
		.oci_version = "1.3.0",
		.bundle = "/b/web",
		.rootfs = "/b/web/rootfs",
		.owner = "root",
		.pid = 4711,
		.created = "2026-01-02T03:04:05.678901234Z",
		.status = CREEL_RUNNING,
		.annotations = notes,
		.annotation_count = 2,
	};
	fake_states[1] = (struct creel_state){
		.id = "a-rather-long-id",
		.oci_version = "1.3.0",
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.owner = "#1000",
		.pid = 0,
		.created = "2026-01-02T03:04:06Z",
		.status = CREEL_STOPPED,
	};
	fake_state_count = 2;
}

static void state_is_json_without_newline(void **state)
{
	(void)state;
	show_two();
	assert_string_equal(call_line("creel state web").out,
			    "{\n"
			    "  \"ociVersion\": \"1.3.0\",\n"
			    "  \"id\": \"web\",\n"
			    "  \"pid\": 4711,\n"
			    "  \"status\": \"running\",\n"
			    "  \"bundle\": \"/b/web\",\n"
			    "  \"rootfs\": \"/b/web/rootfs\",\n"
			    "  \"created\": \"2026-01-02T03:04:05.678901234Z\",\n"
			    "  \"annotations\": {\n"
			    "    \"org.example.a\": \"1\",\n"
			    "    \"org.example.b\": \"x y\"\n"
			    "  },\n"
			    "  \"owner\": \"\"\n"
			    "}");
}

static void list_is_a_table(void **state)
{
	(void)state;
	assert_string_equal(call_line("creel list").out,
			    "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n");
	show_two();
	assert_string_equal(call_line("creel list").out,
			    "ID                 PID         STATUS      BUNDLE      "
			    "CREATED                          OWNER\n"
			    "web                4711        running     /b/web      "
			    "2026-01-02T03:04:05.678901234Z   root\n"
			    "a-rather-long-id   0           stopped     /b          "
			    "2026-01-02T03:04:06Z             #1000\n");
}

static void columns_count_characters(void **state)
{
	(void)state;
	show_two();
	fake_state_count = 1;
	fake_states[0].bundle = "/bücher/über";
	assert_non_null(strstr(call_line("creel list").out, "running     /bücher/über   2026-"));
}

static void list_is_json_or_ids(void **state)
{
	(void)state;
	assert_string_equal(call_line("creel list --format json").out, "null\n");
	assert_string_equal(call_line("creel list -q").out, "");
	show_two();
	fake_states[0].annotation_count = 0;
	assert_string_equal(
		call_line("creel list -f json").out,
		"[{\"ociVersion\":\"1.3.0\",\"id\":\"web\",\"pid\":4711,\"status\":\"running\","
		"\"bundle\":\"/b/web\",\"rootfs\":\"/b/web/rootfs\","
		"\"created\":\"2026-01-02T03:04:05.678901234Z\",\"owner\":\"root\"},"
		"{\"ociVersion\":\"1.3.0\",\"id\":\"a-rather-long-id\",\"pid\":0,"
		"\"status\":\"stopped\",\"bundle\":\"/b\",\"rootfs\":\"/b/rootfs\","
		"\"created\":\"2026-01-02T03:04:06Z\",\"owner\":\"#1000\"}]\n");
	assert_string_equal(call_line("creel list -q").out, "web\na-rather-long-id\n");
}

static void list_tells_what_it_leaves_out(void **state)
{
	struct answer answer = call_line("creel list -q");

	(void)state;
	assert_string_equal(answer.err, "load container ruin: container does not exist\n");
	assert_int_equal(answer.status, 0);
}

static void a_root_that_was_named_must_exist(void **state)
{
	struct answer answer = call_line("creel --root /nonexistent list");

	(void)state;
	assert_int_equal(answer.status, 1);
	assert_non_null(strstr(answer.err, "msg=\"open /nonexistent: no such file or directory\""));
}

static void the_exit_status_is_that_of_the_program(void **state)
{
	(void)state;
	fake_status = 137;
	assert_int_equal(call_line("creel run c1").status, 137);
	assert_int_equal(call_line("creel exec c1 true").status, 137);
}

static void fail_with(const char *text)
{
	fake_error = (struct creel_error){.code = CREEL_STATE};
	(void)snprintf(fake_error.text, sizeof(fake_error.text), "%s", text);
}

static void errors_name_the_command_as_engines_expect(void **state)
{
	static const struct {
		const char *line, *text;
		int status;
	} cases[] = {
		{"creel create c1", " level=error msg=\"runc create failed: no luck\"\n", 1},
		{"creel run c1", " level=error msg=\"runc run failed: no luck\"\n", 1},
		{"creel exec c1 true", " level=error msg=\"exec failed: no luck\"\n", 255},
		{"creel start c1", " level=error msg=\"no luck\"\n", 1},
		{"creel state c1", " level=error msg=\"no luck\"\n", 1},
		{"creel kill c1", " level=error msg=\"no luck\"\n", 1},
		{"creel delete c1", " level=error msg=\"no luck\"\n", 1},
		{"creel list", " level=error msg=\"no luck\"\n", 1},
		{"creel spec", " level=error msg=\"no luck\"\n", 1},
		{"creel features", " level=error msg=\"no luck\"\n", 1},
		{"creel explain", " level=error msg=\"no luck\"\n", 1},
	};

	(void)state;
	fail_with("no luck");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct answer answer = call_line(cases[i].line);
		size_t length = strlen(answer.err), tail = strlen(cases[i].text);

		assert_int_equal(answer.status, cases[i].status);
		assert_true(length > tail);
		assert_string_equal(answer.err + length - tail, cases[i].text);
		assert_string_equal(answer.out, "");
	}
}

static void failures_of_many_are_told_one_by_one(void **state)
{
	struct answer answer;

	(void)state;
	fail_with("no luck");
	answer = call_line("creel delete --regex .");
	assert_non_null(strstr(answer.err, "level=warning msg=\"container web-1: no luck\"\n"));
	assert_non_null(strstr(answer.err, "level=warning msg=\"container web-2: no luck\"\n"));
	assert_non_null(strstr(answer.err, "level=error msg=\"2 of 2 containers failed\"\n"));
	assert_int_equal(answer.status, 1);
	answer = call_line("creel kill --regex ."); /* "not running" is of this kind too */
	assert_string_equal(answer.err, "");
	assert_int_equal(answer.status, 0);
	fake_error.code = CREEL_NOT_FOUND;
	assert_int_equal(call_line("creel delete --regex .").status, 0);
	fake_error.code = CREEL_SYSTEM;
	assert_int_equal(call_line("creel kill --regex .").status, 1);
}

static void log_lines_are_quoted_where_needed(void **state)
{
	struct answer answer;

	(void)state;
	fail_with("plain/text-1.0_@^+");
	answer = call_line("creel start c1");
	assert_non_null(strstr(answer.err, " level=error msg=plain/text-1.0_@^+\n"));
	assert_starts(answer.err, "time=\"20");
	fail_with("a \"b\" \\ \n\t\033[31m ü");
	answer = call_line("creel start c1");
	assert_non_null(strstr(answer.err, "msg=\"a \\\"b\\\" \\\\ \\n\\t\\x1b[31m ü\"\n"));
	fail_with("\xc2\x9b"
		  "31m \x9b \xc2\xa0"); /* control characters of Latin 1, too */
	answer = call_line("creel start c1");
	assert_non_null(strstr(answer.err, "msg=\"\\u009b31m \\x9b \xc2\xa0\"\n"));
}

/* Words of a command line, and of an image, come back in errors. */
static void nothing_that_is_told_steers_a_terminal(void **state)
{
	(void)state;
	fail_with("\033]0;title\a says \"\\\"");
	assert_string_equal(call_line("creel --log log start c1").err,
			    "\\x1b]0;title\\a says \"\\\"\n");
	assert_starts(call_line("creel start --\033[2J").err,
		      "Incorrect Usage: flag provided but not defined: -\\x1b[2J\n");
}

static void the_log_file_is_appended_to_and_stderr_has_the_bare_message(void **state)
{
	char log[1024], *second;
	struct stat st;

	(void)state;
	fail_with("no luck");
	assert_string_equal(call_line("creel --log log start c1").err, "no luck\n");
	assert_string_equal(call_line("creel --log=log create c1").err,
			    "runc create failed: no luck\n");
	read_text("log", log, sizeof(log));
	second = strchr(log, '\n') + 1;
	assert_non_null(strstr(log, " level=error msg=\"no luck\"\n"));
	assert_non_null(strstr(second, " level=error msg=\"runc create failed: no luck\"\n"));
	assert_int_equal(stat("log", &st), 0);
	assert_int_equal(st.st_mode & 0133, 0);
}

static void json_logs_have_one_object_a_line(void **state)
{
	char log[1024];

	(void)state;
	fail_with("a \"b\"");
	assert_string_equal(call_line("creel --log log --log-format json start c1").err,
			    "a \"b\"\n");
	read_text("log", log, sizeof(log));
	assert_starts(log, "{\"level\":\"error\",\"msg\":\"a \\\"b\\\"\",\"time\":\"20");
	assert_string_equal(log + strlen(log) - 4, "Z\"}\n");
	assert_starts(call_line("creel --log-format json start c1").err, "{\"level\":");
}

static void a_log_that_cannot_be_opened_is_an_error(void **state)
{
	struct answer answer = call_line("creel --log /nonexistent/x list");

	(void)state;
	assert_int_equal(answer.status, 1);
	assert_non_null(
		strstr(answer.err, "msg=\"open /nonexistent/x: no such file or directory\""));
	assert_string_equal(answer.out, "");
}

static void unknown_commands_are_logged_too(void **state)
{
	(void)state;
	assert_int_equal(call_line("creel --log log bogus").status, 3);
	assert_string_equal(call_line("creel --log log bogus").err, "No help topic for 'bogus'\n");
}

static void messages_below_the_level_are_dropped(void **state)
{
	(void)state;
	(void)call_line("creel start c1");
	assert_int_equal(fake_options.log_level, CREEL_LOG_WARNING);
	assert_string_equal(call_line("creel --log-level error --criu x start c1").err, "");
	assert_non_null(strstr(call_line("creel --criu x start c1").err,
			       "level=warning msg=\"--criu is ignored"));
}

static void the_version_is_told_in_one_line(void **state)
{
	const char *second, *out;
	struct answer answer = call_line("/usr/bin/creel --version");

	(void)state;
	out = answer.out;
	assert_starts(out, "creel version 0.1.0\n");
	second = strstr(out, "version");
	assert_null(strstr(second + 1, "version"));
	assert_non_null(strstr(out, "\nspec: 1.3.0\n"));
	assert_string_equal(answer.err, "");
	assert_starts(call_line("/opt/runc -v").out, "runc version 0.1.0\n");
	assert_string_equal(fake_notes, "");
}

static void spec_writes_a_file_once(void **state)
{
	char text[256];

	(void)state;
	assert_int_equal(call_line("creel spec --rootless").status, 0);
	assert_non_null(strstr(fake_notes, "template rootless\n"));
	read_text("config.json", text, sizeof(text));
	assert_string_equal(text, "{\n\t\"ociVersion\": \"1.3.0\"\n}");
	assert_non_null(strstr(call_line("creel spec").err,
			       "msg=\"File config.json exists. Remove it first\"\n"));
	assert_int_equal(truncate("config.json", 0), 0);
	assert_non_null(strstr(call_line("creel spec").err, "Remove it first; hint: it is empty"));
	assert_int_equal(unlink("config.json"), 0);
	assert_int_equal(call_line("creel spec -b .").status, 0);
	assert_int_equal(call_line("creel spec -b nowhere").status, 1);
}

static void help_is_given_in_many_ways(void **state)
{
	struct answer general = call_line("creel"), create = call_line("creel help create");

	(void)state;
	assert_starts(general.out, "NAME:\n   creel - Open Container Initiative runtime\n");
	assert_string_equal(call_line("creel --help").out, general.out);
	assert_string_equal(call_line("creel -h").out, general.out);
	assert_string_equal(call_line("creel help").out, general.out);
	assert_string_equal(call_line("creel h").out, general.out);
	assert_starts(create.out, "NAME:\n   creel create - create a container\n");
	assert_string_equal(call_line("creel create -h").out, create.out);
	assert_string_equal(call_line("creel create x y --help").out, create.out);
	assert_int_equal(call_line("creel help bogus").status, 3);
	assert_string_equal(call_line("creel create").out + strlen("Incorrect Usage.\n\n"),
			    create.out);
	assert_non_null(strstr(call_line("runc help run").out,
			       "   runc run [command options] <container-id>\n"));
}

#define in_directory(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_directory(state_is_json_without_newline),
		in_directory(list_is_a_table),
		in_directory(columns_count_characters),
		in_directory(list_is_json_or_ids),
		in_directory(list_tells_what_it_leaves_out),
		in_directory(a_root_that_was_named_must_exist),
		in_directory(the_exit_status_is_that_of_the_program),
		in_directory(errors_name_the_command_as_engines_expect),
		in_directory(failures_of_many_are_told_one_by_one),
		in_directory(log_lines_are_quoted_where_needed),
		in_directory(nothing_that_is_told_steers_a_terminal),
		in_directory(the_log_file_is_appended_to_and_stderr_has_the_bare_message),
		in_directory(json_logs_have_one_object_a_line),
		in_directory(a_log_that_cannot_be_opened_is_an_error),
		in_directory(unknown_commands_are_logged_too),
		in_directory(messages_below_the_level_are_dropped),
		in_directory(the_version_is_told_in_one_line),
		in_directory(spec_writes_a_file_once),
		in_directory(help_is_given_in_many_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
