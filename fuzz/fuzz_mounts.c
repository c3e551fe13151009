/*
 * /proc/self/mountinfo and /proc/self/cgroup of any bytes. The list of mounts, written as the
 * kernel writes it, is the same list; and where control groups are found there is such a mount.
 */
#include <inttypes.h>
#include <string.h>

#include "cgroup/detect.h"
#include "frame.h"
#include "sys/mountinfo.h"

/* As the kernel does: blank, tab, newline and backslash in octal. */
static void add_mangled(struct str *out, const char *path)
{
	for (; *path; path++)
		if (strchr(" \t\n\\", *path))
			str_addf(out, "\\%03o", (unsigned char)*path);
		else
			str_add_char(out, *path);
}

static void add_mount(struct str *out, const struct mountinfo *m)
{
	str_addf(out, "%" PRIu64 " %" PRIu64 " 0:1 ", m->id, m->parent);
	add_mangled(out, m->root);
	str_add_char(out, ' ');
	add_mangled(out, m->point);
	str_addf(out, " %s shared:1 - %s source rw\n", m->options, m->type);
}

static bool same(const struct mountinfo *one, const struct mountinfo *other)
{
	for (; one && other; one = one->next, other = other->next)
		if (one->id != other->id || one->parent != other->parent ||
		    !str_equal(one->root, other->root) || !str_equal(one->point, other->point) ||
		    !str_equal(one->options, other->options) || !str_equal(one->type, other->type))
			return false;
	return one == other;
}

static const struct mountinfo *read_list(const char *text, struct arena *a)
{
	const struct mountinfo *list = NULL;
	struct err e;
	char *copy = arena_copy(a, text, strlen(text), &e);

	if (!copy || mountinfo_parse(copy, a, &list, &e))
		fuzz_hold(e.code == ERR_NO_MEMORY, "%s", e.text);
	return list;
}

static void check_list(const struct mountinfo *list, struct arena *a)
{
	struct str written;

	str_init(&written, a);
	for (const struct mountinfo *m = list; m; m = m->next) {
		fuzz_hold(m->root && m->point && m->options && m->type, "a part is missing");
		add_mount(&written, m);
	}
	if (list && !written.failed)
		fuzz_hold(same(list, read_list(written.text, a)), "another list:\n%s",
			  written.text);
}

static bool is_mounted(const struct mountinfo *list, const char *type, const char *point)
{
	for (; list; list = list->next)
		if (str_equal(list->point, point) && str_equal(list->type, type))
			return true;
	return false;
}

static void check_cgroups(const char *text, const char *self, const struct mountinfo *list,
			  struct arena *a)
{
	struct cgroup_host host;
	struct err e;

	if (detect_mounts(text, self, a, &host, &e)) {
		fuzz_hold(e.code == ERR_NO_MEMORY, "%s", e.text);
		return;
	}
	fuzz_hold((host.layout == CGROUP_NONE) == !host.count, "a layout without hierarchies");
	for (size_t i = 0; i < host.count; i++) {
		const struct cgroup_hierarchy *h = &host.item[i];

		fuzz_hold(h->own && str_starts(h->mount, "/sys/fs/cgroup/"), "mounted at %s",
			  h->mount);
		fuzz_hold(is_mounted(list, *h->name ? "cgroup" : "cgroup2", h->mount),
			  "\"%s\" is not mounted at %s", h->name, h->mount);
	}
	fuzz_hold(!detect_unified(self, a, &host, &e) || e.code == ERR_NO_MEMORY, "%s", e.text);
}

/* Both files of one text: the first up to a form feed. */
void fuzz_one(char *text, size_t length, struct arena *a)
{
	char *self = memchr(text, '\f', length);
	const struct mountinfo *list;

	if (self)
		*self++ = '\0';
	list = read_list(text, a);
	check_list(list, a);
	if (list)
		check_cgroups(text, self ? self : "", list, a);
}
