/*
 * The one table of commands, as words (command_table.c) and as functions (commands.c). Each
 * function stands in a file cmd_NAME.c of its own.
 */
#pragma once

#include <creel.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/call.h"

#define OPERANDS_ANY 255 /* no maximum */

struct command {
	const char *name;
	const char *operands;    /* for the usage line */
	const char *summary;     /* one line, for the list of commands */
	const char *description; /* lines of up to 70 columns, for help */
	const char
		*error_prefix; /* stands before what went wrong: engines know it. NULL: nothing */
	uint8_t operands_min, operands_max;
	uint8_t failure_status; /* the exit status when run failed; 0 stands for the usual 1 */
	bool enters;            /* puts a process into a container: see creel_protect */
	bool first_operand_ends_options;
};

/* By enum command_id; the row COMMAND_NONE is the program itself. */
extern const struct command command_table[COMMANDS];

/* Carries a command out. Returns the exit status, or −1 with *ret_error filled. */
typedef int command_function(struct call *call, struct creel *creel, struct creel_error *ret_error);

/* By enum command_id; NULL for the program itself and for help, which need no library. */
extern command_function *const command_functions[COMMANDS];

/* The command of that name ("h" is help). COMMAND_NONE when there is none. */
enum command_id command_find(const char *name);

/* What a user may have meant by a name that is none; NULL when nothing is near. */
const char *command_nearest(const char *name);

command_function cmd_checkpoint;
command_function cmd_create;
command_function cmd_delete;
command_function cmd_events;
command_function cmd_exec;
command_function cmd_explain;
command_function cmd_features;
command_function cmd_kill;
command_function cmd_list;
command_function cmd_pause;
command_function cmd_ps;
command_function cmd_restore;
command_function cmd_resume;
command_function cmd_run;
command_function cmd_spec;
command_function cmd_start;
command_function cmd_state;
command_function cmd_update;
