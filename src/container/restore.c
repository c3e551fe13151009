/*
 * restore: makes a container of the images that checkpoint wrote, and lets it go on.
 *
 * criu makes the processes. Ours is what surrounds them: the claim to the id, the cgroup and its
 * limits, hooks, terminal, record. criu tells of each stage, and waits: what it must not go beyond
 * without us is done in at_stage().
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_table.h"
#include "container/images.h"
#include "container/start.h"
#include "container/stay.h"
#include "container/streams.h"
#include "run/carry.h"
#include "run/doers.h"
#include "run/hook.h"
#include "run/notify.h"
#include "run/spawn.h"
#include "state/store.h"
#include "sys/fdpass.h"
#include "sys/inroot.h"
#include "sys/netlink.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"

#define CRIU_ROOT "criu-root"      /* in the state directory: criu finds the root there */
#define STATISTICS "stats-restore" /* criu writes them beside its log */
#define DESCRIPTORS_LIMIT 4096
#define CGROUP_LIMIT (1u << 20)

/* What is known while criu works. */
struct restoring {
	struct creel *c;
	const struct creel_create *o;
	const struct creel_criu *criu;
	struct making m;
	struct images im;
	struct criu_talk talk;
	int fds[1 + array_len(images_namespaces)]; /* criu's from CRIU_SOCKET on */
	size_t fd_count;
	struct str_list descriptors; /* of the images: what the standard streams were */
	int console;                 /* connected console socket, −1: none */
	int terminal;                /* master of the container's terminal, −1: none */
	pid_t pid;                   /* of the restored init, 0: not there yet */
	int pidfd;
};

/* ---- before anything is made ----------------------------------------------------------------- */

static int read_descriptors(struct restoring *r, struct err *e)
{
	struct json_input input = {.name = IMAGES_DESCRIPTORS, .arena = &r->c->arena};
	struct json j;

	if (file_read(r->im.dir, IMAGES_DESCRIPTORS, DESCRIPTORS_LIMIT, &r->c->arena, &input.text,
		      &input.length, e)) {
		err_wrap(e, "%s", r->im.path);
		return err_hint(e, "no checkpoint was completed there");
	}
	if (!json_init(&j, &input, e) && !json_strings(&j, &r->descriptors, e))
		return 0;
	e->pointer[0] = '\0'; /* into config.json it is none */
	return err_wrap(e, "%s", r->im.path);
}

static int check_labels(const struct restoring *r, struct err *e)
{
	if (r->im.criu.version >= CRIU_VERSION_LSM)
		return 0;
	if (r->criu->lsm_profile)
		return err_set(e, ERR_UNSUPPORTED, "--lsm-profile requires at least CRIU 3.16");
	if (r->criu->lsm_mount_context)
		return err_set(e, ERR_UNSUPPORTED,
			       "--lsm-mount-context requires at least CRIU 3.16");
	return 0;
}

/* criu takes no link in the path to its root. */
static int plan_it(struct restoring *r, struct err *e)
{
	const char *path =
		arena_format(&r->c->arena, e, "%s/%s/" CRIU_ROOT, r->c->root, r->m.ct.id);

	return path ? bundle_plan_restore(r->c, r->m.ct.id, r->o, &r->m.bundle, path, &r->m.plan, e)
		    : -1;
}

static int prepare(struct restoring *r, const char *id, struct err *e)
{
	struct creel *c = r->c;
	const char *socket = NULL;

	if (make_load(c, id, r->o, r->o->detach, &r->m, e) ||
	    bundle_socket(c, &r->m.bundle, r->o->console_socket, &socket, e) ||
	    criu_find(r->criu->search_path, CRIU_VERSION_LEAST, &c->log, &c->arena, &r->im.criu,
		      e) ||
	    check_labels(r, e) ||
	    images_open(c, r->criu, &r->m.bundle.spec->annotations, false, &r->im, e) ||
	    read_descriptors(r, e) || plan_it(r, e))
		return -1;
	if (socket)
		r->console = fdpass_connect(socket, e);
	return socket && r->console < 0 ? -1 : 0;
}

/* ---- what criu is told ----------------------------------------------------------------------- */

