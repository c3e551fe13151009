/*
 * Mount options: see mount_options.h.
 */
#include "spec/mount_options.h"

#include <linux/mount.h>
#include <string.h>

enum kind {
	SET,
	CLEAR,
	PROPAGATION,
	ATTR_SET,
	ATTR_CLEAR,
	EXTENSION,
	HIDDEN /* an extension `features` is silent of */
};

struct option {
	char name[16];
	uint32_t kind, flag;
};

#define ATTR(name) MOUNT_ATTR_##name

/*
 * Sorted by name. "acl" is missing on purpose: MS_POSIXACL is internal to the kernel, file systems
 * read the word.
 */
static const struct option table[] = {
	{"async", CLEAR, MS_SYNCHRONOUS},
	{"atime", CLEAR, MS_NOATIME},
	{"bind", SET, MS_BIND},
	{"copy-symlink", EXTENSION, MOUNT_EXT_COPY_SYMLINK},
	{"defaults", SET, 0},
	{"dest-nofollow", EXTENSION, MOUNT_EXT_DEST_NOFOLLOW},
	{"dev", CLEAR, MS_NODEV},
	{"diratime", CLEAR, MS_NODIRATIME},
	{"dirsync", SET, MS_DIRSYNC},
	{"exec", CLEAR, MS_NOEXEC},
	{"idmap", HIDDEN, MOUNT_EXT_IDMAP},
	{"iversion", SET, MS_I_VERSION},
	{"lazytime", SET, MS_LAZYTIME},
	{"loud", CLEAR, MS_SILENT},
	{"mand", SET, MS_MANDLOCK},
	{"noatime", SET, MS_NOATIME},
	{"nodev", SET, MS_NODEV},
	{"nodiratime", SET, MS_NODIRATIME},
	{"noexec", SET, MS_NOEXEC},
	{"noiversion", CLEAR, MS_I_VERSION},
	{"nolazytime", CLEAR, MS_LAZYTIME},
	{"nomand", CLEAR, MS_MANDLOCK},
	{"norelatime", CLEAR, MS_RELATIME},
	{"nostrictatime", CLEAR, MS_STRICTATIME},
	{"nosuid", SET, MS_NOSUID},
	{"nosymfollow", SET, MS_NOSYMFOLLOW},
	{"private", PROPAGATION, MS_PRIVATE},
	{"ratime", ATTR_CLEAR, ATTR(NOATIME)},
	{"rbind", SET, MS_BIND | MS_REC},
	{"rdev", ATTR_CLEAR, ATTR(NODEV)},
	{"rdiratime", ATTR_CLEAR, ATTR(NODIRATIME)},
	{"relatime", SET, MS_RELATIME},
	{"remount", SET, MS_REMOUNT},
	{"rexec", ATTR_CLEAR, ATTR(NOEXEC)},
	{"ridmap", HIDDEN, MOUNT_EXT_RIDMAP},
	{"rnoatime", ATTR_SET, ATTR(NOATIME)},
	{"rnodev", ATTR_SET, ATTR(NODEV)},
	{"rnodiratime", ATTR_SET, ATTR(NODIRATIME)},
	{"rnoexec", ATTR_SET, ATTR(NOEXEC)},
	{"rnorelatime", ATTR_CLEAR, ATTR(RELATIME)},
	{"rnostrictatime", ATTR_CLEAR, ATTR(STRICTATIME)},
	{"rnosuid", ATTR_SET, ATTR(NOSUID)},
	{"rnosymfollow", ATTR_SET, ATTR(NOSYMFOLLOW)},
	{"ro", SET, MS_RDONLY},
	{"rprivate", PROPAGATION, MS_PRIVATE | MS_REC},
	{"rrelatime", ATTR_SET, ATTR(RELATIME)},
	{"rro", ATTR_SET, ATTR(RDONLY)},
	{"rrw", ATTR_CLEAR, ATTR(RDONLY)},
	{"rshared", PROPAGATION, MS_SHARED | MS_REC},
	{"rslave", PROPAGATION, MS_SLAVE | MS_REC},
	{"rstrictatime", ATTR_SET, ATTR(STRICTATIME)},
	{"rsuid", ATTR_CLEAR, ATTR(NOSUID)},
	{"rsymfollow", ATTR_CLEAR, ATTR(NOSYMFOLLOW)},
	{"runbindable", PROPAGATION, MS_UNBINDABLE | MS_REC},
	{"rw", CLEAR, MS_RDONLY},
	{"shared", PROPAGATION, MS_SHARED},
	{"silent", SET, MS_SILENT},
	{"slave", PROPAGATION, MS_SLAVE},
	{"src-nofollow", EXTENSION, MOUNT_EXT_SRC_NOFOLLOW},
	{"strictatime", SET, MS_STRICTATIME},
	{"suid", CLEAR, MS_NOSUID},
	{"symfollow", CLEAR, MS_NOSYMFOLLOW},
	{"sync", SET, MS_SYNCHRONOUS},
	{"tmpcopyup", EXTENSION, MOUNT_EXT_TMPCOPYUP},
	{"unbindable", PROPAGATION, MS_UNBINDABLE},
};

