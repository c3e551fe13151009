/*
 * What both columns of a walk know: see walk.h.
 */
#include "run/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/procfs.h"

extern char **environ;

void walk_init(struct walk *w, const struct plan *plan, const struct plan_facts *facts,
	       struct arena *a, const struct log *log)
{
	*w = (struct walk){
		.plan = plan,
		.facts = facts,
		.arena = a,
		.log = log,
		.side = SIDE_RUNTIME,
		.sync = -1,
		.incoming = {.log = log, .terminal = -1, .agent = -1},
		.cgroup = CGROUP_CLOSED,
		.resctrl = RESCTRL_CLOSED,
		.gate = -1,
		.container = -1,
		.console = -1,
		.ids_namespace = -1,
		.pidfd = -1,
		.state = -1,
		.root = -1,
		.dev = -1,
		.proc = -1,
		.sys = -1,
		.procfs = -1,
		.empty = -1,
	};
	notify_none(&w->notify);
#ifdef CREEL_FAULTS
	{
		const char *step = getenv("CREEL_FAIL_STEP");
		uint32_t number;

		if (step && str_to_u32(step, &number))
			w->fail_step = number;
	}
#endif
}

void walk_find_title(struct walk *w, char **first)
{
	char **last = environ && *environ ? environ : first;

	if (!*last)
		return;
	while (last[1])
		last++;
	if (*last < *first)
		return; /* the environment was moved away since */
	w->title = *first;
	w->title_size = (size_t)(*last + strlen(*last) - *first);
}

int walk_need_procfs(struct walk *w, struct err *e)
{
	if (w->procfs < 0)
		w->procfs = procfs_open(e);
	return w->procfs < 0 ? -1 : 0;
}

void walk_done(struct walk *w)
{
	fd_close(&w->sync);
	fd_close(&w->gate);
	fd_close(&w->pidfd);
	fd_close(&w->container);
	fd_close(&w->console);
	fd_close(&w->incoming.terminal);
	fd_close(&w->incoming.agent);
	fd_close(&w->ids_namespace);
	notify_close(&w->notify);
	cgroup_close(&w->cgroup);
	resctrl_close(&w->resctrl);
	for (size_t i = 0; w->trees && i < w->plan->tree_count; i++)
		fd_close(&w->trees[i]);
}