static int pass_namespace(struct restoring *r, const struct spec_namespace *ns,
			  const struct images_namespace *kind, struct err *e)
{
	struct criu_options *options = &r->im.options;
	int fd = fd_open(ns->path, O_RDONLY | O_NONBLOCK);

	if (fd < 0) {
		int number = errno;

		err_set(e, ERR_INVALID, "Requested %s namespace %s does not exist",
			ns->type == NS_NET ? "network" : "pid", ns->path);
		e->sys = number;
		return -1;
	}
	options->inherited[options->inherited_count++] =
		(struct criu_inherited){.key = kind->key, .fd = CRIU_SOCKET + (int)r->fd_count};
	r->fds[r->fd_count++] = fd;
	return 0;
}

static const struct images_namespace *left_to_us(const struct restoring *r, enum ns_type type)
{
	for (size_t i = 0; i < array_len(images_namespaces); i++)
		if (images_namespaces[i].type == type &&
		    r->im.criu.version >= images_namespaces[i].version)
			return &images_namespaces[i];
	return NULL;
}

/* Namespaces that config.json names a file for are joined, as they are by create. */
static int tell_namespaces(struct restoring *r, struct err *e)
{
	const struct spec_namespaces *all = &r->m.bundle.spec->linux_.namespaces;
	struct str_map *joined = &r->im.options.joined;

	joined->item = arena_get_array(&r->c->arena, all->count, sizeof(*joined->item), e);
	if (!joined->item)
		return -1;
	for (size_t i = 0; i < all->count; i++) {
		const struct spec_namespace *ns = &all->item[i];
		const struct images_namespace *kind = left_to_us(r, ns->type);
		int failed = 0;

		if (!ns->path)
			continue;
		if (kind)
			failed = pass_namespace(r, ns, kind, e);
		else if (ns->type == NS_CGROUP)
			failed = err_set(e, ERR_UNSUPPORTED,
					 "Do not know how to handle namespace NEWCGROUP");
		else
			joined->item[joined->count++] =
				(struct str_pair){.key = ns_proc_name(ns->type), .value = ns->path};
		if (failed)
			return err_in(e, "/linux/namespaces/%zu/path", i);
	}
	return 0;
}

/* The name of a mount in the images is its place, with the links in the root followed. */
static int tell_mounts(struct restoring *r, struct err *e)
{
	const struct bundle *b = &r->m.bundle;
	_close_ int root = fd_open(b->rootfs, O_PATH | O_DIRECTORY);
	struct str_map *map = &r->im.options.mounts;
	struct images_mounts list;

	if (root < 0)
		return err_sys(e, "open %s", b->rootfs);
	if (images_mounts(r->c, b->spec, b->path, &r->m.ct.cgroup, &list, e))
		return -1;
	map->item = arena_get_array(&r->c->arena, 2 * list.count + 2, sizeof(*map->item), e);
	if (!map->item)
		return -1;
	for (size_t i = 0; i < list.count; i++) {
		const struct images_mount *mount = &list.item[i];
		_close_ int place = inroot_open(root, mount->place, O_PATH, e);
		const char *real = place < 0 ? NULL : bundle_path_of(place, &r->c->arena, e);

		map->item[map->count++] = (struct str_pair){mount->place, mount->source};
		if (real && str_starts(real, b->rootfs) &&
		    !str_equal(real + strlen(b->rootfs), mount->place))
			map->item[map->count++] =
				(struct str_pair){real + strlen(b->rootfs), mount->source};
	}
	/* what other runtimes call a masked file */
	map->item[map->count++] = (struct str_pair){"/dev/null", "/dev/null"};
	return 0;
}

/* A place for readiness, should the container have had one: nobody waits at it any more. */
static int tell_notify(struct restoring *r, struct err *e)
{
	struct str_map *map = &r->im.options.mounts;
	const char *place =
		arena_format(&r->c->arena, e, "%s/%s/" STORE_NOTIFY, r->c->root, r->m.ct.id);

	if (!place || notify_make_place(r->m.ct.dir, e))
		return -1;
	map->item[map->count++] = (struct str_pair){NOTIFY_TARGET, place};
	return 0;
}

