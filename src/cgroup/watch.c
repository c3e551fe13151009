/*
 * Watching a cgroup: see watch.h. Sources: the kernel's admin-guide/cgroup-v1/memory.rst (chapters
 * 9 and 10) and admin-guide/cgroup-v2.rst (memory.events, cgroup.events).
 */
#include "cgroup/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"

/* Nanoseconds to wait at a time when init has ended. */
#define LAST_WORD 50000000

/* The number behind the key of a "key number" line; false when the file is gone. */
static bool read_key(int fd, const char *key, uint64_t *ret)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	size_t length = strlen(key);
	uint64_t value = 0;

	if (n < 0)
		return false;
	text[n] = '\0';
	for (char *line = text; *line; line += *line == '\n') {
		size_t end = strcspn(line, "\n");

		if (!strncmp(line, key, length) && line[length] == ' ') {
			line[end] = '\0';
			(void)str_to_u64(line + length + 1, &value);
			break;
		}
		line += end;
	}
	*ret = value;
	return true;
}

/*
 * Has the kernel add to an eventfd each time that memory runs out. It stays so until that is
 * closed.
 */
static int watch_memory_v1(const char *dir, struct cgroup_watch *watch, struct err *e)
{
	_close_ int control = knob_open(dir, "memory.oom_control", O_RDONLY);
	_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char order[32];

	if (control < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s/memory.oom_control", dir);
	if (event < 0)
		return err_sys(e, "eventfd");
	(void)snprintf(order, sizeof(order), "%d %d", event, control);
	if (knob_write(dir, "cgroup.event_control", order))
		return err_sys(e, "write to %s/cgroup.event_control", dir);
	watch->memory = fd_take(&event);
	watch->control = fd_take(&control);
	return 0;
}

static int watch_memory_v2(const char *dir, struct cgroup_watch *watch, struct err *e)
{
	watch->memory = knob_open(dir, "memory.events", O_RDONLY);
	if (watch->memory < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s/memory.events", dir);
	(void)read_key(watch->memory, "oom_kill", &watch->kills);
	return 0;
}

static int watch_memory(const struct cgroup_paths *paths, struct cgroup_watch *watch, struct err *e)
{
	const char *v1 = paths_find(paths, "memory"), *v2 = paths_find(paths, "");

	if (v1)
		return watch_memory_v1(v1, watch, e);
	return v2 ? watch_memory_v2(v2, watch, e) : 0;
}

int cgroup_watch_begin(const struct cgroup_paths *paths, int init, struct cgroup_watch *ret,
		       struct err *e)
{
	struct cgroup_watch watch = CGROUP_WATCH_NONE;
	const char *unified = paths_find(paths, "");

	watch.init = init;
	if (watch_memory(paths, &watch, e)) {
		cgroup_watch_end(&watch);
		return -1;
	}
	if (unified)
		watch.populated = knob_open(unified, "cgroup.events", O_RDONLY);
	*ret = watch;
	return 0;
}

/* The eventfd of version 1 also tells that the cgroup is removed: its files say nothing then. */
static bool memory_ran_out(struct cgroup_watch *watch)
{
	uint64_t kills;

	if (watch->memory < 0)
		return false;
	if (watch->control >= 0)
		return read(watch->memory, &kills, sizeof(kills)) == sizeof(kills) &&
		       read_key(watch->control, "oom_kill", &kills);
	if (!read_key(watch->memory, "oom_kill", &kills) || kills <= watch->kills)
		return false;
	watch->kills = kills;
	return true;
}

static bool is_over(const struct cgroup_watch *watch)
{
	uint64_t populated;

	if (watch->populated < 0)
		return watch->init_ended;
	return !read_key(watch->populated, "populated", &populated) || !populated;
}

int cgroup_watch_wait(struct cgroup_watch *watch, int64_t nanoseconds, unsigned *ret_what,
		      struct err *e)
{
	struct pollfd fds[] = {
		{.fd = watch->memory, .events = watch->control < 0 ? POLLPRI : POLLIN},
		{.fd = watch->populated, .events = POLLPRI},
		{.fd = watch->init_ended ? -1 : watch->init, .events = POLLIN},
	};
	struct timespec time;
	unsigned what = 0;

	/*
	 * The kernel tells late that a cgroup is empty, and not at all if it was removed by then.
	 */
	if (watch->init_ended && nanoseconds > LAST_WORD)
		nanoseconds = LAST_WORD;
	time.tv_sec = nanoseconds / 1000000000;
	time.tv_nsec = nanoseconds % 1000000000;

	/* A file that was not read since its last change makes ppoll return at once. */
	if (ppoll(fds, array_len(fds), &time, NULL) < 0 && errno != EINTR)
		return err_sys(e, "wait for events of the cgroup");
	if (memory_ran_out(watch))
		what |= CGROUP_WATCH_OOM;
	watch->init_ended |= fds[2].revents != 0;
	if (is_over(watch))
		what |= CGROUP_WATCH_END;
	*ret_what = what;
	return 0;
}

void cgroup_watch_end(struct cgroup_watch *watch)
{
	fd_close(&watch->memory);
	fd_close(&watch->control);
	fd_close(&watch->populated);
}
