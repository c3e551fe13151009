/*
 * The end of a cgroup: killing what is in it and removing it. Called by delete, kill --all, and
 * wherever something was made and then failed.
 *
 * Nothing here sleeps for a fixed time: processes are waited for by pidfd, and version 2 tells in
 * cgroup.events when a cgroup has become empty. A container may fork as fast as it is
 * killed: cgroup.kill stops that, and in version 1 the freezer does, from the second round on (most
 * containers are dead after the first).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/files.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"
#include "cgroup/tree.h"
#include "sys/pidfd.h"
#include "sys/procfs.h"

#define NAMES 200 /* bytes that may be spent on naming processes */
#define STUCK "who waits for a device or a network file system (state D) cannot be killed"

/* Processes that are waited for at a time; whoever waits looks again afterwards. */
struct held {
	int pidfd[64];
	size_t count;
};

/* Holds a process to wait for it. One that is gone, or one too many, is not held. */
static void hold(struct held *held, pid_t pid)
{
	struct err ignored;

	if (held->count == array_len(held->pidfd))
		return;
	held->pidfd[held->count] = pidfd_get(pid, &ignored);
	held->count += held->pidfd[held->count] >= 0;
}

/* Waits for all, and lets go of them. */
static int wait_for(struct held *held, int64_t deadline, struct err *e)
{
	int left = pidfd_wait_all(held->pidfd, held->count, deadline_left(deadline), e);

	while (held->count)
		fd_close(&held->pidfd[--held->count]);
	return left < 0 ? -1 : 0;
}

/* The same for what is in dir and below it now. */
static int wait_for_pids(const char *dir, int64_t deadline, struct arena *a, struct err *e)
{
	struct held held = {.count = 0};
	pid_t *pids;
	size_t count;

	if (tree_pids(dir, a, &pids, &count, e))
		return -1;
	for (size_t i = 0; i < count; i++)
		hold(&held, pids[i]);
	return wait_for(&held, deadline, e);
}

/*
 * ", processes 7 (state S) 8 (state D) …": what a user needs to find the culprit. D is who waits
 * for what cannot be interrupted.
 */
static void name_pids(const pid_t *pids, size_t count, char *ret, size_t size)
{
	const char *lead = count > 1 ? ", processes " : ", process ";
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < count && length + 48 < size; i++) {
		struct err gone;
		uint64_t start;
		char state;

		if (procfs_start_time(pids[i], &start, &state, &gone))
			continue;
		length += (size_t)snprintf(ret + length, size - length, "%s%d (state %c)", lead,
					   (int)pids[i], state);
		lead = " ";
	}
}

int cgroup_hint_stuck(const struct cgroup_paths *paths, struct arena *a, struct err *e)
{
	char names[NAMES] = "";
	struct err ignored;
	size_t count;
	pid_t *pids;

	if (!cgroup_pids(paths, a, &pids, &count, &ignored))
		name_pids(pids, count, names, sizeof(names));
	return err_hint(e, STUCK "%s", names);
}

/* ---- killing --------------------------------------------------------------------------------- */

/* Frozen processes of version 1 die only when they are thawed. */
static int thaw(const char *freezer, int64_t deadline, struct err *e)
{
	if (!freezer || !files_v1_freeze(freezer, false, deadline, e))
		return 0;
	return e->sys == ENOENT || e->sys == ENODEV ? 0 : -1;
}

/* Kills one and holds it, so that a process that got its number meanwhile is spared. */
static int kill_one(struct held *held, pid_t pid, struct err *e)
{
	_close_ int fd = pidfd_get(pid, e);

	if (fd < 0) {
		if (e->sys != ESRCH) /* a thread of a threaded cgroup, or no descriptor is left */
			(void)kill(pid, SIGKILL);
		return 0;
	}
	if (pidfd_signal(fd, SIGKILL, e))
		return e->sys == ESRCH ? 0 : -1;
	if (held->count < array_len(held->pidfd))
		held->pidfd[held->count++] = fd_take(&fd);
	return 0;
}

static int kill_round(const char *freezer, const pid_t *pids, size_t count, int64_t deadline,
		      struct err *e)
{
	struct held held = {.count = 0};
	bool failed = false, none;
	struct err first;

	for (size_t i = 0; i < count && !failed; i++)
		failed = kill_one(&held, pids[i], &first);
	none = !held.count;
	if (thaw(freezer, deadline, e) || wait_for(&held, deadline, e))
		return -1;
	if (failed) {
		*e = first;
		return -1;
	}
	/* Listed, but not to be waited for: threads, or processes that are just being taken out. */
	if (none)
		knob_pause(1000);
	return 0;
}

/*
 * Until dir lists no process. freezer: the same container's directory in the freezer hierarchy, or
 * NULL.
 */
static int kill_listed(const char *dir, const char *freezer, int64_t deadline, struct arena *a,
		       struct err *e)
{
	char names[NAMES];
	pid_t *pids;
	size_t count;

