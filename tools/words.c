/*
 * Prints the words of the command line, out of the tables in src/cli, for what is written about it.
 *
 *     words page COMMAND < PROSE   a manual page: title, name and synopsis; then the prose of
 *                                  docs/man, with the options of the table in it
 *     words list                   every command and option: COMMAND OPERANDS SUMMARY, and
 *                                  COMMAND --NAME -LETTER VALUE "hidden" HELP, tabs between
 *
 * COMMAND is "" for the program itself.
 * Runs at build time on the building machine, so it takes nothing but the two tables.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/options.h"

static bool has_option(enum command_id id, const struct option *option)
{
	return option->commands >> id & 1;
}

/* ---- list ------------------------------------------------------------------------------------ */

static void list(void)
{
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		const struct command *command = &command_table[id];

		(void)printf("%s\t%s\t%s\n", command->name, command->operands, command->summary);
		for (size_t i = 0; i < option_count; i++) {
			const struct option *option = &option_table[i];
			char letter[3] = {option->letter ? '-' : '\0', option->letter};

			if (!has_option((enum command_id)id, option))
				continue;
			(void)printf("%s\t--%s\t%s\t%s\t%s\t%s\n", command->name, option->name,
				     letter, option->value, option->hidden ? "hidden" : "",
				     option->help);
		}
	}
}

/* ---- pages, in the language of scdoc(5) ------------------------------------------------------ */

/* Text as it is: the characters that scdoc gives a meaning are escaped. */
static void print_text(const char *text, size_t length)
{
	for (; length--; text++) {
		if (strchr("\\*_", *text))
			(void)putchar('\\');
		(void)putchar(*text);
	}
}

/* "bundle directory" becomes "Bundle directory." */
static void print_sentence(const char *text)
{
	(void)putchar(toupper((unsigned char)*text));
	print_text(text + 1, strlen(text + 1));
	(void)puts(".");
}

/* "<container-id> [signal]" becomes "_container-id_ [_signal_]". */
static void print_operands(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "<>[] ");

		if (length) {
			(void)putchar('_');
			print_text(text, length);
			(void)putchar('_');
		} else {
			if (*text != '<' && *text != '>')
				(void)putchar(*text);
			length = 1;
		}
		text += length;
	}
}

static void print_head(enum command_id id)
{
	const struct command *command = &command_table[id];

	if (id == COMMAND_NONE) {
		(void)printf(
			"creel(8)\n\n# NAME\n\ncreel - %s\n\n# SYNOPSIS\n\n"
			"*creel* [_global options_] _command_ [_options_] [_arguments_...]\n\n",
			command->summary);
		return;
	}
	(void)printf("creel-%s(8)\n\n# NAME\n\ncreel-%s - %s\n\n# SYNOPSIS\n\n"
		     "*creel* [_global options_] *%s* [_options_]%s",
		     command->name, command->name, command->summary, command->name,
		     command->operands[0] ? " " : "");
	print_operands(command->operands);
	(void)puts("\n");
}

static void print_commands(void)
{
	for (int id = COMMAND_NONE + 1; id < COMMANDS; id++) {
		(void)printf("*creel-%s*(8)\n\t", command_table[id].name);
		print_sentence(command_table[id].summary);
		(void)puts("");
	}
}

static void print_options(enum command_id id)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		if (!has_option(id, option))
			continue;
		(void)printf("*--%s*", option->name);
		if (option->letter)
			(void)printf(", *-%c*", option->letter);
		if (option->value[0]) {
			(void)printf(" _");
			print_text(option->value, strlen(option->value));
			(void)putchar('_');
		}
		(void)printf("\n\t");
		print_sentence(option->help);
		(void)puts("");
	}
}

/* The prose from stdin, with the lines @commands@ and @options@ replaced by those. */
static void page(enum command_id id)
{
	char line[1024];

	print_head(id);
	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "@commands@\n"))
			print_commands();
		else if (!strcmp(line, "@options@\n"))
			print_options(id);
		else
			(void)fputs(line, stdout);
	}
}

static enum command_id find_command(const char *name)
{
	for (int id = COMMAND_NONE; id < COMMANDS; id++)
		if (!strcmp(command_table[id].name, name))
			return (enum command_id)id;
	(void)fprintf(stderr, "words: there is no command %s\n", name);
	exit(1);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "page"))
		page(find_command(argv[2]));
	else if (argc == 2 && !strcmp(argv[1], "list"))
		list();
	else
		return 2;
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
