/*
 * creel delete: removes a container and everything that belongs to it.
 */
#include "cli/commands.h"

int cmd_delete(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	return creel_delete(creel, call->operand[0], call->force, ret_error);
}
