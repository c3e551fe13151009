/*
 * Which cgroup one more process of a container joins: see cgroup_for_exec. Called before exec's
 * plan is made; nothing is changed here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/file.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"

/* The cgroups while they are chosen. */
struct choice {
	const struct cgroup_paths *own; /* the container's */
	struct cgroup_paths paths;
	bool *moved; /* which of them are no longer the container's */
	struct arena *arena;
};

/* ---- a cgroup that was asked for ------------------------------------------------------------- */

static bool leads_upwards(const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && !memcmp(path, "..", 2))
			return true;
		path += length + (path[length] == '/');
	}
	return false;
}

static int move(struct choice *c, size_t i, const char *path, struct err *e)
{
	const char *own = c->own->item[i].path;
	const char *to = arena_format(c->arena, e, "%s/%s", own, path + strspn(path, "/"));
	_close_ int there = -1;

	if (!to)
		return -1;
	if (c->moved[i] && !str_equal(c->paths.item[i].path, to))
		return err_set(
			e, ERR_USAGE,
			"invalid --cgroup argument(s): controller %s specified multiple times",
			c->own->item[i].name);
	there = openat(AT_FDCWD, to, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (there < 0)
		return err_sys(e, "open cgroup %s", to);
	c->paths.item[i].path = to;
	c->moved[i] = true;
	return 0;
}

/* One controller: all that are mounted together with it come along. */
static int move_controller(struct choice *c, const char *name, const char *path, struct err *e)
{
	const char *own = paths_find(c->own, name);

	if (!own)
		return err_set(e, ERR_USAGE, "unknown controller %s in SubCgroupPaths", name);
	for (size_t i = 0; i < c->own->count; i++)
		if (str_equal(c->own->item[i].path, own) && move(c, i, path, e))
			return -1;
	return 0;
}

/* "CTL[,CTL]:PATH" */
static int move_controllers(struct choice *c, const char *wanted, const char *path, struct err *e)
{
	for (const char *at = wanted; at < path; at += strcspn(at, ",:") + 1) {
		size_t length = strcspn(at, ",:");
		const char *name = arena_copy(c->arena, at, length, e);

		if (!name)
			return -1;
		if (!length)
			return err_set(e, ERR_USAGE,
				       "invalid --cgroup argument: %s (empty <controller> prefix)",
				       wanted);
		if (move_controller(c, name, path, e))
			return -1;
	}
	return 0;
}

static int move_as_wanted(struct choice *c, const char *const *wanted, struct err *e)
{
	for (size_t n = 0; wanted[n]; n++) {
		const char *colon = strchr(wanted[n], ':');
		const char *path = colon ? colon + 1 : wanted[n];

		if (!colon && (n || wanted[n + 1]))
			return err_set(
				e, ERR_USAGE,
				"invalid --cgroup argument: %s (missing <controller>: prefix)",
				wanted[n]);
		if (leads_upwards(path))
			return err_set(e, ERR_USAGE, "%s is not a sub cgroup path", path);
		if (colon && move_controllers(c, wanted[n], path, e))
			return -1;
		if (!colon && !c->own->count)
			return err_set(e, ERR_UNSUPPORTED, "cgroup %s: the container has no cgroup",
				       path);
		for (size_t i = 0; !colon && i < c->own->count; i++)
			if (move(c, i, path, e))
				return -1;
	}
	return 0;
}

/* ---- where the container's own is closed ----------------------------------------------------- */

/*
 * A cgroup of version 2 that passes controllers on to its children holds no process of its own
 * (cgroups(7), "no internal processes"): a container whose init manages cgroups has put init into a
 * child. Where there is no child, one look at the directory is all that this costs.
 */
static bool is_closed(const char *dir)
{
	char enabled[512];
	struct stat st;

	return !stat(dir, &st) && st.st_nlink > 2 &&
	       knob_read(dir, "cgroup.subtree_control", enabled, sizeof(enabled)) > 0;
}

/* Init's cgroup, if it is below the container's: nobody leads us anywhere else. */
static int follow_init(struct choice *c, pid_t init, struct err *e)
{
	const char *dir = c->own->item[0].path, *path;
	char name[32], *text, *line;
	size_t length;

	(void)snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)init);
	if (file_read(AT_FDCWD, name, 65536, c->arena, &text, &length, e))
		return -1;
	line = str_starts(text, "0::") ? text : strstr(text, "\n0::");
	if (!line)
		return 0;
	line += strcspn(line, "/");
	line[strcspn(line, "\n")] = '\0';
	path = arena_format(c->arena, e, "%s%s", CGROUP_ROOT, line);
	if (!path)
		return -1;
	if (str_starts(path, dir) && path[strlen(dir)] == '/')
		c->paths.item[0].path = path;
	return 0;
}

int cgroup_for_exec(const struct cgroup_paths *paths, const char *const *wanted, pid_t init,
		    struct arena *a, struct cgroup_paths *ret, struct err *e)
{
	struct choice c = {
		.own = paths,
		.paths = {.item = arena_get_array(a, paths->count, sizeof(*paths->item), e),
			  .count = paths->count},
		.moved = arena_get_array(a, paths->count, sizeof(bool), e),
		.arena = a,
	};
	int failed = 0;

	if (!c.paths.item || !c.moved)
		return -1;
	for (size_t i = 0; i < paths->count; i++)
		c.paths.item[i] = paths->item[i];
	if (wanted && wanted[0])
		failed = move_as_wanted(&c, wanted, e);
	else if (paths_only_unified(paths) && is_closed(paths->item[0].path))
		failed = follow_init(&c, init, e);
	if (failed)
		return -1;
	*ret = c.paths;
	return 0;
}
