/*
 * The rules on mounts. Pointers are relative to the mount.
 */
#include <linux/mount.h>
#include <string.h>

#include "base/str.h"
#include "spec/mount_options.h"
#include "spec/validate_rules.h"

static bool is_bind(const struct spec_mount *m, const struct mount_options *options)
{
	return (m->type && str_equal(m->type, "bind")) || options->set & MS_BIND;
}

static bool is_id_mapped(const struct spec_mount *m, const struct mount_options *options)
{
	return m->uid_mappings.count || m->gid_mappings.count ||
	       options->extensions & (MOUNT_EXT_IDMAP | MOUNT_EXT_RIDMAP);
}

/* The options that are neither flags nor data. */
static int check_extensions(const struct spec_mount *m, const struct mount_options *options,
			    struct err *e)
{
	const uint32_t links =
		MOUNT_EXT_COPY_SYMLINK | MOUNT_EXT_SRC_NOFOLLOW | MOUNT_EXT_DEST_NOFOLLOW;
	const uint32_t asked = options->extensions;

	if (asked & MOUNT_EXT_TMPCOPYUP &&
	    (is_bind(m, options) || !m->type || !str_equal(m->type, "tmpfs")))
		return validate_fail(e, "/options",
				     "invalid mount \"%s\": tmpcopyup is only supported for tmpfs",
				     m->destination);
	if (asked & links && !is_bind(m, options))
		return validate_fail(e, "/options",
				     "invalid mount \"%s\": copy-symlink, src-nofollow and "
				     "dest-nofollow are only supported for bind-mounts",
				     m->destination);
	if (asked & MOUNT_EXT_COPY_SYMLINK &&
	    asked & (MOUNT_EXT_SRC_NOFOLLOW | MOUNT_EXT_DEST_NOFOLLOW))
		return validate_fail(e, "/options",
				     "invalid mount \"%s\": `copy-symlink` is mutually exclusive "
				     "with `src-nofollow` and `dest-nofollow`",
				     m->destination);
	return 0;
}

/* How the entry is written. */
int validate_mount(const struct validation *v, size_t index, struct err *e)
{
	const struct spec_mount *m = &v->spec->mounts.item[index];
	struct mount_options options;

	if (!m->destination)
		return validate_fail(e, "/destination",
				     "invalid mount: destination must not be empty");
	if (mount_options_parse(&m->options, v->arena, &options, e))
		return -1;
	if (is_bind(m, &options) && options.data)
		return validate_fail(e, "/options",
				     "invalid mount \"%s\": bind mounts cannot have any "
				     "filesystem-specific options applied: %s",
				     m->destination, options.data);
	return check_extensions(m, &options, e);
}

/*
 * A new file system is id-mapped as a bind is, if its kind can be: those here belong to a namespace
 * or to the kernel, and never can.
 */
static bool can_be_id_mapped(const struct spec_mount *m, const struct mount_options *options)
{
	static const char *const never[] = {"cgroup", "cgroup2", "devpts",
					    "mqueue", "proc",    "sysfs"};

	if (options->set & MS_REMOUNT)
		return false;
	if (is_bind(m, options))
		return true;
	for (size_t i = 0; i < array_len(never); i++)
		if (!m->type || str_equal(m->type, never[i]))
			return false;
	return true;
}

static int check_id_map(const struct validation *v, const struct spec_mount *m,
			const struct mount_options *options, struct err *e)
{
	const struct spec_namespace *user = spec_namespace_find(v->spec, NS_USER);
	const struct spec_id_maps *uid = &m->uid_mappings, *gid = &m->gid_mappings;

	if (!can_be_id_mapped(m, options))
		return validate_fail(
			e, "",
			"invalid mount \"%s\": id-mapped mounts are only supported for bind-mounts "
			"and for file systems of disks or memory",
			m->destination);
	if (v->rootless)
		return validate_fail(
			e, "",
			"invalid mount \"%s\": id-mapped mounts are not supported for rootless "
			"containers",
			m->destination);
	/* "idmap" alone: what the container's user namespace has */
	if (!uid->count && !gid->count) {
		if (user && user->path)
			return 0;
		uid = &v->spec->linux_.uid_mappings;
		gid = &v->spec->linux_.gid_mappings;
	}
	if (!uid->count || !gid->count || (!user && !m->uid_mappings.count))
		return validate_fail(
			e, "",
			"invalid mount \"%s\": id-mapped mounts must have both uid and gid "
			"mappings specified",
			m->destination);
	return 0;
}

/*
 * An option such as "uid=1000" names an id inside: it must be mapped, or the mount would fail
 * without a reason.
 */
static int check_id_option(const struct validation *v, const char *option, struct err *e)
{
	const struct spec_linux *l = &v->spec->linux_;
	bool uid = str_starts(option, "uid=");
	uint64_t id;

	if ((!uid && !str_starts(option, "gid=")) || !str_to_u64(option + 4, &id))
		return 0;
	if (validate_mapped(uid ? &l->uid_mappings : &l->gid_mappings, id))
		return 0;
	return err_set(e, ERR_INVALID,
		       "cannot specify %s mount option for rootless container: "
		       "the id is not mapped in the user namespace",
		       option);
}

/* Which ids the entry asks for. */
int validate_mount_ids(const struct validation *v, size_t index, struct err *e)
{
	const struct spec_namespace *user = spec_namespace_find(v->spec, NS_USER);
	const struct spec_mount *m = &v->spec->mounts.item[index];
	struct mount_options options;

	if (mount_options_parse(&m->options, v->arena, &options, e))
		return -1;
	if (is_id_mapped(m, &options) && check_id_map(v, m, &options, e))
		return -1;
	if (!v->rootless || !user || user->path)
		return 0;
	for (size_t i = 0; i < m->options.count; i++)
		if (check_id_option(v, m->options.item[i], e))
			return err_in(e, "/options/%zu", i);
	return 0;
}

void validate_mount_warnings(const struct validation *v)
{
	for (size_t i = 0; i < v->spec->mounts.count; i++) {
		const char *destination = v->spec->mounts.item[i].destination;

		if (destination[0] != '/')
			log_add(v->log, LOG_LEVEL_WARNING,
				"mount \"%s\": relative destination path is **deprecated**, "
				"using it as relative to /",
				destination);
	}
}
