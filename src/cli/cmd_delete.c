/*
 * creel delete: removes a container and everything that belongs to it.
 */
#include "cli/commands.h"
#include "cli/each.h"

static int delete_one(struct call *call, struct creel *creel, const char *id,
		      struct creel_error *ret_error)
{
	return creel_delete(creel, id, call->force, ret_error);
}

int cmd_delete(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	if (call->regex)
		return each_match(call, creel, delete_one, ret_error);
	return delete_one(call, creel, call->operand[0], ret_error);
}
