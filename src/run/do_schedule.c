/*
 * Doers of how the kernel treats the process: scheduler, I/O priority, memory nodes, personality.
 * All of it outlives execve. libc has no wrappers for most of these calls, so they are made here.
 */
#include <errno.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdint.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranges.h"
#include "run/doers.h"

/* Whom a step means that either column may have. */
static pid_t subject(const struct walk *w)
{
	return w->side == SIDE_RUNTIME ? w->pid : 0;
}

/* The kernel keeps a deadline for those who may run on every processor of the machine. */
static int explain_scheduler(const struct walk *w, int policy, struct err *e)
{
	const struct spec_resources *resources = w->plan->spec->linux_.resources;

	if (e->sys == EPERM && policy == SCHED_DEADLINE && resources && resources->cpu.cpus)
		return err_set(e, ERR_SYSTEM,
			       "process scheduler can't be used together with AllowedCPUs");
	if (e->sys == EPERM)
		err_hint(e, "it takes CAP_SYS_NICE, and a real-time policy in a version 1 cgroup "
			    "also takes linux.resources.cpu.realtimeRuntime");
	return -1;
}

int do_scheduler(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_scheduler *wanted = step->scheduler;
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = (uint32_t)wanted->policy,
		.sched_flags = wanted->flags,
		.sched_nice = wanted->nice.value,
		.sched_priority = (uint32_t)wanted->priority.value,
		.sched_runtime = wanted->runtime.value,
		.sched_deadline = wanted->deadline.value,
		.sched_period = wanted->period.value,
	};

	if (!syscall(SYS_sched_setattr, subject(w), &attr, 0))
		return 0;
	err_sys(e, "error setting scheduler");
	return explain_scheduler(w, wanted->policy, e);
}

int do_io_priority(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_io_priority *wanted = step->io_priority;
	unsigned value = (unsigned)wanted->class << IOPRIO_CLASS_SHIFT | (unsigned)wanted->priority;

	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, subject(w), value))
		return err_sys(e, "failed to set io priority");
	return 0;
}

int do_memory_policy(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_memory_policy *wanted = step->memory_policy;
	bool nodes = wanted->nodes;
	struct ranges set;

	(void)w;
	if (nodes && ranges_parse(wanted->nodes, &set) < 0)
		return err_set(e, ERR_INVALID, "invalid memory policy nodes \"%s\"", wanted->nodes);
	/* the kernel takes one from the number of bits first */
	if (syscall(SYS_set_mempolicy, (int)((unsigned)wanted->mode | wanted->flags),
		    nodes ? set.bits : NULL, nodes ? RANGES_MAX + 1ul : 0ul))
		return err_sys(e, "set_mempolicy(%s, nodes %s)",
			       word_name(&words_memory_modes, wanted->mode),
			       nodes ? wanted->nodes : "none");
	return 0;
}

int do_personality(struct walk *w, const struct step *step, struct err *e)
{
	(void)w;
	if (personality(step->personality == DOMAIN_LINUX32 ? PER_LINUX32 : PER_LINUX) < 0)
		return err_sys(e, "set personality");
	return 0;
}
