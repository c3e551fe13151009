/*
 * Chapter "process" of a plan: limits, privileges, user, program. The order is a matter of safety:
 * what needs privilege comes before it is given up, and the seccomp filter comes as late as it can
 * (with no_new_privs after everything else, without while the capability to load it is still
 * there).
 */
#include "base/str.h"
#include "plan/steps.h"

static int build_rlimits(struct steps *s, const struct spec_process *process, struct err *e)
{
	for (size_t i = 0; i < process->rlimits.count; i++) {
		struct step *step = steps_add(s, STEP_RLIMIT, "/process/rlimits", e);

		if (!step)
			return -1;
		step->item = (int)i;
		step->rlimit = process->rlimits.item[i];
		/* Only the runtime may raise a hard limit of a process in another user namespace.
		 */
		if (s->plan->user_namespace) {
			step->side = SIDE_RUNTIME;
			step->stage = STAGE_REPORT;
		}
	}
	return 0;
}

static int build_seccomp(struct steps *s, struct err *e)
{
	const struct spec_seccomp *profile = s->spec->linux_.seccomp;
	struct seccomp_program *program;
	struct step *step;

	if (!profile)
		return 0;
	program = arena_get(s->arena, sizeof(*program), e);
	if (!program || seccomp_compile(profile, seccomp_native_arch, s->log, s->arena, program, e))
		return -1;
	step = steps_add(s, STEP_SECCOMP, "/linux/seccomp", e);
	if (!step)
		return -1;
	step->seccomp.program = program;
	step->seccomp.rules = profile->rule_count;
	return 0;
}

/*
 * What the runtime does not have it cannot give, unless the container has a user namespace of its
 * own, whose root has everything. As the specification demands, that is told and passed over.
 */
static uint64_t grantable(struct steps *s, const struct spec_capabilities *caps)
{
	uint64_t granted = s->facts->capabilities;
	uint64_t asked = caps->bounding | caps->effective | caps->permitted;

	if (!s->plan->user_namespace)
		granted &= s->facts->permitted;
	for (unsigned cap = 0; cap < 64; cap++)
		if ((asked & ~granted) >> cap & 1)
			log_add(s->log, LOG_LEVEL_WARNING,
				"ignoring unknown or unavailable capabilities: [%s]",
				word_name(&words_capabilities, cap));
	return granted;
}

static int build_user(struct steps *s, const struct spec_process *process, struct err *e)
{
	static const struct spec_capabilities none;
	const struct spec_capabilities *caps =
		process->capabilities ? process->capabilities : &none;
	struct step *step = steps_add(s, STEP_BOUNDING, "/process/capabilities/bounding", e);

	if (!step)
		return -1;
	step->bounding = caps->bounding & grantable(s, caps);
	step = steps_add(s, STEP_CWD, "/process/cwd", e);
	if (!step)
		return -1;
	step->text = process->cwd;
	step = steps_add(s, STEP_USER, "/process/user", e);
	if (!step)
		return -1;
	step->user.item = &process->user;
	step->user.setgroups =
		!s->facts->setgroups_denied && (s->facts->euid == 0 || s->plan->gid_count > 1);
	step = steps_add(s, STEP_CAPS, "/process/capabilities", e);
	if (!step)
		return -1;
	step->caps = caps;
	return 0;
}

int build_process(struct steps *s, const struct spec_process *process, struct err *e)
{
	if (build_rlimits(s, process, e))
		return -1;
	if (process->no_new_privileges &&
	    !steps_add(s, STEP_NO_NEW_PRIVS, "/process/noNewPrivileges", e))
		return -1;
	if (!process->no_new_privileges && build_seccomp(s, e))
		return -1;
	if (build_user(s, process, e) || !steps_add(s, STEP_LOOKUP, "/process/args/0", e))
		return -1;
	return 0;
}

int build_execution(struct steps *s, const struct spec_process *process, struct err *e)
{
	size_t seccomp;

	if (!steps_add(s, STEP_CLOSE, NULL, e))
		return -1;
	seccomp = s->plan->count;
	if (process->no_new_privileges && build_seccomp(s, e))
		return -1;
	for (; seccomp < s->plan->count; seccomp++)
		s->plan->step[seccomp].stage = STAGE_GATE;
	return steps_add(s, STEP_EXEC, "/process/args", e) ? 0 : -1;
}
