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
#include "cli/ps_table.h"

extern char **environ;

static void add_json(struct str *out, const struct ps_processes *of)
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

static int judge(int status, struct ps_text text, struct creel_error *e)
{
	int shown = (int)(text.length < PS_SHOWN ? text.length : PS_SHOWN);

	if (WIFSIGNALED(status))
		return cli_fail(e, CREEL_SYSTEM, "ps was ended by signal %d: %.*s",
				WTERMSIG(status), shown, text.text);
	if (WEXITSTATUS(status))
		return cli_fail(e, CREEL_SYSTEM, "exit status %d: %.*s", WEXITSTATUS(status), shown,
				text.text);
	return 0;
}

/* Maps what ps wrote, to the end of this program. */
static int map_output(int output, struct ps_text *ret, struct creel_error *e)
{
	struct stat st;
	void *text;

	if (fstat(output, &st))
		return cli_fail_errno(e, "stat the output of ps");
	*ret = (struct ps_text){"", (size_t)st.st_size};
	if (!st.st_size)
		return 0;
	text = mmap(NULL, ret->length, PROT_READ, MAP_PRIVATE, output, 0);
	if (text == MAP_FAILED)
		return cli_fail_errno(e, "map the output of ps");
	ret->text = text;
	return 0;
}

static int run_ps(char *const argv[], struct ps_text *ret_text, struct creel_error *e)
{
	_close_ int output = (int)syscall(SYS_memfd_create, "ps", MFD_CLOEXEC);
	struct ps_text text = {"", 0};
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
	struct ps_processes processes;
	char *usual[3], *const *argv;
	struct ps_text text = {"", 0};
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
	if (run_ps(argv, &text, ret_error) || ps_table_filter(text, &processes, &out, ret_error))
		return -1;
	return output_print(&out, ret_error);
}
