/*
 * Doers of mounts: one entry of config.json each. The mount is made or cloned detached, gets its
 * flags, and is attached onto a descriptor of the target, which was looked up within the
 * container's root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

static int open_source(const struct plan_mount *mount, struct err *e)
{
	int tree = mountfd_clone(AT_FDCWD, mount->source, mount->recursive, e);

	if (tree >= 0)
		return tree;
	if (e->sys == EACCES)
		err_hint(e, "a directory above the source is closed to the caller: chmod a+x it");
	return err_wrap(e, "failed to fulfil mount request: open %s", mount->source);
}

int do_open_tree(struct walk *w, const struct step *step, struct err *e)
{
	int tree = open_source(step->mount, e);

	if (tree < 0)
		return -1;
	w->trees[step->mount->tree] = tree;
	return 0;
}

/*
 * The flags of a bind's topmost mount. As with a remount, flags that the entry names are set; flags
 * that it clears in so many words ("rw", "exec") are cleared only together with others, since a
 * bind without any keeps what it has.
 */
static int set_bind_flags(int tree, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr change = {
		.set = mountfd_attr_of_flags(mount->flags),
		.clear = mount->flags ? mountfd_attr_of_flags(mount->cleared) : 0,
	};

	if (!change.set && !change.clear)
		return 0;
	if (!mountfd_set(tree, &change, false, e))
		return 0;
	if (e->sys == EPERM && change.clear) {
		err_set(e, ERR_INVALID, "cannot clear locked flags 0x%llx of %s",
			(unsigned long long)change.clear, mount->source);
		return err_hint(
			e,
			"name the flags that the source's mount has (ro, nosuid, nodev, noexec)");
	}
	return -1;
}

/* Flags for the whole tree (rro, …) and the propagation: what comes after the mount's own flags. */
static int set_tree_flags(int tree, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr all = {.set = mount->recursive_set, .clear = mount->recursive_clear};
	struct mountfd_attr propagation = {.propagation = mount->propagation};

	if ((all.set || all.clear) && mountfd_set(tree, &all, true, e))
		return -1;
	if (mount->propagation && mountfd_set(tree, &propagation, mount->propagation_recursive, e))
		return -1;
	return 0;
}

/*
 * The plan held the target's path against the rules about /proc; a link in the image may lead there
 * all the same. So whatever lies in a procfs must have been named as such.
 */
static int check_target(int target, const struct plan_mount *mount, struct err *e)
{
	struct statfs fs;

	if (str_starts(mount->target, "/proc/") || str_equal(mount->target, "/proc"))
		return 0;
	if (fstatfs(target, &fs))
		return err_sys(e, "statfs %s", mount->target);
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	return err_set(e, ERR_INVALID, "\"%s\" cannot be mounted because it is inside /proc",
		       mount->target);
}

/* Only a procfs may lie on /proc. */
static int check_source(int tree, const struct plan_mount *mount, struct err *e)
{
	struct statfs fs;

	if (!str_equal(mount->target, "/proc"))
		return 0;
	if (fstatfs(tree, &fs))
		return err_sys(e, "statfs %s", mount->source);
	if (fs.f_type == PROC_SUPER_MAGIC)
		return 0;
	return err_set(e, ERR_INVALID,
		       "\"/proc\" cannot be mounted because it is not of type proc");
}

static int bind(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	_close_ int tree =
		mount->tree == NO_TREE ? open_source(mount, e) : fd_take(&w->trees[mount->tree]);
	_close_ int target = -1;
	struct stat st;

	if (tree < 0)
		return -1;
	if (fstat(tree, &st))
		return err_sys(e, "stat %s", mount->source);
	if (S_ISDIR(st.st_mode))
		target = inroot_mkdir(w->root, mount->target, 0755, e);
	else
		target = inroot_mkfile(w->root, mount->target, 0644, e);
	if (target < 0 || check_target(target, mount, e) || check_source(tree, mount, e) ||
	    set_bind_flags(tree, mount, e) || set_tree_flags(tree, mount, e))
		return -1;
	return mountfd_attach(tree, target, e);
}

/*
 * procfs and sysfs carry other protections: their place must be a directory of the root itself, not
 * a link.
 */
static int open_new_target(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	bool kernel_view = str_equal(mount->type, "proc") || str_equal(mount->type, "sysfs");
	int target = kernel_view
			     ? inroot_open_plain(w->root, mount->target, O_PATH | O_DIRECTORY, e)
			     : inroot_open(w->root, mount->target, O_PATH | O_DIRECTORY, e);

	if (target >= 0 || e->sys != ENOENT)
		return target;
	return inroot_mkdir(w->root, mount->target, 0755, e);
}

static bool names_mode(const char *data)
{
	for (const char *at = data; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (str_starts(at, "mode="))
			return true;
	return false;
}

/* A tmpfs over a directory of the image takes that directory's mode, unless the entry has one. */
static const char *tmpfs_data(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	_close_ int old = -1;
	struct stat st;

	if (names_mode(mount->data))
		return mount->data;
	old = inroot_open(w->root, mount->target, O_PATH | O_DIRECTORY, e);
	if (old < 0 || fstat(old, &st))
		return mount->data ? mount->data : "";
	return arena_format(w->arena, e, "%s%smode=%04o", mount->data ? mount->data : "",
			    mount->data ? "," : "", (unsigned)st.st_mode & 07777);
}

static int new_mount(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	const char *data = str_equal(mount->type, "tmpfs") ? tmpfs_data(w, mount, e) : mount->data;
	_close_ int target = -1;
	_close_ int fs = -1;

	if (!data && mount->data)
		return -1;
	target = open_new_target(w, mount, e);
	if (target < 0 || check_target(target, mount, e))
		return -1;
	fs = mountfd_new(mount->type, mount->source, data, mount->flags,
			 mountfd_attr_of_flags(mount->flags), e);
	if (fs < 0 || set_tree_flags(fs, mount, e))
		return -1;
	return mountfd_attach(fs, target, e);
}

static int remount(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr change = {
		.set = mountfd_attr_of_flags(mount->flags),
		.clear = mountfd_attr_of_flags(mount->cleared),
	};
	_close_ int target = inroot_open(w->root, mount->target, O_PATH, e);

	if (target < 0 || mountfd_set(target, &change, false, e))
		return -1;
	return set_tree_flags(target, mount, e);
}

int do_mount(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	int failed;

	switch (mount->how) {
	case MOUNT_BIND:
		failed = bind(w, mount, e);
		break;
	case MOUNT_CGROUP:
		failed = do_mount_cgroup(w, step, e);
		break;
	case MOUNT_REMOUNT:
		failed = remount(w, mount, e);
		break;
	default:
		failed = new_mount(w, mount, e);
	}
	if (failed)
		return err_wrap(e, "error mounting \"%s\" to rootfs at \"%s\"",
				mount->source ? mount->source : "", mount->target);
	return 0;
}

int do_mount_readonly(struct walk *w, const struct step *step, struct err *e)
{
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};
	_close_ int target = inroot_open(w->root, step->mount->target, O_PATH, e);

	if (target < 0 || mountfd_set(target, &readonly, false, e))
		return err_wrap(e, "make %s read-only", step->mount->target);
	return 0;
}
