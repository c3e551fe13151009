/*
 * creel list: prints all containers as a table, as JSON or as bare ids.
 */
#include <sys/stat.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/output.h"

/* A directory that holds no readable state is told about and does not hide the others. */
static void tell_broken(void *user, const char *id, const struct creel_error *why)
{
	struct call *call = user;
	char message[sizeof(struct creel_error)];
	struct str line;

	(void)creel_error_message(why, message, sizeof(message));
	str_init(&line, call->arena);
	str_addf(&line, "load container %s: %s\n", id, message);
	output_print_aside(&line);
}

static void add_ids(struct str *text, const struct creel_state *states, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		str_add(text, states[i].id);
		str_add_char(text, '\n');
	}
}

int cmd_list(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	const char *format = call->format ? call->format : "table";
	bool json = str_equal(format, "json");
	const struct creel_state *states;
	struct stat st;
	struct str text;
	size_t count;

	if (!json && !str_equal(format, "table"))
		return cli_fail(ret_error, CREEL_USAGE, "invalid format option");
	if (call->root && stat(call->root, &st)) /* only the default may be missing */
		return cli_fail_errno(ret_error, "open %s", call->root);
	if (creel_list(creel, &states, &count, tell_broken, call, ret_error))
		return -1;
	str_init(&text, call->arena);
	if (call->quiet)
		add_ids(&text, states, count);
	else if (json)
		output_add_json_list(&text, states, count);
	else
		output_add_table(&text, states, count);
	return output_print(&text, ret_error);
}