/* What led to the old world gets the caller's streams in their place. */
static int tell_descriptors(struct restoring *r, struct err *e)
{
	struct criu_options *options = &r->im.options;

	options->inherited =
		arena_get_array(&r->c->arena, r->descriptors.count + array_len(images_namespaces),
				sizeof(*options->inherited), e);
	if (!options->inherited)
		return -1;
	for (size_t i = 0; i < r->descriptors.count && i < 3; i++)
		if (stream_is_pipe(r->descriptors.item[i]) ||
		    stream_is_file(r->descriptors.item[i]))
			options->inherited[options->inherited_count++] = (struct criu_inherited){
				.key = r->descriptors.item[i], .fd = (int)i};
	return 0;
}

static int fill_options(struct restoring *r, struct err *e)
{
	/* a terminal of the caller's, which criu then takes from its standard input */
	bool callers = r->criu->shell_job && !r->m.bundle.spec->process->terminal;
	struct criu_options *options = &r->im.options;
	const char *state = bundle_path_of(r->m.ct.dir, &r->c->arena, e);

	options->root = state ? arena_format(&r->c->arena, e, "%s/" CRIU_ROOT, state) : NULL;
	if (!options->root)
		return -1;
	options->switches |= (uint64_t)1 << CRIU_EVASIVE_DEVICES | (uint64_t)1 << CRIU_RST_SIBLING |
			     (uint64_t)!callers << CRIU_ORPHAN_PTS_MASTER |
			     (uint64_t)r->criu->tcp_close << CRIU_TCP_CLOSE;
	options->lsm_profile = r->criu->lsm_profile;
	options->lsm_mount_context = r->criu->lsm_mount_context;
	return tell_descriptors(r, e) || tell_namespaces(r, e) || tell_mounts(r, e) ||
			       tell_notify(r, e)
		       ? -1
		       : 0;
}

/* Adds "CONTROLLER[,CONTROLLER…]" with the path; names is written to. */
static int add_cgroups(struct restoring *r, char *names, const char *path, size_t *capacity,
		       struct err *e)
{
	struct str_map *map = &r->im.options.cgroup_roots;

	while (names) {
		char *comma = strchr(names, ',');

		if (comma)
			*comma++ = '\0';
		map->item = arena_grow(&r->c->arena, map->item, map->count, capacity,
				       sizeof(*map->item), e);
		if (!map->item)
			return -1;
		map->item[map->count++] = (struct str_pair){.key = names, .value = path};
		names = comma;
	}
	return 0;
}

/*
 * criu is in the container's cgroup by now: what the images have as the container's becomes that.
 * The lines of /proc/PID/cgroup are "NUMBER:CONTROLLERS:PATH".
 */
static int tell_cgroups(struct restoring *r, struct err *e)
{
	_close_ int fd = procfs_open_of(r->m.walk.pid, "cgroup", O_RDONLY, e);
	size_t length, capacity = 0;
	char *text, *rest = NULL;

	if (fd < 0 ||
	    fd_read(fd, CGROUP_LIMIT, &r->c->arena, "the cgroup of criu", &text, &length, e))
		return -1;
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (add_cgroups(r, names + 1, path, &capacity, e))
			return -1;
	}
	return 0;
}

/*
 * criu opens directories by our descriptors, and mounts things in them: so they must be those of
 * its own mount namespace.
 */
static int open_beside(struct restoring *r, int *fd, struct err *e)
{
	const char *path = *fd < 0 ? NULL : bundle_path_of(*fd, &r->c->arena, e);

	if (*fd < 0)
		return 0;
	path = path ? arena_format(&r->c->arena, e, "root%s", path) : NULL;
	if (!path)
		return -1;
	fd_close(fd);
	*fd = procfs_open_of(r->m.walk.pid, path, O_RDONLY | O_DIRECTORY, e);
	return *fd < 0 ? -1 : 0;
}

static int tell_directories(struct restoring *r, struct err *e)
{
	if (open_beside(r, &r->im.dir, e) || open_beside(r, &r->im.work, e))
		return -1;
	r->im.options.images_dir = r->im.dir;
	r->im.options.work_dir = r->im.work;
	return 0;
}

/* ---- the stages ------------------------------------------------------------------------------ */

/*
 * A network namespace of the container's own is new and empty, as create's is, and criu leaves it
 * so: connections within the container are reached through lo, before criu makes them again.
 */
