/*
 * creel pause: stops all processes of a container until creel resume.
 */
#include "cli/commands.h"

int cmd_pause(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	return creel_pause(creel, call->operand[0], ret_error);
}
