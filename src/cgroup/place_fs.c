/*
 * Where a container's cgroup is when the runtime makes it itself, by mkdir(2) (the cgroupfs
 * manager).
 *
 * cgroup_place is pure and serves the plan; cgroup_make and cgroup_open act for run. A new
 * directory costs one mkdir: only when that fails, or a controller is missing in it, are its
 * ancestors looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "cgroup/files.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"
#include "cgroup/tree.h"

/* ---- where ----------------------------------------------------------------------------------- */

/* Appends the parts of path to s, each after one slash: no empty parts, no "."; false: it has "..".
 */
static bool add_parts(struct str *s, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && !memcmp(path, "..", 2))
			return false;
		if (length && !(length == 1 && *path == '.')) {
			str_add_char(s, '/');
			str_add_bytes(s, path, length);
		}
		path += length + (path[length] == '/');
	}
	return true;
}

static int refuse_path(const char *path, const char *why, struct err *e)
{
	err_set(e, ERR_INVALID, "invalid cgroup path \"%s\": %s", path, why);
	return err_in(e, "/linux/cgroupsPath");
}

/* The directory wanted in one hierarchy; relative paths begin at below. */
static const char *place_one(const struct cgroup_hierarchy *h, const char *wanted,
			     const char *below, struct arena *a, struct err *e)
{
	struct str path;
	size_t start;
	bool clean;

	str_init(&path, a);
	str_add(&path, h->mount);
	clean = *wanted == '/' || add_parts(&path, below);
	start = path.length;
	if (!clean || !add_parts(&path, wanted)) {
		refuse_path(wanted, "it may not contain \"..\"", e);
		return NULL;
	}
	if (!path.failed && path.length == start) {
		refuse_path(wanted, "it names no cgroup below the root", e);
		return NULL;
	}
	return str_end(&path, e);
}

/* The parent of the own cgroup, as a path below the mount. */
static const char *parent_of(const char *own, struct arena *a, struct err *e)
{
	const char *slash = strrchr(own, '/');

	return arena_copy(a, own, slash ? (size_t)(slash - own) : 0, e);
}

int cgroup_place(const struct cgroup_host *host, const char *cgroups_path, const char *id,
		 struct arena *a, struct cgroup_paths *ret, struct err *e)
{
	const char *wanted = cgroups_path && *cgroups_path ? cgroups_path : id;
	struct cgroup_paths paths = {0};

	paths.item = arena_get_array(a, host->count, sizeof(*paths.item), e);
	if (!paths.item)
		return -1;
	for (size_t i = 0; i < host->count; i++) {
		const struct cgroup_hierarchy *h = &host->item[i];
		const char *below = h->own ? h->own : "/";
		const char *path;

		/*
		 * In version 2 processes and child groups do not go together, so it is a sibling,
		 * not a child.
		 */
		if (host->layout == CGROUP_V2)
			below = parent_of(below, a, e);
		path = below ? place_one(h, wanted, below, a, e) : NULL;
		if (!path)
			return -1;
		paths.item[paths.count++] = (struct cgroup_path){.name = h->name, .path = path};
	}
	*ret = paths;
	return 0;
}

/* ---- who makes it ---------------------------------------------------------------------------- */

/* The length of path's parent, without a slash at its end. */
static size_t parent_length(const char *path, size_t length)
{
	while (length && path[length - 1] != '/')
		length--;
	return length ? length - 1 : 0;
}

/* Removes what make_path made: everything of path behind the first existed bytes. */
static void unmake_path(const char *path, size_t existed)
{
	size_t at = strlen(path);
	char part[PATH_MAX];

	if (at >= sizeof(part))
		return;
	memcpy(part, path, at + 1);
	while (at > existed) {
		(void)rmdir(part);
		at = parent_length(part, at);
		part[at] = '\0';
	}
}

