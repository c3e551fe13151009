/*
 * The doer of a mount of type cgroup: what the container sees of its control groups.
 *
 * Version 2 is one mount. Version 1 and hybrid are a small tmpfs with one directory a hierarchy: a
 * bind of the container's own cgroup, or, with a cgroup namespace, a mount of the hierarchy, whose
 * root is the container's then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "run/mounting.h"
#include "security/lsm.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

/* Given by its path, it may be the runtime's after all. */
static bool own_namespace(const struct walk *w)
{
	return spec_namespace_find(w->plan->spec, NS_CGROUP) &&
	       !(w->facts->own_namespaces & CLONE_NEWCGROUP);
}

/* A unit of systemd was made by the runtime, which init has waited for. */
static bool own_cgroup(const struct walk *w)
{
	return w->made_cgroup || w->plan->unit.name;
}

/* What is not the container's own must not be writable in it. */
static uint64_t attributes(const struct walk *w, const struct plan_mount *mount)
{
	return mountfd_attr_of_flags(mount->flags) |
	       (own_cgroup(w) ? 0 : (uint64_t)MOUNT_ATTR_RDONLY);
}

static const char *path_of(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->cgroup.count; i++)
		if (str_equal(plan->cgroup.item[i].name, name))
			return plan->cgroup.item[i].path;
	return NULL;
}

/* The host's mount: the container's part, or, where it sees all, all of it. */
static int bind_v2(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	struct mountfd_attr change = {.set = attributes(w, mount), .propagation = MS_PRIVATE};
	bool private = own_namespace(w) && own_cgroup(w);
	const char *own = private ? path_of(w->plan, "") : NULL;
	_close_ int tree = mountfd_clone(AT_FDCWD, own ? own : "/sys/fs/cgroup", true, e);

	if (tree < 0 || mountfd_set(tree, &change, true, e))
		return -1;
	return fd_take(&tree);
}

/*
 * cgroup2 has one set of options for all of the machine. Whoever mounts it from outside of all
 * cgroup namespaces sets them, and so would take nsdelegate away. Elsewhere it is mounted anew,
 * where a user namespace may do that.
 */
static int open_v2(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	int fs;

	if (!own_namespace(w))
		return bind_v2(w, mount, e);
	fs = mountfd_new("cgroup2", "cgroup", NULL, 0, attributes(w, mount), e);
	if (fs < 0 && (e->sys == EPERM || e->sys == EBUSY || e->sys == EACCES))
		fs = bind_v2(w, mount, e);
	return fs;
}

static int mount_v2(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	_close_ int target = mounting_target(w, mount, true, e);
	_close_ int fs = -1;

	if (target < 0)
		return -1;
	fs = open_v2(w, mount, e);
	if (fs < 0 || mounting_finish(fs, mount, e))
		return -1;
	return mountfd_attach(fs, target, e);
}

/*
 * What is bound of a hierarchy: the container's cgroup, or, when it has none, the one in which the
 * runtime was started.
 */
static const char *source_v1(struct walk *w, const struct cgroup_hierarchy *h, struct err *e)
{
	const char *path = path_of(w->plan, h->name);

	if (own_cgroup(w) && path)
		return path;
	return arena_format(w->arena, e, "%s%s", h->mount, h->own ? h->own : "");
}

/* One hierarchy of version 1, detached. directory is its name: "memory", "cpu,cpuacct". */
static int open_v1(struct walk *w, const struct cgroup_hierarchy *h, const char *directory,
		   struct err *e)
{
	const char *what = directory, *source = "cgroup";

	if (!own_namespace(w)) {
		what = source_v1(w, h, e);
		return what ? mountfd_clone(AT_FDCWD, what, true, e) : -1;
	}
	if (str_starts(h->name, "name=")) {
		source = directory; /* programs know systemd's hierarchy by it */
		what = arena_format(w->arena, e, "none,%s", h->name);
	}
	return what ? mountfd_new("cgroup", source, what, 0, 0, e) : -1;
}

static int mount_hierarchy(struct walk *w, int folder, const struct cgroup_hierarchy *h,
			   uint64_t attr, struct err *e)
{
	const char *name = strrchr(h->mount, '/') + 1;
	struct mountfd_attr change = {.set = attr};
	_close_ int target = -1;
	_close_ int tree = open_v1(w, h, name, e);

	if (tree < 0)
		return -1;
	target = inroot_mkdir(folder, name, 0755, e);
	if (target < 0 || mountfd_set(tree, &change, true, e))
		return -1;
	return mountfd_attach(tree, target, e);
}

/* cpu and cpuacct may be one mount "cpu,cpuacct": each controller's own name is a link to it then.
 */
static int link_names(int folder, const char *mount, struct arena *a, struct err *e)
{
	const char *name = strrchr(mount, '/') + 1;

	for (const char *at = name; strchr(name, ',') && *at;) {
		size_t length = strcspn(at, ",");
		const char *one = arena_copy(a, at, length, e);

		if (!one || inroot_symlink(folder, one, name, e))
			return -1;
		at += length + (at[length] == ',');
	}
	return 0;
}

static bool mounted_before(const struct cgroup_host *host, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (str_equal(host->item[i].mount, host->item[index].mount))
			return true;
	return false;
}

static int mount_v1(struct walk *w, const struct plan_mount *mount, struct err *e)
{
	uint64_t attr = attributes(w, mount);
	const struct cgroup_host *host = &w->facts->cgroup;
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};
	_close_ int target = mounting_target(w, mount, true, e);
	_close_ int fs = -1;
	const char *data;

	if (target < 0)
		return -1;
	data = lsm_mount_data("mode=755", w->plan->spec->linux_.mount_label, w->arena, e);
	if (!data)
		return -1;
	fs = mountfd_new("tmpfs", "tmpfs", data, 0, attr & ~(uint64_t)MOUNT_ATTR_RDONLY, e);
	if (fs < 0 || mountfd_attach(fs, target, e))
		return -1;
	for (size_t i = 0; i < host->count; i++) {
		if (!host->item[i].name[0] || mounted_before(host, i))
			continue;
		if (mount_hierarchy(w, fs, &host->item[i], attr, e) ||
		    link_names(fs, host->item[i].mount, w->arena, e))
			return -1;
	}
	if (attr & MOUNT_ATTR_RDONLY && mountfd_set(fs, &readonly, false, e))
		return -1;
	return mounting_finish(fs, mount, e);
}

int do_mount_cgroup(struct walk *w, const struct step *step, struct err *e)
{
	const struct plan_mount *mount = step->mount;

	switch (w->facts->cgroup.layout) {
	case CGROUP_V2:
		return mount_v2(w, mount, e);
	case CGROUP_V1:
	case CGROUP_HYBRID:
		return mount_v1(w, mount, e);
	default:
		return err_set(e, ERR_UNSUPPORTED,
			       "mount cgroups: this machine has none mounted at /sys/fs/cgroup");
	}
}
