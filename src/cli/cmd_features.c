/*
 * creel features: prints what this runtime can do. Engines read it at their start, and read stderr
 * along with it, so nothing else may be said.
 */
#include "cli/commands.h"
#include "cli/output.h"

int cmd_features(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	const char *text;

	(void)call;
	if (creel_features(creel, &text, ret_error))
		return -1;
	return output_print_text(text, ret_error);
}