	for (int round = 0;; round++) {
		if (tree_pids(dir, a, &pids, &count, e))
			return -1;
		if (!count)
			return 0;
		if (!deadline_left(deadline))
			break;
		/*
		 * They fork while they are killed: stop them first. Where that fails they are
		 * killed as they run.
		 */
		if (round && freezer && !files_v1_freeze(freezer, true, deadline, e) &&
		    tree_pids(dir, a, &pids, &count, e))
			return -1;
		if (kill_round(freezer, pids, count, deadline, e))
			return -1;
	}
	name_pids(pids, count, names, sizeof(names));
	err_set(e, ERR_SYSTEM, "unable to kill the container's processes within %d seconds%s",
		CGROUP_PATIENCE, names);
	return err_hint(e, STUCK);
}

/*
 * cgroup.kill reaches all at once. The processes are listed beforehand and waited for because
 * cgroup.events speaks at most once in ten milliseconds, which a container that was just started
 * would have to wait.
 */
static int kill_unified(const char *dir, const char *freezer, int64_t deadline, struct arena *a,
			struct err *e)
{
	struct held held = {.count = 0};
	pid_t *pids;
	size_t count;
	int empty = knob_wait_event(dir, "populated 0", 0, e);

	if (empty) /* as most often: the container ended before its cgroup does */
		return empty < 0 ? -1 : 0;
	if (tree_pids(dir, a, &pids, &count, e))
		return -1;
	if (knob_write(dir, "cgroup.kill", "1")) {
		if (errno == ENOENT || errno == ENODEV)
			return 0;
		if (errno != EOPNOTSUPP) /* of a threaded cgroup */
			return err_sys(e, "write to %s/cgroup.kill", dir);
		return kill_listed(dir, freezer, deadline, a, e);
	}
	for (size_t i = 0; i < count; i++)
		hold(&held, pids[i]);
	if (thaw(freezer, deadline, e) || wait_for(&held, deadline, e))
		return -1;
	empty = knob_wait_event(dir, "populated 0", deadline, e);
	if (empty)
		return empty < 0 ? -1 : 0;
	return kill_listed(dir, freezer, deadline, a, e); /* has the words for it */
}

int cgroup_kill(const struct cgroup_paths *paths, struct arena *a, struct err *e)
{
	const char *unified = paths_find(paths, ""), *freezer = paths_find(paths, "freezer");
	const char *devices = paths_find(paths, "devices");
	int64_t deadline = deadline_in(CGROUP_PATIENCE);

	if (unified && kill_unified(unified, freezer, deadline, a, e))
		return -1;
	if (paths_only_unified(paths))
		return 0;
	/*
	 * On a hybrid machine this finds nothing but what somebody moved out of the unified
	 * hierarchy.
	 */
	if (!devices && paths->count)
		devices = paths->item[0].path;
	return devices ? kill_listed(devices, freezer, deadline, a, e) : 0;
}

/* ---- removing -------------------------------------------------------------------------------- */

static int explain_busy(const char *dir, int number, struct arena *a, struct err *e)
{
	char names[NAMES] = "";
	size_t count = 0;
	pid_t *pids;

	if (!tree_pids(dir, a, &pids, &count, e))
		name_pids(pids, count, names, sizeof(names));
	err_set(e, ERR_SYSTEM, "unable to remove container's cgroup: rmdir %s: %s%s", dir,
		err_errno_text(number), names);
	e->sys = number;
	return -1;
}

/*
 * A cgroup without children and processes costs one rmdir. When it is still busy after the second
 * there is nothing left to wait for: newer kernels take a process off the list a moment before it
 * stops to count, and a mount on a child can only be hoped to go away.
 */
static int remove_one(const char *dir, bool unified, int64_t deadline, struct arena *a,
		      struct err *e)
{
	for (int round = 0; rmdir(dir) && errno != ENOENT; round++) {
		int number = errno, failed;

		if (number != EBUSY || !deadline_left(deadline))
			return explain_busy(dir, number, a, e);
		failed = wait_for_pids(dir, deadline, a, e);
		if (unified && !failed)
			failed = knob_wait_event(dir, "populated 0", deadline, e) < 0;
		if (failed || tree_remove_below(dir, a, e))
			return err_wrap(e, "unable to remove container's cgroup");
		if (round)
			knob_pause(round < 10 ? 1000 : 10000);
	}
	return 0;
}

int cgroup_remove(const struct cgroup_paths *paths, struct arena *a, struct err *e)
{
	int64_t deadline = deadline_in(CGROUP_PATIENCE);

	for (size_t i = 0; i < paths->count; i++) {
		const struct cgroup_path *place = &paths->item[i];

		if (!paths_repeat(paths, i) &&
		    remove_one(place->path, !*place->name, deadline, a, e))
			return -1;
	}
	return 0;
}
