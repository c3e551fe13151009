/*
 * Doers of the resctrl group: all work is sys/resctrl's.
 */
#include "run/doers.h"

int do_rdt_make(struct walk *w, const struct step *step, struct err *e)
{
	if (resctrl_make(step->rdt, w->arena, e))
		return -1;
	return resctrl_open(step->rdt, &w->resctrl, e);
}

int do_rdt_open(struct walk *w, const struct step *step, struct err *e)
{
	return resctrl_open(step->rdt, &w->resctrl, e);
}

/* The descriptors are of the host: they are closed before anything of the container is entered. */
int do_rdt_join(struct walk *w, const struct step *step, struct err *e)
{
	(void)step;
	if (resctrl_join(&w->resctrl, e))
		return -1;
	resctrl_close(&w->resctrl);
	return 0;
}
