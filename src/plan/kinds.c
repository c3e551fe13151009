/*
 * The kinds of steps: name, column, stage, and what each needs and gives. table
 *
 * A new kind is a line here, a describer in print.c and a doer in run/. plan_check holds the needs
 * against the order, which is how the tests know that no step can run before what it stands on.
 */
#include "plan/kinds.h"

#include "base/str.h"

/* The process is all it will be, but for the program. */
#define READY (HAS_PROGRAM | IS_CAPPED | IS_LABELLED)
#define LAST (IS_CLOSED | IS_REPORTED)

/* A cgroup that comes with its process. */
#define MADE_CGROUP (HAS_CGROUP | IN_CGROUP)

/* There is a devpts to make a terminal in, and somebody to take it. */
#define TTY_READY (HAS_ROOT | HAS_SESSION | HAS_SOCKET)

/* Privileges that will not be needed are gone, and the standard streams are those to be given. */
#define USER_READY (IS_BOUND | HAS_TTY)

/* clang-format off */
const struct plan_kind plan_kinds[STEP_KINDS] = {
	/* kind                name             column        stage, needs, gives */
	[STEP_CGROUP_MAKE]   = {"cgroup-make",   SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_CGROUP},
	[STEP_CGROUP_WRITE]  = {"cgroup-write",  SIDE_RUNTIME, STAGE_PREPARE, HAS_CGROUP, 0},
	[STEP_CGROUP_DEVICES] = {"cgroup-devices",SIDE_RUNTIME, STAGE_PREPARE, HAS_CGROUP, 0},
	[STEP_CGROUP_OPEN]   = {"cgroup-open",   SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_CGROUP},
	[STEP_RDT_MAKE]      = {"rdt-make",      SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_RDT},
	[STEP_RDT_OPEN]      = {"rdt-open",      SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_RDT},
	[STEP_CGROUP_UNIT]   = {"cgroup-unit",   SIDE_RUNTIME, STAGE_MAPS, 0, MADE_CGROUP},
	[STEP_CGROUP_REST]   = {"cgroup-rest",   SIDE_RUNTIME, STAGE_MAPS, HAS_CGROUP, 0},
	[STEP_CGROUP_GIVE]   = {"cgroup-give",   SIDE_RUNTIME, STAGE_PREPARE, HAS_CGROUP, 0},
	[STEP_CGROUP_ATTACH] = {"cgroup-attach", SIDE_RUNTIME, STAGE_MAPS, HAS_CGROUP, 0},
	[STEP_OPEN_TREE]     = {"open-tree",     SIDE_RUNTIME, STAGE_PREPARE, 0, 0},
	[STEP_CONSOLE_SOCKET] = {"console-socket",SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_SOCKET},
	[STEP_SECCOMP_SOCKET] = {"seccomp-socket",SIDE_RUNTIME, STAGE_PREPARE, 0, HAS_AGENT},
	[STEP_NOTIFY]        = {"notify",        SIDE_RUNTIME, STAGE_PREPARE, 0, 0},
	[STEP_CGROUP_JOIN]   = {"cgroup-join",   SIDE_INIT,    STAGE_JOIN, HAS_CGROUP, IN_CGROUP},
	[STEP_RDT_JOIN]      = {"rdt-join",      SIDE_INIT,    STAGE_JOIN, HAS_RDT, 0},
	[STEP_AFFINITY]      = {"affinity",      SIDE_INIT,    STAGE_JOIN, 0, 0},
	[STEP_OOM_SCORE]     = {"oom-score",     SIDE_INIT,    STAGE_JOIN, 0, 0},
	[STEP_NS_JOIN]       = {"ns-join",       SIDE_INIT,    STAGE_JOIN, 0, 0},
	[STEP_NS_JOIN_INIT]  = {"ns-join-init",  SIDE_INIT,    STAGE_JOIN, 0, HAS_ROOT | IN_ROOT},
	[STEP_TIME_OFFSETS]  = {"time-offsets",  SIDE_INIT,    STAGE_JOIN, 0, 0},
	[STEP_ID_MAPS]       = {"id-maps",       SIDE_RUNTIME, STAGE_MAPS, 0, HAS_MAPS},
	[STEP_BECOME_ROOT]   = {"become-root",   SIDE_INIT,    STAGE_ENTER, HAS_MAPS, 0},
	[STEP_NS_NEW]        = {"ns-new",        SIDE_INIT,    STAGE_ENTER, IN_CGROUP, 0},
	[STEP_SESSION]       = {"session",       SIDE_INIT,    STAGE_ENTER, 0, HAS_SESSION},
	[STEP_LOOPBACK]      = {"loopback",      SIDE_INIT,    STAGE_ENTER, 0, 0},
	[STEP_NET_DEVICE]    = {"net-device",    SIDE_RUNTIME, STAGE_ROOTFS, 0, 0},
	[STEP_ROOT]          = {"root",          SIDE_INIT,    STAGE_ROOTFS, 0, HAS_ROOT},
	[STEP_MOUNT]         = {"mount",         SIDE_INIT,    STAGE_ROOTFS, HAS_ROOT, 0},
	[STEP_DEVICE]        = {"device",        SIDE_INIT,    STAGE_ROOTFS, HAS_ROOT, 0},
	[STEP_DEV_LINKS]     = {"dev-links",     SIDE_INIT,    STAGE_ROOTFS, HAS_ROOT, 0},
	[STEP_CONSOLE]       = {"console",       SIDE_INIT,    STAGE_ROOTFS, TTY_READY, HAS_TTY},
	[STEP_HOOK]          = {"hook",          SIDE_RUNTIME, STAGE_HOST_HOOKS,0, 0},
	[STEP_PIVOT]         = {"pivot",         SIDE_INIT,    STAGE_PIVOT, HAS_ROOT, IN_ROOT},
	[STEP_CWD_MAKE]      = {"cwd-make",      SIDE_INIT,    STAGE_PIVOT, IN_ROOT, 0},
	[STEP_MOUNT_READONLY] = {"mount-readonly",SIDE_INIT,    STAGE_PIVOT, IN_ROOT, 0},
	[STEP_ROOT_READONLY] = {"root-readonly", SIDE_INIT,    STAGE_PIVOT, IN_ROOT, 0},
	[STEP_ROOT_PROPAGATION] = {"root-propagation", SIDE_INIT, STAGE_PIVOT, IN_ROOT, 0},
	[STEP_HOSTNAME]      = {"hostname",      SIDE_INIT,    STAGE_PIVOT, 0, 0},
	[STEP_DOMAINNAME]    = {"domainname",    SIDE_INIT,    STAGE_PIVOT, 0, 0},
	[STEP_SYSCTL]        = {"sysctl",        SIDE_INIT,    STAGE_PIVOT, 0, 0},
	[STEP_READONLY_PATH] = {"readonly-path", SIDE_INIT,    STAGE_PIVOT, IN_ROOT, 0},
	[STEP_MASK_PATH]     = {"mask-path",     SIDE_INIT,    STAGE_PIVOT, IN_ROOT, 0},
	[STEP_RLIMIT]        = {"rlimit",        SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_SCHEDULER]     = {"scheduler",     SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_IO_PRIORITY]   = {"io-priority",   SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_MEMORY_POLICY] = {"memory-policy", SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_PERSONALITY]   = {"personality",   SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_APPARMOR]      = {"apparmor",      SIDE_INIT,    STAGE_SEAL, 0, IS_LABELLED},
	[STEP_SELINUX]       = {"selinux",       SIDE_INIT,    STAGE_SEAL, 0, IS_LABELLED},
	[STEP_NO_NEW_PRIVS]  = {"no-new-privs",  SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_SECCOMP]       = {"seccomp",       SIDE_INIT,    STAGE_SEAL, HAS_AGENT, IS_FILTERED},
	[STEP_BOUNDING]      = {"bounding",      SIDE_INIT,    STAGE_SEAL, 0, IS_BOUND},
	[STEP_CWD]           = {"cwd",           SIDE_INIT,    STAGE_SEAL, 0, 0},
	[STEP_USER]          = {"user",          SIDE_INIT,    STAGE_SEAL, USER_READY, IS_USER},
	[STEP_CAPS]          = {"caps",          SIDE_INIT,    STAGE_SEAL, IS_USER, IS_CAPPED},
	[STEP_LOOKUP]        = {"lookup",        SIDE_INIT,    STAGE_SEAL, IS_USER, HAS_PROGRAM},
	[STEP_PIDFD]         = {"pidfd",         SIDE_RUNTIME, STAGE_REPORT, READY, 0},
	[STEP_REPORT]        = {"report",        SIDE_RUNTIME, STAGE_REPORT, READY, IS_REPORTED},
	[STEP_WAIT_START]    = {"wait-start",    SIDE_INIT,    STAGE_GATE, IS_REPORTED, 0},
	[STEP_CLOSE]         = {"close",         SIDE_INIT,    STAGE_GATE, READY, IS_CLOSED},
	[STEP_EXEC]          = {"exec",          SIDE_INIT,    STAGE_GATE, LAST, 0},
	[STEP_CRIU_ROOT]     = {"criu-root",     SIDE_INIT,    STAGE_PIVOT, HAS_ROOT, 0},
	[STEP_CRIU]          = {"criu",          SIDE_INIT,    STAGE_GATE, IN_CGROUP, 0},
};
/* clang-format on */

