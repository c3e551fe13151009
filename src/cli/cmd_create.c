/*
 * creel create: makes a container and leaves it waiting for creel start.
 */
#include "cli/commands.h"

int cmd_create(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	return creel_create(creel, call->operand[0], &call->create, ret_error);
}
