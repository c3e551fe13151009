/*
 * creel exec: runs one more process in a container; the exit status is the process's.
 */
#include <string.h>

#include "base/str.h"
#include "cli/commands.h"
#include "cli/error.h"

static int bad_id(struct creel_error *e, const char *what, const char *text)
{
	cli_fail(e, CREEL_USAGE, "bad %s: \"%s\" is not a number", what, text);
	return cli_hint(
		e, "names of users and groups are the engine's matter: only the image knows them");
}

/* UID or UID:GID. */
static int parse_user(struct call *call, struct creel_error *e)
{
	const char *colon = strchr(call->user, ':');
	struct creel_exec *exec = &call->exec;
	struct err err;
	char *uid;

	uid = arena_copy(call->arena, call->user, strcspn(call->user, ":"), &err);
	if (!uid)
		return cli_fail_base(e, &err);
	if (!str_to_u32(uid, &exec->uid))
		return bad_id(e, "uid", uid);
	if (colon && !str_to_u32(colon + 1, &exec->gid))
		return bad_id(e, "gid", colon + 1);
	exec->user_given = true;
	exec->gid_given = colon;
	return 0;
}

static int parse_groups(struct call *call, struct creel_error *e)
{
	struct err err;
	uint32_t *gids = arena_get_array(call->arena, call->gids.count, sizeof(*gids), &err);

	if (!gids)
		return cli_fail_base(e, &err);
	for (size_t i = 0; i < call->gids.count; i++) {
		if (!str_to_u32(call->gids.item[i], &gids[i]))
			return bad_id(e, "gid", call->gids.item[i]);
	}
	call->exec.additional_gids = gids;
	call->exec.additional_gid_count = call->gids.count;
	return 0;
}

int cmd_exec(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	struct creel_exec *exec = &call->exec;
	int status;

	if (call->user && parse_user(call, ret_error))
		return -1;
	if (call->gids.count && parse_groups(call, ret_error))
		return -1;
	exec->args = call->operand + 1;
	exec->env = call->env.item;
	exec->caps = call->caps.item;
	exec->cgroups = call->cgroups.item;
	if (creel_exec(creel, call->operand[0], exec, &status, ret_error))
		return -1;
	return status;
}
