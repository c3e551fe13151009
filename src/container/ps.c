/*
 * ps: which processes are in a container. Its cgroup knows.
 */
#include "container/status.h"

static int list_pids(struct creel *c, const struct container *ct, pid_t **ret_pids,
		     size_t *ret_count, struct err *e)
{
	bool none = ct->status == CREEL_STOPPED && (!ct->record->pid || !ct->cgroup.count);

	if (none) { /* whoever is in the cgroup of a create that was killed is not ours */
		*ret_pids = NULL;
		*ret_count = 0;
		return 0;
	}
	if (!ct->cgroup.count)
		return err_set(e, ERR_UNSUPPORTED,
			       "unable to get all container pids: the container has no cgroup");
	if (!cgroup_pids(&ct->cgroup, &c->arena, ret_pids, ret_count, e))
		return 0;
	container_warn_access(c, "ps", e);
	return err_wrap(e, "unable to get all container pids");
}

int container_ps(struct creel *c, const char *id, const pid_t **ret_pids, size_t *ret_count,
		 struct err *e)
{
	struct container ct;
	pid_t *pids;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = list_pids(c, &ct, &pids, ret_count, e);
	if (!failed)
		*ret_pids = pids;
	container_close(&ct);
	return failed;
}
