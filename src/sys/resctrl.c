/*
 * resctrl: see resctrl.h. Nothing of a container is in this tree, and root alone writes in it, so
 * paths are used as they are.
 */
#include "sys/resctrl.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"

#define SCHEMATA_MAX (64u << 10)

/* ---- what there is --------------------------------------------------------------------------- */

static bool is_in(const char *root, const char *name)
{
	_close_ int fd = fd_open(root, O_PATH | O_DIRECTORY);
	struct stat st;

	return fd >= 0 && !fstatat(fd, name, &st, 0);
}

struct resctrl_host resctrl_detect(const char *root)
{
	struct resctrl_host host = {.mounted = is_in(root, "schemata")};

	if (!host.mounted)
		return host;
	/* mounted with -o cdp it tells code and data apart */
	host.l3 = is_in(root, "info/L3") || is_in(root, "info/L3CODE");
	host.mb = is_in(root, "info/MB");
	return host;
}

/* ---- schemata -------------------------------------------------------------------------------- */

/* A part of a text. */
struct piece {
	const char *start, *end;
};

/* Cuts the part before stop (or all) off the front of *rest, without the space around it. */
static struct piece cut(struct piece *rest, char stop)
{
	struct piece p = *rest;

	while (p.start < p.end && (*p.start == ' ' || *p.start == '\t'))
		p.start++;
	rest->start = p.start;
	while (rest->start < p.end && *rest->start != stop)
		rest->start++;
	p.end = rest->start;
	rest->start += rest->start < rest->end;
	while (p.end > p.start && (p.end[-1] == ' ' || p.end[-1] == '\t'))
		p.end--;
	return p;
}

static bool same(struct piece a, struct piece b)
{
	return a.end - a.start == b.end - b.start &&
	       !strncasecmp(a.start, b.start, (size_t)(a.end - a.start));
}

/* Numbers, of whatever base, but for leading zeros. */
static bool same_number(struct piece a, struct piece b)
{
	while (a.end - a.start > 1 && *a.start == '0')
		a.start++;
	while (b.end - b.start > 1 && *b.start == '0')
		b.start++;
	return same(a, b);
}

/* Whether the list "0=f;1=ff" has this entry. */
static bool has_entry(struct piece list, struct piece wanted)
{
	struct piece value = wanted, id = cut(&value, '=');

	value = cut(&value, '\n');
	while (list.start < list.end) {
		struct piece rest = cut(&list, ';'), its_id = cut(&rest, '=');

		if (same_number(its_id, id) && same_number(cut(&rest, '\n'), value))
			return true;
	}
	return false;
}

/* Whether one of the lines "L3:0=f;1=ff" is of that resource and has all entries of the list. */
static bool has_line(struct piece lines, struct piece resource, struct piece list)
{
	while (lines.start < lines.end) {
		struct piece line = cut(&lines, '\n'), name = cut(&line, ':');
		struct piece left = list;
		bool all = true;

		if (!same(name, resource))
			continue;
		while (all && left.start < left.end) {
			struct piece entry = cut(&left, ';');

			all = entry.start == entry.end || has_entry(line, entry);
		}
		return all;
	}
	return false;
}

bool resctrl_in_force(const char *now, const char *wanted)
{
	const struct piece lines = {now, now + strlen(now)};
	struct piece left = {wanted, wanted + strlen(wanted)};

	while (left.start < left.end) {
		struct piece line = cut(&left, '\n'), resource;

		if (line.start == line.end)
			continue;
		resource = cut(&line, ':');
		if (!has_line(lines, resource, line))
			return false;
	}
	return true;
}

/* The kernel says in a file of its own why it refused the last command. */
static int explain(const struct resctrl_group *group, struct arena *a, struct err *e)
{
	_close_ int root = fd_open(group->root, O_PATH | O_DIRECTORY);
	struct err ignored;
	size_t length;
	char *why;

	if (root < 0 || file_read(root, "info/last_cmd_status", 4096, a, &why, &length, &ignored))
		return -1;
	while (length && why[length - 1] == '\n')
		why[--length] = '\0';
	return length ? err_hint(e, "resctrl says: %s", why) : -1;
}

