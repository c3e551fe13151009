/*
 * delete: gives back everything that a container had.
 */
#include <errno.h>
#include <signal.h>

#include "base/fd.h"
#include "base/str.h"
#include "container/status.h"
#include "state/store.h"
#include "sys/pidfd.h"

#define KILL_TIMEOUT 10000 /* ms */

static int kill_cgroup(struct creel *c, const struct container *ct, struct err *e)
{
	size_t count;
	pid_t *pids;

	if (cgroup_pids(&ct->cgroup, &c->arena, &pids, &count, e))
		return -1;
	return count ? cgroup_kill(&ct->cgroup, &c->arena, e) : 0;
}

/*
 * Kills init and waits until it is gone; with it ends every process of its pid namespace. What a
 * restore has left that was killed may be criu instead, which others do not end with, or a process
 * that cannot end before criu lets go of it.
 */
static int kill_init(struct creel *c, struct container *ct, struct err *e)
{
	int left;

	if (container_hold(ct, e))
		return -1;
	if (ct->pidfd < 0)
		return 0;
	if (pidfd_signal(ct->pidfd, SIGKILL, e) && e->sys != ESRCH)
		return -1;
	if (cgroup_thaw(&ct->cgroup, e))
		return -1;
	if (!store_is_made(ct->dir) && kill_cgroup(c, ct, e))
		return -1;
	left = pidfd_wait_all(&ct->pidfd, 1, KILL_TIMEOUT, e);
	if (left <= 0)
		return left;
	err_set(e, ERR_STATE, "container init still running: process %d does not die",
		(int)ct->pid);
	return cgroup_hint_stuck(&ct->cgroup, &c->arena, e);
}

/*
 * Others of the container that do not end with init: those of a shared pid namespace, and of a
 * restore that was killed. A record without init is that of a create which was killed before
 * anything of the container ran: whoever is in its cgroup then is not known to be the container's,
 * and is left alone.
 */
static int kill_rest(struct creel *c, const struct container *ct, struct err *e)
{
	bool alone = ct->record->private_pids && store_is_made(ct->dir);

	return alone || !ct->record->pid ? 0 : kill_cgroup(c, ct, e);
}

static int delete_open(struct creel *c, struct container *ct, bool force, struct err *e)
{
	bool dead = ct->status == CREEL_STOPPED || ct->status == CREEL_CREATED ||
		    ct->status == CREEL_CREATING;

	if (!dead && !force) {
		err_set(e, ERR_STATE, "cannot delete container %s that is not stopped: %s", ct->id,
			creel_status_name(ct->status));
		return err_hint(e, "kill it first, or use --force");
	}
	if (ct->status != CREEL_STOPPED && kill_init(c, ct, e))
		return -1;
	if (ct->lost)
		log_add(&c->log, LOG_LEVEL_WARNING,
			"container %s: %s is another's by now, and was left alone", ct->id,
			ct->lost);
	return kill_rest(c, ct, e) || container_destroy(c, ct, e) ? -1 : 0;
}

/*
 * A directory without a readable record: what a create leaves that was killed in its first instant,
 * before it had made anything else. A damaged record is removed by force alone, since its cgroup is
 * not known.
 */
static int delete_broken(struct creel *c, const char *id, bool force, struct err *e)
{
	bool no_record = e->code == ERR_NOT_FOUND;
	struct state_record *record;
	struct err why = *e;
	_close_ int dir = -1;

	if (e->code == ERR_USAGE || (!no_record && (!force || e->code != ERR_INVALID)))
		return -1;
	dir = store_open(c->root, id, true, &why);
	/* It has gone, or is another container that was created meanwhile. */
	if (dir < 0 ? why.code == ERR_NOT_FOUND
		    : !state_record_read(dir, &c->arena, &record, &why) &&
			      str_equal(record->id, id))
		return force ? 0 : -1;
	if (dir < 0 || store_remove_ruin(c->root, id, &why)) {
		*e = why;
		return -1;
	}
	if (!no_record)
		log_add(&c->log, LOG_LEVEL_WARNING,
			"container %s: its record was damaged; what else it had, if anything, is "
			"not known and was not removed: %s",
			id, e->text);
	return force ? 0 : -1;
}

int container_delete(struct creel *c, const char *id, bool force, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, true, &ct, e))
		return delete_broken(c, id, force, e);
	failed = delete_open(c, &ct, force, e);
	container_close(&ct);
	return failed;
}
