/*
 * Real control groups for a test: the machine's own layout and then, in a mount namespace of the
 * test's own, a view that has version 2 alone. As root only; every test has a place of its own,
 * "/creel-test-PID-N", and may make what it likes in it.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#include "cgroup/cgroup.h"
#include "cgroup/paths.h"

extern struct cgroup_fixture {
	struct arena arena;
	struct err e;
	struct cgroup_host host;
	struct cgroup_paths paths; /* where the test's container is */
	char name[64];             /* the same as cgroupsPath */
} fx;

#define good(call) \
	do { \
		if (call) \
			fail_msg("%s: %s; %s", #call, fx.e.text, fx.e.hint); \
	} while (0)

/* Setups of a group of tests, and their end. */
int fixture_find_layout(void **state);
int fixture_find_version_2(void **state);
int fixture_forget_layout(void **state);

/* Of each test; the end kills and removes what is left. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define with_group(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

/* Sets fx.paths. */
void place(const char *path);

/* Skip the test where the machine has not got something. */
void need(bool met, const char *what);
void need_cgroups(void);
void need_v1(const char *controller);

bool exists(const struct cgroup_path *path);

/*
 * A process in the cgroup that does what what() does (NULL: nothing), then waits, deaf to SIGTERM.
 */
pid_t spawn(const struct cgroup *cg, void (*what)(void));

/* The cgroup made, and the same with such a process. */
struct cgroup made(void);
pid_t made_with(void (*what)(void));

/* A write that must succeed or not, and a value read back. */
int set(const char *controller, const char *file, const char *value);
const char *get(const char *controller, const char *file);

size_t count_pids(void);

/* How the process ended; it must have. */
int ending(pid_t pid);

double seconds(void);
