/*
 * Chapter "mounts" of a plan: each entry of mounts becomes one step with flags, data and paths
 * resolved as far as that is possible without looking into the container's tree.
 */
#include <linux/mount.h>
#include <string.h>

#include "base/str.h"
#include "plan/steps.h"
#include "spec/mount_options.h"
#include "state/store.h"

static bool is_bind(const struct spec_mount *mount)
{
	if (mount->type && str_equal(mount->type, "bind"))
		return true;
	for (size_t i = 0; i < mount->options.count; i++)
		if (str_equal(mount->options.item[i], "bind") ||
		    str_equal(mount->options.item[i], "rbind"))
			return true;
	return false;
}

bool build_dev_is_mounted(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];

		if (step->kind == STEP_MOUNT && step->mount->how == MOUNT_BIND &&
		    str_equal(step->mount->target, "/dev"))
			return true;
	}
	return false;
}

/* A relative source of a bind is relative to the bundle. */
static const char *bind_source(struct steps *s, const struct plan_request *request,
			       const char *source, struct err *e)
{
	if (!source)
		source = "";
	return *source == '/' ? source
			      : arena_format(s->arena, e, "%s/%s", request->bundle, source);
}

/* Both names are for the view of the cgroups; on a hybrid machine the second one is for a part. */
static bool is_cgroup(const struct steps *s, const char *type)
{
	return type && (str_equal(type, "cgroup") ||
			(str_equal(type, "cgroup2") && s->facts->cgroup.layout == CGROUP_V2));
}

static enum plan_mount_how how_of(const struct steps *s, const struct spec_mount *mount,
				  const struct mount_options *options)
{
	const uint64_t of_file_system = MS_SYNCHRONOUS | MS_DIRSYNC | MS_MANDLOCK | MS_LAZYTIME;

	/* "ro" is for the mount alone: the file system may be the host's, too. */
	if (options->set & MS_REMOUNT && !is_bind(mount) &&
	    (options->data || (options->set | options->cleared) & of_file_system))
		return MOUNT_RECONFIGURE;
	if (options->set & MS_REMOUNT)
		return MOUNT_REMOUNT;
	if (is_bind(mount))
		return MOUNT_BIND;
	if (is_cgroup(s, mount->type))
		return MOUNT_CGROUP;
	return MOUNT_NEW;
}

/*
 * /proc is what the other protections stand on: nothing may cover it or go below it but a procfs,
 * and single files that monitoring tools replace (the list is the one that runc's users rely on).
 */
static int check_proc(const struct plan_mount *mount, struct err *e)
{
	static const char *const allowed[] = {
		"/proc/cpuinfo",
		"/proc/diskstats",
		"/proc/meminfo",
		"/proc/stat",
		"/proc/swaps",
		"/proc/uptime",
		"/proc/loadavg",
		"/proc/slabinfo",
		"/proc/sys/kernel/ns_last_pid",
		"/proc/sys/crypto/fips_enabled",
	};

	if (str_equal(mount->target, "/proc")) {
		if (mount->how != MOUNT_NEW || str_equal(mount->type, "proc"))
			return 0;
		return err_set(e, ERR_INVALID,
			       "\"/proc\" cannot be mounted because it is not of type proc");
	}
	if (!str_starts(mount->target, "/proc/"))
		return 0;
	for (size_t i = 0; i < array_len(allowed); i++)
		if (mount->how == MOUNT_BIND && str_equal(mount->target, allowed[i]))
			return 0;
	return err_set(e, ERR_INVALID, "\"%s\" cannot be mounted because it is inside /proc",
		       mount->target);
}

static bool same_ranges(const struct idmap_range *a, size_t a_count, const struct idmap_range *b,
			size_t b_count)
{
	return a_count == b_count && (a == b || !memcmp(a, b, a_count * sizeof(*a)));
}

static bool same_ids(const struct plan_mount_ids *a, const struct plan_mount_ids *b)
{
	if (a->path || b->path)
		return a->path && b->path;
	return same_ranges(a->uids, a->uid_count, b->uids, b->uid_count) &&
	       same_ranges(a->gids, a->gid_count, b->gids, b->gid_count);
}

/* The ids of an id-mapped mount: its own, else those of the container's user namespace. */
static int fill_ids(struct steps *s, const struct spec_mount *from, struct plan_mount_ids *ids,
		    struct err *e)
{
	const struct spec_namespace *user = spec_namespace_find(s->spec, NS_USER);

	if (!from->uid_mappings.count && user && user->path) {
		ids->path = user->path;
		return 0;
	}
	if (!from->uid_mappings.count) {
		ids->uids = s->plan->uids;
		ids->gids = s->plan->gids;
		ids->uid_count = s->plan->uid_count;
		ids->gid_count = s->plan->gid_count;
		return 0;
	}
	ids->uids = build_ranges(s, &from->uid_mappings, e);
	ids->gids = build_ranges(s, &from->gid_mappings, e);
	ids->uid_count = from->uid_mappings.count;
	ids->gid_count = from->gid_mappings.count;
	return ids->uids && ids->gids ? 0 : -1;
}

