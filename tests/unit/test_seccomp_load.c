/*
 * Loading seccomp filters into the kernel that runs the tests. Needs no privilege: no_new_privs is
 * set in children.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp_profiles.h"
#include "security/seccomp.h"

static struct arena arena;
static struct err e;

static int setup(void **state)
{
	(void)state;
	return arena_init(&arena, ARENA_LIMIT, &e);
}

static int teardown(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

/* Runs what in a child under the profile's filter. The child's wait status. */
static int status_under(const struct spec_seccomp *p, int (*what)(int listener))
{
	struct seccomp_program program;
	int status, listener;
	pid_t child;

	if (seccomp_compile(p, seccomp_native_arch, NULL, &arena, &program, &e))
		fail_msg("%s", e.text);
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || seccomp_load(&program, &listener, &e))
			_exit(100);
		_exit(what(listener));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static int use_calls(int listener)
{
	if (listener != -1)
		return 1;
	if (syscall(SYS_getppid) > 0 || errno != EACCES)
		return 2;
	if (syscall(2000) != -1 || errno != ENOSYS)
		return 3;
	if (syscall(SYS_fcntl, 1, F_GETFD) == -1 && errno == EDOM)
		return 4;
	if (syscall(SYS_fcntl, 1, F_SETFD, 0) != -1 || errno != EDOM)
		return 5;
	return 0;
}

static void test_a_loaded_filter_works(void **state)
{
	struct spec_seccomp p = {
		.default_action = ACT_ALLOW,
		RULES({.names = NAMES("getppid"), .action = ACT_ERRNO, .errno_ret = {EACCES, true}},
		      {.names = NAMES("fcntl"),
		       .action = ACT_ERRNO,
		       .errno_ret = {EDOM, true},
		       ARGS({.index = 1, .op = OP_EQ, .value = F_SETFD})})};

	(void)state;
	assert_int_equal(status_under(&p, use_calls), 0);
}

static int call_getppid(int listener)
{
	(void)listener;
	return (int)syscall(SYS_getppid) & 0;
}

static void test_kill_process_kills(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 RULES({.names = NAMES("getppid"), .action = ACT_KILL_PROCESS})};

	(void)state;
	assert_int_equal(WTERMSIG(status_under(&p, call_getppid)), SIGSYS);
}

static int check_listener(int listener)
{
	return listener < 0 || fcntl(listener, F_GETFD) != FD_CLOEXEC;
}

static void test_notify_gives_a_listener(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 RULES({.names = NAMES("getppid"), .action = ACT_NOTIFY})};

	(void)state;
	assert_int_equal(status_under(&p, check_listener), 0);
}

static void test_a_flag_for_listeners_alone_is_explained(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 .flags_given = true,
				 .flags = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV};
	struct seccomp_program program;
	int listener;

	(void)state;
	assert_int_equal(seccomp_compile(&p, seccomp_native_arch, NULL, &arena, &program, &e), 0);
	assert_int_equal(seccomp_load(&program, &listener, &e), -1);
	assert_int_equal(e.sys, EINVAL);
	assert_string_equal(e.hint, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV takes Linux 5.19 and a "
				    "rule with SCMP_ACT_NOTIFY");
}

static void test_the_kernel_tells_its_flags(void **state)
{
	(void)state;
	/* Linux 4.17 has these three; what is newer may be missing. */
	assert_int_equal(seccomp_kernel_flags() & 7, 7);
	assert_int_equal(seccomp_kernel_flags() & ~0x27u, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_loaded_filter_works),
		TEST(test_kill_process_kills),
		TEST(test_notify_gives_a_listener),
		TEST(test_a_flag_for_listeners_alone_is_explained),
		TEST(test_the_kernel_tells_its_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
