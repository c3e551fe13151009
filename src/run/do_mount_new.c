/*
 * The doer of a new file system, which is made detached, filled and then attached.
 */
#include "base/fd.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "spec/mount_options.h"
#include "sys/copyup.h"
#include "sys/mountfd.h"

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
	if (mounting_finish(fs, mount, e))
		return -1;
	return mountfd_attach(fs, target, e);
}
