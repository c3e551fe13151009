/*
 * creel events: prints what a container uses, and when its memory runs out, one object a line.
 */
#include "cli/commands.h"
#include "cli/duration.h"
#include "cli/error.h"
#include "cli/output.h"

struct printer {
	struct creel_error *error;
	int failed;
};

/* Each event is written at once: somebody waits for it at the other end of a pipe. */
static int print(void *user, const char *json)
{
	struct printer *printer = user;

	printer->failed = output_print_text(json, printer->error);
	return printer->failed;
}

static int parse_interval(const char *text, uint64_t *ret, struct creel_error *e)
{
	int64_t nanoseconds;

	if (!duration_parse(text, &nanoseconds))
		return cli_fail(e, CREEL_USAGE,
				"invalid value \"%s\" for flag -interval: parse error", text);
	if (nanoseconds <= 0)
		return cli_fail(e, CREEL_USAGE, "duration interval must be greater than 0");
	*ret = (uint64_t)nanoseconds;
	return 0;
}

int cmd_events(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	struct printer printer = {.error = ret_error};

	if (call->interval && parse_interval(call->interval, &call->events.interval, ret_error))
		return -1;
	call->events.event = print;
	call->events.user = &printer;
	if (creel_events(creel, call->operand[0], &call->events, ret_error))
		return -1;
	return printer.failed;
}
