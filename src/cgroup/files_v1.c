/*
 * How a version 1 cgroup is spoken to: see files.h. Sources: the kernel's admin-guide/cgroup-v1
 * (cpusets, memory, freezer-subsystem).
 */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/str.h"
#include "cgroup/files.h"
#include "cgroup/knob.h"

/* ---- cpuset ---------------------------------------------------------------------------------- */

/* Cuts the last part off path; returns the new length. */
static size_t go_up(char *path, size_t length)
{
	while (length && path[length - 1] != '/')
		length--;
	length -= length > 0;
	path[length] = '\0';
	return length;
}

/* Up to the next ancestor that has a value, and with it down again. */
static int inherit(const char *dir, bool old, const char *file, struct err *e)
{
	size_t length = strlen(dir), at = length;
	char path[PATH_MAX], value[4096];
	ssize_t n = 0;

	memcpy(path, dir, length + 1);
	if (old)
		n = knob_read(path, file, value, sizeof(value));
	while (!n) {
		at = go_up(path, at);
		n = knob_read(path, file, value, sizeof(value));
	}
	if (n < 0)
		return err_sys(e, "read %s/%s", path, file);
	while (at < length) {
		path[at] = '/';
		at += strlen(path + at);
		if (knob_write(path, file, value))
			return err_sys(e, "write \"%s\" to %s/%s", value, path, file);
	}
	return 0;
}

int files_v1_inherit_cpuset(const char *dir, bool old, struct err *e)
{
	if (strlen(dir) >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return err_sys(e, "cgroup %s", dir);
	}
	return inherit(dir, old, "cpuset.cpus", e) || inherit(dir, old, "cpuset.mems", e) ? -1 : 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

int files_v1_explain_write(const char *dir, const struct cgroup_setting *setting, int number,
			   struct err *e)
{
	if (number == EBUSY && str_equal(setting->file, "memory.limit_in_bytes")) {
		err_set(e, ERR_SYSTEM,
			"unable to set memory limit to %s (current usage: %llu, peak usage: %llu)",
			setting->value,
			(unsigned long long)knob_number(dir, "memory.usage_in_bytes"),
			(unsigned long long)knob_number(dir, "memory.max_usage_in_bytes"));
		e->sys = number;
		return -1;
	}
	errno = number;
	err_sys(e, "failed to write \"%s\": write %s/%s", setting->value, dir, setting->file);
	if (number == ENOENT && str_starts(setting->file, "memory.memsw."))
		return err_hint(e,
				"the kernel does not account for swap; boot it with swapaccount=1");
	if (number == ENOENT)
		return err_hint(e, "this kernel was built without it");
	if (number == EINVAL && str_equal(setting->file, "memory.limit_in_bytes"))
		return err_hint(
			e, "memory and swap together are limited to %llu: raise that limit too",
			(unsigned long long)knob_number(dir, "memory.memsw.limit_in_bytes"));
	return -1;
}

/* ---- freezer --------------------------------------------------------------------------------- */

int files_v1_frozen(const char *dir, bool *ret, struct err *e)
{
	char value[8];

	/* freezer.state would speak of frozen ancestors too. */
	if (knob_read(dir, "freezer.self_freezing", value, sizeof(value)) >= 0)
		*ret = str_equal(value, "1");
	else if (errno == ENOENT || errno == ENODEV)
		*ret = false;
	else
		return err_sys(e, "read %s/freezer.self_freezing", dir);
	return 0;
}

static int set_freezer(const char *dir, const char *state, struct err *e)
{
	if (knob_write(dir, "freezer.state", state))
		return err_sys(e, "write %s to %s/freezer.state", state, dir);
	return 0;
}

/*
 * This freezer is the one thing here that tells nobody when it is done, so it is asked again after
 * pauses that grow from 20 microseconds to 5 milliseconds. A process in the midst of vfork keeps it
 * from ending; after 50 questions all are let go for a moment.
 */
int files_v1_freeze(const char *dir, bool frozen, int64_t deadline, struct err *e)
{
	char state[16];
	int round = 0;

	if (!frozen)
		return set_freezer(dir, "THAWED", e);
	do {
		if (round % 50 == 49) {
			if (set_freezer(dir, "THAWED", e))
				return -1;
			knob_pause(10000);
			round++;
		}
		if (round % 50 == 0 && set_freezer(dir, "FROZEN", e))
			return -1;
		if (knob_read(dir, "freezer.state", state, sizeof(state)) < 0)
			return err_sys(e, "read %s/freezer.state", dir);
		if (str_equal(state, "FROZEN"))
			return 0;
		if (str_equal(state, "THAWED"))
			return 1;
		knob_pause(round < 8 ? 20L << round : 5000);
		round++;
	} while (deadline_left(deadline));
	if (set_freezer(dir, "THAWED", e))
		return -1;
	err_set(e, ERR_SYSTEM, "unable to freeze");
	return err_hint(e, "a process in %s could not be stopped within %d seconds", dir,
			CGROUP_PATIENCE);
}