/* Makes path from the top down. */
static int make_with_parents(const char *path, size_t *ret_existed, struct err *e)
{
	size_t length = strlen(path), existed = 0;
	bool made = false;
	char part[PATH_MAX];

	if (length >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return err_sys(e, "mkdir %s", path);
	}
	for (size_t at = 1; at <= length; at++) {
		if (path[at] != '/' && path[at])
			continue;
		memcpy(part, path, at);
		part[at] = '\0';
		if (!mkdir(part, 0755)) {
			made = true;
		} else if (errno != EEXIST) {
			err_sys(e, "mkdir %s", part);
			if (made)
				unmake_path(part, existed);
			return -1;
		} else if (!made) {
			existed = at;
		}
	}
	*ret_existed = existed;
	return 0;
}

/* Makes path. *ret_existed is how many bytes of it were there before: all, or less. */
static int make_path(const char *path, size_t *ret_existed, struct err *e)
{
	size_t length = strlen(path);

	if (!mkdir(path, 0755)) {
		*ret_existed = parent_length(path, length);
		return 0;
	}
	if (errno == ENOENT)
		return make_with_parents(path, ret_existed, e);
	if (errno != EEXIST)
		return err_sys(e, "mkdir %s", path);
	*ret_existed = length;
	return 0;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* A cgroup that was there already must have no processes: limits and removal would hit them too. */
static int refuse_used(const char *path, struct arena *a, struct err *e)
{
	pid_t *pids;
	size_t count;

	if (tree_pids(path, a, &pids, &count, e))
		return -1;
	if (!count)
		return 0;
	err_set(e, ERR_STATE, "container's cgroup is not empty: %zu process(es) found", count);
	return err_hint(e, "see %s/cgroup.procs", path);
}

/* Makes the container's cgroup in one hierarchy, ready to be entered. */
static int make_one(const struct cgroup_path *place, bool only_unified, struct arena *a,
		    size_t *ret_existed, struct err *e)
{
	size_t existed;
	bool old;
	int failed = 0;

	if (make_path(place->path, &existed, e))
		return -1;
	old = existed == strlen(place->path);
	if (old)
		failed = refuse_used(place->path, a, e);
	if (!failed && str_equal(place->name, "cpuset"))
		failed = files_v1_inherit_cpuset(place->path, old, e);
	if (!failed && only_unified)
		files_v2_enable_all(place->path);
	if (failed) {
		unmake_path(place->path, existed);
		return -1;
	}
	*ret_existed = existed;
	return 0;
}

/*
 * runc joins name=systemd and the version 2 side of a hybrid machine for the sake of systemd and of
 * cgroup.kill, and goes on where it may not (a container in a container has them read-only).
 */
static bool may_be_missing(const struct cgroup_paths *paths, size_t i)
{
	const char *name = paths->item[i].name;

	return str_starts(name, "name=") || (!*name && !paths_only_unified(paths));
}

static bool is_refusal(int number)
{
	return number == EROFS || number == EACCES || number == EPERM;
}

static int refuse_frozen(const struct cgroup_paths *paths, struct err *e)
{
	bool frozen;

	if (cgroup_frozen(paths, &frozen, e))
		return -1;
	return frozen ? err_set(e, ERR_STATE, "container's cgroup unexpectedly frozen") : 0;
}

/*
 * Makes one after the other; existed[i] tells for each what must be undone, and *ret_old whether
 * any was there.
 */
static int make_all(const struct cgroup_paths *paths, struct arena *a, size_t *existed,
		    bool *ret_old, struct err *e)
{
	bool old = false;

	for (size_t i = 0; i < paths->count; i++)
		existed[i] = strlen(paths->item[i].path);
	for (size_t i = 0; i < paths->count; i++) {
		if (paths_repeat(paths, i))
			continue;
		if (make_one(&paths->item[i], paths_only_unified(paths), a, &existed[i], e)) {
			if (may_be_missing(paths, i) && is_refusal(e->sys))
				continue;
			return -1;
		}
		old |= existed[i] == strlen(paths->item[i].path);
	}
	*ret_old = old;
	return 0;
}

int cgroup_make(const struct cgroup_paths *paths, struct arena *a, struct cgroup *ret,
		struct err *e)
{
	size_t *existed = arena_get_array(a, paths->count, sizeof(*existed), e);
	bool old;

	if (!existed)
		return -1;
	if (!make_all(paths, a, existed, &old, e) && (!old || !refuse_frozen(paths, e)) &&
	    !cgroup_open(paths, ret, e))
		return 0;
	for (size_t i = 0; i < paths->count; i++)
		unmake_path(paths->item[i].path, existed[i]);
	return e->code == ERR_STATE ? -1 : err_wrap(e, "unable to apply cgroup configuration");
}

/* In one hierarchy; what is there, with processes of the container in it, is as it should be. */
static int make_rest(const struct cgroup_path *place, bool only_unified, const char *pid,
		     struct err *e)
{
	size_t existed;

	if (make_path(place->path, &existed, e))
		return -1;
	if (str_equal(place->name, "cpuset") &&
	    files_v1_inherit_cpuset(place->path, existed == strlen(place->path), e))
		return -1;
	if (knob_write(place->path, "cgroup.procs", pid))
		return err_sys(e, "write %s to %s/cgroup.procs", pid, place->path);
	/* Only now is the cgroup above without processes, as version 2 wants it. */
	if (only_unified)
		files_v2_enable_all(place->path);
	return 0;
}

int cgroup_make_rest(const struct cgroup_paths *paths, pid_t pid, struct err *e)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", (int)pid);
	for (size_t i = 0; i < paths->count; i++) {
		if (paths_repeat(paths, i))
			continue;
		if (make_rest(&paths->item[i], paths_only_unified(paths), number, e) &&
		    !(may_be_missing(paths, i) && is_refusal(e->sys)))
			return err_wrap(e, "unable to apply cgroup configuration");
	}
	return 0;
}

