/*
 * Making a container: see make.h. The order is the promise: what has to be found again after a
 * crash is recorded before it is made.
 */
#include "container/make.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "container/streams.h"
#include "container/terminal.h"
#include "run/carry.h"
#include "run/gate.h"
#include "run/spawn.h"
#include "state/store.h"
#include "sys/process.h"
#include "sys/procfs.h"

static int prepare_terminal(struct spec *spec, const struct creel_create *o, bool detached,
			    struct err *e)
{
	if (terminal_prepare(spec->process, o->console_socket, detached, e))
		return err_in(e, "/process/terminal");
	return 0;
}

/* The decoder ended strings in place by a NUL where their closing quote was; JSON has no other NUL.
 */
static int copy_config(struct creel *c, const struct making *m, struct err *e)
{
	const struct json_input *text = &m->bundle.text;
	char *copy = arena_copy(&c->arena, text->text, text->length, e);

	if (!copy)
		return -1;
	for (char *nul = copy; (nul = memchr(nul, '\0', (size_t)(copy + text->length - nul)));)
		*nul = '"';
	return file_replace(m->ct.dir, STORE_MAKING, 0600, copy, text->length, e);
}

static int fill_cgroups(struct creel *c, struct making *m, struct err *e)
{
	const struct cgroup_paths *paths = &m->plan->cgroup;
	struct str_map *map = &m->ct.record->cgroup_paths;

	m->ct.cgroup = *paths;
	m->ct.unit = m->plan->unit;
	map->item = arena_get_array(&c->arena, paths->count, sizeof(*map->item), e);
	if (!map->item)
		return -1;
	for (; map->count < paths->count; map->count++)
		map->item[map->count] = (struct str_pair){
			.key = paths->item[map->count].name,
			.value = paths->item[map->count].path,
		};
	if (m->plan->unit.name)
		map->count = 0; /* until it is made: see do_cgroup_unit */
	return 0;
}

/* Without a path it is new, and all in it end with init. */
static bool has_private_pids(const struct spec *spec)
{
	const struct spec_namespace *ns = spec_namespace_find(spec, NS_PID);

	return ns && !ns->path;
}

static int fill_record(struct creel *c, const struct creel_create *o, struct making *m,
		       struct err *e)
{
	struct state_record *record = arena_get(&c->arena, sizeof(*record), e);
	const struct spec *spec = m->bundle.spec;

	if (!record)
		return -1;
	m->ct.record = record;
	*record = (struct state_record){
		.id = m->ct.id,
		.oci_version = spec->oci_version,
		.created = state_record_now(&c->arena, e),
		.bundle = m->bundle.path,
		.rootfs = m->bundle.rootfs,
		.annotations = spec->annotations,
		.rootless = m->bundle.facts.euid != 0,
		.no_new_keyring = o->no_new_keyring,
		.private_pids = has_private_pids(spec),
		.systemd_unit = m->plan->unit.name,
		.systemd_bus = m->plan->unit.bus,
		.poststart_hooks = spec->hooks.kind[HOOK_POSTSTART].count,
		.poststop_hooks = spec->hooks.kind[HOOK_POSTSTOP].count,
		.seccomp_agent = m->plan->agent_with_start,
	};
	if (m->plan->rdt) {
		record->rdt_path = m->plan->rdt->path;
		record->rdt_monitor_path = m->plan->rdt->monitor;
		record->rdt_own = m->plan->rdt->own;
	}
	return record->created ? fill_cgroups(c, m, e) : -1;
}

static int claim(struct creel *c, struct making *m, struct err *e)
{
	m->ct.dir = store_create(c->root, m->ct.id, e);
	if (m->ct.dir < 0)
		return -1;
	if (store_outlives_boot(m->ct.dir))
		m->ct.record->boot = procfs_boot(&c->arena);
	return copy_config(c, m, e) || state_record_write(m->ct.dir, m->ct.record, &c->arena, e)
		       ? -1
		       : 0;
}

const char *make_absolute(const char *path, struct arena *a, struct err *e)
{
	char cwd[4096];

	if (!path || *path == '/')
		return path;
	if (!getcwd(cwd, sizeof(cwd))) {
		err_sys(e, "getcwd");
		return NULL;
	}
	return arena_format(a, e, "%s/%s", cwd, path);
}

/* "NEWPID" → "/proc/PID/ns/pid": the keys are those of the clone flags. */
static int fill_namespaces(struct creel *c, struct making *m, struct err *e)
{
	static const char *const keys[NS_TYPES] = {
		[NS_USER] = "NEWUSER",     [NS_PID] = "NEWPID",   [NS_NET] = "NEWNET",
		[NS_IPC] = "NEWIPC",       [NS_UTS] = "NEWUTS",   [NS_MOUNT] = "NEWNS",
		[NS_CGROUP] = "NEWCGROUP", [NS_TIME] = "NEWTIME",
	};
	struct str_map *map = &m->ct.record->namespace_paths;

	map->item = arena_get_array(&c->arena, NS_TYPES, sizeof(*map->item), e);
	if (!map->item)
		return -1;
	for (int type = 0; type < NS_TYPES; type++) {
		const char *path = arena_format(&c->arena, e, "/proc/%d/ns/%s", (int)m->walk.pid,
						ns_proc_name((enum ns_type)type));

		if (!path)
			return -1;
		map->item[map->count++] = (struct str_pair){.key = keys[type], .value = path};
	}
	return 0;
}

