/*
 * creel kill: sends a signal to a container.
 */
#include <signal.h>

#include "cli/commands.h"
#include "cli/each.h"
#include "cli/error.h"
#include "cli/signals.h"

/* Of many, those that have stopped already have got what was wanted. */
static int kill_if_running(struct call *call, struct creel *creel, const char *id,
			   struct creel_error *ret_error)
{
	int failed = creel_kill(creel, id, call->signal, call->all, ret_error);

	return failed && ret_error->code == CREEL_STATE ? 0 : failed;
}

/* A container that is not there is the first thing to say, as with runc. */
static int unknown_signal(const struct call *call, struct creel *creel,
			  struct creel_error *ret_error)
{
	const struct creel_state *state;

	if (!call->regex && creel_state(creel, call->operand[0], &state, ret_error))
		return -1;
	cli_fail(ret_error, CREEL_USAGE, "unknown signal \"%s\"", call->operand[1]);
	return cli_hint(ret_error,
			"a number from 0 to 64, a name such as KILL or SIGKILL, or RTMIN+n");
}

int cmd_kill(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	int number = SIGTERM;

	if (call->operand_count > 1 && !signal_parse(call->operand[1], &number))
		return unknown_signal(call, creel, ret_error);
	call->signal = number;
	if (call->regex)
		return each_match(call, creel, kill_if_running, ret_error);
	return creel_kill(creel, call->operand[0], number, call->all, ret_error);
}
