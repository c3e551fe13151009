/*
 * What the machine has: the layout of its control groups and where they are mounted. Called once by
 * create.
 *
 * /proc/self/mountinfo can be long (a machine with many containers has thousands of mounts), so it
 * is walked once and a line that is not about cgroups is left at its first differing byte. Sources:
 * proc(5), cgroups(7).
 */
#include "cgroup/detect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/file.h"
#include "base/str.h"
#include "cgroup/knob.h"

#define PROC_MAX (16u << 20)
#define UNIFIED CGROUP_ROOT "/unified" /* where systemd mounts version 2 in the hybrid layout */
#define SYSTEMD "name=systemd"         /* the one hierarchy without controller that runtimes join */

/* A piece of a line; nothing is copied before it is known to be wanted. */
struct piece {
	const char *start, *end;
};

static bool piece_is(struct piece piece, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(piece.end - piece.start) == length && !memcmp(piece.start, text, length);
}

/* Cuts what stands before the first stop out of *rest; the whole rest when there is no stop. */
static struct piece cut(struct piece *rest, char stop)
{
	struct piece head = *rest;
	const char *at = memchr(rest->start, stop, (size_t)(rest->end - rest->start));

	head.end = at ? at : rest->end;
	rest->start = at ? at + 1 : rest->end;
	return head;
}

