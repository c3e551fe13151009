/*
 * Doers of process.apparmorProfile and process.selinuxLabel: what the program is confined by. Both
 * take effect with its execution.
 */
#include "run/doers.h"
#include "security/lsm.h"

int do_apparmor(struct walk *w, const struct step *step, struct err *e)
{
	if (walk_need_procfs(w, e) || lsm_apparmor_on_exec(w->procfs, step->text, e))
		return err_wrap(e, "unable to apply apparmor profile");
	return 0;
}

int do_selinux(struct walk *w, const struct step *step, struct err *e)
{
	if (walk_need_procfs(w, e) || lsm_selinux_on_exec(w->procfs, step->text, e))
		return err_wrap(e, "can't set process label");
	return 0;
}
