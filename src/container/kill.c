/*
 * kill: sends a signal to init, or to all processes of the container.
 */
#include <errno.h>
#include <signal.h>

#include "container/status.h"
#include "sys/pidfd.h"

/* Every process that is in the cgroup now; one that ends meanwhile has got what was wanted. */
static int signal_cgroup(struct creel *c, const struct container *ct, int signal, struct err *e)
{
	size_t count;
	pid_t *pids;

	if (signal == SIGKILL)
		return cgroup_kill(&ct->cgroup, &c->arena, e);
	if (cgroup_pids(&ct->cgroup, &c->arena, &pids, &count, e))
		return -1;
	for (size_t i = 0; i < count; i++)
		if (kill(pids[i], signal) && errno != ESRCH)
			return err_sys(e, "signal process %d", (int)pids[i]);
	return 0;
}

static int signal_init(struct creel *c, struct container *ct, int signal, struct err *e)
{
	if (container_hold(ct, e))
		return -1;
	if (ct->pidfd < 0) /* it has ended, or create has not cloned it yet */
		return err_set(e, ERR_STATE, "container not running");
	/* Without a pid namespace of its own the others would outlive init. */
	if (signal == SIGKILL && !ct->record->private_pids && ct->cgroup.count)
		return cgroup_kill(&ct->cgroup, &c->arena, e);
	if (pidfd_signal(ct->pidfd, signal, e))
		return e->sys == ESRCH ? err_set(e, ERR_STATE, "container not running") : -1;
	log_add(&c->log, LOG_LEVEL_DEBUG, "signal %d was sent to process %d", signal, (int)ct->pid);
	/*
	 * A frozen process of version 1 does not even die; version 2 takes care of that itself, and
	 * thawing is no harm. It may have been frozen after its status was found.
	 */
	return signal == SIGKILL ? cgroup_thaw(&ct->cgroup, e) : 0;
}

/* A container that has stopped is as good as one that was signalled. */
static int signal_all(struct creel *c, struct container *ct, int signal, struct err *e)
{
	/* Whoever is in the cgroup of a create that was killed is not known to be ours. */
	if (ct->cgroup.count && ct->record->pid)
		return signal_cgroup(c, ct, signal, e);
	return signal_init(c, ct, signal, e) && e->code != ERR_STATE ? -1 : 0;
}

int container_kill(struct creel *c, const char *id, int signal, bool all, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = container_check_owner(&ct, e);
	if (!failed)
		failed = all ? signal_all(c, &ct, signal, e) : signal_init(c, &ct, signal, e);
	container_close(&ct);
	return failed;
}
