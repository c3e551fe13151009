/*
 * The floor program's state file: written by run, read by exec, state, kill and list. It has what a
 * runtime can't do without, and nothing else.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Field 22 of /proc/PID/stat; the name in brackets, field 2, may hold spaces and brackets. "" when
 * it is gone.
 */
static void read_began(pid_t pid, char *buf, size_t size)
{
	char path[64], stat[1024];
	char *at;
	size_t length;

	stpcpy(put_number(stpcpy(path, "/proc/"), (unsigned long)pid), "/stat");
	buf[0] = 0;
	if (!read_at(AT_FDCWD, path, stat, sizeof(stat)))
		return;
	at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	length = at ? strcspn(at + 1, " ") : size;
	if (length < size)
		*stpncpy(buf, at + 1, length) = 0;
}

void record_write(const struct container *c, pid_t pid)
{
	const char *freezer = c->cgroups[0];
	char text[512], began[32], *at;
	int dir, fd;

	for (char **cgroup = c->cgroups; *cgroup; cgroup++)
		if (cgroup_is_of(*cgroup, "freezer"))
			freezer = *cgroup;
	read_began(pid, began, sizeof(began));
	at = stpcpy(stpcpy(put_number(text, (unsigned long)pid), "\n"), began);
	at = put_path(stpcpy(at, "\n"), freezer, c->v2 ? "cgroup.events" : "freezer.state");
	dir = check(open(c->state, O_PATH | O_CLOEXEC), c->state);
	fd = check(openat(dir, "state.new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
		   "state.new");
	check(write(fd, text, (size_t)(at - text)), "state.new");
	close(fd);
	check(renameat(dir, "state.new", dir, "state"), "state");
	close(dir);
}

void record_read(int dir, const char *path, struct record *ret)
{
	char *at;

	check(read_at(dir, path, ret->text, sizeof(ret->text)) ? 0 : -1, path);
	ret->pid = (pid_t)strtol(ret->text, &at, 10);
	ret->began = ++at;
	at = strchr(at, '\n');
	*at++ = 0;
	ret->freezer = at;
}

bool record_is_alive(const struct record *r)
{
	char began[32];

	read_began(r->pid, began, sizeof(began));
	return strcmp(began, r->began) == 0;
}

bool record_is_frozen(const struct record *r)
{
	char text[128];

	return read_at(AT_FDCWD, r->freezer, text, sizeof(text)) &&
	       (strstr(text, "frozen 1") || strncmp(text, "FROZEN", 6) == 0);
}
