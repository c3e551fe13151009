/*
 * creel run: makes a container, runs it and, unless detached, waits for it; the exit status is the
 * program's.
 */
#include "cli/commands.h"

int cmd_run(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	int status;

	if (creel_run(creel, call->operand[0], &call->create, &status, ret_error))
		return -1;
	return status;
}
