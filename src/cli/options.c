/*
 * The grammar of the command line: see options.h. What options there are stands in option_table.c;
 * nothing here knows one of them, but help, which every command has.
 */
#include "cli/options.h"

#include <string.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/suggest.h"

static bool option_is(const struct option *option, const char *name, size_t length)
{
	if (length == 1 && option->letter == *name)
		return true;
	return !strncmp(option->name, name, length) && !option->name[length];
}

const struct option *option_find(enum command_id command, const char *name, size_t length)
{
	for (size_t i = 0; length < sizeof(option_table[0].name) && i < option_count; i++) {
		if (option_table[i].commands >> command & 1 &&
		    option_is(&option_table[i], name, length))
			return &option_table[i];
	}
	return NULL;
}

/* Where the user may have meant the option to stand, or which one was meant. */
static int hint_at_option(enum command_id command, const char *name, size_t length,
			  struct creel_error *e)
{
	struct suggestion best = suggestion_for(name, length);

	if (command != COMMAND_NONE && option_find(COMMAND_NONE, name, length))
		return cli_hint(e, "-%s%.*s is a global option: it stands before the command",
				length > 1 ? "-" : "", (int)length, name);
	for (int other = COMMAND_NONE + 1; command == COMMAND_NONE && other < COMMANDS; other++) {
		if (option_find((enum command_id)other, name, length))
			return cli_hint(e,
					"-%s%.*s is an option of %s: it stands after the command",
					length > 1 ? "-" : "", (int)length, name,
					command_table[other].name);
	}
	for (size_t i = 0; i < option_count; i++) {
		if (option_table[i].commands >> command & 1 && !option_table[i].hidden)
			suggestion_offer(&best, option_table[i].name);
	}
	return best.name ? cli_hint(e, "did you mean --%s?", best.name) : -1;
}

bool options_parse_bool(const char *text, bool *ret)
{
	static const char spellings[2][6][6] = {
		{"0", "f", "F", "false", "FALSE", "False"},
		{"1", "t", "T", "true", "TRUE", "True"},
	};

	for (size_t i = 0; i < 2 * array_len(spellings[0]); i++) {
		if (str_equal(text, spellings[i & 1][i >> 1])) {
			*ret = i & 1;
			return true;
		}
	}
	return false;
}

static int add_to_list(struct call *call, struct str_list *list, const char *value,
		       struct creel_error *e)
{
	struct err err;

	if (!list->item) /* zeroed, and one longer than it can get: so it always ends with NULL */
		list->item =
			arena_get_array(call->arena, call->words + 1, sizeof(*list->item), &err);
	if (!list->item)
		return cli_fail_base(e, &err);
	list->item[list->count++] = value;
	return 0;
}

static int set_switch(bool *place, const char *name, size_t length, const char *value,
		      struct creel_error *e)
{
	if (!value) {
		*place = true;
		return 0;
	}
	if (!options_parse_bool(value, place))
		return cli_fail(e, CREEL_USAGE,
				"invalid boolean value \"%s\" for -%.*s: parse error", value,
				(int)length, name);
	return 0;
}

static int set_value(struct call *call, const struct option *option, const char *value,
		     struct creel_error *e)
{
	void *place = (char *)call + option->place;

	switch ((enum option_kind)option->kind) {
	case OPTION_TEXT:
		*(const char **)place = *value ? value : NULL; /* empty is as good as not given */
		return 0;
	case OPTION_LIST:
		return add_to_list(call, place, value, e);
	case OPTION_NUMBER:
		if (str_to_u32(value, place))
			return 0;
		break;
	case OPTION_SWITCH:
		break; /* set_switch's business */
	}
	return cli_fail(e, CREEL_USAGE, "invalid value \"%s\" for flag -%s: parse error", value,
			option->name);
}

/* Takes the option argv[*at] apart, and moves *at to its value when that is a word of its own. */
static int parse_option(struct call *call, enum command_id command, char **argv, int *at,
			struct creel_error *e)
{
	const char *word = argv[*at];
	const char *name = word + (word[1] == '-' ? 2 : 1);
	size_t length = strcspn(name, "=");
	const char *value = name[length] ? name + length + 1 : NULL;
	const struct option *option;

	if (!length || *name == '-')
		return cli_fail(e, CREEL_USAGE, "bad flag syntax: %s", word);
	option = option_find(command, name, length);
	if (!option) {
		cli_fail(e, CREEL_USAGE, "flag provided but not defined: -%.*s", (int)length, name);
		return hint_at_option(command, name, length, e);
	}
	if (option->kind == OPTION_SWITCH)
		return set_switch((bool *)((char *)call + option->place), name, length, value, e);
	if (!value) {
		value = argv[*at + 1];
		if (!value)
			return cli_fail(e, CREEL_USAGE, "flag needs an argument: -%s", name);
		++*at;
	}
	return set_value(call, option, value, e);
}

/* "-" alone is an operand, as everywhere. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

int options_parse_global(struct call *call, int argc, char **argv, int *ret_next,
			 struct creel_error *e)
{
	int at = 1;

	while (at < argc && is_option(argv[at])) {
		if (str_equal(argv[at], "--")) {
			at++;
			break;
		}
		if (parse_option(call, COMMAND_NONE, argv, &at, e))
			return -1;
		at++;
	}
	*ret_next = at < argc ? at : argc;
	return 0;
}

int options_parse_command(struct call *call, enum command_id command, char **argv, int first,
			  struct creel_error *e)
{
	bool literal = false; /* the rest is operands */
	int kept = first;

	for (int at = first; argv[at]; at++) {
		if (!literal && str_equal(argv[at], "--")) {
			literal = true;
		} else if (!literal && is_option(argv[at])) {
			if (parse_option(call, command, argv, &at, e))
				return -1;
		} else {
			argv[kept++] = argv[at];
			if (kept == first + 1 &&
			    command_table[command].first_operand_ends_options) {
				literal = true;
				at += argv[at + 1] && str_equal(argv[at + 1], "--");
			}
		}
	}
	argv[kept] = NULL;
	call->operand = (const char **)argv + first;
	call->operand_count = (size_t)(kept - first);
	return 0;
}