/* A controller of version 1 among the options of a mount, or name=systemd. */
static bool is_hierarchy(struct piece option)
{
	static const char names[][13] = {
		"cpu",        "cpuacct", "cpuset", "memory",  "devices",
		"freezer",    "blkio",   "pids",   "net_cls", "net_prio",
		"perf_event", "hugetlb", "rdma",   "misc",    SYSTEMD,
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (piece_is(option, names[i]))
			return true;
	return false;
}

/* Copies a path of mountinfo, where blank, tab, newline and backslash are written in octal. */
static char *copy_path(struct arena *a, struct piece path, struct err *e)
{
	char *text = arena_copy(a, path.start, (size_t)(path.end - path.start), e);
	char *to = text;

	if (!text)
		return NULL;
	for (const char *from = text; *from; to++)
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	*to = '\0';
	return text;
}

/* One line of mountinfo that is about cgroups. */
struct mount {
	struct piece root, point, options;
	bool unified;
};

/*
 * Takes "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER" apart; false: not
 * about cgroups.
 */
static bool read_mount(struct piece line, struct mount *ret)
{
	struct piece type, tag;

	for (int i = 0; i < 3; i++)
		(void)cut(&line, ' ');
	ret->root = cut(&line, ' ');
	ret->point = cut(&line, ' ');
	(void)cut(&line, ' ');
	if ((size_t)(ret->point.end - ret->point.start) <= strlen(CGROUP_ROOT) ||
	    memcmp(ret->point.start, CGROUP_ROOT "/", strlen(CGROUP_ROOT) + 1))
		return false;
	do
		tag = cut(&line, ' ');
	while (line.start < line.end && !piece_is(tag, "-"));
	type = cut(&line, ' ');
	(void)cut(&line, ' ');
	ret->options = line;
	ret->unified = piece_is(type, "cgroup2");
	return ret->unified ? piece_is(ret->point, UNIFIED) : piece_is(type, "cgroup");
}

/*
 * The path of a hierarchy in /proc/self/cgroup: lines "NUMBER:NAME[,NAME…]:PATH", the name empty
 * for version 2.
 */
static struct piece find_own(const char *self, const char *name)
{
	static const char root[] = "/";
	struct piece all = {self, self + strlen(self)};

	while (all.start < all.end) {
		struct piece line = cut(&all, '\n');
		struct piece names;

		(void)cut(&line, ':');
		names = cut(&line, ':');
		if (!*name && names.start == names.end)
			return line;
		while (*name && names.start < names.end)
			if (piece_is(cut(&names, ','), name))
				return line;
	}
	return (struct piece){root, root + 1};
}

/*
 * The runtime's own cgroup as seen below the mount. Inside a container the mount shows a part of
 * the hierarchy, whose path (root) is the beginning of the path in /proc/self/cgroup.
 */
static const char *own_below(struct arena *a, const char *self, const char *name, struct piece root,
			     struct err *e)
{
	struct piece own = find_own(self, name);
	size_t length = (size_t)(root.end - root.start);

	if (length == 1)
		length = 0;
	if ((size_t)(own.end - own.start) < length || memcmp(own.start, root.start, length) ||
	    (own.start + length < own.end && own.start[length] != '/'))
		return "/"; /* it is not below the mount: then the mount is all we can use */
	own.start += length;
	if (own.end - own.start >= 3 && !memcmp(own.start, "/..", 3))
		return "/"; /* outside of our cgroup namespace */
	return own.start == own.end ? "/"
				    : arena_copy(a, own.start, (size_t)(own.end - own.start), e);
}

/* Everything that is found on the way. */
struct detection {
	struct cgroup_host host;
	size_t capacity;
	const char *self; /* /proc/self/cgroup, NULL: not wanted */
	struct arena *arena;
};

/* Adds a hierarchy, unless it is mounted a second time. */
static int add(struct detection *d, const char *name, const char *mount, struct piece root,
	       struct err *e)
{
	struct cgroup_host *host = &d->host;
	const char *own = NULL;

	for (size_t i = 0; i < host->count; i++)
		if (str_equal(host->item[i].name, name))
			return 0;
	if (d->self) {
		own = own_below(d->arena, d->self, name, root, e);
		if (!own)
			return -1;
	}
	host->item =
		arena_grow(d->arena, host->item, host->count, &d->capacity, sizeof(*host->item), e);
	if (!host->item)
		return -1;
	host->item[host->count++] =
		(struct cgroup_hierarchy){.name = name, .mount = mount, .own = own};
	return 0;
}

static int add_mount(struct detection *d, struct mount *mount, struct err *e)
{
	const char *point = copy_path(d->arena, mount->point, e);

	if (!point)
		return -1;
	if (mount->unified)
		return add(d, "", point, mount->root, e);
	while (mount->options.start < mount->options.end) {
		struct piece option = cut(&mount->options, ',');
		const char *name;

		if (!is_hierarchy(option))
			continue;
		name = arena_copy(d->arena, option.start, (size_t)(option.end - option.start), e);
		if (!name || add(d, name, point, mount->root, e))
			return -1;
	}
	return 0;
}

int detect_mounts(const char *mountinfo, const char *self, struct arena *a, struct cgroup_host *ret,
		  struct err *e)
{
	struct piece all = {mountinfo, mountinfo + strlen(mountinfo)};
	struct detection d = {.arena = a, .self = self};
	struct mount mount;
	bool unified = false;

	while (all.start < all.end) {
		if (!read_mount(cut(&all, '\n'), &mount))
			continue;
		if (add_mount(&d, &mount, e))
			return -1;
		unified |= mount.unified;
	}
	/* Version 2 beside nothing is of no use: its controllers would be mounted at the root. */
	if (d.host.count == (unified ? 1 : 0))
		d.host = (struct cgroup_host){.layout = CGROUP_NONE};
	else
		d.host.layout = unified ? CGROUP_HYBRID : CGROUP_V1;
	*ret = d.host;
	return 0;
}

int detect_unified(const char *self, struct arena *a, struct cgroup_host *ret, struct err *e)
{
	static const char root[] = "/";
	struct detection d = {.arena = a, .self = self};

	/* The mount shows the root of the cgroup namespace, and so does /proc/self/cgroup. */
	if (add(&d, "", CGROUP_ROOT, (struct piece){root, root + 1}, e))
		return -1;
	d.host.layout = CGROUP_V2;
	*ret = d.host;
	return 0;
}

int cgroup_detect(bool own, struct arena *a, struct cgroup_host *ret, struct err *e)
{
	char *self = NULL, *mountinfo;
	struct statfs fs;
	size_t length;

	if (statfs(CGROUP_ROOT, &fs)) {
		if (errno != ENOENT)
			return err_sys(e, "look at %s", CGROUP_ROOT);
		*ret = (struct cgroup_host){.layout = CGROUP_NONE};
		return 0;
	}
	if (own && file_read(AT_FDCWD, "/proc/self/cgroup", PROC_MAX, a, &self, &length, e))
		return -1;
	if (fs.f_type == CGROUP2_SUPER_MAGIC)
		return detect_unified(self, a, ret, e);
	if (file_read(AT_FDCWD, "/proc/self/mountinfo", PROC_MAX, a, &mountinfo, &length, e))
		return -1;
	return detect_mounts(mountinfo, self, a, ret, e);
}
