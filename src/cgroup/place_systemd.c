/*
 * Where a container's cgroup is when systemd makes it: the unit and its slice, and the directories
 * that systemd makes for them. Pure but for cgroup_find_systemd; unit.c is who talks to systemd.
 * Sources: systemd.slice(5), systemd.scope(5); the form of cgroupsPath is runc's.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "cgroup/knob.h"
#include "cgroup/unit.h"

#define SUBGROUP "run.oci.systemd.subgroup"

int cgroup_find_systemd(bool user, const char *bus, struct arena *a, struct cgroup_host *host,
			struct err *e)
{
	struct cgroup_systemd *systemd = arena_get(a, sizeof(*systemd), e);
	_close_ int here = knob_open("/run/systemd", "system", O_PATH);

	if (!systemd)
		return -1;
	if (host->layout == CGROUP_NONE)
		return 0;
	if (here < 0) {
		err_set(e, ERR_UNSUPPORTED,
			"systemd not running on this host, cannot use systemd cgroups manager");
		return err_hint(e, "leave --systemd-cgroup away and give cgroupsPath as a path");
	}
	if (user && host->layout != CGROUP_V2)
		return err_set(e, ERR_UNSUPPORTED,
			       "cannot use rootless systemd cgroups manager on cgroup v1");
	systemd->bus = systemd->root = "";
	if (user) {
		if (!bus || !*bus) {
			err_set(e, ERR_UNSUPPORTED, "the systemd of the user cannot be found");
			return err_hint(e, "set DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR");
		}
		systemd->bus = bus;
		if (unit_find_root(bus, a, &systemd->root, e))
			return -1;
	}
	host->systemd = systemd;
	return 0;
}

bool cgroup_owns_systemd(void)
{
	struct stat private;

	return !fstatat(AT_FDCWD, "/run/systemd/private", &private, 0) && !private.st_uid;
}

/* ---- names ----------------------------------------------------------------------------------- */

static int refuse(struct err *e)
{
	return err_in(e, "/linux/cgroupsPath");
}

/* "slice:prefix:name" in its three parts. */
static int split(const char *path, struct arena *a, const char *ret[3], struct err *e)
{
	const char *at = path;

	for (int i = 0; i < 3; i++) {
		size_t length = strcspn(at, ":");

		if ((i < 2) != (at[length] == ':')) {
			err_set(e, ERR_INVALID,
				"expected cgroupsPath to be of format \"slice:prefix:name\" for "
				"systemd cgroups, got \"%s\" instead",
				path);
			return refuse(e);
		}
		ret[i] = arena_copy(a, at, length, e);
		if (!ret[i])
			return -1;
		at += length + 1;
	}
	return 0;
}

static int refuse_slice(const char *slice, struct err *e)
{
	err_set(e, ERR_INVALID, "invalid slice name: %s", slice);
	err_hint(e, "the first part of cgroupsPath is a slice of systemd, such as "
		    "\"system.slice\", or empty");
	return refuse(e);
}

/* "a-b.slice" is /a.slice/a-b.slice, "-.slice" the root. */
static int add_slice(struct str *path, const char *slice, struct err *e)
{
	const char *end = strrchr(slice, '.'), *part = slice;

	if (str_equal(slice, "-.slice"))
		return 0;
	if (!unit_is_slice(slice) || strchr(slice, '/'))
		return refuse_slice(slice, e);
	for (const char *at = slice; at <= end; at++) {
		if (at < end && *at != '-')
			continue;
		if (at == part)
			return refuse_slice(slice, e);
		str_add_char(path, '/');
		str_add_bytes(path, slice, (size_t)(at - slice));
		str_add(path, ".slice");
		part = at + 1;
	}
	return 0;
}

static int name_unit(const char *const part[3], bool user, struct arena *a, struct cgroup_unit *ret,
		     struct err *e)
{
	ret->slice = *part[0] ? part[0] : user ? "user.slice" : "system.slice";
	ret->title = part[2];
	ret->name = unit_is_slice(part[2]) ? part[2]
					   : arena_format(a, e, "%s-%s.scope", part[1], part[2]);
	if (!ret->name)
		return -1;
	if (!*part[2] || strchr(ret->name, '/')) {
		err_set(e, ERR_INVALID, "invalid unit name \"%s\"", ret->name);
		return refuse(e);
	}
	return 0;
}

static const char *find_subgroup(const struct spec *spec)
{
	for (size_t i = 0; i < spec->annotations.count; i++)
		if (str_equal(spec->annotations.item[i].key, SUBGROUP))
			return spec->annotations.item[i].value;
	return "";
}

/* ---- where ----------------------------------------------------------------------------------- */

/* What stands behind the mount point in every hierarchy. */
static const char *place(const struct cgroup_unit *unit, const char *root, const char *subgroup,
			 struct arena *a, struct err *e)
{
	struct str path;

	str_init(&path, a);
	str_add(&path, root);
	if (unit_is_slice(unit->name)) {
		if (add_slice(&path, unit->name, e))
			return NULL;
	} else {
		if (add_slice(&path, unit->slice, e))
			return NULL;
		str_addf(&path, "/%s", unit->name);
	}
	if (*subgroup)
		str_addf(&path, "/%s", subgroup);
	if (strchr(subgroup, '/') || str_equal(subgroup, "..") || str_equal(subgroup, ".")) {
		err_set(e, ERR_INVALID, "invalid cgroup name \"%s\"", subgroup);
		err_in(e, "/annotations/" SUBGROUP);
		return NULL;
	}
	return str_end(&path, e);
}

int cgroup_place_unit(const struct cgroup_host *host, const struct spec *spec, const char *id,
		      struct arena *a, struct cgroup_unit *ret, struct cgroup_paths *ret_paths,
		      struct err *e)
{
	const char *wanted = spec->linux_.cgroups_path, *part[3] = {"", "runc", id}, *path;
	struct cgroup_unit unit = {.bus = host->systemd->bus};
	struct cgroup_paths paths = {0};

	if (wanted && *wanted && split(wanted, a, part, e))
		return -1;
	if (name_unit(part, *unit.bus != '\0', a, &unit, e))
		return -1;
	path = place(&unit, host->systemd->root, find_subgroup(spec), a, e);
	paths.item = arena_get_array(a, host->count, sizeof(*paths.item), e);
	if (!path || !paths.item)
		return -1;
	for (; paths.count < host->count; paths.count++) {
		const struct cgroup_hierarchy *h = &host->item[paths.count];
		const char *whole = arena_format(a, e, "%s%s", h->mount, path);

		if (!whole)
			return -1;
		paths.item[paths.count] = (struct cgroup_path){.name = h->name, .path = whole};
	}
	*ret = unit;
	*ret_paths = paths;
	return 0;
}
