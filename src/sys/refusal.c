/*
 * Refused namespaces: see refusal.h.
 */
#include "sys/refusal.h"

#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>

#include "base/str.h"
#include "sys/procfs.h"

/* What a user may have at most of each kind is in /proc/sys/user/max_NAME_namespaces. */
static const struct {
	uint64_t flag;
	char name[8];
} kinds[] = {
	{CLONE_NEWUSER, "user"},     {CLONE_NEWNS, "mnt"},    {CLONE_NEWPID, "pid"},
	{CLONE_NEWNET, "net"},       {CLONE_NEWIPC, "ipc"},   {CLONE_NEWUTS, "uts"},
	{CLONE_NEWCGROUP, "cgroup"}, {CLONE_NEWTIME, "time"},
};

static int explain_limit(uint64_t flags, struct err *e)
{
	char path[64];
	uint64_t limit;

	for (size_t i = 0; i < array_len(kinds); i++) {
		(void)snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces",
			       kinds[i].name);
		if (flags & kinds[i].flag && procfs_number(path, &limit) && !limit)
			return err_hint(e,
					"user.max_%s_namespaces is 0 here: as root, "
					"sysctl user.max_%s_namespaces=15000",
					kinds[i].name, kinds[i].name);
	}
	return err_hint(e, "one of the limits user.max_*_namespaces (sysctl) is reached, or the "
			   "namespaces are nested 32 deep");
}

static int explain_permission(uint64_t flags, struct err *e)
{
	uint64_t value;

	if (!(flags & CLONE_NEWUSER))
		return err_hint(e, "it takes CAP_SYS_ADMIN, or a user namespace of the "
				   "container's own");
	if (procfs_number("/proc/sys/kernel/unprivileged_userns_clone", &value) && !value)
		return err_hint(e, "user namespaces are for root alone here: as root, "
				   "sysctl kernel.unprivileged_userns_clone=1");
	if (procfs_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", &value) &&
	    value)
		return err_hint(e, "AppArmor wants a profile with \"userns,\" for this program, "
				   "or as root, "
				   "sysctl kernel.apparmor_restrict_unprivileged_userns=0");
	return err_hint(e, "the kernel refuses it in a chroot and to ids that are not mapped, and "
			   "the seccomp filter of a container around this one may");
}

void refusal_of_namespaces(uint64_t flags, struct err *e)
{
	if (e->sys == ENOSPC || e->sys == EUSERS)
		explain_limit(flags, e);
	else if (e->sys == EPERM || e->sys == EACCES)
		explain_permission(flags, e);
}
