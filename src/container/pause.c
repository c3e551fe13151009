/*
 * pause and resume: the cgroup of a container is frozen, and let go again. The status "paused" is
 * nothing but a frozen cgroup, so there is nothing to record.
 */
#include "container/status.h"

static int set_frozen(struct creel *c, const char *verb, struct container *ct, bool frozen,
		      struct err *e)
{
	if (!cgroup_freeze(&ct->cgroup, frozen, e))
		return 0;
	container_warn_access(c, verb, e);
	return -1;
}

/* kill does not wait for the lock, so init may be gone by the time that all is frozen, or is not.
 */
static int freeze(struct creel *c, struct container *ct, struct err *e)
{
	int failed = set_frozen(c, "pause", ct, true, e);

	if ((failed && e->code != ERR_STATE) || container_hold(ct, e))
		return -1;
	if (ct->pid)
		return failed;
	if (!failed && set_frozen(c, "pause", ct, false, e))
		return -1;
	return err_set(e, ERR_STATE, "container not running");
}

int container_pause(struct creel *c, const char *id, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, true, &ct, e))
		return -1;
	if (ct.status == CREEL_CREATED || ct.status == CREEL_RUNNING)
		failed = freeze(c, &ct, e);
	else
		failed = err_set(e, ERR_STATE, "container not running");
	container_close(&ct);
	return failed;
}

int container_resume(struct creel *c, const char *id, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, true, &ct, e))
		return -1;
	if (ct.status == CREEL_PAUSED)
		failed = set_frozen(c, "resume", &ct, false, e);
	else
		failed = err_set(e, ERR_STATE, "container not paused");
	container_close(&ct);
	return failed;
}
