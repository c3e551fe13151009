/*
 * Staying with a container in the foreground: see stay.h.
 */
#include "container/stay.h"

#include "state/store.h"

int stay_with(struct creel *c, struct making *m, struct foreground *fg, struct relay *relay,
	      int *ret_status, struct err *e)
{
	bool there = false;
	struct err why;
	int failed;

	store_unlock(m->ct.dir);
	failed = foreground_wait(fg, &m->walk, relay, ret_status, e);
	notify_settle(&m->walk.notify);
	if (store_lock(m->ct.dir, m->ct.id, &there, &why))
		log_add(&c->log, LOG_LEVEL_WARNING, "%s", why.text);
	m->gone = !there;
	return failed;
}

void stay_clean_up(struct creel *c, struct making *m)
{
	struct err why;

	if (cgroup_kill(&m->ct.cgroup, &c->arena, &why) || container_destroy(c, &m->ct, &why))
		log_add(&c->log, LOG_LEVEL_WARNING, "%s", why.text);
}
