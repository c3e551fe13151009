/*
 * A mount in words: every option by the name that it has in config.json.
 */
#include <linux/mount.h>

#include "base/str.h"
#include "plan/print.h"
#include "spec/mount_options.h"

/* A list in parentheses that is not there when it is empty. */
struct list {
	struct str *out;
	bool begun;
};

static void add_item(struct list *list, const char *text)
{
	str_addf(list->out, "%s%s", list->begun ? ", " : " (", text);
	list->begun = true;
}

/* Flags of mount(2): its options, and those that take them back. */
static void add_flags(struct list *list, uint64_t set, uint64_t cleared)
{
	static const struct {
		uint64_t flag;
		char set[12], clear[12];
	} names[] = {
		{MS_RDONLY, "ro", "rw"},
		{MS_NOSUID, "nosuid", "suid"},
		{MS_NODEV, "nodev", "dev"},
		{MS_NOEXEC, "noexec", "exec"},
		{MS_SYNCHRONOUS, "sync", "async"},
		{MS_DIRSYNC, "dirsync", ""},
		{MS_MANDLOCK, "mand", "nomand"},
		{MS_NOATIME, "noatime", "atime"},
		{MS_NODIRATIME, "nodiratime", "diratime"},
		{MS_RELATIME, "relatime", ""},
		{MS_STRICTATIME, "strictatime", ""},
		{MS_LAZYTIME, "lazytime", "nolazytime"},
		{MS_I_VERSION, "iversion", "noiversion"},
		{MS_SILENT, "silent", ""},
		{MS_NOSYMFOLLOW, "nosymfollow", "symfollow"},
	};

	for (size_t i = 0; i < array_len(names); i++) {
		if (set & names[i].flag)
			add_item(list, names[i].set);
		else if (cleared & names[i].flag && names[i].clear[0])
			add_item(list, names[i].clear);
	}
}

static void add_attributes(struct list *list, uint64_t set, uint64_t cleared)
{
	static const struct {
		uint64_t attr;
		char set[16], clear[16];
	} names[] = {
		{MOUNT_ATTR_RDONLY, "rro", "rrw"},
		{MOUNT_ATTR_NOSUID, "rnosuid", "rsuid"},
		{MOUNT_ATTR_NODEV, "rnodev", "rdev"},
		{MOUNT_ATTR_NOEXEC, "rnoexec", "rexec"},
		{MOUNT_ATTR_NODIRATIME, "rnodiratime", "rdiratime"},
		{MOUNT_ATTR_NOSYMFOLLOW, "rnosymfollow", "rsymfollow"},
	};

	for (size_t i = 0; i < array_len(names); i++) {
		if (set & names[i].attr)
			add_item(list, names[i].set);
		else if (cleared & names[i].attr)
			add_item(list, names[i].clear);
	}
	if (!((set | cleared) & MOUNT_ATTR__ATIME))
		return;
	add_item(list, set & MOUNT_ATTR_NOATIME       ? "rnoatime"
		       : set & MOUNT_ATTR_STRICTATIME ? "rstrictatime"
						      : "rrelatime");
}

static void add_extensions(struct list *list, uint32_t extensions)
{
	static const struct {
		uint32_t extension;
		char name[16];
	} names[] = {
		{MOUNT_EXT_TMPCOPYUP, "tmpcopyup"},
		{MOUNT_EXT_COPY_SYMLINK, "copy-symlink"},
		{MOUNT_EXT_SRC_NOFOLLOW, "src-nofollow"},
		{MOUNT_EXT_DEST_NOFOLLOW, "dest-nofollow"},
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (extensions & names[i].extension)
			add_item(list, names[i].name);
}

static void add_propagation(struct str *out, const struct plan_mount *mount)
{
	static const struct {
		uint32_t flag;
		char name[12];
	} names[] = {
		{MS_PRIVATE, "private"},
		{MS_SLAVE, "slave"},
		{MS_SHARED, "shared"},
		{MS_UNBINDABLE, "unbindable"},
	};

	for (size_t i = 0; i < mount->propagation_count; i++)
		for (size_t n = 0; n < array_len(names); n++)
			if (mount->propagation[i] & names[n].flag)
				str_addf(out, ", %s%s", mount->propagation[i] & MS_REC ? "r" : "",
					 names[n].name);
}

/* "0-999 as 100000-100999" */
static void add_ranges(struct str *out, const char *what, const struct idmap_range *range,
		       size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned long long last = range[i].size ? range[i].size - 1 : 0;

		str_addf(out, "%s%u", i ? " " : what, range[i].inside);
		if (last)
			str_addf(out, "-%llu", range[i].inside + last);
		str_addf(out, " as %u", range[i].outside);
		if (last)
			str_addf(out, "-%llu", range[i].outside + last);
	}
}

void print_mount(const struct plan_mount *mount, struct str *out)
{
	bool changes = mount->how != MOUNT_NEW && mount->how != MOUNT_CGROUP;
	struct list list = {.out = out};

	switch (mount->how) {
	case MOUNT_BIND:
		str_addf(out, "%s %s on %s", mount->recursive ? "bind with all below" : "bind",
			 mount->source, mount->target);
		break;
	case MOUNT_CGROUP:
		str_addf(out, "mount the cgroup's view on %s", mount->target);
		break;
	case MOUNT_REMOUNT:
		str_addf(out, "remount %s", mount->target);
		break;
	case MOUNT_RECONFIGURE:
		str_addf(out, "remount %s with its file system", mount->target);
		break;
	case MOUNT_NEW:
		str_addf(out, "mount %s on %s", mount->type, mount->target);
		break;
	}
	add_flags(&list, mount->flags, changes ? mount->cleared : 0);
	if (mount->late_readonly)
		add_item(&list, "ro at the end");
	if (mount->data)
		add_item(&list, mount->data);
	add_attributes(&list, mount->recursive_set, mount->recursive_clear);
	add_extensions(&list, mount->extensions);
	if (list.begun)
		str_add_char(out, ')');
	add_propagation(out, mount);
	if (mount->label)
		str_addf(out, ", labelled %s", mount->label);
}

void print_tree(const struct plan_mount *mount, struct str *out)
{
	const struct plan_mount_ids *ids = mount->ids;

	str_addf(out, "open %s for %s", mount->how == MOUNT_BIND ? mount->source : mount->type,
		 mount->target);
	if (!ids)
		return;
	str_add(out,
		mount->extensions & MOUNT_EXT_RIDMAP ? ", ids of all below it: " : ", ids of it: ");
	if (ids->path) {
		str_addf(out, "those of %s", ids->path);
		return;
	}
	add_ranges(out, "users ", ids->uids, ids->uid_count);
	add_ranges(out, ", groups ", ids->gids, ids->gid_count);
}
