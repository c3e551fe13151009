/*
 * Many containers at once: see each.h.
 */
#include "cli/each.h"

#include <string.h>

#include "cli/error.h"
#include "cli/logging.h"

/* The ids, in memory that the library does not take back with its next call. */
static int find(struct call *call, struct creel *creel, struct str_list *ret, struct creel_error *e)
{
	const char *const *ids;
	struct str_list kept = {0};
	struct err err;

	if (creel_match(creel, call->operand[0], &ids, &kept.count, e))
		return -1;
	kept.item = arena_get_array(call->arena, kept.count, sizeof(*kept.item), &err);
	if (!kept.item)
		return cli_fail_base(e, &err);
	for (size_t i = 0; i < kept.count; i++) {
		kept.item[i] = arena_copy(call->arena, ids[i], strlen(ids[i]), &err);
		if (!kept.item[i])
			return cli_fail_base(e, &err);
	}
	*ret = kept;
	return 0;
}

static void tell(const struct call *call, const char *id, const struct creel_error *why)
{
	char message[sizeof(*why)];
	struct str line;
	struct err ignored;

	(void)creel_error_message(why, message, sizeof(message));
	str_init(&line, call->arena);
	str_addf(&line, "container %s: %s", id, message);
	if (str_end(&line, &ignored))
		logging_message(call->logging, CREEL_LOG_WARNING, line.text);
}

int each_match(struct call *call, struct creel *creel,
	       int (*act)(struct call *call, struct creel *creel, const char *id,
			  struct creel_error *ret_error),
	       struct creel_error *ret_error)
{
	struct str_list ids = {0};
	size_t failed = 0;

	if (find(call, creel, &ids, ret_error))
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		struct creel_error why;

		if (!act(call, creel, ids.item[i], &why) || why.code == CREEL_NOT_FOUND)
			continue;
		tell(call, ids.item[i], &why);
		failed++;
	}
	if (!failed)
		return 0;
	return cli_fail(ret_error, CREEL_STATE, "%zu of %zu containers failed", failed, ids.count);
}