static int write_schemata(const struct resctrl_group *group, int folder, struct arena *a,
			  struct err *e)
{
	if (!file_write(folder, "schemata", group->schemata, e))
		return 0;
	err_wrap(e, "set the schemata of %s", group->path);
	return explain(group, a, e);
}

static int check_schemata(const struct resctrl_group *group, int folder, struct arena *a,
			  struct err *e)
{
	size_t length;
	char *now;

	if (file_read(folder, "schemata", SCHEMATA_MAX, a, &now, &length, e))
		return err_wrap(e, "read the schemata of %s", group->path);
	if (resctrl_in_force(now, group->schemata))
		return 0;
	err_set(e, ERR_INVALID, "existing schemata of %s do not match the configuration",
		group->path);
	return err_hint(e, "the group is shared: ask for what it has, or for no schemata");
}

/* ---- making and removing --------------------------------------------------------------------- */

static int make_directory(const char *path, bool *ret_made, struct err *e)
{
	*ret_made = !mkdir(path, 0755);
	if (*ret_made || errno == EEXIST)
		return 0;
	err_sys(e, "mkdir %s", path);
	return e->sys == ENOSPC ? err_hint(e, "the processor has no more groups to give") : -1;
}

static int find(const struct resctrl_group *group, struct err *e)
{
	struct stat st;

	if (!stat(group->path, &st))
		return 0;
	err_sys(e, "stat %s", group->path);
	return err_wrap(e, "clos dir not accessible (must be pre-created when l3CacheSchema, "
			   "memBwSchema and schemata are empty)");
}

static int settle(const struct resctrl_group *group, bool made, struct arena *a, struct err *e)
{
	_close_ int folder = fd_open(group->path, O_PATH | O_DIRECTORY);

	if (folder < 0)
		return err_sys(e, "open %s", group->path);
	if (!group->schemata)
		return 0;
	return made || group->own ? write_schemata(group, folder, a, e)
				  : check_schemata(group, folder, a, e);
}

int resctrl_make(const struct resctrl_group *group, struct arena *a, struct err *e)
{
	bool made = false, monitored = false;
	int failed = group->own || group->schemata ? make_directory(group->path, &made, e)
						   : find(group, e);

	if (!failed)
		failed = settle(group, made, a, e);
	if (!failed && group->monitor)
		failed = make_directory(group->monitor, &monitored, e);
	if (failed && made)
		(void)rmdir(group->path);
	return failed;
}

static int remove_directory(const char *path, struct err *e)
{
	if (!path || !rmdir(path) || errno == ENOENT)
		return 0;
	return err_sys(e, "unable to remove the resctrl group %s", path);
}

int resctrl_remove(const char *monitor, const char *path, struct err *e)
{
	return remove_directory(monitor, e) || remove_directory(path, e) ? -1 : 0;
}

/* ---- joining --------------------------------------------------------------------------------- */

static int open_tasks(const char *path, int *ret, struct err *e)
{
	_close_ int folder = path ? fd_open(path, O_PATH | O_DIRECTORY) : -1;

	if (!path || (folder < 0 && errno == ENOENT))
		return 0;
	*ret = folder < 0 ? -1 : openat(folder, "tasks", O_WRONLY | O_CLOEXEC);
	return *ret < 0 ? err_sys(e, "open %s/tasks", path) : 0;
}

int resctrl_open(const struct resctrl_group *group, struct resctrl_tasks *ret, struct err *e)
{
	struct resctrl_tasks tasks = RESCTRL_CLOSED;

	if (open_tasks(group->path, &tasks.group, e) ||
	    open_tasks(group->monitor, &tasks.monitor, e)) {
		resctrl_close(&tasks);
		return -1;
	}
	*ret = tasks;
	return 0;
}

void resctrl_close(struct resctrl_tasks *tasks)
{
	fd_close(&tasks->group);
	fd_close(&tasks->monitor);
}

/* 0 is the writer. A monitoring group takes only who is in its group already. */
int resctrl_join(const struct resctrl_tasks *tasks, struct err *e)
{
	if (tasks->group >= 0 && fd_write(tasks->group, "0", 1, "tasks of the resctrl group", e))
		return -1;
	if (tasks->monitor < 0)
		return 0;
	return fd_write(tasks->monitor, "0", 1, "tasks of the monitoring group", e);
}
