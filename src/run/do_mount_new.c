/*
 * The doer of a new file system, which is made detached, filled and then attached.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "security/lsm.h"
#include "spec/mount_options.h"
#include "sys/copyup.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"
#include "sys/procfs.h"

/*
 * The way for options that only mount(2) takes: the file system is attached at once, and found by
 * its path again. Whoever moves things in the container meanwhile gets an error.
 */
static int mount_at_once(struct walk *w, const struct plan_mount *mount, int target,
			 const char *data, struct err *e)
{
	uint64_t before, id = 0;
	_close_ int fs = -1;
	bool is_root;

	if (w->procfs < 0)
		w->procfs = procfs_open(e);
	if (w->procfs < 0 || mountfd_where(target, &before, &is_root, e) ||
	    mountfd_mount_on(target, w->procfs, mount->type, mount->source, data, mount->flags, e))
		return -1;
	fs = inroot_open(w->root, mount->target, O_PATH | O_DIRECTORY, e);
	if (fs < 0 || mountfd_where(fs, &id, &is_root, e))
		return -1;
	if (!is_root || id == before)
		return err_set(e, ERR_INVALID, "%s is moved while it is mounted on", mount->target);
	return fd_take(&fs);
}

/* For a file system whose files get their labels with their directory's. */
static int label_root(int fs, const struct plan_mount *mount, struct err *e)
{
	_close_ int root = inroot_open(fs, "/", O_RDONLY | O_DIRECTORY, e);

	return root < 0 ? -1 : lsm_selinux_set_file(root, mount->label, e);
}

static int fill(struct walk *w, const struct plan_mount *mount, int fs, int target, struct err *e)
{
	if (mount->extensions & MOUNT_EXT_TMPCOPYUP && copyup(target, fs, w->arena, e))
		return err_wrap(e, "tmpcopyup");
	if (mount->label && label_root(fs, mount, e))
		return -1;
	return mounting_finish(fs, mount, e);
}

/* File systems that show a namespace belong to those who own that. */
static int explain_refusal(const struct walk *w, const struct plan_mount *mount, struct err *e)
{
	if (e->sys != EPERM || !w->plan->user_namespace)
		return -1;
	if (str_equal(mount->type, "sysfs"))
		return err_hint(e, "a new sysfs takes a network namespace of the container's own: "
				   "add one, or bind /sys");
	if (str_equal(mount->type, "proc"))
		return err_hint(e, "a new procfs takes a pid namespace of the container's own, and "
				   "outside a /proc of which no part is covered");
	if (str_equal(mount->type, "mqueue"))
		return err_hint(e, "a new mqueue takes an ipc namespace of the container's own");
	return -1;
}

int do_mount_new(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	_close_ int target = -1, fs = -1;
	const char *data = NULL;

	if (mount->tree == NO_TREE && mounting_data(w, mount, w->root, &data, e))
		return -1;
	target = mounting_target(w, mount, true, e);
	if (target < 0)
		return -1;
	if (mount->tree != NO_TREE) {
		fs = fd_take(&w->trees[mount->tree]);
	} else if (mountfd_is_long(mount->source, data)) {
		fs = mount_at_once(w, mount, target, data, e);
		if (fs < 0 || fill(w, mount, fs, target, e))
			return -1;
		mounting_keep(w, mount, &fs);
		return 0;
	} else {
		fs = mounting_new(mount, data, e);
	}
	if (fs < 0)
		return explain_refusal(w, mount, e);
	if (fill(w, mount, fs, target, e) || mountfd_attach(fs, target, e))
		return -1;
	mounting_keep(w, mount, &fs);
	return 0;
}
