/*
 * creel explain: prints the plan that create would carry out. It needs no container, so the id may
 * be left out.
 */
#include "cli/commands.h"
#include "cli/output.h"

int cmd_explain(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	const char *id = call->operand_count ? call->operand[0] : "example";
	const char *text;

	if (creel_explain(creel, id, &call->create, &text, ret_error))
		return -1;
	return output_print_text(text, ret_error);
}
