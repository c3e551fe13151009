/*
 * The tables of commands and options: they are sound, and every command has a manual page, which
 * tells of no other option.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/commands.h"
#include "cli/options.h"

static void read_source(const char *name, char *buf, size_t size)
{
	const char *source = getenv("CREEL_SOURCE");
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", source ? source : ".", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("there is no %s", name);
	buf[fread(buf, 1, size - 1, file)] = '\0';
	(void)fclose(file);
}

/* "docs/man/creel-create.8.scd" */
static const char *page_of(enum command_id id)
{
	static char name[64];

	(void)snprintf(name, sizeof(name), "docs/man/creel%s%s.8.scd",
		       id == COMMAND_NONE ? "" : "-", command_table[id].name);
	return name;
}

static bool has_option(enum command_id id, const struct option *option)
{
	return option->commands >> id & 1;
}

static void options_fit_their_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < option_count; i++) {
		const struct option *option = &option_table[i];

		assert_non_null(memchr(option->name, '\0', sizeof(option->name)));
		assert_non_null(memchr(option->value, '\0', sizeof(option->value)));
		assert_non_null(memchr(option->help, '\0', sizeof(option->help)));
		assert_true(option->name[0] && option->help[0]);
		assert_true(option->place < sizeof(struct call));
		assert_int_equal(option->kind == OPTION_SWITCH, !option->value[0]);
		assert_int_equal(option->commands >> COMMANDS, 0);
	}
}

static void every_name_of_an_option_means_one_thing(void **state)
{
	(void)state;
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		for (size_t i = 0; i < option_count; i++) {
			const struct option *option = &option_table[i];

			if (!has_option((enum command_id)id, option))
				continue;
			assert_ptr_equal(option_find((enum command_id)id, option->name,
						     strlen(option->name)),
					 option);
			if (option->letter)
				assert_ptr_equal(
					option_find((enum command_id)id, &option->letter, 1),
					option);
		}
	}
}

static void commands_are_complete(void **state)
{
	(void)state;
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		const struct command *command = &command_table[id];

		assert_true(command->name && command->operands && command->summary &&
			    command->description);
		assert_true(command->operands_min <= command->operands_max);
		assert_int_equal(command_functions[id] != NULL,
				 id != COMMAND_NONE && id != COMMAND_HELP);
		if (id != COMMAND_NONE)
			assert_int_equal(command_find(command->name), id);
	}
	assert_int_equal(command_find("h"), COMMAND_HELP);
	assert_int_equal(command_find("nosuch"), COMMAND_NONE);
}

/* The options themselves are put into it by tools/words.c. */
static void every_command_has_a_manual_page(void **state)
{
	char page[32768], list[4096], row[32];

	(void)state;
	read_source("docs/man/meson.build", list, sizeof(list));
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		read_source(page_of((enum command_id)id), page, sizeof(page));
		if (!strstr(page, "\n@options@\n"))
			fail_msg("%s does not say @options@", page_of((enum command_id)id));
		(void)snprintf(row, sizeof(row), "  '%s',\n", command_table[id].name);
		if (!strstr(list, row))
			fail_msg("docs/man/meson.build has no page '%s'", command_table[id].name);
	}
}

static void the_pages_tell_no_option_that_is_none(void **state)
{
	char page[32768];

	(void)state;
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		read_source(page_of((enum command_id)id), page, sizeof(page));
		for (const char *at = page; (at = strstr(at, "*--")); at += 3) {
			size_t length = strcspn(at + 3, "* ");

			if (!length || option_find((enum command_id)id, at + 3, length) ||
			    option_find(COMMAND_NONE, at + 3, length))
				continue;
			fail_msg("%s has an option --%.*s, \"%s\" has none",
				 page_of((enum command_id)id), (int)length, at + 3,
				 command_table[id].name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_fit_their_rows),
		cmocka_unit_test(every_name_of_an_option_means_one_thing),
		cmocka_unit_test(commands_are_complete),
		cmocka_unit_test(every_command_has_a_manual_page),
		cmocka_unit_test(the_pages_tell_no_option_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
