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
	if (e->sys == EROFS)
		return err_hint(e, "the cgroup file system is mounted read-only here: mount it "
				   "with rw, or ask for no limits and no cgroupsPath");
	return err_hint(e,
			"without privilege, ask for no limits and no cgroupsPath, or have a cgroup "
			"delegated to the user%s",
			w->facts->cgroup.layout == CGROUP_V2
				? ", for which systemd can be asked: --systemd-cgroup"
				: "");
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

/*
 * Only now the cgroup is in the record: whoever deletes the container may stop a unit of ours, but
 * none that was there before and kept us from making it.
 */
int do_cgroup_unit(struct walk *w, const struct step *step, struct err *e)
{
	if (cgroup_unit_start(&w->plan->unit, step->unit.properties, w->pid, w->arena, e))
		return -1;
	w->made_cgroup = true;
	w->record->cgroup_paths.count = w->plan->cgroup.count;
	w->record->cgroup_inode = cgroup_inode(&w->plan->cgroup);
	return state_record_write(w->state, w->record, w->arena, e);
}

int do_cgroup_rest(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	return cgroup_make_rest(&w->plan->cgroup, w->pid, e);
}

int do_cgroup_give(struct walk *w, const struct step *step, struct err *e)
{
	return w->made_cgroup ? cgroup_give(&w->plan->cgroup, step->owner, w->arena, e) : 0;
}

/* Without privilege nobody may be moved out of a login's cgroup, but by systemd. */
int do_cgroup_attach(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	if (w->in_cgroup)
		return 0;
	return cgroup_unit_attach(&w->plan->unit, &w->plan->cgroup, w->pid, w->arena, e);
}

/* The descriptors are of the host: they are closed before anything of the container is entered. */
int do_cgroup_join(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	if (cgroup_join_self(&w->cgroup, e))
		return -1;
	if (!w->in_cgroup && !cgroup_unit_of_user(&w->plan->unit) &&
	    cgroup_join_unified(&w->cgroup, e))
		return -1; /* see do_cgroup_attach for the other case */
	cgroup_close(&w->cgroup);
	return 0;
}
