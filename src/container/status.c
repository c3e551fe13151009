/*
 * A container as it is now: see status.h. The rules of the status are runtime-spec runtime.md
 * "State", and that a frozen cgroup means paused.
 */
#include "container/status.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/gate.h"
#include "run/hook.h"
#include "spec/decode.h"
#include "state/store.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"
#include "sys/resctrl.h"

const char *creel_status_name(enum creel_status status)
{
	static const char *const names[] = {
		[CREEL_CREATING] = "creating", [CREEL_CREATED] = "created",
		[CREEL_RUNNING] = "running",   [CREEL_PAUSED] = "paused",
		[CREEL_STOPPED] = "stopped",
	};

	return names[status];
}

int container_cgroup_of_record(const struct state_record *record, struct arena *a,
			       struct cgroup_paths *ret, struct err *e)
{
	const struct str_map *map = &record->cgroup_paths;
	struct cgroup_paths paths = {
		.item = arena_get_array(a, map->count, sizeof(*paths.item), e)};

	if (!paths.item)
		return -1;
	for (; paths.count < map->count; paths.count++)
		paths.item[paths.count] = (struct cgroup_path){
			.name = map->item[paths.count].key,
			.path = map->item[paths.count].value,
		};
	if (!cgroup_are_paths(&paths))
		return err_set(e, ERR_INVALID, STORE_STATE ": cgroup_paths has no cgroup's path");
	*ret = paths;
	return 0;
}

/*
 * Whether init lives: the recorded process, not another one that got its number. Nobody is dead
 * because it could not be looked.
 */
static int find_alive(const struct state_record *record, bool *ret, struct err *e)
{
	uint64_t start;
	char state;

	*ret = false;
	if (record->pid <= 0)
		return 0;
	if (procfs_start_time((pid_t)record->pid, &start, &state, e))
		return e->sys == ENOENT || e->sys == ESRCH ? 0 : -1;
	*ret = start == record->start && state != 'Z' && state != 'X';
	return 0;
}

/*
 * A record without a pid is that of a create which runs now and holds the lock, or which was
 * killed. Whoever has the lock knows that none runs.
 */
static enum creel_status status_without_init(const struct container *ct, bool locked)
{
	if (ct->record->pid || locked || !flock(ct->dir, LOCK_SH | LOCK_NB))
		return CREEL_STOPPED;
	return errno == EWOULDBLOCK ? CREEL_CREATING : CREEL_STOPPED;
}

/*
 * A container that has ended keeps neither its cgroup nor the path of it: what is there now may be
 * somebody else's, who must not be killed, nor be taken for it.
 */
static void forget_foreign(struct container *ct)
{
	uint64_t inode = ct->record->cgroup_inode, now;

	now = inode ? cgroup_inode(&ct->cgroup) : 0;
	if (!now || now == inode)
		return;
	ct->lost = ct->cgroup.item[0].path;
	ct->cgroup.count = 0;
	ct->record->systemd_unit = NULL;
}

/* Of all that the record of another boot names nothing is left, or it is somebody else's by now. */
static void forget_boot(struct creel *c, struct state_record *record)
{
	const char *now = record->boot ? procfs_boot(&c->arena) : NULL;

	if (!now || str_equal(now, record->boot))
		return;
	log_add(&c->log, LOG_LEVEL_DEBUG, "container %s is of another boot", record->id);
	record->start = UINT64_MAX; /* no process has it */
	record->cgroup_paths.count = 0;
	record->systemd_unit = record->rdt_path = record->rdt_monitor_path = NULL;
}

static struct cgroup_unit unit_of_record(const struct state_record *record)
{
	return (struct cgroup_unit){.name = record->systemd_unit, .bus = record->systemd_bus};
}

static int find_status(struct container *ct, bool locked, struct err *e)
{
	bool frozen = false, alive;

	if (find_alive(ct->record, &alive, e))
		return -1;
	if (!alive) {
		ct->status = status_without_init(ct, locked);
		forget_foreign(ct);
		return 0;
	}
	ct->pid = (pid_t)ct->record->pid;
	if (cgroup_frozen(&ct->cgroup, &frozen, e))
		return -1;
	if (frozen)
		ct->status = CREEL_PAUSED;
	else
		ct->status = gate_exists(ct->dir) ? CREEL_CREATED : CREEL_RUNNING;
	return 0;
}

int container_check_owner(const struct container *ct, struct err *e)
{
	struct stat st;

	if (fstat(ct->dir, &st))
		return err_sys(e, "stat the state of container %s", ct->id);
	if (st.st_uid == geteuid())
		return 0;
	err_set(e, ERR_STATE, "the state of container %s belongs to user %u", ct->id, st.st_uid);
	return err_hint(e, "act as that user: what it says of processes and hooks would be done "
			   "as yours");
}

