/*
 * Walking a tree of cgroups: see tree.h.
 */
#include "cgroup/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/folder.h"

struct child {
	struct child *next;
	char name[];
};

/* One directory on the way down: what of its children is still to be visited. */
struct level {
	struct level *up;
	const char *name;
	struct child *children;
};

struct walk {
	int dir; /* where the walk is */
	struct level *level;
	struct arena *arena;
	/*
	 * What is done with a directory before its children, and with a child, by name, when the
	 * walk is back from it.
	 */
	int (*enter)(struct walk *w, struct err *e);
	void (*leave)(struct walk *w, const char *name);
	pid_t *pids;
	size_t count, capacity;
};

/* A cgroup that goes away while it is looked at is as good as one that never was. */
static bool is_gone(int number)
{
	return number == ENOENT || number == ENODEV;
}

static int keep_child(void *user, const struct folder_entry *entry, struct err *e)
{
	size_t length = strlen(entry->name);
	struct walk *w = user;
	struct child *child;

	if (entry->type != DT_DIR)
		return 0;
	child = arena_get(w->arena, sizeof(*child) + length + 1, e);
	if (!child)
		return -1;
	memcpy(child->name, entry->name, length + 1);
	child->next = w->level->children;
	w->level->children = child;
	return 0;
}

static int list_children(struct walk *w, struct err *e)
{
	struct stat st;

	/* The link count tells that a cgroup has no children, as it mostly has not. */
	if (!fstat(w->dir, &st) && st.st_nlink == 2)
		return 0;
	if (!folder_list(w->dir, keep_child, w, e) || is_gone(e->sys))
		return 0;
	return err_wrap(e, "list a cgroup");
}

/* Makes fd, a directory called name, the place where the walk is. Takes fd. */
static int step_into(struct walk *w, int fd, const char *name, struct err *e)
{
	struct level *level = arena_get(w->arena, sizeof(*level), e);

	fd_close(&w->dir);
	w->dir = fd;
	if (!level)
		return -1;
	*level = (struct level){.up = w->level, .name = name};
	w->level = level;
	if (w->enter && w->enter(w, e))
		return -1;
	return list_children(w, e);
}

static int step_down(struct walk *w, struct err *e)
{
	struct child *child = w->level->children;
	int fd = openat(w->dir, child->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	w->level->children = child->next;
	if (fd < 0)
		return is_gone(errno) ? 0 : err_sys(e, "open cgroup %s", child->name);
	return step_into(w, fd, child->name, e);
}

static int step_up(struct walk *w, struct err *e)
{
	const char *name = w->level->name;
	int fd;

	w->level = w->level->up;
	if (!w->level)
		return 0;
	/* No cgroup can be moved to another parent, so this is where the walk came from. */
	fd = openat(w->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the parent of cgroup %s", name);
	fd_close(&w->dir);
	w->dir = fd;
	if (w->leave)
		w->leave(w, name);
	return 0;
}

static int walk(struct walk *w, const char *top, struct err *e)
{
	int fd = openat(AT_FDCWD, top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int failed;

	if (fd < 0)
		return is_gone(errno) ? 0 : err_sys(e, "open cgroup %s", top);
	failed = step_into(w, fd, "", e);
	while (!failed && w->level)
		failed = w->level->children ? step_down(w, e) : step_up(w, e);
	fd_close(&w->dir);
	return failed ? err_wrap(e, "cgroup %s", top) : 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

static int keep_pid(struct walk *w, pid_t pid, struct err *e)
{
	w->pids = arena_grow(w->arena, w->pids, w->count, &w->capacity, sizeof(*w->pids), e);
	if (!w->pids)
		return -1;
	w->pids[w->count++] = pid;
	return 0;
}

/* Reads lines of numbers; a number may be cut in two by the end of buf. */
static int read_pids(struct walk *w, int fd, struct err *e)
{
	char buf[4096];
	pid_t pid = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] != '\n') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			if (keep_pid(w, pid, e))
				return -1;
			pid = 0;
		}
	return n < 0 ? err_sys(e, "read the processes of a cgroup") : 0;
}

static int enter_pids(struct walk *w, struct err *e)
{
	/*
	 * A threaded cgroup of version 2 has no list of processes, and a thread's number does to
	 * signal its process.
	 */
	static const char *const files[] = {"cgroup.procs", "cgroup.threads"};

	for (size_t i = 0; i < 2; i++) {
		_close_ int fd = openat(w->dir, files[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return is_gone(errno) ? 0 : err_sys(e, "open %s", files[i]);
		if (!read_pids(w, fd, e) || is_gone(e->sys))
			return 0;
		if (e->sys != EOPNOTSUPP)
			return -1;
	}
	return -1;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

int tree_pids(const char *top, struct arena *a, pid_t **ret, size_t *ret_count, struct err *e)
{
	struct walk w = {.dir = -1, .arena = a, .enter = enter_pids};
	size_t kept = 0;

	if (walk(&w, top, e))
		return -1;
	/* One that moved from group to group meanwhile may have been seen twice. */
	if (w.count > 1)
		qsort(w.pids, w.count, sizeof(*w.pids), compare_pids);
	for (size_t i = 0; i < w.count; i++)
		if (w.pids[i] > 0 && (!kept || w.pids[kept - 1] != w.pids[i]))
			w.pids[kept++] = w.pids[i];
	*ret = w.pids;
	*ret_count = kept;
	return 0;
}

/* ---- removing -------------------------------------------------------------------------------- */

static void leave_removed(struct walk *w, const char *name)
{
	(void)unlinkat(w->dir, name, AT_REMOVEDIR);
}

int tree_remove_below(const char *top, struct arena *a, struct err *e)
{
	struct walk w = {.dir = -1, .arena = a, .leave = leave_removed};

	return walk(&w, top, e);
}
