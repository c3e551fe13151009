/*
 * checkpoint: criu writes a container as images to disk, and ends it, unless it is to go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json_write.h"
#include "container/bundle.h"
#include "container/images.h"
#include "container/status.h"
#include "container/streams.h"
#include "run/notify.h"
#include "state/store.h"
#include "sys/inroot.h"
#include "sys/procfs.h"

/* What is known while criu works. */
struct dump {
	struct creel *c;
	const struct creel_criu *o;
	struct container *ct;
	struct images im;
	struct str_list streams; /* of the caller of create: see streams.h */
	int status_fd;           /* −1: none, or it was told */
	bool unlocked;           /* others were let at the container while its memory is fetched */
};

/* ---- before anything is made ----------------------------------------------------------------- */

static int check_status(const struct container *ct, struct err *e)
{
	if (ct->status == CREEL_RUNNING || ct->status == CREEL_PAUSED)
		return 0;
	return err_set(e, ERR_STATE, "Container cannot be checkpointed in %s state",
		       creel_status_name(ct->status));
}

static int check_parent(struct creel *c, const struct creel_criu *o, struct err *e)
{
	const char *path;
	struct stat st;

	if (!o->parent_path || !*o->parent_path)
		return 0;
	if (*o->parent_path == '/')
		return err_set(e, ERR_USAGE, "--parent-path must be relative");
	path = images_path(c, o, e);
	path = path ? arena_format(&c->arena, e, "%s/%s", path, o->parent_path) : NULL;
	path = path ? str_clean_path(&c->arena, path, e) : NULL;
	if (!path)
		return -1;
	if (!stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return 0;
		errno = ENOTDIR;
	}
	err_sys(e, "invalid --parent-path: stat %s", path);
	return err_hint(e, "it is looked for from --image-path, and must be there");
}

static int check_status_fd(struct dump *d, struct err *e)
{
	int fd = (int)d->o->status_fd, flags;

	d->status_fd = -1;
	if (!fd || !d->o->lazy_pages)
		return 0;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return err_sys(e, "invalid --status-fd argument %d", fd);
	if ((flags & O_ACCMODE) == O_RDONLY)
		return err_set(e, ERR_USAGE, "invalid --status-fd argument %d: not writable", fd);
	if (d->im.criu.version < CRIU_VERSION_STATUS_READY)
		return err_set(e, ERR_UNSUPPORTED, "--status-fd requires at least CRIU 3.15");
	d->status_fd = fd;
	return 0;
}

static int check_machine(struct dump *d, struct err *e)
{
	const struct criu_features wanted = {.mem_track = d->o->pre_dump,
					     .lazy_pages = d->o->lazy_pages};

	if (criu_find(d->o->search_path, CRIU_VERSION_LEAST, &d->c->log, &d->c->arena, &d->im.criu,
		      e) ||
	    check_status_fd(d, e))
		return -1;
	if (!wanted.mem_track && !wanted.lazy_pages)
		return 0;
	return criu_check_features(&d->im.criu, &wanted, &d->c->log, &d->c->arena, e);
}

/* ---- what criu is told ----------------------------------------------------------------------- */

/*
 * The place as the kernel knows it, which is how criu looks for it: the container's own links are
 * followed. NULL when it is not there any more.
 */
static const char *real_place(int root, const char *place, struct arena *a, struct err *e)
{
	_close_ int fd = inroot_open(root, place, O_PATH, e);

	return fd < 0 ? NULL : bundle_path_of(fd, a, e);
}

static int tell_mount(struct dump *d, int root, const char *place, struct err *e)
{
	struct str_map *map = &d->im.options.mounts;
	const char *real = real_place(root, place, &d->c->arena, e);

	if (real)
		map->item[map->count++] = (struct str_pair){.key = real, .value = real};
	return real || e->code == ERR_SYSTEM ? 0 : -1;
}

static int tell_mounts(struct dump *d, const struct spec *spec, struct err *e)
{
	_close_ int root = procfs_open_of(d->ct->pid, "root", O_PATH | O_DIRECTORY, e);
	struct str_map *map = &d->im.options.mounts;
	struct images_mounts list;

	if (root < 0 || images_mounts(d->c, spec, d->ct->record->bundle, &d->ct->cgroup, &list, e))
		return -1;
	map->item = arena_get_array(&d->c->arena, list.count + 1, sizeof(*map->item), e);
	if (!map->item)
		return -1;
	for (size_t i = 0; i < list.count; i++)
		if (tell_mount(d, root, list.item[i].place, e))
			return -1;
	return notify_has_place(d->ct->dir) ? tell_mount(d, root, NOTIFY_TARGET, e) : 0;
}

