/*
 * Chapter "process" of a plan: limits, privileges, user, program. The order is a matter of safety:
 * what needs privilege comes before it is given up, and the seccomp filter comes as late as it can
 * (with no_new_privs after everything else, without while the capability to load it is still
 * there).
 */
#include <string.h>

#include "base/str.h"
#include "plan/steps.h"

#define STANDARD_UMASK 0022

/*
 * What takes privilege over the machine, when the process is in another user namespace: only the
 * runtime has it then.
 */
static void by_the_privileged(struct steps *s, struct step *step)
{
	if (!s->plan->user_namespace)
		return;
	step->side = SIDE_RUNTIME;
	step->stage = STAGE_REPORT;
}

static int build_rlimits(struct steps *s, const struct spec_process *process, struct err *e)
{
	for (size_t i = 0; i < process->rlimits.count; i++) {
		struct step *step = steps_add(s, STEP_RLIMIT, "/process/rlimits", e);

		if (!step)
			return -1;
		step->item = (int)i;
		step->rlimit = process->rlimits.item[i];
		by_the_privileged(s, step);
	}
	return 0;
}

/* How the kernel treats the process: the process's own wishes, then those of its container. */
static int build_schedule(struct steps *s, const struct spec_process *process, struct err *e)
{
	const struct spec_linux *container = &s->spec->linux_;
	struct step *step;

	if (process->scheduler) {
		step = steps_add(s, STEP_SCHEDULER, "/process/scheduler", e);
		if (!step)
			return -1;
		step->scheduler = process->scheduler;
		by_the_privileged(s, step);
	}
	if (process->io_priority) {
		step = steps_add(s, STEP_IO_PRIORITY, "/process/ioPriority", e);
		if (!step)
			return -1;
		step->io_priority = process->io_priority;
		by_the_privileged(s, step);
	}
	if (container->personality) {
		step = steps_add(s, STEP_PERSONALITY, "/linux/personality", e);
		if (!step)
			return -1;
		step->personality = container->personality->domain;
	}
	if (container->memory_policy) {
		step = steps_add(s, STEP_MEMORY_POLICY, "/linux/memoryPolicy", e);
		if (!step)
			return -1;
		step->memory_policy = container->memory_policy;
	}
	return 0;
}

/* Whoever is with init when the filter is loaded passes its listener on to the agent. */
static int build_agent(struct steps *s, enum plan_stage stage, const char *path, struct err *e)
{
	struct step *step;

	if (stage == STAGE_GATE && s->gated) {
		s->plan->agent_with_start = true;
		return 0;
	}
	step = steps_add(s, STEP_SECCOMP_SOCKET, "/linux/seccomp/listenerPath", e);
	if (!step)
		return -1;
	step->socket.path = path;
	return 0;
}

static int build_seccomp(struct steps *s, enum plan_stage stage, struct err *e)
{
	const struct spec_seccomp *profile = s->spec->linux_.seccomp;
	struct seccomp_program *program;
	struct step *step;

	if (!profile)
		return 0;
	program = arena_get(s->arena, sizeof(*program), e);
	if (!program || seccomp_compile(profile, seccomp_native_arch, s->log, s->arena, program, e))
		return -1;
	if (program->notify && build_agent(s, stage, profile->listener_path, e))
		return -1;
	step = steps_add(s, STEP_SECCOMP, "/linux/seccomp", e);
	if (!step)
		return -1;
	step->stage = stage;
	step->seccomp.program = program;
	step->seccomp.rules = profile->rule_count;
	return 0;
}

/* Puts a name at its place in the order of the alphabet, once. */
static void add_sorted(struct str_list *names, const char *name)
{
	size_t at = names->count;

	while (at && strcmp(names->item[at - 1], name) > 0)
		at--;
	if (at && str_equal(names->item[at - 1], name))
		return;
	memmove(names->item + at + 1, names->item + at,
		(names->count++ - at) * sizeof(*names->item));
	names->item[at] = name;
}

/* All of them in one line, as runc's users know it. */
static int warn_capabilities(struct steps *s, const struct str_list *unknown, uint64_t unavailable,
			     struct err *e)
{
	struct str_list names = {0};
	struct str line;

	if (!unknown->count && !unavailable)
		return 0;
	names.item = arena_get_array(s->arena, unknown->count + 64, sizeof(*names.item), e);
	if (!names.item)
		return -1;
	for (size_t i = 0; i < unknown->count; i++)
		add_sorted(&names, unknown->item[i]);
	for (unsigned cap = 0; cap < 64; cap++)
		if (unavailable >> cap & 1)
			add_sorted(&names, word_name(&words_capabilities, cap));
	str_init(&line, s->arena);
	str_add_list(&line, &names);
	log_add(s->log, LOG_LEVEL_WARNING, "ignoring unknown or unavailable capabilities: [%s]",
		line.text);
	return 0;
}

/*
 * What the runtime does not have it cannot give, unless the container has a user namespace of its
 * own, whose root has everything. As the specification demands, that is told and passed over.
 */
static int grantable(struct steps *s, const struct spec_capabilities *caps, uint64_t *ret,
		     struct err *e)
{
	uint64_t granted = s->facts->capabilities;
	uint64_t asked = caps->bounding | caps->effective | caps->permitted | caps->inheritable |
			 caps->ambient;

	if (!s->plan->user_namespace)
		granted &= s->facts->permitted;
	if (warn_capabilities(s, &caps->unknown, asked & ~granted, e))
		return -1;
	*ret = granted;
	return 0;
}

/* One that a process of exec does not have is that of the container. */
static uint32_t umask_of(const struct steps *s, const struct spec_process *process)
{
	const struct opt_u32 *own = &process->user.umask;
	const struct opt_u32 *containers = &s->spec->process->user.umask;

	return own->set ? own->value : containers->set ? containers->value : STANDARD_UMASK;
}

static int build_user(struct steps *s, const struct spec_process *process, struct err *e)
{
	static const struct spec_capabilities none;
	const struct spec_capabilities *caps =
		process->capabilities ? process->capabilities : &none;
	uint64_t granted = 0;
	struct step *step;

	if (grantable(s, caps, &granted, e))
		return -1;
	step = steps_add(s, STEP_BOUNDING, "/process/capabilities/bounding", e);
	if (!step)
		return -1;
	step->bounding = caps->bounding & granted;
	step = steps_add(s, STEP_CWD, "/process/cwd", e);
	if (!step)
		return -1;
	step->text = process->cwd;
	step = steps_add(s, STEP_USER, "/process/user", e);
	if (!step)
		return -1;
	step->user.item = &process->user;
	step->user.umask = umask_of(s, process);
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
	if (build_labels(s, process, e) || build_rlimits(s, process, e) ||
	    build_schedule(s, process, e))
		return -1;
	if (process->no_new_privileges &&
	    !steps_add(s, STEP_NO_NEW_PRIVS, "/process/noNewPrivileges", e))
		return -1;
	if (!process->no_new_privileges && build_seccomp(s, STAGE_SEAL, e))
		return -1;
	if (build_user(s, process, e) || !steps_add(s, STEP_LOOKUP, "/process/args/0", e))
		return -1;
	return 0;
}

int build_execution(struct steps *s, const struct spec_process *process, struct err *e)
{
	if (!steps_add(s, STEP_CLOSE, NULL, e))
		return -1;
	if (process->no_new_privileges && build_seccomp(s, STAGE_GATE, e))
		return -1;
	return steps_add(s, STEP_EXEC, "/process/args", e) ? 0 : -1;
}
