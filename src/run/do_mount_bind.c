/*
 * The doers of binds and of what the runtime opens for init: trees that init could not reach, and
 * mounts whose ids are mapped.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "spec/mount_options.h"
#include "sys/idmap.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"
#include "sys/mountinfo.h"
#include "sys/procfs.h"

/* Says which part of a path it is that cannot be opened. */
static void explain_path(const char *path, struct err *e)
{
	char part[PATH_MAX] = "/";
	size_t length = strlen(path), parent = 1;

	for (size_t end = 1; end <= length && end < sizeof(part); end++) {
		_close_ int fd = -1;

		if (path[end] && path[end] != '/')
			continue;
		memcpy(part, path, end);
		part[end] = '\0';
		fd = fd_open(part, O_PATH);
		if (fd >= 0) {
			parent = end;
			continue;
		}
		if (errno == ENOENT)
			err_hint(e, "there is no %s", part);
		part[parent] = '\0';
		if (errno == ENOTDIR)
			err_hint(e, "%s is not a directory", part);
		else if (errno == EACCES)
			err_hint(e, "the directory %s is closed to the caller: chmod a+x it", part);
		return;
	}
}

/* errno says why the source cannot be opened. Returns −1. */
static int refuse_source(const char *source, struct err *e)
{
	err_sys(e, "failed to fulfil mount request: open %s", source);
	explain_path(source, e);
	return -1;
}

