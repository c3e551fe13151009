/*
 * The one table of commands, and the functions in it. Each function stands in a file cmd_NAME.c of
 * its own.
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
	/* Returns the exit status, or −1 with *ret_error filled. */
	int (*run)(struct call *call, struct creel *creel, struct creel_error *ret_error);
	uint8_t operands_min, operands_max;
	uint8_t failure_status; /* the exit status when run failed; 0 stands for the usual 1 */
	bool enters;            /* puts a process into a container: see creel_protect */
	bool first_operand_ends_options;
};

/* By enum command_id; the row COMMAND_NONE is the program itself. */
extern const struct command command_table[COMMANDS];

/* The command of that name ("h" is help). COMMAND_NONE when there is none. */
enum command_id command_find(const char *name);

/* What a user may have meant by a name that is none; NULL when nothing is near. */
const char *command_nearest(const char *name);

int cmd_create(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_delete(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_exec(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_explain(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_features(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_kill(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_list(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_run(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_spec(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_start(struct call *call, struct creel *creel, struct creel_error *ret_error);
int cmd_state(struct call *call, struct creel *creel, struct creel_error *ret_error);
