/*
 * The doer of a new file system, which is made detached, filled and then attached.
 */
#include <fcntl.h>

#include "base/fd.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "security/lsm.h"
#include "spec/mount_options.h"
#include "sys/copyup.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

/* For a file system whose files get their labels with their directory's. */
static int label_root(int fs, const struct plan_mount *mount, struct err *e)
{
	_close_ int root = inroot_open(fs, "/", O_RDONLY | O_DIRECTORY, e);

	return root < 0 ? -1 : lsm_selinux_set_file(root, mount->label, e);
}

int do_mount_new(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;
	_close_ int target = mounting_target(w, mount, true, e);
	_close_ int fs = -1;

	if (target < 0)
		return -1;
	fs = mount->tree == NO_TREE ? mounting_new(w, mount, target, e)
				    : fd_take(&w->trees[mount->tree]);
	if (fs < 0)
		return -1;
	if (mount->extensions & MOUNT_EXT_TMPCOPYUP && copyup(target, fs, w->arena, e))
		return err_wrap(e, "tmpcopyup");
	if ((mount->label && label_root(fs, mount, e)) || mounting_finish(fs, mount, e))
		return -1;
	return mountfd_attach(fs, target, e);
}
