/*
 * Help texts: see help.h. Their shape is that of runc's, which scripts and engines read.
 */
#include "cli/help.h"

#include <creel.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"

#ifndef CREEL_COMMIT
#define CREEL_COMMIT "" /* the build tells it where it is known */
#endif

#define GAP 2 /* spaces between two columns */

static void add_column(struct str *text, const char *cell, size_t width)
{
	str_addf(text, "   %-*s", (int)(width + GAP), cell);
}

/* "--bundle DIR, -b DIR" */
static void format_option(char *buf, size_t size, const struct option *option)
{
	const char *gap = option->value[0] ? " " : "";

	if (option->letter)
		(void)snprintf(buf, size, "--%s%s%s, -%c%s%s", option->name, gap, option->value,
			       option->letter, gap, option->value);
	else
		(void)snprintf(buf, size, "--%s%s%s", option->name, gap, option->value);
}

static bool is_shown(const struct option *option, enum command_id command)
{
	return option->commands >> command & 1 && !option->hidden;
}

static void add_options(struct str *text, enum command_id command)
{
	char cell[sizeof(option_table[0].name) + 2 * sizeof(option_table[0].value) + 16];
	size_t width = 0;

	for (size_t i = 0; i < option_count; i++) {
		if (!is_shown(&option_table[i], command))
			continue;
		format_option(cell, sizeof(cell), &option_table[i]);
		if (strlen(cell) > width)
			width = strlen(cell);
	}
	str_add(text, command == COMMAND_NONE ? "\nGLOBAL OPTIONS:\n" : "\nOPTIONS:\n");
	for (size_t i = 0; i < option_count; i++) {
		if (!is_shown(&option_table[i], command))
			continue;
		format_option(cell, sizeof(cell), &option_table[i]);
		add_column(text, cell, width);
		str_addf(text, "%s\n", option_table[i].help);
	}
}

static void add_commands(struct str *text)
{
	size_t width = strlen("help, h");

	for (int id = COMMAND_NONE + 1; id < COMMANDS; id++) {
		if (strlen(command_table[id].name) > width)
			width = strlen(command_table[id].name);
	}
	str_add(text, "\nCOMMANDS:\n");
	for (int id = COMMAND_NONE + 1; id < COMMANDS; id++) {
		add_column(text, id == COMMAND_HELP ? "help, h" : command_table[id].name, width);
		str_addf(text, "%s\n", command_table[id].summary);
	}
}

static void add_description(struct str *text, const char *line)
{
	str_add(text, "\nDESCRIPTION:\n");
	while (*line) {
		size_t length = strcspn(line, "\n") + 1;

		str_addf(text, "%s%.*s", *line == '\n' ? "" : "   ", (int)length, line);
		line += length;
	}
}

void help_add(struct str *text, const struct call *call, enum command_id id)
{
	const struct command *command = &command_table[id];
	const char *gap = command->name[0] ? " " : "";

	str_addf(text, "NAME:\n   %s%s%s - %s\n", call->name, gap, command->name, command->summary);
	str_addf(text, "\nUSAGE:\n   %s %s%s[%s options] %s\n", call->name, command->name, gap,
		 id == COMMAND_NONE ? "global options] command [command" : "command",
		 command->operands);
	if (id == COMMAND_NONE)
		str_addf(text, "\nVERSION:\n   %s\n", creel_version());
	add_description(text, command->description);
	if (id == COMMAND_NONE)
		add_commands(text);
	add_options(text, id);
}

void help_add_version(struct str *text, const struct call *call)
{
	str_addf(text, "%s version %s\n", call->name, creel_version());
	if (CREEL_COMMIT[0])
		str_addf(text, "commit: %s\n", CREEL_COMMIT);
	str_addf(text, "spec: %s\n", CREEL_SPEC_VERSION);
}
