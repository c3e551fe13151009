/*
 * Chapter "labels" of a plan: what AppArmor and SELinux are told. A container that asks for a
 * protection which the machine does not have is refused.
 */
#include "base/str.h"
#include "plan/steps.h"
#include "security/lsm.h"

static int add_label(struct steps *s, enum step_kind kind, const char *label, const char *pointer,
		     struct err *e)
{
	struct step *step = steps_add(s, kind, pointer, e);

	if (!step)
		return -1;
	step->text = label;
	return 0;
}

static int need_selinux(struct steps *s, const char *label, const char *pointer, struct err *e)
{
	if (!label || s->facts->selinux)
		return 0;
	err_set(e, ERR_UNSUPPORTED,
		"selinux label is specified in config, but selinux is disabled or not supported");
	err_in(e, "%s", pointer);
	return err_hint(e, "this machine has no selinuxfs at /sys/fs/selinux");
}

const char *build_process_label(const struct steps *s, const struct spec_process *process)
{
	return process->selinux_label ? process->selinux_label : s->spec->process->selinux_label;
}

int build_labels(struct steps *s, const struct spec_process *process, struct err *e)
{
	const char *profile = process->apparmor_profile ? process->apparmor_profile
							: s->spec->process->apparmor_profile;
	const char *label = build_process_label(s, process);

	if (need_selinux(s, label, "/process/selinuxLabel", e))
		return -1;
	if (profile && !s->facts->apparmor) {
		err_set(e, ERR_UNSUPPORTED, "apparmor: config provided but apparmor not supported");
		err_in(e, "/process/apparmorProfile");
		return err_hint(e, "/sys/module/apparmor/parameters/enabled is not Y here");
	}
	if (profile && add_label(s, STEP_APPARMOR, profile, "/process/apparmorProfile", e))
		return -1;
	if (label && add_label(s, STEP_SELINUX, label, "/process/selinuxLabel", e))
		return -1;
	return 0;
}

/*
 * proc and sysfs label their own files, and the files of a bind have labels. A message queue's file
 * system gets one for its root when it is there.
 */
int build_mount_label(struct steps *s, struct plan_mount *mount, struct err *e)
{
	const char *label = s->spec->linux_.mount_label;

	if (need_selinux(s, label, "/linux/mountLabel", e))
		return -1;
	if (!label || mount->how != MOUNT_NEW || str_equal(mount->type, "proc") ||
	    str_equal(mount->type, "sysfs"))
		return 0;
	if (str_equal(mount->type, "mqueue")) {
		mount->label = label;
		return 0;
	}
	mount->data = lsm_mount_data(mount->data, label, s->arena, e);
	return mount->data ? 0 : -1;
}