/*
 * The record with init in it, while init is busy making the container: whoever looks from now on
 * finds it, and a delete knows whom to kill.
 */
int make_record(struct creel *c, struct making *m, struct err *e)
{
	struct state_record *record = m->ct.record;
	char state;

	if (!m->walk.made_cgroup)
		record->cgroup_paths.count = 0; /* done without: see plan->cgroup_optional */
	else
		record->cgroup_inode = cgroup_inode(&m->ct.cgroup);
	record->pid = m->walk.pid;
	if (procfs_start_time(m->walk.pid, &record->start, &state, e) || fill_namespaces(c, m, e) ||
	    streams_record(m->bundle.spec->process, &c->arena, &record->external_descriptors, e))
		return -1;
	return state_record_write(m->ct.dir, record, &c->arena, e);
}

/* In runc's place it has runc's name, which people look for in the list of processes. */
static bool called_runc(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return str_equal(slash ? slash + 1 : argv0, "runc");
}

static int carry_out(struct creel *c, const struct creel_create *o, bool wait_start,
		     struct making *m, struct err *e)
{
	struct walk *w = &m->walk;

	walk_init(w, m->plan, &m->bundle.facts, &c->arena, &c->log);
	w->state = m->ct.dir;
	w->record = m->ct.record;
	if (c->options.argv && c->options.argv[0]) {
		walk_find_title(w, c->options.argv);
		w->waiting = called_runc(c->options.argv[0]) ? "runc init" : "creel init";
	}
	w->pid_file = make_absolute(o->pid_file, &c->arena, e);
	if (o->pid_file && !w->pid_file)
		return -1;
	if (wait_start) {
		w->gate = gate_make(m->ct.dir, e);
		if (w->gate < 0)
			return -1;
	}
	if (carry_prepare(w, e) || spawn_process(w, e) || make_record(c, m, e) ||
	    carry_runtime(w, e))
		return -1;
	return 0;
}

void make_explain(const struct making *m, struct err *e)
{
	spec_point(&m->bundle.text, e);
	err_wrap(e, "unable to start container process");
}

int make_load(struct creel *c, const char *id, const struct creel_create *o, bool detached,
	      struct making *m, struct err *e)
{
	m->ct.dir = m->ct.pidfd = -1;
	m->ct.id = arena_copy(&c->arena, id, strlen(id), e); /* init outlives the caller's memory */
	if (!m->ct.id || store_check_id(id, e) || bundle_load(c, o, &m->bundle, e) ||
	    prepare_terminal(m->bundle.spec, o, detached, e) ||
	    process_check_preserved((uint64_t)o->listen_fds + o->preserve_fds, e))
		return -1;
	return 0;
}

int make_claim(struct creel *c, const struct creel_create *o, struct making *m, struct err *e)
{
	if (fill_record(c, o, m, e))
		return -1;
	log_add(&c->log, LOG_LEVEL_DEBUG, "container %s of the bundle %s: %zu steps", m->ct.id,
		m->bundle.path, m->plan->count);
	if (!claim(c, m, e))
		return 0;
	if (m->ct.dir >= 0)
		make_undo(c, m, e);
	return -1;
}

int make_container(struct creel *c, const char *id, const struct creel_create *o, bool wait_start,
		   struct making *m, struct err *e)
{
	if (make_load(c, id, o, wait_start || o->detach, m, e) ||
	    bundle_plan(c, m->ct.id, o, &m->bundle, wait_start, &m->plan, e) ||
	    make_claim(c, o, m, e))
		return -1;
	if (!carry_out(c, o, wait_start, m, e))
		return 0;
	make_explain(m, e);
	make_undo(c, m, e);
	return -1;
}

void make_undo(struct creel *c, struct making *m, struct err *e)
{
	struct err why;

	arena_use_reserve(&c->arena);
	if (m->walk.plan)
		spawn_kill(&m->walk, e);
	if (m->walk.reported)
		file_remove(AT_FDCWD, m->walk.pid_file);
	if (!m->walk.made_cgroup)
		m->ct.cgroup.count = 0; /* what is there belongs to somebody else */
	if (!m->gone &&
	    (cgroup_kill(&m->ct.cgroup, &c->arena, &why) || container_destroy(c, &m->ct, &why)))
		log_add(&c->log, LOG_LEVEL_WARNING, "%s", why.text);
	make_done(m);
}

void make_done(struct making *m)
{
	if (m->walk.plan)
		walk_done(&m->walk);
	container_close(&m->ct);
}
