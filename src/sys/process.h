/*
 * Making a process and what only a process can do to itself: clone3(2) with a cgroup and a pidfd,
 * namespaces, session keyring, descriptors, signals. Callers: run/spawn.c and the doers of the init
 * side.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct process_clone {
	uint64_t flags;      /* CLONE_NEW… and CLONE_PARENT */
	int cgroup;          /* directory of a version 2 cgroup for CLONE_INTO_CGROUP, −1: none */
	int *ret_pidfd;      /* NULL: none wanted */
	bool *ret_in_cgroup; /* in both processes: whether the kernel put the new one into cgroup */
};

/*
 * fork with flags: returns 0 in the new process, its pid in the old one. Where a sandbox does not
 * have clone3 (ENOSYS) clone is used, without the cgroup; so is the new process where the caller
 * may not put one into the cgroup (EACCES). The caller must have one thread.
 */
pid_t process_clone(const struct process_clone *clone, struct err *e) must_check;

/* setns to an open namespace; name is for the error. */
int process_setns(int fd, int nstype, const char *name, struct err *e) must_check;

/* unshare(2). */
int process_unshare(uint64_t flags, struct err *e) must_check;

/* A new session keyring "_ses.ID", readable to its users; a kernel without keyrings is fine. */
int process_join_keyring(const char *id, struct err *e) must_check;

/*
 * Opens /dev/null for each standard stream that the caller has closed, so that no other descriptor
 * takes its number.
 */
int process_fill_streams(struct err *e) must_check;

/*
 * Whether the count descriptors from 3 on, which are to be passed on by number, are open: one that
 * is missing would give its number to another.
 */
int process_check_preserved(uint64_t count, struct err *e) must_check;

/* Marks every descriptor from first on close-on-exec. */
int process_cloexec_from(unsigned first, struct err *e) must_check;

/* Closes every descriptor from first on but those kept (−1: none). */
int process_close_others(unsigned first, const int *kept, size_t count, struct err *e) must_check;

/* All signals to their default action, none blocked: what a caller ignored is its own business. */
void process_reset_signals(void);

/* Brings the loopback interface of the caller's network namespace up. */
int process_loopback_up(struct err *e) must_check;

/*
 * Overwrites the memory that the kernel laid out for the command line and the environment, which ps
 * and /proc/PID/environ show, with a title. Nobody may use the old strings any more.
 */
void process_retitle(char *memory, size_t size, const char *title);

/* prlimit(2) on pid (0: the caller); resource is RLIMIT_…. */
int process_set_rlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard,
		       struct err *e) must_check;