/* list: the mounts so far, the last of which is id-mapped when it asks for that. */
static int build_ids(struct steps *s, const struct spec_mount *from, struct plan_mount *list,
		     size_t index, struct err *e)
{
	struct plan_mount *mount = &list[index];
	struct plan_mount_ids *ids;

	if (!from->uid_mappings.count &&
	    !(mount->extensions & (MOUNT_EXT_IDMAP | MOUNT_EXT_RIDMAP)))
		return 0;
	ids = arena_get(s->arena, sizeof(*ids), e);
	if (!ids || fill_ids(s, from, ids, e))
		return -1;
	mount->ids = ids;
	for (size_t i = 0; i < index; i++)
		if (list[i].ids && same_ids(list[i].ids, ids))
			mount->ids = list[i].ids;
	return 0;
}

static int fill(struct steps *s, const struct plan_request *request, const struct spec_mount *from,
		struct plan_mount *mount, struct err *e)
{
	struct mount_options options = {0};

	if (mount_options_parse(&from->options, s->arena, &options, e))
		return -1;
	*mount = (struct plan_mount){
		.how = how_of(s, from, &options),
		.target = str_clean_path(s->arena, from->destination, e),
		.type = from->type ? from->type : "", /* the kernel knows no such device */
		.source = from->source,
		.flags = options.set & ~(unsigned long)(MS_BIND | MS_REC | MS_REMOUNT),
		.cleared = options.cleared,
		.propagation = options.propagation,
		.propagation_count = options.propagation_count,
		.recursive_set = options.recursive_set,
		.recursive_clear = options.recursive_clear,
		.data = options.data,
		.recursive = options.set & MS_REC,
		.extensions = options.extensions,
		.tree = NO_TREE,
	};
	if (!mount->target)
		return -1;
	if (mount->how == MOUNT_BIND) {
		mount->source = bind_source(s, request, from->source, e);
		if (!mount->source)
			return -1;
	}
	if (str_equal(mount->target, "/"))
		return err_set(e, ERR_INVALID,
			       "mount over the root of the container is not allowed");
	mount->late_readonly =
		mount->flags & MS_RDONLY && mount->how == MOUNT_NEW &&
		(str_equal(mount->target, "/dev") || str_equal(mount->type, "tmpfs"));
	if (mount->late_readonly)
		mount->flags &= ~(unsigned long)MS_RDONLY;
	return check_proc(mount, e);
}

/*
 * Inside a user namespace the sources may be out of reach: the runtime opens their trees and init
 * inherits them. Without privilege over its own mounts it can reach no more than init, and clone
 * less. Ids are mapped outside as well: that takes privilege over the file system, and over the
 * ids.
 */
static int open_outside(struct steps *s, struct plan_mount *mount, const char *pointer, int index,
			struct err *e)
{
	bool privileged = s->facts->euid == 0 && !s->facts->foreign_mounts;
	bool out_of_reach = mount->how == MOUNT_BIND && s->plan->user_namespace && privileged;
	struct step *step;

	if (!out_of_reach && !mount->ids)
		return 0;
	step = steps_add(s, STEP_OPEN_TREE, pointer, e);
	if (!step)
		return -1;
	mount->tree = s->plan->tree_count++;
	step->item = index;
	step->mount = mount;
	return 0;
}

static int add_mount(struct steps *s, struct plan_mount *mount, const char *pointer, int index,
		     struct err *e)
{
	struct step *step;

	if (open_outside(s, mount, pointer, index, e))
		return -1;
	step = steps_add(s, STEP_MOUNT, pointer, e);
	if (!step)
		return -1;
	step->item = index;
	step->mount = mount;
	return 0;
}

int build_mounts(struct steps *s, const struct plan_request *request, struct err *e)
{
	const struct spec_mounts *mounts = &s->spec->mounts;
	struct plan_mount *list = arena_get_array(s->arena, mounts->count, sizeof(*list), e);

	if (!list)
		return -1;
	for (size_t i = 0; i < mounts->count; i++) {
		if (fill(s, request, &mounts->item[i], &list[i], e) ||
		    build_mount_label(s, &list[i], e) ||
		    build_ids(s, &mounts->item[i], list, i, e)) {
			if (!e->pointer[0])
				err_in(e, "/mounts/%zu", i);
			return -1;
		}
		if (add_mount(s, &list[i], "/mounts", (int)i, e))
			return -1;
	}
	return 0;
}

int build_notify(struct steps *s, const struct plan_request *request, struct err *e)
{
	struct plan_mount *mount;
	const char *place;
	struct step *step;

	if (!request->notify_socket)
		return 0;
	s->plan->notify = true;
	mount = arena_get(s->arena, sizeof(*mount), e);
	place = arena_format(s->arena, e, "%s/%s/" STORE_NOTIFY, request->state_root, request->id);
	step = mount && place ? steps_add(s, STEP_NOTIFY, NULL, e) : NULL;
	if (!step)
		return -1;
	step->socket.path = request->wait_start ? NULL : request->notify_socket;
	*mount = (struct plan_mount){
		.how = MOUNT_BIND,
		.type = "bind",
		.target = NOTIFY_TARGET,
		.source = place,
		.flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		.tree = NO_TREE,
	};
	return add_mount(s, mount, NULL, -1, e);
}