/* "net[4026532281]:extRootNetNS" */
static int tell_namespace(struct dump *d, const struct images_namespace *kind, struct err *e)
{
	const char *name = arena_format(&d->c->arena, e, "ns/%s", kind->name);
	_close_ int fd = name ? procfs_open_of(d->ct->pid, name, O_RDONLY, e) : -1;
	struct str_list *list = &d->im.options.external;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st))
		return err_sys(e, "stat the %s namespace", kind->name);
	name = arena_format(&d->c->arena, e, "%s[%llu]:%s", kind->name,
			    (unsigned long long)st.st_ino, kind->key);
	list->item[list->count++] = name;
	return name ? 0 : -1;
}

/* Those that the container only joined. */
static int tell_namespaces(struct dump *d, const struct spec *spec, struct err *e)
{
	struct str_list *list = &d->im.options.external;

	list->item = arena_get_array(&d->c->arena, array_len(images_namespaces) + STREAMS,
				     sizeof(*list->item), e);
	if (!list->item)
		return -1;
	for (size_t i = 0; i < array_len(images_namespaces); i++) {
		const struct images_namespace *kind = &images_namespaces[i];
		const struct spec_namespace *ns = spec_namespace_find(spec, kind->type);

		if (ns && ns->path && d->im.criu.version >= kind->version &&
		    tell_namespace(d, kind, e))
			return -1;
	}
	return 0;
}

static const char *freezer(const struct container *ct)
{
	const char *unified = NULL;

	for (size_t i = 0; i < ct->cgroup.count; i++) {
		if (str_equal(ct->cgroup.item[i].name, "freezer"))
			return ct->cgroup.item[i].path;
		if (!*ct->cgroup.item[i].name && ct->cgroup.count == 1)
			unified = ct->cgroup.item[i].path;
	}
	return unified;
}

static int tell_streams(struct dump *d, struct err *e)
{
	struct str_list *list = &d->im.options.external;

	if (streams_find(d->ct->pid, &d->ct->record->external_descriptors, &d->c->arena,
			 &d->streams, e))
		return -1;
	for (size_t i = 0; i < d->streams.count; i++)
		if (stream_is_file(d->streams.item[i]))
			list->item[list->count++] = d->streams.item[i];
	return 0;
}

/*
 * In a user namespace criu restores as root of that: with its group it may pass through the
 * directory, in which all names are known, and read what is its own memory.
 */
static void open_to_root(const struct dump *d, const struct spec *spec)
{
	const struct spec_id_maps *maps = &spec->linux_.gid_mappings;
	struct stat st;

	if (!spec_namespace_find(spec, NS_USER) || fstat(d->im.dir, &st) || st.st_mode & S_IXOTH)
		return;
	for (size_t i = 0; i < maps->count; i++)
		if (!maps->item[i].container_id &&
		    (fchown(d->im.dir, (uid_t)-1, maps->item[i].host_id) ||
		     fchmod(d->im.dir, (st.st_mode & 07777) | S_IXGRP)))
			log_add(&d->c->log, LOG_LEVEL_WARNING,
				"%s is closed to root of the container, which restore needs: %s",
				d->im.path, err_errno_text(errno));
}

static int fill_options(struct dump *d, struct err *e)
{
	struct criu_options *options = &d->im.options;
	const struct creel_criu *o = d->o;
	struct spec *spec;

	if (container_config(d->c, d->ct, &spec, e))
		return -1;
	open_to_root(d, spec);
	options->pid = d->ct->pid;
	options->root = d->ct->record->rootfs;
	options->freezer = freezer(d->ct);
	options->page_server = o->page_server_address;
	options->page_server_port = o->page_server_port;
	options->switches |= (uint64_t)1 << CRIU_ORPHAN_PTS_MASTER |
			     (uint64_t)o->leave_running << CRIU_LEAVE_RUNNING |
			     (uint64_t)o->tcp_skip_in_flight << CRIU_TCP_SKIP_IN_FLIGHT |
			     (uint64_t)o->link_remap << CRIU_LINK_REMAP;
	if (o->parent_path && *o->parent_path) {
		options->parent_images = o->parent_path;
		options->switches |= (uint64_t)1 << CRIU_TRACK_MEM;
	}
	if (tell_namespaces(d, spec, e))
		return -1;
	/* a first dump of memory asks for no more */
	return o->pre_dump ? 0 : tell_streams(d, e) || tell_mounts(d, spec, e);
}

