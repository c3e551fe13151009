/*
 * run: create and start in one, and unless detached the wait for the end, and the delete.
 */
#include <signal.h>

#include "base/fd.h"
#include "container/make.h"
#include "container/start.h"
#include "container/stay.h"
#include "run/carry.h"
#include "run/foreground.h"
#include "state/store.h"

/* From here on the container's init is the program. */
static int let_run(struct creel *c, struct making *m, struct err *e)
{
	int failed = carry_wait_exec(&m->walk, e);

	if (failed)
		make_explain(m, e);
	m->ct.pidfd = m->walk.pidfd;
	if (!failed)
		failed = store_set_made(m->ct.dir, e) || container_poststart(c, &m->ct, e);
	m->ct.pidfd = -1;
	return failed;
}

/* Nobody stays with it: its being ready is waited for here. */
static int let_run_detached(struct creel *c, struct making *m, struct err *e)
{
	struct walk *w = &m->walk;

	if (let_run(c, m, e))
		return -1;
	store_unlock(m->ct.dir);
	notify_wait(&w->notify, w->pidfd, w->pid);
	return 0;
}

/* Lets it run and stays until its end, with its terminal in relay when it has one. */
static int let_run_here(struct creel *c, struct making *m, struct foreground *fg, int *ret_status,
			struct err *e)
{
	struct walk *w = &m->walk;
	struct relay relay;
	int failed = 0;

	relay_none(&relay);
	if (w->incoming.terminal >= 0)
		failed = relay_begin(&relay, fd_take(&w->incoming.terminal), &c->arena, e);
	if (!failed)
		failed = let_run(c, m, e);
	if (!failed)
		failed = stay_with(c, m, fg, &relay, ret_status, e);
	relay_end(&relay);
	return failed;
}

static int run(struct creel *c, const char *id, const struct creel_create *o, struct foreground *fg,
	       int *ret_status, struct err *e)
{
	struct making m = {0};
	int status = 0;

	if (make_container(c, id, o, false, &m, e))
		return -1;
	if (o->detach ? let_run_detached(c, &m, e) : let_run_here(c, &m, fg, &status, e)) {
		make_undo(c, &m, e);
		return -1;
	}
	if (!o->detach && !o->keep && !m.gone)
		stay_clean_up(c, &m);
	make_done(&m);
	*ret_status = status;
	return 0;
}

int container_run(struct creel *c, const char *id, const struct creel_create *o, int *ret_status,
		  struct err *e)
{
	struct foreground fg;
	int failed;

	foreground_none(&fg);
	if (!o->detach && foreground_begin(&fg, !o->no_subreaper, e))
		return -1;
	failed = run(c, id, o, &fg, ret_status, e);
	foreground_end(&fg);
	return failed;
}
