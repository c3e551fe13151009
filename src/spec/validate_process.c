/*
 * The rules on process: what create, run and exec all check. Pointers are relative to the process.
 */
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <string.h>

#include "base/ranges.h"
#include "spec/validate_rules.h"

static int check_env(const struct spec_process *process, struct err *e)
{
	for (size_t i = 0; i < process->env.count; i++) {
		const char *entry = process->env.item[i];

		if (!strchr(entry, '='))
			err_set(e, ERR_INVALID, "invalid environment variable: missing '='");
		else if (entry[0] == '=')
			err_set(e, ERR_INVALID,
				"invalid environment variable: name cannot be empty");
		else
			continue;
		return err_in(e, "/env/%zu", i);
	}
	return 0;
}

/* An id that system calls take for "leave it as it is", which is root's. */
static int check_user(const struct spec_user *user, struct err *e)
{
	bool good_uid = user->uid != VALIDATE_NO_ID;

	if (good_uid && user->gid != VALIDATE_NO_ID)
		return 0;
	return validate_fail(e, good_uid ? "/user/gid" : "/user/uid", "invalid %s %u: not an id",
			     good_uid ? "gid" : "uid", VALIDATE_NO_ID);
}

int validate_process(const struct spec_process *process, struct err *e)
{
	if (!process->cwd)
		return validate_fail(e, "/cwd", "Cwd property must not be empty");
	if (process->cwd[0] != '/')
		return validate_fail(e, "/cwd", "Cwd must be an absolute path");
	if (!process->args.count)
		return validate_fail(e, "/args", "args must not be empty");
	return check_env(process, e) || check_user(&process->user, e) ? -1 : 0;
}

static int check_scheduler(const struct spec_scheduler *s, struct err *e)
{
	bool fixed = s->policy == SCHED_FIFO || s->policy == SCHED_RR;
	bool nice = s->policy == SCHED_NORMAL || s->policy == SCHED_BATCH;

	if (s->policy < 0)
		return validate_fail(e, "/policy", "scheduler policy is required");
	/* Other policies have no use for it, and the kernel passes over it. */
	if (nice && (s->nice.value < -20 || s->nice.value > 19))
		return validate_fail(
			e, "/nice", "invalid scheduler.nice: %d when scheduler.policy is %s",
			s->nice.value, word_name(&words_sched_policies, (uint64_t)s->policy));
	if (s->priority.value && !fixed)
		return validate_fail(e, "/priority",
				     "scheduler.priority can only be specified for SchedFIFO or "
				     "SchedRR policy");
	if (s->policy != SCHED_DEADLINE &&
	    (s->runtime.value || s->deadline.value || s->period.value))
		return validate_fail(e,
				     s->runtime.value    ? "/runtime"
				     : s->deadline.value ? "/deadline"
							 : "/period",
				     "scheduler runtime/deadline/period can only be specified for "
				     "SchedDeadline policy");
	return 0;
}

int validate_scheduling(const struct spec_process *process, struct err *e)
{
	const struct spec_io_priority *io = process->io_priority;

	if (process->scheduler && check_scheduler(process->scheduler, e))
		return err_in(e, "/scheduler");
	if (io && (io->priority < 0 || io->priority >= IOPRIO_NR_LEVELS))
		return validate_fail(e, "/ioPriority/priority", "invalid ioPriority.Priority: %d",
				     io->priority);
	return 0;
}

int validate_memory_policy(const struct spec_memory_policy *policy, struct err *e)
{
	struct ranges nodes;
	int count = policy->nodes ? ranges_parse(policy->nodes, &nodes) : 0;

	if (count < 0)
		return validate_fail(e, "/nodes", "invalid memory policy nodes \"%s\"",
				     policy->nodes);
	switch (policy->mode) {
	case POLICY_DEFAULT:
	case POLICY_LOCAL:
		if (count)
			return validate_fail(e, "/nodes",
					     "memory policy mode requires 0 nodes but got %d",
					     count);
		return 0;
	case POLICY_PREFERRED:
		return 0;
	default:
		if (!count)
			return validate_fail(
				e, "/nodes",
				"memory policy mode requires at least one node but got 0");
		return 0;
	}
}
