/*
 * The tables of commands and options: they are sound, and the manual page tells all that is in them
 * and nothing else.
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

static char page[65536]; /* creel.1.scd */

static int read_page(void **state)
{
	const char *source = getenv("CREEL_SOURCE");
	char path[4096];
	FILE *file;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/docs/man/creel.1.scd", source ? source : ".");
	file = fopen(path, "r");
	if (!file)
		return -1;
	page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
	(void)fclose(file);
	return 0;
}

/* The part of the manual page that is about a command: from its heading to the next one. */
static void find_section(enum command_id id, char *buf, size_t size)
{
	char heading[64];
	const char *start, *end;

	if (id == COMMAND_NONE)
		(void)snprintf(heading, sizeof(heading), "\n# GLOBAL OPTIONS\n");
	else
		(void)snprintf(heading, sizeof(heading), "\n## %s", command_table[id].name);
	start = strstr(page, heading);
	if (!start)
		fail_msg("the manual page has no heading for \"%s\"", command_table[id].name);
	end = strstr(start + strlen(heading), "\n#");
	assert_non_null(end);
	assert_true((size_t)(end - start) < size);
	memcpy(buf, start, (size_t)(end - start));
	buf[end - start] = '\0';
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
		assert_int_equal(command->run != NULL, id != COMMAND_NONE && id != COMMAND_HELP);
		if (id != COMMAND_NONE)
			assert_int_equal(command_find(command->name), id);
	}
	assert_int_equal(command_find("h"), COMMAND_HELP);
	assert_int_equal(command_find("ps"), COMMAND_NONE);
}

/* "*--bundle*, *-b* _DIR_" must stand in the section; a global option stands in its own. */
static void the_manual_page_tells_every_option(void **state)
{
	char section[16384], form[128];

	(void)state;
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		find_section((enum command_id)id, section, sizeof(section));
		for (size_t i = 0; i < option_count; i++) {
			const struct option *option = &option_table[i];
			int used;

			if (!has_option((enum command_id)id, option) || option->hidden)
				continue;
			if (!strcmp(option->name, "help") && id != COMMAND_NONE)
				continue; /* told once, under the global ones */
			used = snprintf(form, sizeof(form), "*--%s*", option->name);
			if (option->letter)
				used += snprintf(form + used, sizeof(form) - (size_t)used,
						 ", *-%c*", option->letter);
			if (option->value[0])
				(void)snprintf(form + used, sizeof(form) - (size_t)used, " _%s_",
					       option->value);
			if (!strstr(section, form))
				fail_msg("the manual page lacks %s of \"%s\"", form,
					 command_table[id].name);
		}
	}
}

static void the_manual_page_tells_no_other_option(void **state)
{
	char section[16384];

	(void)state;
	for (int id = COMMAND_NONE; id < COMMANDS; id++) {
		find_section((enum command_id)id, section, sizeof(section));
		for (const char *at = section; (at = strstr(at, "*--")); at += 3) {
			size_t length = strcspn(at + 3, "* ");

			if (!length || option_find((enum command_id)id, at + 3, length) ||
			    option_find(COMMAND_NONE, at + 3, length))
				continue;
			fail_msg("\"%s\" has no option --%.*s, but the manual page has",
				 command_table[id].name, (int)length, at + 3);
		}
	}
}

static void the_manual_page_has_no_other_command(void **state)
{
	char name[32];

	(void)state;
	for (const char *at = page; (at = strstr(at, "\n## ")); at += 4) {
		(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 4, " \n"), at + 4);
		if (command_find(name) == COMMAND_NONE)
			fail_msg("the manual page has a command \"%s\"", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_fit_their_rows),
		cmocka_unit_test(every_name_of_an_option_means_one_thing),
		cmocka_unit_test(commands_are_complete),
		cmocka_unit_test(the_manual_page_tells_every_option),
		cmocka_unit_test(the_manual_page_tells_no_other_option),
		cmocka_unit_test(the_manual_page_has_no_other_command),
	};

	return cmocka_run_group_tests(tests, read_page, NULL);
}
