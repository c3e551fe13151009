/*
 * What the doers of mounts share: see mounting.h.
 */
#include "run/mounting.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/fd.h"
#include "base/str.h"
#include "spec/mount_options.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

static bool is_kernel_view(const struct plan_mount *mount)
{
	return mount->how == MOUNT_NEW &&
	       (str_equal(mount->type, "proc") || str_equal(mount->type, "sysfs"));
}

static int open_target(struct walk *w, const struct plan_mount *mount, bool directory,
		       struct err *e)
{
	int target;

	/* procfs and sysfs carry other protections: a directory of the root itself, not a link */
	if (is_kernel_view(mount)) {
		target = inroot_open_plain(w->root, mount->target, O_PATH | O_DIRECTORY, e);
		if (target >= 0 || e->sys != ENOENT)
			return target;
	}
	if (mount->extensions & MOUNT_EXT_DEST_NOFOLLOW) {
		target = inroot_open(w->root, mount->target, O_PATH | O_NOFOLLOW, e);
		if (target >= 0 || e->sys != ENOENT)
			return target;
	}
	return directory ? inroot_mkdir(w->root, mount->target, 0755, e)
			 : inroot_mkfile(w->root, mount->target, 0644, e);
}

/*
 * The plan held the target's path against the rules about /proc; a link in the image may lead there
 * all the same. So whatever lies in a procfs must have been named as such.
 */
static int check_procfs(int target, const struct plan_mount *mount, struct err *e)
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

/* A link of the image may lead to the root, too: what covers that would not be seen by anybody. */
static int check_root(struct walk *w, int target, const struct plan_mount *mount, struct err *e)
{
	uint64_t id, root_id;
	bool is_root, ignored;

	if (mountfd_where(target, &id, &is_root, e))
		return -1;
	if (!is_root)
		return 0;
	if (mountfd_where(w->root, &root_id, &ignored, e))
		return -1;
	if (id != root_id)
		return 0;
	return err_set(e, ERR_INVALID,
		       "\"%s\" leads to the root of the container: mounting over that is not "
		       "allowed",
		       mount->target);
}

static int check_type(int target, const struct plan_mount *mount, bool directory, struct err *e)
{
	struct stat st;

	if (directory && !(mount->extensions & MOUNT_EXT_DEST_NOFOLLOW))
		return 0; /* it was opened as one */
	if (fstat(target, &st))
		return err_sys(e, "stat %s", mount->target);
	if (S_ISDIR(st.st_mode) == directory)
		return 0;
	errno = ENOTDIR;
	return err_sys(e, "a directory can only be covered by a directory: %s",
		       directory ? mount->target : mount->source);
}

int mounting_target(struct walk *w, const struct plan_mount *mount, bool directory, struct err *e)
{
	_close_ int target = open_target(w, mount, directory, e);

	if (target < 0 || check_type(target, mount, directory, e) ||
	    check_procfs(target, mount, e) || check_root(w, target, mount, e))
		return -1;
	return fd_take(&target);
}

int mounting_finish(int mount_fd, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr all = {.set = mount->recursive_set, .clear = mount->recursive_clear};

	if ((all.set || all.clear) && mountfd_set(mount_fd, &all, true, e))
		return -1;
	for (size_t i = 0; i < mount->propagation_count; i++) {
		uint32_t flags = mount->propagation[i];
		struct mountfd_attr change = {.propagation = flags & ~(uint32_t)MS_REC};

		if (mountfd_set(mount_fd, &change, flags & MS_REC, e))
			return err_wrap(e, "set the propagation");
	}
	return 0;
}

void mounting_keep(struct walk *w, const struct plan_mount *mount, int *mount_fd)
{
	bool proc = str_equal(mount->target, "/proc");
	int *kept = proc ? &w->proc : &w->sys;

	if (!proc && !str_equal(mount->target, "/sys"))
		return;
	fd_close(kept);
	*kept = fd_take(mount_fd);
}

static bool has_mode(const char *data)
{
	return data && (str_starts(data, "mode=") || strstr(data, ",mode="));
}

/*
 * The directory whose mode the file system gets; −1 when there is none yet. That something else
 * is in its place is told when it is to be made.
 */
static int open_covered(const struct plan_mount *mount, int root, int *ret, struct err *e)
{
	*ret = inroot_open(root, mount->target, O_PATH | O_DIRECTORY, e);
	return *ret < 0 && e->sys != ENOENT && e->sys != ENOTDIR ? -1 : 0;
}

int mounting_data(struct walk *w, const struct plan_mount *mount, int root, const char **ret,
		  struct err *e)
{
	bool copy_up = mount->extensions & MOUNT_EXT_TMPCOPYUP;
	_close_ int covered = -1;
	const char *text;
	struct stat st;
	struct str data;

	if (str_equal(mount->type, "tmpfs") && (copy_up || !has_mode(mount->data)) &&
	    open_covered(mount, root, &covered, e))
		return -1;
	if (covered < 0) {
		*ret = mount->data;
		return 0;
	}
	if (fstat(covered, &st))
		return err_sys(e, "stat %s", mount->target);
	/* The last of two equal options is the one that counts. */
	str_init(&data, w->arena);
	str_addf(&data, "mode=%04o", (unsigned)st.st_mode & 07777);
	/* where ids are mapped, they are not those that the file system has */
	if (copy_up && !mount->ids)
		str_addf(&data, ",uid=%u,gid=%u", st.st_uid, st.st_gid);
	if (mount->data)
		str_addf(&data, ",%s", mount->data);
	text = str_end(&data, e);
	if (!text)
		return -1;
	*ret = text;
	return 0;
}

int mounting_new(const struct plan_mount *mount, const char *data, struct err *e)
{
	return mountfd_new(mount->type, mount->source, data, mount->flags,
			   mountfd_attr_of_flags(mount->flags), e);
}
