/*
 * creel resume: lets the processes of a paused container go on.
 */
#include "cli/commands.h"

int cmd_resume(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	return creel_resume(creel, call->operand[0], ret_error);
}
