/*
 * What the parts of the floor program share: the container, and how a call is checked. See floor.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

struct container {
	const char *state, *rootfs;
	unsigned binds;
	const char *bind_source;
	char **cgroups; /* directories, ended with NULL */
	bool v2;
	int cgroup_fd; /* of the version 2 cgroup, −1 when there is none */
	char **program;
};

/* Ends the program when a call failed; else gives back what the call gave. */
int check(long result, const char *what);

/*
 * Text: snprintf would cost three page faults. Each writes at at, ends with NUL, and gives the new
 * end.
 */
char *put_number(char *at, unsigned long number);
char *put_path(char *at, const char *dir, const char *name);

/* Reads what a small file has, at most size − 1 bytes, ended with NUL; false when it isn't there.
 */
bool read_at(int dir, const char *path, char *buf, size_t size);
void write_at(int dir, const char *path, const char *text);

/* ---- floor_cgroup.c -------------------------------------------------------------------------- */

/* The name of a cgroup's hierarchy is the directory below /sys/fs/cgroup. */
bool cgroup_is_of(const char *cgroup, const char *hierarchy);

/*
 * Makes the cgroups with their limits, when make, and opens in c->cgroup_fd the one that clone3
 * needs.
 */
void cgroup_enter(struct container *c, bool make);

/* In the child: joins the version 1 hierarchies. */
void cgroup_join(const struct container *c);
void cgroup_remove(const struct container *c);

/* ---- floor_state.c --------------------------------------------------------------------------- */

/* Three lines of text: the PID, when it began, the file that says whether it is frozen. */
struct record {
	char text[512];
	pid_t pid;
	const char *began, *freezer;
};

void record_write(const struct container *c, pid_t pid);
void record_read(int dir, const char *path, struct record *ret);

/* Whether the process with that PID still is the container's. */
bool record_is_alive(const struct record *r);
bool record_is_frozen(const struct record *r);
