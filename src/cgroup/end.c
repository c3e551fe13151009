/*
 * The end of a cgroup: killing what is in it and removing it. Called by delete, kill --all, and
 * wherever something was made and then failed.
 *
 * Nothing here sleeps for a fixed time. Version 2 tells in cgroup.events when a cgroup has become
 * empty; in version 1 the processes are waited for by pidfd. A container may fork as fast as it is
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

#define WAITED_MAX \
	64 /* processes that are waited for at a time; the next round sees to the others */

/* ", processes 7 8 9 …": what a user needs to find the culprit. */
static void name_pids(const pid_t *pids, size_t count, char *ret, size_t size)
{
	size_t length = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < count && length + 32 < size; i++)
		length += (size_t)snprintf(ret + length, size - length, "%s%d",
					   i           ? " "
					   : count > 1 ? ", processes "
						       : ", process ",
					   (int)pids[i]);
}

/* ---- killing --------------------------------------------------------------------------------- */

/* Sends SIGKILL to all, and holds the first by pidfd; returns how many are held. */
static int kill_all(const pid_t *pids, size_t count, int *ret_held, struct err *e)
{
	int held = 0;

	for (size_t i = 0; i < count; i++) {
		int fd = held < WAITED_MAX ? pidfd_get(pids[i], e) : -1;

		if (fd < 0)
			(void)kill(pids[i],
				   SIGKILL); /* a thread, or one more than we wait for, or gone */
		else if (pidfd_signal(fd, SIGKILL, e) && e->sys != ESRCH)
			return -1;
		if (fd >= 0)
			ret_held[held++] = fd;
	}
	return held;
}

/* Kills what dir lists now and waits for it. Frozen processes die when they are thawed. */
static int kill_round(const char *freezer, const pid_t *pids, size_t count, int64_t deadline,
		      struct err *e)
{
	int held[WAITED_MAX];
	int n = kill_all(pids, count, held, e);
	int failed = n < 0;

	if (freezer && files_v1_freeze(freezer, false, deadline, e) && e->sys != ENOENT &&
	    e->sys != ENODEV)
		failed = true;
	if (!failed && pidfd_wait_all(held, (size_t)n, deadline_left(deadline), e) < 0)
		failed = true;
	for (int i = 0; i < n; i++)
		fd_close(&held[i]);
	/*
	 * Nothing to wait for, though some are listed: threads, or processes that the kernel is
	 * just taking out.
	 */
	if (!failed && !n)
		knob_pause(1000);
	return failed ? -1 : 0;
}

/*
 * Until dir lists no process. freezer: the same container's directory in the freezer hierarchy, or
 * NULL.
 */
static int kill_listed(const char *dir, const char *freezer, int64_t deadline, struct arena *a,
		       struct err *e)
{
	char names[160];
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
	return err_hint(
		e, "a process that waits for a device or a network file system cannot be killed");
}

static int kill_unified(const char *dir, const char *freezer, int64_t deadline, struct arena *a,
			struct err *e)
{
	int empty;

	if (knob_write(dir, "cgroup.kill", "1")) {
		if (errno == ENOENT || errno == ENODEV)
			return 0;
		if (errno != EOPNOTSUPP) /* of a threaded cgroup */
			return err_sys(e, "write to %s/cgroup.kill", dir);
		return kill_listed(dir, freezer, deadline, a, e);
	}
	if (freezer && files_v1_freeze(freezer, false, deadline, e) && e->sys != ENOENT &&
	    e->sys != ENODEV)
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

/* Waits until the processes of dir have ended. */
static int wait_for_pids(const char *dir, int64_t deadline, struct arena *a, struct err *e)
{
	int held[WAITED_MAX], n = 0, left;
	pid_t *pids;
	size_t count;

	if (tree_pids(dir, a, &pids, &count, e))
		return -1;
	for (size_t i = 0; i < count && n < WAITED_MAX; i++) {
		held[n] = pidfd_get(pids[i], e);
		n += held[n] >= 0;
	}
	left = pidfd_wait_all(held, (size_t)n, deadline_left(deadline), e);
	for (int i = 0; i < n; i++)
		fd_close(&held[i]);
	return left < 0 ? -1 : 0;
}

static int explain_busy(const char *dir, int number, struct arena *a, struct err *e)
{
	char names[160] = "";
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
		if (unified)
			failed = knob_wait_event(dir, "populated 0", deadline, e) < 0;
		else
			failed = wait_for_pids(dir, deadline, a, e);
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
