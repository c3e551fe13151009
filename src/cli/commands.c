/*
 * The commands by name and by what they do: see commands.h. Their words stand in command_table.c.
 */
#include "cli/commands.h"

#include <string.h>

#include "base/str.h"
#include "cli/suggest.h"

command_function *const command_functions[COMMANDS] = {
	[COMMAND_CHECKPOINT] = cmd_checkpoint,
	[COMMAND_CREATE] = cmd_create,
	[COMMAND_DELETE] = cmd_delete,
	[COMMAND_EVENTS] = cmd_events,
	[COMMAND_EXEC] = cmd_exec,
	[COMMAND_EXPLAIN] = cmd_explain,
	[COMMAND_FEATURES] = cmd_features,
	[COMMAND_KILL] = cmd_kill,
	[COMMAND_LIST] = cmd_list,
	[COMMAND_PAUSE] = cmd_pause,
	[COMMAND_PS] = cmd_ps,
	[COMMAND_RESTORE] = cmd_restore,
	[COMMAND_RESUME] = cmd_resume,
	[COMMAND_RUN] = cmd_run,
	[COMMAND_SPEC] = cmd_spec,
	[COMMAND_START] = cmd_start,
	[COMMAND_STATE] = cmd_state,
	[COMMAND_UPDATE] = cmd_update,
};

enum command_id command_find(const char *name)
{
	for (int id = COMMAND_NONE + 1; id < COMMANDS; id++) {
		if (str_equal(command_table[id].name, name))
			return (enum command_id)id;
	}
	return str_equal(name, "h") ? COMMAND_HELP : COMMAND_NONE;
}

const char *command_nearest(const char *name)
{
	struct suggestion best = suggestion_for(name, strlen(name));

	for (int id = COMMAND_NONE + 1; id < COMMANDS; id++)
		suggestion_offer(&best, command_table[id].name);
	return best.name;
}
