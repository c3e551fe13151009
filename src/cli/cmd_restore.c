/*
 * creel restore: runs a container that creel checkpoint has saved; the exit status is the
 * program's.
 */
#include "cli/commands.h"
#include "cli/criu_words.h"

int cmd_restore(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	int status;

	if (criu_words(call, ret_error) ||
	    creel_restore(creel, call->operand[0], &call->create, &call->criu, &status, ret_error))
		return -1;
	return status;
}
