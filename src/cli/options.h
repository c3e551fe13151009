/*
 * The grammar of the command line: that of Go's flag package as runc has it.
 *
 * -name and --name are the same; a value follows as =value or as the next word; a switch takes only
 * =value; short options do not combine; the last of repeated options counts, and a list collects
 * them all. "--" ends the options.
 */
#pragma once

#include <creel.h>
#include <stdint.h>

#include "base/err.h"
#include "cli/call.h"

enum option_kind {
	OPTION_SWITCH, /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_NUMBER, /* unsigned */
	OPTION_LIST,   /* struct str_list */
};

/*
 * One option. The texts stand in the row itself and not behind pointers: the table needs no
 * relocation when the program starts, and most commands read one page of it.
 */
struct option {
	char name[20];     /* without dashes */
	char letter;       /* the short form, '\0' when there is none */
	uint8_t kind;      /* enum option_kind */
	bool hidden;       /* accepted for the sake of old callers, not shown in help */
	uint16_t place;    /* offset of its value in struct call */
	uint32_t commands; /* bit 1 << enum command_id of each command that has it */
	char value[16];    /* how help names its value */
	char help[116];
};

extern const struct option option_table[];
extern const size_t option_count;

/*
 * The option of a command (COMMAND_NONE: global) by its name or letter, of length bytes. NULL when
 * it has none.
 */
const struct option *option_find(enum command_id command, const char *name, size_t length);

/*
 * Takes the global options apart. *ret_next is the index of the command's name, argc when there is
 * none. Errors: CREEL_USAGE, in the words that runc has for it.
 */
int options_parse_global(struct call *call, int argc, char **argv, int *ret_next,
			 struct creel_error *e) must_check;

/*
 * Takes what follows the command's name apart: argv[first …], ended with NULL. Options may follow
 * operands, but where the command's first operand ends the options (exec, kill). Operands are moved
 * together within argv, and call->operand points there. Errors: CREEL_USAGE.
 */
int options_parse_command(struct call *call, enum command_id command, char **argv, int first,
			  struct creel_error *e) must_check;

/*
 * A switch's value in any spelling of Go's strconv.ParseBool; false when it is none, and *ret is
 * untouched.
 */
bool options_parse_bool(const char *text, bool *ret);
