/*
 * run: create and start in one, and unless detached the wait for the end, and the delete.
 */
#include <signal.h>

#include "base/fd.h"
#include "container/make.h"
#include "container/start.h"
#include "run/foreground.h"
#include "run/sync.h"

/* From here on the container's init is the program; when that fails the container is given back. */
static int let_run(struct creel *c, struct making *m, struct err *e)
{
	int failed = sync_wait_exec(m->walk.sync, &c->log, e);

	if (failed)
		err_wrap(e, "unable to start container process");
	m->ct.pidfd = m->walk.pidfd;
	if (!failed)
		failed = container_poststart(c, &m->ct, e);
	m->ct.pidfd = -1;
	if (failed)
		make_undo(c, m, e);
	return failed;
}

/* The container ended by itself: what it had is given back, a failing poststop hook is only told.
 */
static void clean_up(struct creel *c, struct making *m)
{
	struct err why;

	if (cgroup_kill(&m->ct.cgroup, &c->arena, &why) || container_destroy(c, &m->ct, &why))
		log_add(&c->log, LOG_LEVEL_WARNING, "%s", why.text);
}

int container_run(struct creel *c, const char *id, const struct creel_create *o, int *ret_status,
		  struct err *e)
{
	struct making m = {0};
	_close_ int signals = -1;
	int status = 0;

	if (!o->detach) {
		signals = foreground_begin(!o->no_subreaper, e);
		if (signals < 0)
			return -1;
	}
	if (make_container(c, id, o, false, &m, e) || let_run(c, &m, e))
		return -1;
	if (!o->detach) {
		if (foreground_wait(signals, m.walk.pid, m.walk.pidfd, &status, e)) {
			make_undo(c, &m, e);
			return -1;
		}
		if (!o->keep)
			clean_up(c, &m);
	}
	make_done(&m);
	*ret_status = status;
	return 0;
}