/* ---- entering -------------------------------------------------------------------------------- */

static int open_one(const struct cgroup_paths *paths, size_t i, struct cgroup *cg, size_t *tasks,
		    struct err *e)
{
	const struct cgroup_path *place = &paths->item[i];
	int *fd = *place->name ? &cg->tasks[*tasks] : &cg->unified;

	if (*place->name && *tasks + 1 >= array_len(cg->tasks))
		return err_set(e, ERR_INVALID, "too many cgroup hierarchies: %zu", paths->count);
	if (*place->name)
		*fd = knob_open(place->path, "tasks", O_WRONLY);
	else
		*fd = openat(AT_FDCWD, place->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 && !(may_be_missing(paths, i) && (errno == ENOENT || is_refusal(errno))))
		return err_sys(e, "open cgroup %s", place->path);
	*tasks += *place->name && *fd >= 0;
	return 0;
}

int cgroup_open(const struct cgroup_paths *paths, struct cgroup *ret, struct err *e)
{
	struct cgroup cg = CGROUP_CLOSED;
	size_t tasks = 0;

	for (size_t i = 0; i < paths->count; i++)
		if (!paths_repeat(paths, i) && open_one(paths, i, &cg, &tasks, e)) {
			cgroup_close(&cg);
			return -1;
		}
	*ret = cg;
	return 0;
}

void cgroup_close(struct cgroup *cg)
{
	fd_close(&cg->unified);
	for (size_t i = 0; i < array_len(cg->tasks); i++)
		fd_close(&cg->tasks[i]);
}

static int refuse_join(struct err *e)
{
	if (e->sys == ENOSPC)
		return err_hint(e, "cpuset.cpus or cpuset.mems of it is empty");
	if (e->sys == ENODEV)
		return err_hint(e, "it was removed meanwhile: systemd does that to empty cgroups "
				   "of version 1; try again, or let it make them: "
				   "--systemd-cgroup");
	return -1;
}

/*
 * "tasks" and 0 rather than cgroup.procs and a number: the kernel then moves one thread, the
 * writer, and need not stop every fork on the machine for the length of an RCU grace period.
 */
int cgroup_join_self(const struct cgroup *cg, struct err *e)
{
	for (size_t i = 0; i < array_len(cg->tasks) && cg->tasks[i] >= 0; i++)
		if (fd_write(cg->tasks[i], "0", 1, "tasks of the container's cgroup", e))
			return refuse_join(e);
	return 0;
}

int cgroup_join_unified(const struct cgroup *cg, struct err *e)
{
	if (cg->unified < 0)
		return 0;
	if (file_write(cg->unified, "cgroup.procs", "0", e))
		return err_wrap(e, "join the container's cgroup");
	return 0;
}
