/*
 * Where containers are remembered: the state directory (--root) with one directory a container,
 * named by its id. The directory is the claim to the id: whoever has it locked while there is no
 * record in it, owns it. The lock orders the commands on one container.
 *
 *     ROOT/ID/state.json    the record (state/record.h)
 *     ROOT/ID/config.json   the configuration as it was at create: later edits do not reach it
 *     ROOT/ID/making.json   the same while the container is made, before it has a root of its own
 *     ROOT/ID/start.sock    exists while the program waits for start
 *     ROOT/ID/notify/       of sd_notify(3), bound into the container (run/notify.h)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define STORE_STATE "state.json"
#define STORE_CONFIG "config.json"
#define STORE_MAKING "making.json"
#define STORE_START "start.sock"
#define STORE_NOTIFY "notify"

/*
 * Whether text may be a container's id: letters, digits, "_+-.", not empty, not "." or "..".
 * ERR_USAGE otherwise.
 */
int store_check_id(const char *id, struct err *e) must_check;

/*
 * Claims the id: makes root and root/id, closed to others, and locks it. Gives its descriptor; the
 * lock goes with it. An id that is taken is ERR_EXISTS: `container with given ID already exists`.
 */
int store_create(const char *root, const char *id, struct err *e) must_check;

/* Whether what is in the open directory is still there after a reboot. */
bool store_outlives_boot(int dir);

/*
 * Says that a container is made: from now on its configuration has its name. Whoever is let into
 * the container must have seen it, since what is there before can still be the host.
 */
int store_set_made(int dir, struct err *e) must_check;
bool store_is_made(int dir);

/* The name that its configuration has now, or had if it was lost. */
const char *store_config(int dir);

/*
 * Opens the directory of a container; ERR_NOT_FOUND `container does not exist` when there is none.
 * With lock it waits for other commands that change the same container, at most 10 seconds:
 * ERR_STATE `container ID is in use by another command`.
 */
int store_open(const char *root, const char *id, bool lock, struct err *e) must_check;

/*
 * Lets others at a container whose open directory was locked, and takes it back, waiting as
 * store_open does. *ret_there is false when it was removed meanwhile.
 */
void store_unlock(int dir);
int store_lock(int dir, const char *id, bool *ret_there, struct err *e) must_check;

/* Removes root/id and everything in it. Not an error when it is gone. */
int store_remove(const char *root, const char *id, struct err *e) must_check;

/*
 * The same for a directory without a readable record, which may be no container's at all: when
 * there is anything in it that is not made here it is ERR_STATE, and nothing is removed.
 */
int store_remove_ruin(const char *root, const char *id, struct err *e) must_check;

/* The ids below root, sorted. A missing root has none; with must_exist it is an error. */
int store_list(const char *root, bool must_exist, struct arena *a, struct str_list *ret,
	       struct err *e) must_check;