static int read_record(struct creel *c, struct container *ct, struct err *e)
{
	if (state_record_read(ct->dir, &c->arena, &ct->record, e))
		return -1;
	if (!str_equal(ct->record->id, ct->id))
		return err_set(e, ERR_INVALID, STORE_STATE ": it is that of container %s",
			       ct->record->id);
	forget_boot(c, ct->record);
	return container_cgroup_of_record(ct->record, &c->arena, &ct->cgroup, e);
}

int container_open(struct creel *c, const char *id, bool lock, struct container *ret, struct err *e)
{
	*ret = (struct container){.id = id, .dir = store_open(c->root, id, lock, e), .pidfd = -1};
	if (ret->dir < 0)
		return -1;
	if ((lock && container_check_owner(ret, e)) || read_record(c, ret, e) ||
	    find_status(ret, lock, e)) {
		container_close(ret);
		return -1;
	}
	ret->unit = unit_of_record(ret->record);
	log_add(&c->log, LOG_LEVEL_DEBUG, "container %s is %s, its init is process %d", id,
		creel_status_name(ret->status), (int)ret->pid);
	return 0;
}

void container_close(struct container *ct)
{
	fd_close(&ct->dir);
	fd_close(&ct->pidfd);
}

int container_hold(struct container *ct, struct err *e)
{
	bool alive = false;

	if (!ct->pid)
		return 0;
	ct->pidfd = pidfd_get(ct->pid, e);
	if (ct->pidfd < 0 && e->sys != ESRCH)
		return -1;
	/* Only now, when the number cannot be given away any more, is it certain whose it is. */
	if (ct->pidfd >= 0 && find_alive(ct->record, &alive, e))
		return -1;
	if (!alive) {
		fd_close(&ct->pidfd);
		ct->pid = 0;
		ct->status = CREEL_STOPPED;
	}
	return 0;
}

void container_warn_access(const struct creel *c, const char *verb, const struct err *e)
{
	if (e->sys == EACCES || e->sys == EPERM || e->sys == EROFS)
		log_add(&c->log, LOG_LEVEL_WARNING,
			"runc %s failure might be caused by lack of full access to cgroups", verb);
}

int container_config(struct creel *c, const struct container *ct, struct spec **ret, struct err *e)
{
	return spec_load(ct->dir, store_config(ct->dir), &c->arena, &c->log, ret, NULL, e);
}

/*
 * The hooks must be read while the state directory is there, and run when it is gone. A copy of the
 * configuration that cannot be read keeps nothing from being given back.
 */
static const struct spec_hook_list *load_poststop(struct creel *c, const struct container *ct)
{
	static const struct spec_hook_list none;
	struct spec *spec;
	struct err e;

	if (!ct->record || !ct->record->poststop_hooks)
		return &none;
	if (!container_config(c, ct, &spec, &e))
		return &spec->hooks.kind[HOOK_POSTSTOP];
	log_add(&c->log, LOG_LEVEL_WARNING, "poststop hooks are not run: %s", e.text);
	return &none;
}

/* The container is gone by now: a hook that fails is told about, and the others run all the same.
 */
static void run_poststop(struct creel *c, struct container *ct, const struct spec_hook_list *hooks)
{
	struct err e;
	const char *state = NULL;

	if (hooks->count)
		state = hook_state(ct->record, creel_status_name(CREEL_STOPPED), 0, &c->arena, &e);
	for (size_t i = 0; state && i < hooks->count; i++)
		if (hook_run(&hooks->item[i], HOOK_POSTSTOP, i, state, ct->record->bundle,
			     &c->arena, &e))
			log_add(&c->log, LOG_LEVEL_WARNING, "%s", e.text);
}

/* A group that others made or share stays. */
static int remove_rdt(const struct state_record *record, struct err *e)
{
	if (!record || !record->rdt_path)
		return 0;
	return resctrl_remove(record->rdt_monitor_path, record->rdt_own ? record->rdt_path : NULL,
			      e);
}

/*
 * A unit whose cgroup is not in the record was never made, so one of that name is not ours to stop.
 * Without processes systemd gives a unit up by itself: that it cannot be told keeps nothing from
 * being given back.
 */
static void give_back_unit(struct creel *c, struct container *ct)
{
	struct err why;

	if (!ct->unit.name)
		return;
	if (ct->cgroup.count ? cgroup_unit_stop(&ct->unit, &c->arena, &why)
			     : cgroup_unit_forget(&ct->unit, &c->arena, &why))
		log_add(&c->log, LOG_LEVEL_WARNING, "%s", why.text);
}

int container_destroy(struct creel *c, struct container *ct, struct err *e)
{
	const struct spec_hook_list *hooks = load_poststop(c, ct);

	give_back_unit(c, ct);
	if (cgroup_remove(&ct->cgroup, &c->arena, e) || remove_rdt(ct->record, e) ||
	    store_remove(c->root, ct->id, e))
		return err_wrap(e, "unable to destroy container");
	log_add(&c->log, LOG_LEVEL_DEBUG, "container %s is gone, with its cgroup and its state",
		ct->id);
	run_poststop(c, ct, hooks);
	return 0;
}
