/*
 * The doer that records the container: from now on every command finds it. The pid file comes last,
 * because it tells the caller that all went well.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "run/doers.h"
#include "sys/procfs.h"

/* "NEWPID" → "/proc/PID/ns/pid": the keys are those of the clone flags. */
static int fill_namespaces(struct walk *w, struct err *e)
{
	static const char *const keys[NS_TYPES] = {
		[NS_USER] = "NEWUSER",     [NS_PID] = "NEWPID",   [NS_NET] = "NEWNET",
		[NS_IPC] = "NEWIPC",       [NS_UTS] = "NEWUTS",   [NS_MOUNT] = "NEWNS",
		[NS_CGROUP] = "NEWCGROUP", [NS_TIME] = "NEWTIME",
	};
	struct str_map *map = &w->record->namespace_paths;

	map->item = arena_get_array(w->arena, NS_TYPES, sizeof(*map->item), e);
	if (!map->item)
		return -1;
	for (int type = 0; type < NS_TYPES; type++) {
		const char *path = arena_format(w->arena, e, "/proc/%d/ns/%s", (int)w->pid,
						ns_proc_name((enum ns_type)type));

		if (!path)
			return -1;
		map->item[map->count++] = (struct str_pair){.key = keys[type], .value = path};
	}
	return 0;
}

static int record_state(struct walk *w, struct err *e)
{
	char state;

	w->record->pid = w->pid;
	if (procfs_start_time(w->pid, &w->record->start, &state, e) || fill_namespaces(w, e))
		return -1;
	return state_record_write(w->state, w->record, w->arena, e);
}

int do_record(struct walk *w, const struct step *step, struct err *e)
{
	char text[16];

	(void)step;
	if (w->record && record_state(w, e))
		return -1;
	if (!w->pid_file)
		return 0;
	(void)snprintf(text, sizeof(text), "%d", (int)w->pid);
	return file_replace(AT_FDCWD, w->pid_file, 0666, text, strlen(text), e);
}