/* The source, when it is a link; −1 in *ret when it is none. Returns −1 and errno on failure. */
static int open_link(const char *source, int *ret)
{
	_close_ int fd = fd_open(source, O_PATH | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return -1;
	*ret = S_ISLNK(st.st_mode) ? fd_take(&fd) : -1;
	return 0;
}

/* The tree to be bound, detached; or, for copy-symlink, the link that its source is. */
static int open_source(const struct plan_mount *mount, struct err *e)
{
	int fd = -1;

	if (mount->extensions & MOUNT_EXT_COPY_SYMLINK && open_link(mount->source, &fd))
		return refuse_source(mount->source, e);
	if (fd >= 0)
		return fd;
	if (mount->extensions & MOUNT_EXT_SRC_NOFOLLOW)
		fd = mountfd_clone_nofollow(AT_FDCWD, mount->source, mount->recursive, e);
	else
		fd = mountfd_clone(AT_FDCWD, mount->source, mount->recursive, e);
	if (fd >= 0)
		return fd;
	errno = e->sys;
	return refuse_source(mount->source, e);
}

/* The mount of the host that a path is on; NULL when that cannot be told. */
static const struct mountinfo *mount_of(struct walk *w, const char *path)
{
	const struct mountinfo *list = NULL;
	_close_ int fd = fd_open(path, O_PATH);
	struct err ignored;
	uint64_t id = 0;
	bool is_root;

	if (fd < 0 || mountfd_where(fd, &id, &is_root, &ignored) ||
	    mountinfo_read(w->arena, &list, &ignored))
		return NULL;
	return mountinfo_find(list, id);
}

/* ---- ids ------------------------------------------------------------------------------------- */

/* The user namespace that has the ids; the last one is kept, since mounts mostly have the same. */
static int ids_namespace(struct walk *w, const struct plan_mount_ids *ids, struct err *e)
{
	if (w->ids == ids)
		return 0;
	w->ids = NULL;
	fd_close(&w->ids_namespace);
	if (ids->path) {
		w->ids_namespace = fd_open(ids->path, O_RDONLY | O_NONBLOCK);
		if (w->ids_namespace < 0)
			return err_sys(e, "namespace path: lstat %s", ids->path);
	} else {
		w->ids_namespace = idmap_namespace(ids->uids, ids->uid_count, ids->gids,
						   ids->gid_count, w->arena, e);
	}
	if (w->ids_namespace < 0)
		return -1;
	w->ids = ids;
	return 0;
}

static int map_ids(struct walk *w, const struct plan_mount *mount, int tree, struct err *e)
{
	bool all = mount->extensions & MOUNT_EXT_RIDMAP, new = mount->how == MOUNT_NEW;
	const struct mountinfo *host;

	if (ids_namespace(w, mount->ids, e))
		return -1;
	if (!mountfd_map_ids(tree, w->ids_namespace, all, e))
		return 0;
	errno = e->sys;
	err_sys(e, "failed to set MOUNT_ATTR_IDMAP on %s", new ? mount->target : mount->source);
	if (e->sys == EPERM)
		return err_hint(e, "the file system belongs to another user namespace than the "
				   "caller's, or its ids are mapped already");
	if (e->sys != EINVAL)
		return -1;
	host = new ? NULL : mount_of(w, mount->source);
	return err_hint(e, "the file system %s%s cannot be id-mapped by this kernel",
			new    ? mount->type
			: host ? host->type
			       : "there",
			all && mount->recursive ? ", or one below it," : "");
}

/* ---- flags ----------------------------------------------------------------------------------- */

/* Flags that the kernel locks: who does not own the mount cannot clear them. */
static const struct {
	unsigned flag;
	char name[12], option[8];
} lockable[] = {
	{MS_RDONLY, "MS_RDONLY", "ro"},
	{MS_NOSUID, "MS_NOSUID", "nosuid"},
	{MS_NODEV, "MS_NODEV", "nodev"},
	{MS_NOEXEC, "MS_NOEXEC", "noexec"},
};

/* The flags that an entry clears and its source has: of the mount, or of its file system. */
static uint64_t cleared_in_vain(int tree, const struct plan_mount *mount)
{
	uint64_t flags = 0;
	struct statfs fs;

	for (size_t i = 0; i < array_len(lockable); i++)
		flags |= mount->cleared & lockable[i].flag;
	return flags && !fstatfs(tree, &fs) ? flags & (uint64_t)fs.f_flags : 0;
}

static int refuse_locked(uint64_t locked, const struct plan_mount *mount, struct err *e)
{
	char names[64] = "", options[32] = "";
	size_t used = 0, options_used = 0;

	for (size_t i = 0; i < array_len(lockable); i++) {
		if (!(locked & lockable[i].flag))
			continue;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? "|" : "", lockable[i].name);
		options_used +=
			(size_t)snprintf(options + options_used, sizeof(options) - options_used,
					 "%s%s", options_used ? ", " : "", lockable[i].option);
	}
	errno = EPERM;
	err_sys(e, "cannot clear locked flags %s of %s", names, mount->source);
	return err_hint(e,
			"the source is mounted %s, which a user namespace cannot undo: say so, too",
			options);
}

/*
 * What the host mounted with a flag keeps it in a user namespace: so the kernel has it for what is
 * bound from within. A tree that is opened outside is free of that, and held to it here. A file
 * system that is read-only as a whole stays so without any help.
 */
static int check_locked(struct walk *w, const struct plan_mount *mount, int tree, struct err *e)
{
	uint64_t cleared = w->plan->user_namespace ? cleared_in_vain(tree, mount) : 0, locked = 0;
	const struct mountinfo *host = cleared ? mount_of(w, mount->source) : NULL;

	for (size_t i = 0; host && i < array_len(lockable); i++) {
		const char *at = strstr(host->options, lockable[i].option);

		if (cleared & lockable[i].flag && at && (at == host->options || at[-1] == ','))
			locked |= lockable[i].flag;
	}
	return locked ? refuse_locked(locked, mount, e) : 0;
}

/*
 * The flags of a bind's topmost mount. As with a remount, flags that the entry names are set, and
 * those that it takes back in so many words ("rw", "exec") are cleared; all others stay.
 */
