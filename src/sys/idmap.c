/*
 * Id maps: see idmap.h.
 */
#include "sys/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/process.h"
#include "sys/subid.h"

bool idmap_outside(const struct idmap_range *ranges, size_t count, uint32_t inside, uint32_t *ret)
{
	for (size_t i = 0; i < count; i++)
		if (inside >= ranges[i].inside && inside - ranges[i].inside < ranges[i].size) {
			*ret = ranges[i].outside + (inside - ranges[i].inside);
			return true;
		}
	return false;
}

/* The whole map as the kernel wants it, in one text for one write. */
static const char *map_text(const struct idmap_range *ranges, size_t count, struct arena *a,
			    struct err *e)
{
	struct str text;

	str_init(&text, a);
	for (size_t i = 0; i < count; i++)
		str_addf(&text, "%u %u %u\n", ranges[i].inside, ranges[i].outside, ranges[i].size);
	return str_end(&text, e);
}

static int write_map(pid_t pid, const char *file, enum subid_kind kind,
		     const struct idmap_range *ranges, size_t count, struct arena *a, struct err *e)
{
	const char *text = map_text(ranges, count, a, e);
	char path[48];

	if (!text)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if (!file_write(AT_FDCWD, path, text, e))
		return 0;
	if (e->sys == EPERM && geteuid() != 0)
		return subid_map(kind, pid, ranges, count, a, e);
	if (e->sys == EPERM)
		err_hint(e,
			 "ids can be mapped that the caller's own user namespace has: see "
			 "/proc/self/%s",
			 file);
	return err_wrap(e, "map ids of the user namespace");
}

/*
 * Without privilege a group map may be written only for the caller's own group and after giving up
 * setgroups.
 */
static int deny_setgroups(pid_t pid, struct err *e)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "/proc/%d/setgroups", (int)pid);
	return file_write(AT_FDCWD, path, "deny", e);
}

int idmap_write(pid_t pid, const struct idmap_range *uids, size_t uid_count,
		const struct idmap_range *gids, size_t gid_count, struct arena *a, struct err *e)
{
	bool own_group = gid_count == 1 && gids[0].size == 1 && gids[0].outside == getegid();

	if (geteuid() != 0 && own_group && deny_setgroups(pid, e))
		return -1;
	if (uid_count && write_map(pid, "uid_map", SUBID_USERS, uids, uid_count, a, e))
		return -1;
	if (gid_count && write_map(pid, "gid_map", SUBID_GROUPS, gids, gid_count, a, e))
		return -1;
	return 0;
}

/* What keeps a namespace alive until it is open: a process that ends with the other end of wait. */
static void hold(int wait) __attribute__((noreturn));
static void hold(int wait)
{
	char byte;

	while (read(wait, &byte, 1) < 0 && errno == EINTR)
		continue;
	_exit(0);
}

static int open_namespace(pid_t pid, struct err *e)
{
	char path[48];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = fd_open(path, O_RDONLY);
	if (fd < 0)
		return err_sys(e, "open the user namespace of a mount");
	return fd;
}

int idmap_namespace(const struct idmap_range *uids, size_t uid_count,
		    const struct idmap_range *gids, size_t gid_count, struct arena *a,
		    struct err *e)
{
	struct process_clone clone = {
		.flags = CLONE_NEWUSER, .cgroup = -1, .ret_in_cgroup = &(bool){false}};
	int ends[2], fd = -1;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return err_sys(e, "pipe");
	pid = process_clone(&clone, e);
	if (pid == 0) {
		(void)close(ends[1]);
		hold(ends[0]);
	}
	(void)close(ends[0]);
	if (pid < 0)
		err_wrap(e, "make a user namespace for the ids of a mount");
	else if (!idmap_write(pid, uids, uid_count, gids, gid_count, a, e))
		fd = open_namespace(pid, e);
	(void)close(ends[1]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return fd;
}
