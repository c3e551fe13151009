/*
 * Acting on a container's cgroup whatever its version: each function finds the hierarchy that does
 * its job and hands over to that version's files. Called by run and container.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "cgroup/files.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"
#include "cgroup/tree.h"

/* ---- settings -------------------------------------------------------------------------------- */

/* Writes each line of value by itself: the kernel takes one entry a write. 0, or the errno. */
static int write_lines(const char *dir, const struct cgroup_setting *setting)
{
	char line[4096];

	for (const char *at = setting->value;; at++) {
		size_t length = strcspn(at, "\n");

		if (length >= sizeof(line))
			return E2BIG;
		memcpy(line, at, length);
		line[length] = '\0';
		if (knob_write(dir, setting->file, line))
			return errno;
		at += length;
		if (!*at)
			return 0;
	}
}

/* The setting, or what stands in for it where its file is not there. 0, or the errno. */
static int write_any(const char *dir, const struct cgroup_setting *setting)
{
	int number = write_lines(dir, setting);

	if (number == ENOENT && setting->otherwise)
		number = write_lines(dir, setting->otherwise);
	return number == ENOENT && setting->optional ? 0 : number;
}

/* A file of version 2 that is missing may only want its controller enabled. */
static int write_unified(const char *dir, const struct cgroup_setting *setting, struct err *e)
{
	char controller[64];
	size_t word = strcspn(setting->file, ".");
	int number;

	if (setting->check_usage && files_v2_check_usage(dir, setting, e))
		return -1;
	number = write_any(dir, setting);
	if (number == ENOENT && word < sizeof(controller) &&
	    !str_starts(setting->file, "cgroup.") &&
	    !str_starts(setting->pointer, "/linux/resources/unified/")) {
		memcpy(controller, setting->file, word);
		controller[word] = '\0';
		if (files_v2_enable(dir, controller, e))
			return -1;
		number = write_any(dir, setting);
	}
	return number ? files_v2_explain_write(dir, setting, number, e) : 0;
}

int cgroup_write(const struct cgroup_paths *paths, const struct cgroup_setting *setting,
		 struct err *e)
{
	const char *dir = paths_find(paths, setting->name);
	int number, failed;

	if (!dir)
		failed = err_set(e, ERR_UNSUPPORTED,
				 "the container is in no cgroup of controller \"%s\"",
				 setting->name);
	else if (!*setting->name)
		failed = write_unified(dir, setting, e);
	else
		failed = (number = write_any(dir, setting))
				 ? files_v1_explain_write(dir, setting, number, e)
				 : 0;
	return failed ? err_in(e, "%s", setting->pointer) : 0;
}

/* ---- delegation ------------------------------------------------------------------------------ */

int cgroup_give(const struct cgroup_paths *paths, uid_t owner, struct arena *a, struct err *e)
{
	const char *path = paths_find(paths, "");
	_close_ int dir = path ? openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	char *names, *rest;
	size_t length;

	if (!path)
		return 0;
	if (dir < 0 || fchownat(dir, "", owner, (gid_t)-1, AT_EMPTY_PATH))
		return err_sys(e, "give cgroup %s to user %u", path, owner);
	if (file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", 65536, a, &names, &length, e))
		return -1;
	/* The list is of all that this kernel could have, the cgroup has fewer. */
	for (char *name = strtok_r(names, "\n", &rest); name; name = strtok_r(NULL, "\n", &rest))
		if (fchownat(dir, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) && errno != ENOENT)
			return err_sys(e, "give %s/%s to user %u", path, name, owner);
	return 0;
}

/* ---- processes ------------------------------------------------------------------------------- */

/* The hierarchy that is asked for processes: "devices" as in runc, or whatever there is. */
static const char *find_pids(const struct cgroup_paths *paths)
{
	const char *dir = paths_find(paths, "devices");

	return dir || !paths->count ? dir : paths->item[0].path;
}

uint64_t cgroup_inode(const struct cgroup_paths *paths)
{
	const struct cgroup_path *first = paths->item;
	struct stat st;

	for (size_t i = 1; i < paths->count; i++)
		if (strcmp(paths->item[i].name, first->name) < 0)
			first = &paths->item[i];
	return paths->count && !fstatat(AT_FDCWD, first->path, &st, 0) ? st.st_ino : 0;
}

bool cgroup_are_paths(const struct cgroup_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->item[i].path;

		if (!str_starts(path, CGROUP_ROOT "/") || strstr(path, "/../") ||
		    str_ends(path, "/.."))
			return false;
	}
	return true;
}

int cgroup_pids(const struct cgroup_paths *paths, struct arena *a, pid_t **ret, size_t *ret_count,
		struct err *e)
{
	const char *dir = find_pids(paths);

	if (dir)
		return tree_pids(dir, a, ret, ret_count, e);
	*ret = NULL;
	*ret_count = 0;
	return 0;
}

/* ---- freezing -------------------------------------------------------------------------------- */

/* On a hybrid machine it is version 1's freezer that counts: that is where runc and its users look.
 */
uint64_t cgroup_oom_kills(const struct cgroup_paths *paths)
{
	const char *v1 = paths_find(paths, "memory");
	const char *dir = v1 ? v1 : paths_find(paths, "");
	char text[512];
	const char *line;
	uint64_t count = 0;

	if (!dir ||
	    knob_read(dir, v1 ? "memory.oom_control" : "memory.events", text, sizeof(text)) < 0)
		return 0;
	line = strstr(text, "oom_kill ");
	if (!line)
		return 0;
	for (line += strlen("oom_kill "); *line >= '0' && *line <= '9'; line++)
		count = count * 10 + (uint64_t)(*line - '0');
	return count;
}

int cgroup_frozen(const struct cgroup_paths *paths, bool *ret, struct err *e)
{
	const char *freezer = paths_find(paths, "freezer"), *unified = paths_find(paths, "");

	if (freezer)
		return files_v1_frozen(freezer, ret, e);
	if (unified)
		return files_v2_frozen(unified, ret, e);
	*ret = false;
	return 0;
}

int cgroup_thaw(const struct cgroup_paths *paths, struct err *e)
{
	bool frozen;

	if (cgroup_frozen(paths, &frozen, e))
		return -1;
	return frozen ? cgroup_freeze(paths, false, e) : 0;
}

int cgroup_freeze(const struct cgroup_paths *paths, bool frozen, struct err *e)
{
	const char *freezer = paths_find(paths, "freezer"), *unified = paths_find(paths, "");
	int64_t deadline = deadline_in(CGROUP_PATIENCE);
	int done;

	if (freezer)
		done = files_v1_freeze(freezer, frozen, deadline, e);
	else if (unified)
		done = files_v2_freeze(unified, frozen, deadline, e);
	else
		return err_set(e, ERR_UNSUPPORTED,
			       "cannot toggle freezer: cgroups not configured for container");
	if (done > 0)
		return err_set(e, ERR_STATE,
			       "somebody let the container go on while it was being paused");
	return done;
}