static const struct option *find(const char *name)
{
	size_t low = 0, high = array_len(table);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(name, table[middle].name);

		if (!order)
			return &table[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/*
 * The access time is one field of three values, not three bits: changing it at all means clearing
 * the whole field (mount_setattr(2)), and taking noatime or strictatime back means the kernel's
 * default, relatime.
 */
static void change_attr(struct mount_options *m, const struct option *o)
{
	bool time = o->flag == ATTR(NOATIME) || o->flag == ATTR(STRICTATIME) ||
		    o->flag == ATTR(RELATIME);
	uint64_t field = time ? ATTR(_ATIME) : o->flag;

	/* rnorelatime: relatime is what the kernel falls back to anyway */
	if (!o->flag && o->kind == ATTR_CLEAR)
		return;
	m->recursive_set &= ~field;
	if (o->kind == ATTR_SET) {
		m->recursive_set |= o->flag;
		m->recursive_clear =
			time ? m->recursive_clear | field : m->recursive_clear & ~field;
	} else {
		m->recursive_clear |= field;
	}
}

static void apply(struct mount_options *m, const struct option *o)
{
	switch ((enum kind)o->kind) {
	case SET:
		m->set |= o->flag;
		m->cleared &= ~(uint64_t)o->flag;
		break;
	case CLEAR:
		m->set &= ~(uint64_t)o->flag;
		m->cleared |= o->flag;
		break;
	case PROPAGATION:
		break; /* add_propagation */
	case ATTR_SET:
	case ATTR_CLEAR:
		change_attr(m, o);
		break;
	case EXTENSION:
	case HIDDEN:
		m->extensions |= o->flag;
		break;
	}
}

/* limit: how many there can be at most. */
static int add_propagation(struct mount_options *m, const struct option *o, size_t limit,
			   struct arena *a, struct err *e)
{
	if (!m->propagation)
		m->propagation = arena_get_array(a, limit, sizeof(*m->propagation), e);
	if (!m->propagation)
		return -1;
	m->propagation[m->propagation_count++] = o->flag;
	return 0;
}

int mount_options_parse(const struct str_list *options, struct arena *a, struct mount_options *ret,
			struct err *e)
{
	struct mount_options m = {0};
	struct str data;

	str_init(&data, a);
	for (size_t i = 0; i < options->count; i++) {
		const struct option *o = find(options->item[i]);

		if (o && o->kind == PROPAGATION) {
			if (add_propagation(&m, o, options->count - i, a, e))
				return -1;
			continue;
		}
		if (o) {
			apply(&m, o);
			continue;
		}
		if (data.length && *options->item[i]) /* an empty one is none */
			str_add_char(&data, ',');
		str_add(&data, options->item[i]);
	}
	if (!str_end(&data, e))
		return -1;
	m.data = data.length ? data.text : NULL;
	*ret = m;
	return 0;
}

bool mount_options_propagation(const char *name, uint32_t *ret)
{
	const struct option *o = find(name);

	if (!o || o->kind != PROPAGATION)
		return false;
	*ret = o->flag;
	return true;
}

const char *mount_options_name(size_t index)
{
	for (size_t i = 0; i < array_len(table); i++)
		if (table[i].kind != HIDDEN && index-- == 0)
			return table[i].name;
	return NULL;
}