static int set_flags(int tree, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr change = mountfd_change_of_flags(mount->flags, mount->cleared);
	uint64_t locked;

	if (!change.set && !change.clear)
		return 0;
	if (!mountfd_set(tree, &change, false, e))
		return 0;
	if (e->sys != EPERM)
		return -1;
	locked = cleared_in_vain(tree, mount);
	if (locked)
		return refuse_locked(locked, mount, e);
	return err_hint(e, "in a user namespace the access time of the host's mounts stays as it "
			   "is");
}

/* ---- the doers ------------------------------------------------------------------------------- */

/* A new file system whose ids are mapped: what it will cover is as the image has it. */
static int open_new(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	_close_ int root = fd_open(w->plan->rootfs, O_PATH | O_DIRECTORY);
	const char *data;

	if (root < 0)
		return err_sys(e, "open %s", w->plan->rootfs);
	if (mounting_data(w, mount, root, &data, e))
		return -1;
	return mounting_new(mount, data, e);
}

/*
 * Cloned by init, the tree would have the propagation that the container's mount namespace has been
 * given: a user namespace's is never a peer of the host's.
 */
static int leave_peers(struct walk *w, int tree, struct err *e)
{
	uint32_t flags = w->plan->propagation;
	struct mountfd_attr change = {.propagation = flags & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE};

	if (flags & MS_SHARED && !w->plan->user_namespace)
		return 0;
	return mountfd_set(tree, &change, true, e);
}

int do_open_tree(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	bool bind = mount->how == MOUNT_BIND;
	_close_ int tree = bind ? open_source(mount, e) : open_new(w, mount, e);
	struct stat st;
	bool link;

	if (tree < 0)
		return -1;
	if (fstat(tree, &st))
		return err_sys(e, "stat %s", mount->source);
	link = S_ISLNK(st.st_mode) && mount->extensions & MOUNT_EXT_COPY_SYMLINK;
	if (bind && !link && (check_locked(w, mount, tree, e) || leave_peers(w, tree, e)))
		return -1;
	if (mount->ids && !link && map_ids(w, mount, tree, e))
		return -1;
	w->trees[mount->tree] = fd_take(&tree);
	return 0;
}

/* Only a procfs may lie on /proc, and a whole one: a part lacks what other protections stand on. */
static int check_source(int tree, const struct plan_mount *mount, const struct stat *st,
			struct err *e)
{
	struct statfs fs;

	if (!str_equal(mount->target, "/proc"))
		return 0;
	if (fstatfs(tree, &fs))
		return err_sys(e, "statfs %s", mount->source);
	if (fs.f_type == PROC_SUPER_MAGIC && st->st_ino == PROCFS_ROOT_INODE)
		return 0;
	return err_set(e, ERR_INVALID,
		       "\"/proc\" cannot be mounted because it is not of type proc");
}

/* copy-symlink: the link is made anew, as it stands. */
static int copy_link(struct walk *w, int link, const struct plan_mount *mount, struct err *e)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);

	if (n < 0)
		return err_sys(e, "read the link %s", mount->source);
	text[n] = '\0';
	return inroot_symlink_new(w->root, mount->target, text, e);
}

int do_mount_bind(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	_close_ int tree =
		mount->tree == NO_TREE ? open_source(mount, e) : fd_take(&w->trees[mount->tree]);
	_close_ int target = -1;
	struct stat st;

	if (tree < 0)
		return -1;
	if (fstat(tree, &st))
		return err_sys(e, "stat %s", mount->source);
	if (S_ISLNK(st.st_mode) && mount->extensions & MOUNT_EXT_COPY_SYMLINK)
		return copy_link(w, tree, mount, e);
	target = mounting_target(w, mount, S_ISDIR(st.st_mode), e);
	if (target < 0 || check_source(tree, mount, &st, e) || set_flags(tree, mount, e) ||
	    mounting_finish(tree, mount, e) || mountfd_attach(tree, target, e))
		return -1;
	mounting_keep(w, mount, &tree);
	return 0;
}
