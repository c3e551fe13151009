/*
 * Carrying a plan out: see carry.h. Which stage waits for which is asked of the plan; nothing is
 * decided here.
 */
#include "run/carry.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "run/doers.h"
#include "run/listener.h"
#include "run/sync.h"
#include "sys/binfmt.h"

#define INIT_FAILED 255 /* exit status of an init that could not execute the program */

static step_doer *const doers[STEP_KINDS] = {
	[STEP_CGROUP_MAKE] = do_cgroup_make,
	[STEP_CGROUP_WRITE] = do_cgroup_write,
	[STEP_CGROUP_DEVICES] = do_cgroup_devices,
	[STEP_CGROUP_OPEN] = do_cgroup_open,
	[STEP_RDT_MAKE] = do_rdt_make,
	[STEP_RDT_OPEN] = do_rdt_open,
	[STEP_CGROUP_UNIT] = do_cgroup_unit,
	[STEP_CGROUP_REST] = do_cgroup_rest,
	[STEP_CGROUP_GIVE] = do_cgroup_give,
	[STEP_CGROUP_ATTACH] = do_cgroup_attach,
	[STEP_OPEN_TREE] = do_open_tree,
	[STEP_CONSOLE_SOCKET] = do_console_socket,
	[STEP_SECCOMP_SOCKET] = do_seccomp_socket,
	[STEP_NOTIFY] = do_notify,
	[STEP_CGROUP_JOIN] = do_cgroup_join,
	[STEP_RDT_JOIN] = do_rdt_join,
	[STEP_AFFINITY] = do_affinity,
	[STEP_OOM_SCORE] = do_oom_score,
	[STEP_NS_JOIN] = do_ns_join,
	[STEP_NS_JOIN_INIT] = do_ns_join_init,
	[STEP_TIME_OFFSETS] = do_time_offsets,
	[STEP_ID_MAPS] = do_id_maps,
	[STEP_BECOME_ROOT] = do_become_root,
	[STEP_NS_NEW] = do_ns_new,
	[STEP_SESSION] = do_session,
	[STEP_LOOPBACK] = do_loopback,
	[STEP_NET_DEVICE] = do_net_device,
	[STEP_ROOT] = do_root,
	[STEP_MOUNT] = do_mount,
	[STEP_DEVICE] = do_device,
	[STEP_DEV_LINKS] = do_dev_links,
	[STEP_CONSOLE] = do_console,
	[STEP_HOOK] = do_hook,
	[STEP_PIVOT] = do_pivot,
	[STEP_CWD_MAKE] = do_cwd_make,
	[STEP_MOUNT_READONLY] = do_mount_readonly,
	[STEP_ROOT_READONLY] = do_root_readonly,
	[STEP_ROOT_PROPAGATION] = do_root_propagation,
	[STEP_HOSTNAME] = do_hostname,
	[STEP_DOMAINNAME] = do_domainname,
	[STEP_SYSCTL] = do_sysctl,
	[STEP_READONLY_PATH] = do_readonly_path,
	[STEP_MASK_PATH] = do_mask_path,
	[STEP_RLIMIT] = do_rlimit,
	[STEP_SCHEDULER] = do_scheduler,
	[STEP_IO_PRIORITY] = do_io_priority,
	[STEP_MEMORY_POLICY] = do_memory_policy,
	[STEP_PERSONALITY] = do_personality,
	[STEP_APPARMOR] = do_apparmor,
	[STEP_SELINUX] = do_selinux,
	[STEP_NO_NEW_PRIVS] = do_no_new_privs,
	[STEP_SECCOMP] = do_seccomp,
	[STEP_BOUNDING] = do_bounding,
	[STEP_CWD] = do_cwd,
	[STEP_USER] = do_user,
	[STEP_CAPS] = do_caps,
	[STEP_LOOKUP] = do_lookup,
	[STEP_PIDFD] = do_pidfd,
	[STEP_REPORT] = do_report,
	[STEP_WAIT_START] = do_wait_start,
	[STEP_CLOSE] = do_close,
	[STEP_EXEC] = do_exec,
	[STEP_CRIU_ROOT] = do_criu_root,
	[STEP_CRIU] = do_criu,
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* "mount tmpfs on /dev: 41 µs", told by the runtime for both columns. */
static void tell_time(struct walk *w, const struct step *step, uint64_t began)
{
	uint64_t took = now_ns() - began;
	const char *text;
	struct err ignored;
	struct str line;

	str_init(&line, w->arena);
	str_addf(&line, "%s %s: ", w->side == SIDE_INIT ? "init" : "runtime",
		 plan_stage_name(step->stage));
	plan_describe(step, &line);
	str_addf(&line, ": %llu µs", (unsigned long long)took / 1000);
	text = str_end(&line, &ignored);
	if (text && w->side == SIDE_INIT)
		sync_send_log(w->sync, text);
	else if (text)
		log_add(w->log, LOG_LEVEL_DEBUG, "%s", text);
}

/* Behind a filter that is loaded last nothing may be said: the profile need not allow it. */
static bool is_last(const struct step *step)
{
	return step->kind == STEP_EXEC || step->kind == STEP_CRIU ||
	       (step->kind == STEP_SECCOMP && step->stage == STAGE_GATE);
}

static int do_step(struct walk *w, size_t index, struct err *e)
{
	const struct step *step = &w->plan->step[index];
	bool told = log_wants(w->log, LOG_LEVEL_DEBUG) && !is_last(step);
	uint64_t began = told ? now_ns() : 0;
	char pointer[ERR_POINTER_MAX];
	int failed;

	if (w->fail_step == index + 1)
		failed = err_set(e, ERR_SYSTEM, "step %u (%s) fails on purpose", w->fail_step,
				 plan_kind_name(step->kind));
	else
		failed = doers[step->kind](w, step, e);
	if (failed) {
		plan_pointer(step, pointer);
		return e->pointer[0] ? -1 : err_in(e, "%s", pointer);
	}
	if (told)
		tell_time(w, step, began);
	return 0;
}

static int do_steps(struct walk *w, enum plan_stage stage, struct err *e)
{
	for (size_t i = 0; i < w->plan->count; i++)
		if (w->plan->step[i].stage == stage && w->plan->step[i].side == w->side &&
		    do_step(w, i, e))
			return -1;
	return 0;
}

/* Whether the other column waits for the end of this stage of ours. */
static bool awaited(const struct walk *w, enum plan_stage stage)
{
	enum plan_side other = w->side == SIDE_RUNTIME ? SIDE_INIT : SIDE_RUNTIME;

	for (int later = (int)stage + 1; later < STAGES; later++)
		if (plan_wait(w->plan, other, (enum plan_stage)later) == (int)stage)
			return true;
	return false;
}

/* What init tells of its program is about the program; anything else is about the making of init.
 */
static int failed_in_init(struct err *e)
{
	return str_starts(e->text, "exec") ? -1 : err_wrap(e, "error during container init");
}

int carry_wait_exec(struct walk *w, struct err *e)
{
	return sync_wait_exec(w->sync, &w->incoming, e) ? failed_in_init(e) : 0;
}

/* What init thinks will not run may run by means that only the runtime sees. */
static int settle_doubt(struct walk *w, struct err *e)
{
	const struct executable_fault *doubt = &w->incoming.doubt;
	const char *name = w->plan->process->args.item[0];

	if (!doubt->why.code)
		return 0;
	if (binfmt_may_take(name, doubt, w->facts->in_user_namespace)) {
		log_add(w->log, LOG_LEVEL_DEBUG, "%s; left to binfmt_misc", doubt->why.text);
		return 0;
	}
	*e = doubt->why;
	return -1;
}

static int wait_for_other(struct walk *w, int stage, struct err *e)
{
	return sync_receive_done(w->sync, stage, &w->incoming, e) ? -1 : settle_doubt(w, e);
}

static int send_done(struct walk *w, enum plan_stage stage, struct err *e)
{
	if (!sync_send_done(w->sync, (int)stage, e))
		return 0;
	if (w->side == SIDE_INIT || e->sys != EPIPE)
		return -1;
	/* An init that is gone may have left word why. */
	return sync_receive_failed(w->sync, &w->incoming, e) ? failed_in_init(e) : -1;
}

static int do_stage(struct walk *w, enum plan_stage stage, struct err *e)
{
	int wait = plan_wait(w->plan, w->side, stage);

	if (wait >= 0 && wait_for_other(w, wait, e))
		return w->side == SIDE_RUNTIME ? failed_in_init(e) : -1;
	if (do_steps(w, stage, e))
		return -1;
	if (!awaited(w, stage) || !plan_has(w->plan, w->side, stage))
		return 0;
	return send_done(w, stage, e);
}

int carry_prepare(struct walk *w, struct err *e)
{
	w->trees = arena_get_array(w->arena, w->plan->tree_count, sizeof(*w->trees), e);
	if (!w->trees)
		return -1;
	for (size_t i = 0; i < w->plan->tree_count; i++)
		w->trees[i] = -1;
	return do_steps(w, STAGE_PREPARE, e);
}

/* Whether init waits for a word that it may go on. */
static bool is_held(const struct walk *w)
{
	return w->plan->by_intermediate || w->plan->recorded;
}

/*
 * When it waits for it. What the process in between says of init must reach the runtime before any
 * of init's own words. Otherwise it is late enough that the word has come already: before init
 * would outlive a runtime that was killed.
 */
static bool is_held_at(const struct walk *w, enum plan_stage stage)
{
	return w->plan->by_intermediate || stage >= STAGE_SEAL ||
	       plan_wait(w->plan, SIDE_INIT, stage) >= 0;
}

int carry_runtime(struct walk *w, struct err *e)
{
	if (is_held(w) && send_done(w, STAGE_PREPARE, e))
		return -1;
	if (w->incoming.agent >= 0 && listener_describe(w, e))
		return -1;
	for (int stage = STAGE_JOIN; stage <= STAGE_REPORT; stage++)
		if (do_stage(w, (enum plan_stage)stage, e))
			return -1;
	return 0;
}

int carry_intermediate(struct walk *w, struct err *e)
{
	w->side = SIDE_INIT;
	return do_steps(w, STAGE_JOIN, e);
}

void carry_init(struct walk *w)
{
	int stage = w->plan->by_intermediate ? STAGE_MAPS : STAGE_JOIN;
	bool held = is_held(w);
	struct err e;

	w->side = SIDE_INIT;
	for (; stage < STAGES; stage++) {
		if (held && is_held_at(w, (enum plan_stage)stage)) {
			held = false;
			if (sync_receive_done(w->sync, STAGE_PREPARE, &w->incoming, &e))
				break;
		}
		if (do_stage(w, (enum plan_stage)stage, &e))
			break;
	}
	sync_send_failed(w->sync, &e);
	_exit(INIT_FAILED);
}
