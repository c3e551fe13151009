/*
 * creel checkpoint: saves a container to disk.
 */
#include "cli/commands.h"
#include "cli/criu_words.h"

int cmd_checkpoint(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	if (criu_words(call, ret_error) || criu_words_page_server(call, ret_error))
		return -1;
	return creel_checkpoint(creel, call->operand[0], &call->criu, ret_error);
}
