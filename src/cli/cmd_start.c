/*
 * creel start: lets the program of a created container run.
 */
#include "cli/commands.h"

int cmd_start(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	return creel_start(creel, call->operand[0], &call->start, ret_error);
}
