/*
 * What checkpoint and restore have in common: see images.h.
 */
#include "container/images.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/cgroup.h"
#include "criu/quote.h"

#define CONFIG_FILE "/etc/criu/runc.conf" /* criu reads it when it is there */
#define CONFIG_ANNOTATION "org.criu.config"

/* ---- directories ----------------------------------------------------------------------------- */

static int make_directory(const char *path, struct arena *a, struct err *e)
{
	char *part = arena_copy(a, path, strlen(path), e);

	if (!part)
		return -1;
	for (char *slash = part; *part && (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (mkdir(part, 0700) && errno != EEXIST)
			return err_sys(e, "mkdir %s", part);
		*slash = '/';
	}
	if (mkdir(part, 0700) && errno != EEXIST)
		return err_sys(e, "mkdir %s", part);
	return 0;
}

static int open_directory(const char *path, bool make, struct arena *a, struct err *e)
{
	int fd;

	if (make && make_directory(path, a, e))
		return -1;
	fd = fd_open(path, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

const char *images_path(struct creel *c, const struct creel_criu *o, struct err *e)
{
	const char *path = o->image_path && *o->image_path ? o->image_path : "checkpoint";
	char cwd[4096];

	if (*path == '/')
		return path;
	if (!getcwd(cwd, sizeof(cwd))) {
		err_sys(e, "getcwd");
		return NULL;
	}
	return arena_format(&c->arena, e, "%s/%s", cwd, path);
}

/* ---- options --------------------------------------------------------------------------------- */

/* An annotation that is there but empty stands for no file at all. */
static const char *config_file(const struct str_map *annotations)
{
	for (size_t i = 0; i < annotations->count; i++)
		if (str_equal(annotations->item[i].key, CONFIG_ANNOTATION))
			return *annotations->item[i].value ? annotations->item[i].value : NULL;
	return CONFIG_FILE;
}

static uint64_t bit(bool set, enum criu_switch number)
{
	return (uint64_t)set << number;
}

static uint64_t switches(const struct creel_criu *o)
{
	return bit(true, CRIU_NOTIFY_SCRIPTS) | bit(true, CRIU_MANAGE_CGROUPS) |
	       bit(o->tcp_established, CRIU_TCP_ESTABLISHED) |
	       bit(o->ext_unix_sk, CRIU_EXT_UNIX_SK) | bit(o->shell_job, CRIU_SHELL_JOB) |
	       bit(o->file_locks, CRIU_FILE_LOCKS) | bit(o->lazy_pages, CRIU_LAZY_PAGES) |
	       bit(o->auto_dedup, CRIU_AUTO_DEDUP);
}

static struct opt_u32 cgroup_mode(enum creel_manage_cgroups mode)
{
	static const uint32_t modes[] = {
		[CREEL_MANAGE_CGROUPS_IGNORE] = CRIU_CGROUP_IGNORE,
		[CREEL_MANAGE_CGROUPS_SOFT] = CRIU_CGROUP_SOFT,
		[CREEL_MANAGE_CGROUPS_FULL] = CRIU_CGROUP_FULL,
		[CREEL_MANAGE_CGROUPS_STRICT] = CRIU_CGROUP_STRICT,
	};

	return (struct opt_u32){.set = mode != CREEL_MANAGE_CGROUPS_DEFAULT, .value = modes[mode]};
}

static struct opt_u32 network_lock(enum creel_network_lock lock)
{
	static const uint32_t locks[] = {
		[CREEL_NETWORK_LOCK_IPTABLES] = CRIU_LOCK_IPTABLES,
		[CREEL_NETWORK_LOCK_NFTABLES] = CRIU_LOCK_NFTABLES,
		[CREEL_NETWORK_LOCK_SKIP] = CRIU_LOCK_SKIP,
	};

	return (struct opt_u32){.set = lock != CREEL_NETWORK_LOCK_DEFAULT, .value = locks[lock]};
}

int images_open(struct creel *c, const struct creel_criu *o, const struct str_map *annotations,
		bool make, struct images *im, struct err *e)
{
	im->dir = im->work = -1;
	im->path = im->log_path = images_path(c, o, e);
	if (!im->path)
		return -1;
	im->dir = open_directory(im->path, make, &c->arena, e);
	if (im->dir < 0)
		return -1;
	if (o->work_path && *o->work_path) {
		im->log_path = o->work_path;
		im->work = open_directory(o->work_path, true, &c->arena, e);
		if (im->work < 0)
			return -1;
	}
	im->options = (struct criu_options){
		.switches = switches(o),
		.images_dir = im->dir,
		.work_dir = im->work,
		.log_file = im->log_name,
		.config_file = config_file(annotations),
		/* devices and addresses of a network are whoever's who made it */
		.empty_namespaces = CLONE_NEWNET,
		.cgroup_mode = cgroup_mode(o->manage_cgroups),
		.network_lock = network_lock(o->network_lock),
	};
	return 0;
}

void images_close(struct images *im)
{
	fd_close(&im->dir);
	fd_close(&im->work);
}

/* ---- what is the host's ---------------------------------------------------------------------- */

const struct images_namespace images_namespaces[2] = {
	{NS_NET, 31100, "net", "extRootNetNS"},
	{NS_PID, 31500, "pid", "extRootPidNS"},
};

/* The list under construction, and what it is made of. */
struct collection {
	const struct spec *spec;
	const struct cgroup_host *host;
	const struct cgroup_paths *paths; /* of the container */
	struct arena *arena;
	struct images_mounts list;
	size_t capacity;
};

static int add(struct collection *k, const char *place, const char *source, struct err *e)
{
	struct images_mount *item =
		arena_grow(k->arena, k->list.item, k->list.count, &k->capacity, sizeof(*item), e);

	if (!item)
		return -1;
	k->list.item = item;
	item[k->list.count++] = (struct images_mount){.place = place, .source = source};
	return 0;
}

static const char *path_of(const struct cgroup_paths *paths, const char *name)
{
	for (size_t i = 0; i < paths->count; i++)
		if (str_equal(paths->item[i].name, name))
			return paths->item[i].path;
	return NULL;
}

/* Without a cgroup namespace each hierarchy of version 1 is a bind: see run/do_mount_cgroup.c. */
static int add_cgroups(struct collection *k, const char *target, struct err *e)
{
	for (size_t i = 0; i < k->host->count; i++) {
		const struct cgroup_hierarchy *h = &k->host->item[i];
		const char *own = path_of(k->paths, h->name), *place, *source;

		if (!*h->name)
			continue;
		place = arena_format(k->arena, e, "%s%s", target, strrchr(h->mount, '/'));
		source = own ? own : arena_format(k->arena, e, "%s%s", h->mount, h->own);
		if (!place || !source || add(k, place, source, e))
			return -1;
	}
	return 0;
}

static int add_mount(struct collection *k, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	bool cgroup_binds =
		k->host->layout != CGROUP_V2 && !spec_namespace_find(k->spec, NS_CGROUP);

	if (mount->ids) {
		err_set(e, ERR_UNSUPPORTED, "criu cannot save the ids of an id-mapped mount: %s",
			mount->target);
		return err_in(e, "%s/%d", step->pointer, step->item);
	}
	if (mount->how == MOUNT_BIND)
		return add(k, mount->target, mount->source, e);
	if (mount->how == MOUNT_CGROUP && cgroup_binds)
		return add_cgroups(k, mount->target, e);
	return 0;
}

int images_mounts(struct creel *c, const struct spec *spec, const char *bundle,
		  const struct cgroup_paths *paths, struct images_mounts *ret, struct err *e)
{
	struct plan_request request = {.bundle = bundle, .log = &c->log};
	struct plan_facts facts = {0};
	struct collection k = {
		.spec = spec, .host = &facts.cgroup, .paths = paths, .arena = &c->arena};
	struct plan *plan;

	if (cgroup_detect(true, &c->arena, &facts.cgroup, e) ||
	    plan_build_mounts(spec, &facts, &request, &c->arena, &plan, e))
		return -1;
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];
		const char *device = step->kind == STEP_DEVICE ? step->device.item->path : NULL;

		if ((device && add(&k, device, device, e)) ||
		    (step->kind == STEP_MOUNT && add_mount(&k, step, e)))
			return -1;
	}
	*ret = k.list;
	return 0;
}

/* ---- failures -------------------------------------------------------------------------------- */

int images_fail(struct creel *c, const struct images *im, struct err *e)
{
	const char *cause, *complaint;

	criu_quote(im->work >= 0 ? im->work : im->dir, im->log_path, im->log_name, &c->log,
		   &c->arena, &cause);
	if (cause) {
		struct err whole = *e;

		err_set(e, (enum err_code)whole.code, "%s: %s", whole.text, cause);
		e->sys = whole.sys;
	}
	complaint = criu_complaint(&im->criu, &c->arena);
	if (complaint)
		return err_hint(e, "\"criu check\" says of this machine: %s", complaint);
	return err_hint(e, "%s/%s tells what criu did", im->log_path, im->log_name);
}