/* ---- the dump -------------------------------------------------------------------------------- */

/* The memory can be fetched now, which may take as long as its readers like. */
static void tell_ready(struct dump *d)
{
	if (d->status_fd >= 0 && write(d->status_fd, "", 1) != 1)
		log_add(&d->c->log, LOG_LEVEL_WARNING, "can't write \\0 to status fd: %s",
			err_errno_text(errno));
	fd_close(&d->status_fd);
	store_unlock(d->ct->dir);
	d->unlocked = true;
}

/*
 * For restore, which puts its own streams in their place. It is written when all else has been:
 * where it is, there is a whole checkpoint.
 */
static int write_descriptors(struct dump *d, struct err *e)
{
	struct json_writer w;
	struct str text;

	str_init(&text, &d->c->arena);
	json_write_init(&w, &text, NULL);
	json_write_strings(&w, NULL, &d->streams);
	if (!str_end(&text, e))
		return -1;
	return file_replace(d->im.dir, IMAGES_DESCRIPTORS, 0600, text.text, text.length, e);
}

static int at_stage(void *user, const struct criu_reply *told, struct err *e)
{
	struct dump *d = user;

	if (str_equal(told->script, "status-ready") && d->o->lazy_pages)
		tell_ready(d);
	if (str_equal(told->script, "post-dump") && !d->o->pre_dump)
		return write_descriptors(d, e);
	return 0;
}

static int converse(struct dump *d, struct err *e)
{
	const struct criu_question question = {
		.type = d->o->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.options = &d->im.options,
		.listen = at_stage,
		.user = d,
	};
	struct criu_talk talk = CRIU_SILENT;
	struct criu_reply reply;
	int failed;

	if (criu_start(&talk, &d->im.criu, &d->c->log, &d->c->arena, e))
		return -1;
	failed = criu_end(&talk, criu_converse(&talk, &question, &reply, e), e);
	fd_close(&d->status_fd);
	return failed ? images_fail(d->c, &d->im, e) : 0;
}

/* criu freezes the container, and thaws it; one that was killed may have left it frozen. */
static void let_go_on(struct dump *d)
{
	struct err why;

	if (d->ct->status == CREEL_RUNNING && !d->unlocked && cgroup_thaw(&d->ct->cgroup, &why))
		log_add(&d->c->log, LOG_LEVEL_WARNING, "%s", why.text);
}

static int dump(struct dump *d, struct err *e)
{
	if (check_parent(d->c, d->o, e) || check_machine(d, e) ||
	    images_open(d->c, d->o, &d->ct->record->annotations, true, &d->im, e) ||
	    fill_options(d, e))
		return -1;
	if (!d->o->pre_dump)
		file_remove(d->im.dir, IMAGES_DESCRIPTORS); /* of an earlier one */
	if (!converse(d, e))
		return 0;
	let_go_on(d);
	file_remove(d->im.dir, IMAGES_DESCRIPTORS);
	return -1;
}

/* criu killed its processes; what is left is given back, which no image depends on. */
static void clean_up(struct dump *d)
{
	bool there = true;
	struct err why;

	if (d->unlocked && store_lock(d->ct->dir, d->ct->id, &there, &why))
		log_add(&d->c->log, LOG_LEVEL_WARNING, "%s", why.text);
	if (there && (cgroup_kill(&d->ct->cgroup, &d->c->arena, &why) ||
		      container_destroy(d->c, d->ct, &why)))
		log_add(&d->c->log, LOG_LEVEL_WARNING, "%s", why.text);
}

int container_checkpoint(struct creel *c, const char *id, const struct creel_criu *o, struct err *e)
{
	struct container ct;
	struct dump d = {.c = c,
			 .o = o,
			 .ct = &ct,
			 .im = {.log_name = "dump.log", .dir = -1, .work = -1},
			 .status_fd = -1};
	int failed;

	if (geteuid() != 0 || procfs_in_user_namespace())
		log_add(&c->log, LOG_LEVEL_WARNING,
			"runc checkpoint is untested with rootless containers");
	if (container_open(c, id, true, &ct, e))
		return -1;
	failed = check_status(&ct, e) || dump(&d, e);
	if (!failed && !o->leave_running && !o->pre_dump)
		clean_up(&d);
	images_close(&d.im);
	container_close(&ct);
	return failed ? -1 : 0;
}