static int bring_loopback_up(struct restoring *r, pid_t pid, struct err *e)
{
	const struct spec_namespace *ns = spec_namespace_find(r->m.bundle.spec, NS_NET);
	struct netlink here = NETLINK_CLOSED, there = NETLINK_CLOSED;
	_close_ int pidfd = -1;
	int index, failed;

	if (!ns || ns->path)
		return 0;
	pidfd = pidfd_get(pid, e);
	failed = pidfd < 0 || netlink_open(&here, e) || netlink_open_at(&here, pidfd, &there, e) ||
		 netlink_find(&there, "lo", &index, e) || netlink_set_up(&there, index, e);
	fd_close(&here.fd);
	fd_close(&there.fd);
	return failed ? err_wrap(e, "bring the loopback interface up") : 0;
}

static int run_hooks(struct restoring *r, enum hook_kind kind, pid_t pid, struct err *e)
{
	const struct spec_hook_list *hooks = &r->m.bundle.spec->hooks.kind[kind];
	const char *state = NULL;

	if (hooks->count)
		state = hook_state(r->m.ct.record, creel_status_name(CREEL_CREATING), pid,
				   &r->c->arena, e);
	if (hooks->count && !state)
		return -1;
	for (size_t i = 0; i < hooks->count; i++)
		if (hook_run(&hooks->item[i], kind, i, state, r->m.bundle.path, &r->c->arena, e))
			return -1;
	return 0;
}

/*
 * Whoever looks from now on finds it, and a delete knows whom to kill: so it must be a child of
 * ours, as criu's sibling is.
 */
static int adopt(struct restoring *r, pid_t pid, struct err *e)
{
	pid_t criu = r->m.walk.pid;
	siginfo_t ignored;
	int failed;

	if (pid <= 0 || waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOHANG | WNOWAIT))
		return err_set(e, ERR_SYSTEM, "criu failed: process %d is not what it restored",
			       (int)pid);
	r->pidfd = pidfd_get(pid, e);
	if (r->pidfd < 0)
		return -1;
	r->pid = r->m.walk.pid = pid;
	failed = make_record(r->c, &r->m, e);
	r->m.walk.pid = criu;
	return failed;
}

static int take_terminal(struct restoring *r, int master, struct err *e)
{
	if (master < 0)
		return err_set(e, ERR_SYSTEM, "criu failed: no terminal came");
	if (r->console >= 0)
		return fdpass_send(r->console, "orphan-pts-master", master, e);
	if (r->o->detach)
		return 0; /* nobody is there to take it */
	fd_close(&r->terminal);
	r->terminal = fcntl(master, F_DUPFD_CLOEXEC, 0);
	return r->terminal < 0 ? err_sys(e, "keep the terminal") : 0;
}

static int at_stage(void *user, const struct criu_reply *told, struct err *e)
{
	struct restoring *r = user;

	if (str_equal(told->script, "setup-namespaces"))
		return bring_loopback_up(r, told->pid, e) ||
				       run_hooks(r, HOOK_PRESTART, told->pid, e) ||
				       run_hooks(r, HOOK_CREATE_RUNTIME, told->pid, e)
			       ? -1
			       : 0;
	if (str_equal(told->script, "post-restore"))
		return adopt(r, told->pid, e);
	if (str_equal(told->script, "orphan-pts-master"))
		return take_terminal(r, told->passed, e);
	return 0;
}

/* ---- carrying it out ------------------------------------------------------------------------- */

/*
 * criu opens what it writes by its name, and follows links: where the images come from elsewhere,
 * they could lead to any file of the host.
 */
static void remove_old(const struct restoring *r)
{
	int dir = r->im.work >= 0 ? r->im.work : r->im.dir;

	file_remove(dir, r->im.log_name);
	file_remove(dir, STATISTICS);
}

static int start_criu(struct restoring *r, struct err *e)
{
	struct walk *w = &r->m.walk;
	int failed;

	remove_old(r);
	if (criu_open(&r->talk, &r->c->log, &r->c->arena, &r->fds[0], e))
		return -1;
	r->fd_count = 1;
	failed = fill_options(r, e);
	w->criu = r->im.criu.path;
	w->criu_fds = r->fds;
	w->criu_fd_count = r->fd_count;
	failed = failed || carry_prepare(w, e) || spawn_process(w, e) || carry_runtime(w, e) ||
		 carry_wait_exec(w, e);
	while (r->fd_count)
		fd_close(&r->fds[--r->fd_count]);
	return failed ? -1 : 0;
}