static const char *const stage_names[STAGES] = {
	[STAGE_PREPARE] = "prepare", [STAGE_JOIN] = "join",     [STAGE_MAPS] = "maps",
	[STAGE_ENTER] = "enter",     [STAGE_ROOTFS] = "rootfs", [STAGE_HOST_HOOKS] = "host-hooks",
	[STAGE_PIVOT] = "pivot",     [STAGE_SEAL] = "seal",     [STAGE_REPORT] = "report",
	[STAGE_GATE] = "gate",
};

const char *plan_stage_name(enum plan_stage stage)
{
	return stage < STAGES ? stage_names[stage] : "none";
}

const char *plan_kind_name(enum step_kind kind)
{
	return kind < STEP_KINDS ? plan_kinds[kind].name : "none";
}

bool plan_has(const struct plan *plan, enum plan_side side, enum plan_stage stage)
{
	return plan->stages[side] >> stage & 1;
}

int plan_wait(const struct plan *plan, enum plan_side side, enum plan_stage stage)
{
	enum plan_side other = side == SIDE_RUNTIME ? SIDE_INIT : SIDE_RUNTIME;

	if (!plan_has(plan, side, stage))
		return -1;
	/*
	 * What was done before the clone is known to both, as is the join stage when a process in
	 * between did it; what this side waited for earlier it knows already.
	 */
	for (int before = (int)stage - 1; before > STAGE_PREPARE; before--) {
		if (before == STAGE_JOIN && plan->by_intermediate)
			return -1;
		if (plan_has(plan, other, (enum plan_stage)before))
			return before;
		if (plan_has(plan, side, (enum plan_stage)before) &&
		    plan_wait(plan, side, (enum plan_stage)before) >= 0)
			return -1;
	}
	return -1;
}

/*
 * Facts are known to the column that made them at once, and to the other from the next stage on:
 * that is what waits are for. What a plan does not make at all (maps without a user namespace)
 * nobody can lack.
 */
int plan_check(const struct plan *plan, struct err *e)
{
	unsigned known[2] = {0, 0}, fresh = 0, made = 0;
	int stage = -1;

	for (size_t i = 0; i < plan->count; i++)
		made |= plan_kinds[plan->step[i].kind].gives;
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];
		const struct plan_kind *kind = &plan_kinds[step->kind];
		unsigned lacks;

		if ((int)step->stage < stage)
			return err_set(e, ERR_INVALID, "step %zu (%s): stage %s comes too late", i,
				       kind->name, plan_stage_name(step->stage));
		if ((int)step->stage > stage) {
			known[SIDE_RUNTIME] |= fresh;
			known[SIDE_INIT] |= fresh;
			fresh = 0;
			stage = (int)step->stage;
		}
		lacks = kind->needs & made & ~known[step->side];
		if (lacks)
			return err_set(e, ERR_INVALID, "step %zu (%s) lacks what 0x%x gives", i,
				       kind->name, lacks);
		known[step->side] |= kind->gives;
		fresh |= kind->gives;
	}
	return 0;
}
