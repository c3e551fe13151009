/*
 * Real control groups for a test: see cgroup_fixture.h.
 */
#include "cgroup_fixture.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "cgroup/knob.h"

struct cgroup_fixture fx;

int fixture_find_layout(void **state)
{
	(void)state;
	if (arena_init(&fx.arena, ARENA_LIMIT, &fx.e) ||
	    cgroup_detect(true, &fx.arena, &fx.host, &fx.e))
		return -1;
	return 0;
}

/* The machine's mounts stay as they are: this is a mount namespace of our own. */
int fixture_find_version_2(void **state)
{
	if (!geteuid() &&
	    (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	     mount("cgroup2", CGROUP_ROOT, "cgroup2", 0, NULL)))
		return -1;
	return fixture_find_layout(state);
}

int fixture_forget_layout(void **state)
{
	(void)state;
	arena_done(&fx.arena);
	return 0;
}

void place(const char *path)
{
	good(cgroup_place(&fx.host, path, "id", &fx.arena, &fx.paths, &fx.e));
}

/* Every test has "/creel-test-PID-N", and may make what it likes in it. */
int fixture_setup(void **state)
{
	static int number;

	(void)state;
	(void)snprintf(fx.name, sizeof(fx.name), "/creel-test-%d-%d", getpid(), number++);
	if (geteuid() || fx.host.layout == CGROUP_NONE)
		return 0;
	place(fx.name);
	return 0;
}

int fixture_teardown(void **state)
{
	(void)state;
	if (geteuid() || fx.host.layout == CGROUP_NONE)
		return 0;
	place(fx.name);
	return cgroup_kill(&fx.paths, &fx.arena, &fx.e) ||
	       cgroup_remove(&fx.paths, &fx.arena, &fx.e);
}

void need(bool met, const char *what)
{
	if (met && !geteuid())
		return;
	print_message("skipped: needs root and %s\n", what);
	skip();
}

void need_cgroups(void)
{
	need(fx.host.layout != CGROUP_NONE, "control groups");
}

void need_v1(const char *controller)
{
	need(fx.host.layout != CGROUP_V2 && fx.paths.count && paths_find(&fx.paths, controller),
	     controller);
}

bool exists(const struct cgroup_path *path)
{
	return !access(path->path, F_OK);
}

/* A process in the cgroup, which is then in what what() does; what may be NULL for waiting. */
pid_t spawn(const struct cgroup *cg, void (*what)(void))
{
	int fds[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		if (cgroup_join_self(cg, &fx.e) || cgroup_join_unified(cg, &fx.e))
			_exit(1);
		(void)!write(fds[1], "", 1);
		(void)signal(SIGTERM, SIG_IGN);
		if (what)
			what();
		for (;;)
			(void)pause();
	}
	(void)close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	(void)close(fds[0]);
	return pid;
}

struct cgroup made(void)
{
	struct cgroup cg;

	good(cgroup_make(&fx.paths, &fx.arena, &cg, &fx.e));
	return cg;
}

pid_t made_with(void (*what)(void))
{
	struct cgroup cg = made();
	pid_t pid = spawn(&cg, what);

	cgroup_close(&cg);
	return pid;
}

size_t count_pids(void)
{
	size_t count;
	pid_t *pids;

	good(cgroup_pids(&fx.paths, &fx.arena, &pids, &count, &fx.e));
	return count;
}

/* How the process ended; it must have. */
int ending(pid_t pid)
{
	int status = -1;

	assert_int_equal(waitpid(pid, &status, WNOHANG), pid);
	return status;
}

double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int set(const char *controller, const char *file, const char *value)
{
	const struct cgroup_setting setting = {
		.name = controller, .file = file, .value = value, .pointer = "/linux/resources/x"};

	return cgroup_write(&fx.paths, &setting, &fx.e);
}

const char *get(const char *controller, const char *file)
{
	static char text[64];

	assert_true(knob_read(paths_find(&fx.paths, controller), file, text, sizeof(text)) >= 0);
	return text;
}
