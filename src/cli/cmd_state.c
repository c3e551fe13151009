/*
 * creel state: prints the state object of one container.
 */
#include "cli/commands.h"
#include "cli/output.h"

int cmd_state(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	const struct creel_state *state;
	struct str text;

	if (creel_state(creel, call->operand[0], &state, ret_error))
		return -1;
	str_init(&text, call->arena);
	output_add_state(&text, state);
	return output_print(&text, ret_error);
}
