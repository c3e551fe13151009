/*
 * creel ps: shows the processes of a container, as ps(1) shows them or as a JSON array of pids.
 *
 * The output of ps is taken by a file in memory: however long it is, nobody waits for a reader.
 */
#include <errno.h>
#include <linux/memfd.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/output.h"

#define SHOWN 1000 /* bytes of what a failing ps said */

extern char **environ;

/* A piece of what ps wrote, not ended with NUL. */
struct piece {
	const char *text;
	size_t length;
};

struct processes {
	const pid_t *pid; /* sorted */
	size_t count;
};

/* ---- words and lines ------------------------------------------------------------------------- */

/* Cuts the part up to the next newline off text. */
static struct piece cut_line(struct piece *text)
{
	const char *end = memchr(text->text, '\n', text->length);
	struct piece line = {text->text, end ? (size_t)(end - text->text) : text->length};
	size_t cut = line.length + (end != NULL);

	text->text += cut;
	text->length -= cut;
	return line;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Word number n of a line, empty when it has fewer. */
static struct piece find_word(struct piece line, size_t n)
{
	const char *end = line.text + line.length, *at = line.text, *start;

	do {
		while (at < end && is_blank(*at))
			at++;
		for (start = at; at < end && !is_blank(*at);)
			at++;
	} while (n--);
	return (struct piece){start, (size_t)(at - start)};
}

static int find_column(struct piece header, size_t *ret, struct creel_error *e)
{
	struct piece word;

	for (size_t n = 0; (word = find_word(header, n)).length; n++)
		if (word.length == 3 && !memcmp(word.text, "PID", 3)) {
			*ret = n;
			return 0;
		}
	return cli_fail(e, CREEL_INVALID, "couldn't find PID field in ps output");
}

static int parse_pid(struct piece word, pid_t *ret, struct creel_error *e)
{
	char digits[12] = "";
	uint32_t pid;

	if (word.length < sizeof(digits))
		memcpy(digits, word.text, word.length);
	if (!str_to_u32(digits, &pid))
		return cli_fail(e, CREEL_INVALID, "unable to parse pid: \"%.*s\"",
				(int)(word.length < SHOWN ? word.length : SHOWN), word.text);
	*ret = (pid_t)pid;
	return 0;
}

/* ---- what is printed ------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static void add_line(struct str *out, struct piece line)
{
	str_add_bytes(out, line.text, line.length);
	str_add_char(out, '\n');
}

/* Adds the header and the lines of the processes. */
static int filter(struct piece text, const struct processes *of, struct str *out,
		  struct creel_error *e)
{
	struct piece line = cut_line(&text);
	size_t column;
	pid_t pid = 0;

	if (find_column(line, &column, e))
		return -1;
	add_line(out, line);
	while (text.length) {
		line = cut_line(&text);
		if (!line.length)
			continue;
		if (parse_pid(find_word(line, column), &pid, e))
			return -1;
		if (of->count && bsearch(&pid, of->pid, of->count, sizeof(pid), compare))
			add_line(out, line);
	}
	return 0;
}

static void add_json(struct str *out, const struct processes *of)
{
	struct json_writer w;

	json_write_init(&w, out, NULL);
	if (of->count) {
		json_write_array(&w, NULL);
		for (size_t i = 0; i < of->count; i++)
			json_write_i64(&w, NULL, of->pid[i]);
		json_write_end(&w);
	} else {
		json_write_null(&w, NULL);
	}
	str_add_char(out, '\n');
}

/* ---- running ps ------------------------------------------------------------------------------ */

static int start_ps(char *const argv[], int output, pid_t *ret_pid, struct creel_error *e)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	if (!failed)
		failed = posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
	if (!failed)
		failed = posix_spawnp(ret_pid, "ps", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (failed == ENOENT)
		return cli_fail(e, CREEL_UNSUPPORTED,
				"exec: \"ps\": executable file not found in $PATH");
	errno = failed;
	return failed ? cli_fail_errno(e, "exec: \"ps\"") : 0;
}

static int judge(int status, struct piece text, struct creel_error *e)
{
	int shown = (int)(text.length < SHOWN ? text.length : SHOWN);

	if (WIFSIGNALED(status))
		return cli_fail(e, CREEL_SYSTEM, "ps was ended by signal %d: %.*s",
				WTERMSIG(status), shown, text.text);
	if (WEXITSTATUS(status))
		return cli_fail(e, CREEL_SYSTEM, "exit status %d: %.*s", WEXITSTATUS(status), shown,
				text.text);
	return 0;
}

/* Maps what ps wrote, to the end of this program. */
static int map_output(int output, struct piece *ret, struct creel_error *e)
{
	struct stat st;
	void *text;

	if (fstat(output, &st))
		return cli_fail_errno(e, "stat the output of ps");
	*ret = (struct piece){"", (size_t)st.st_size};
	if (!st.st_size)
		return 0;
	text = mmap(NULL, ret->length, PROT_READ, MAP_PRIVATE, output, 0);
	if (text == MAP_FAILED)
		return cli_fail_errno(e, "map the output of ps");
	ret->text = text;
	return 0;
}

static int run_ps(char *const argv[], struct piece *ret_text, struct creel_error *e)
{
	_close_ int output = (int)syscall(SYS_memfd_create, "ps", MFD_CLOEXEC);
	struct piece text = {"", 0};
	int status = 0;
	pid_t pid;

	if (output < 0)
		return cli_fail_errno(e, "make a file in memory for the output of ps");
	if (start_ps(argv, output, &pid, e))
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_fail_errno(e, "wait for ps");
	if (map_output(output, &text, e) || judge(status, text, e))
		return -1;
	*ret_text = text;
	return 0;
}

/* "ps" and its options: those behind the container's id, in whose place the name is put, or -ef. */
static void make_argv(struct call *call, char *given[3], char *const **ret)
{
	static char name[] = "ps", all[] = "-ef";

	given[0] = name;
	given[1] = all;
	given[2] = NULL;
	if (call->operand_count > 1) {
		call->operand[0] = name;
		given = (char **)call->operand;
	}
	*ret = given;
}

int cmd_ps(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	bool json = call->format && str_equal(call->format, "json");
	struct processes processes;
	char *usual[3], *const *argv;
	struct piece text = {"", 0};
	struct str out;

	if (!json && call->format && !str_equal(call->format, "table"))
		return cli_fail(ret_error, CREEL_USAGE, "invalid format option");
	if (creel_ps(creel, call->operand[0], &processes.pid, &processes.count, ret_error))
		return -1;
	str_init(&out, call->arena);
	if (json) {
		add_json(&out, &processes);
		return output_print(&out, ret_error);
	}
	make_argv(call, usual, &argv);
	if (run_ps(argv, &text, ret_error) || filter(text, &processes, &out, ret_error))
		return -1;
	return output_print(&out, ret_error);
}
