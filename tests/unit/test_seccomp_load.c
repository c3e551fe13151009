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
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "base/str.h"
#include "seccomp_profiles.h"
#include "security/seccomp.h"
#include "sys/fdpass.h"

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

/* ---- a listener that is sent ----------------------------------------------------------------- */

static int send_to(int to, int listener, struct err *failure)
{
	return fdpass_send(to, "listener", listener, failure);
}

static int receive_from(int from)
{
	char control[CMSG_SPACE(sizeof(int))], text[16];
	struct iovec part = {.iov_base = text, .iov_len = sizeof(text)};
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(from, &packet, MSG_CMSG_CLOEXEC) <= 0 || !CMSG_FIRSTHDR(&packet))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&packet)), sizeof(int));
	return fd;
}

/* Answers calls with EDQUOT until nobody is left to call; returns the last one's number. */
static int answer_all(int listener)
{
	struct pollfd wait = {.fd = listener, .events = POLLIN};
	int number = -1;

	while (poll(&wait, 1, 10000) == 1 && wait.revents & POLLIN) {
		struct seccomp_notif call = {0};
		struct seccomp_notif_resp answer = {.error = -EDQUOT};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
			continue; /* it was killed meanwhile */
		number = call.data.nr;
		answer.id = call.id;
		(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	return number;
}

/* The one thing that the filter lets through. */
static void end(int status) __attribute__((noreturn));
static void end(int status)
{
	for (;;)
		(void)syscall(SYS_exit_group, status);
}

static void test_the_strictest_filter_keeps_no_listener_back(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_KILL_PROCESS,
				 RULES({.names = NAMES("exit_group"), .action = ACT_ALLOW},
				       {.names = NAMES("getppid"), .action = ACT_NOTIFY})};
	struct seccomp_program program;
	int pair[2], status, listener;
	pid_t child;

	(void)state;
	assert_int_equal(seccomp_compile(&p, seccomp_native_arch, NULL, &arena, &program, &e), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (!child) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
		    seccomp_load_and_send(&program, send_to, pair[1], &e))
			_exit(100);
		end(syscall(SYS_getppid) == -1 && errno == EDQUOT ? 0 : 101);
	}
	close(pair[1]);
	listener = receive_from(pair[0]);
	close(pair[0]);
	assert_true(listener >= 0);
	assert_int_equal(answer_all(listener), SYS_getppid);
	close(listener);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* In a child, which gets a filter: 0, or what was not as it should be. */
static int fail_to_send(struct seccomp_program *program, const char *text)
{
	int to = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	if (seccomp_load_and_send(program, send_to, to, &e) != -1)
		return 2;
	if (!strstr(e.text, text))
		return 3;
	return fcntl(to + 1, F_GETFD) == -1 ? 0 : 4; /* the listener is closed */
}

static void test_a_failure_is_told(void **state)
{
	static const char *const texts[] = {"send a descriptor: ",
					    "error loading seccomp filter into kernel"};
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 RULES({.names = NAMES("getppid"), .action = ACT_NOTIFY})};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		struct seccomp_program program;
		pid_t child;
		int status;

		assert_int_equal(
			seccomp_compile(&p, seccomp_native_arch, NULL, &arena, &program, &e), 0);
		if (i == 1)
			program.length = 0;
		child = fork();
		assert_int_not_equal(child, -1);
		if (!child)
			_exit(fail_to_send(&program, texts[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_loaded_filter_works),
		TEST(test_kill_process_kills),
		TEST(test_notify_gives_a_listener),
		TEST(test_the_strictest_filter_keeps_no_listener_back),
		TEST(test_a_failure_is_told),
		TEST(test_a_flag_for_listeners_alone_is_explained),
		TEST(test_the_kernel_tells_its_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