/* Its end is waited for in any case: only then nothing of the container comes into being any more.
 */
static int converse(struct restoring *r, struct err *e)
{
	const struct criu_question question = {
		.type = CRIU_RESTORE, .options = &r->im.options, .listen = at_stage, .user = r};
	struct criu_reply reply;
	int failed;

	r->talk.pid = r->m.walk.pid;
	failed = criu_end(&r->talk, criu_converse(&r->talk, &question, &reply, e), e);
	fd_close(&r->m.walk.pidfd);
	r->m.walk.pid = r->pid;
	r->m.walk.pidfd = fd_take(&r->pidfd);
	if (!failed && !r->pid)
		failed = err_set(e, ERR_SYSTEM, "criu failed: it restored no process");
	return failed && str_starts(e->text, "criu failed") ? images_fail(r->c, &r->im, e) : failed;
}

static int report(struct restoring *r, struct err *e)
{
	return r->o->pid_file ? do_report(&r->m.walk, NULL, e) : 0;
}

static int carry_out(struct restoring *r, struct err *e)
{
	struct making *m = &r->m;
	struct walk *w = &m->walk;
	int failed;

	walk_init(w, m->plan, &m->bundle.facts, &r->c->arena, &r->c->log);
	w->state = m->ct.dir;
	w->record = m->ct.record;
	w->pid_file = make_absolute(r->o->pid_file, &r->c->arena, e);
	if (r->o->pid_file && !w->pid_file)
		return -1;
	if (mkdirat(m->ct.dir, CRIU_ROOT, 0700))
		return err_sys(e, "mkdir " CRIU_ROOT);
	if (start_criu(r, e) || tell_cgroups(r, e) || tell_directories(r, e) || converse(r, e) ||
	    report(r, e))
		return -1;
	(void)unlinkat(m->ct.dir, CRIU_ROOT, AT_REMOVEDIR);
	m->ct.pidfd = w->pidfd;
	failed = store_set_made(m->ct.dir, e) || container_poststart(r->c, &m->ct, e);
	m->ct.pidfd = -1;
	return failed ? -1 : 0;
}

/* What criu has not undone itself is killed with the cgroup. */
static void undo(struct restoring *r, struct err *e)
{
	fd_close(&r->talk.socket);
	spec_point(&r->m.bundle.text, e);
	make_undo(r->c, &r->m, e);
}

static int stay(struct restoring *r, struct foreground *fg, int *ret_status, struct err *e)
{
	struct relay relay;
	int failed = 0;

	relay_none(&relay);
	if (r->terminal >= 0)
		failed = relay_begin(&relay, fd_take(&r->terminal), &r->c->arena, e);
	if (!failed)
		failed = stay_with(r->c, &r->m, fg, &relay, ret_status, e);
	relay_end(&relay);
	return failed;
}

static int restore(struct restoring *r, const char *id, struct foreground *fg, int *ret_status,
		   struct err *e)
{
	if (prepare(r, id, e) || make_claim(r->c, r->o, &r->m, e))
		return -1;
	if (carry_out(r, e) || (!r->o->detach && stay(r, fg, ret_status, e))) {
		undo(r, e);
		return -1;
	}
	if (!r->o->detach && !r->o->keep && !r->m.gone)
		stay_clean_up(r->c, &r->m);
	make_done(&r->m);
	return 0;
}

int container_restore(struct creel *c, const char *id, const struct creel_create *o,
		      const struct creel_criu *criu, int *ret_status, struct err *e)
{
	struct restoring r = {
		.c = c,
		.o = o,
		.criu = criu,
		.im = {.log_name = "restore.log", .dir = -1, .work = -1},
		.talk = CRIU_SILENT,
		.console = -1,
		.terminal = -1,
		.pidfd = -1,
	};
	struct foreground fg;
	int failed;

	*ret_status = 0;
	foreground_none(&fg);
	if (geteuid() != 0 || procfs_in_user_namespace())
		log_add(&c->log, LOG_LEVEL_WARNING,
			"runc checkpoint is untested with rootless containers");
	if (!o->detach && foreground_begin(&fg, !o->no_subreaper, e))
		return -1;
	failed = restore(&r, id, &fg, ret_status, e);
	foreground_end(&fg);
	images_close(&r.im);
	fd_close(&r.console);
	fd_close(&r.terminal);
	return failed;
}
