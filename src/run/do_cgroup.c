/*
 * Doers of the cgroup's steps: all work is cgroup/'s.
 */
#include <errno.h>

#include "base/fd.h"
#include "run/doers.h"

int do_cgroup_make(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	if (!cgroup_make(&w->plan->cgroup, w->arena, &w->cgroup, e)) {
		w->made_cgroup = true;
		return 0;
	}
	if (e->sys != EACCES && e->sys != EPERM && e->sys != EROFS)
		return -1;
	if (w->plan->cgroup_optional) {
		log_add(w->log, LOG_LEVEL_DEBUG, "no cgroup: %s", e->text);
		return 0;
	}
	return err_hint(e,
			"without privilege, ask for no limits and no cgroupsPath, or have a cgroup "
			"delegated to the user");
}

int do_cgroup_write(struct walk *w, const struct step *step, struct err *e)
{
	return cgroup_write(&w->plan->cgroup, step->setting, e);
}

int do_cgroup_devices(struct walk *w, const struct step *step, struct err *e)
{
	return w->made_cgroup ? cgroup_devices(&w->plan->cgroup, step->rules, w->arena, e) : 0;
}

int do_cgroup_open(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	return cgroup_open(&w->plan->cgroup, &w->cgroup, e);
}

/* The descriptors are of the host: they are closed before anything of the container is entered. */
int do_cgroup_join(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	if (cgroup_join_self(&w->cgroup, e))
		return -1;
	if (!w->in_cgroup && w->cgroup.unified >= 0 && cgroup_join_unified(&w->cgroup, e))
		return -1;
	cgroup_close(&w->cgroup);
	return 0;
}
