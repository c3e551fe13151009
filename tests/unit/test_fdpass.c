/*
 * Passing a descriptor to a listener: paths of any length, what arrives, and how long a listener is
 * waited for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "scratch.h"
#include "sys/fdpass.h"

/* A listener at name below the test's directory; a long name is given to it afterwards. */
static int listen_at(const char *name)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/socket", scratch_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(rename(un.sun_path, scratch_name(name)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

/* One message: its length, its text, and the descriptor that came with it. */
static ssize_t take(int listener, char text[64], int *ret_fd)
{
	_close_ int fd = accept(listener, NULL, NULL);
	char control[CMSG_SPACE(4 * sizeof(int))];
	struct iovec part = {.iov_base = text, .iov_len = 64};
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &packet, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = CMSG_FIRSTHDR(&packet);

	assert_non_null(header);
	assert_int_equal(header->cmsg_len, CMSG_LEN(sizeof(int)));
	memcpy(ret_fd, CMSG_DATA(header), sizeof(int));
	return n;
}

static void text_and_descriptor_arrive(void **state)
{
	_close_ int listener = listen_at("s");
	_close_ int connection = fdpass_connect(scratch_name("s"), &scratch_err);
	_close_ int got = -1;
	struct stat sent, there;
	char text[64];

	(void)state;
	assert_true(connection >= 0);
	assert_int_equal(fcntl(connection, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fdpass_send(connection, "/dev/pts/7", scratch, &scratch_err), 0);
	assert_int_equal(take(listener, text, &got), 10); /* no NUL */
	assert_memory_equal(text, "/dev/pts/7", 10);
	assert_true(!fstat(scratch, &sent) && !fstat(got, &there));
	assert_true(sent.st_ino == there.st_ino && sent.st_dev == there.st_dev);
}

static void a_path_may_be_longer_than_an_address(void **state)
{
	char name[256] = {0};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	for (size_t length = 60; length < sizeof(name); length += 39) {
		const char *part = name + sizeof(name) - 1 - length;
		_close_ int listener = listen_at(part);
		_close_ int connection = fdpass_connect(scratch_name(part), &scratch_err);

		assert_true(listener >= 0 && connection >= 0);
	}
}

static void nothing_stays_open_after_a_failure(void **state)
{
	size_t before = scratch_open_files();

	(void)state;
	assert_int_equal(fdpass_connect(scratch_name("missing"), &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ENOENT);
	assert_non_null(strstr(scratch_err.text, "dial unix /"));
	assert_non_null(strstr(scratch_err.text, "/missing: connect: no such file or directory"));
	scratch_file("file", "");
	assert_int_equal(fdpass_connect(scratch_name("file"), &scratch_err), -1);
	assert_int_equal(scratch_err.sys, ECONNREFUSED);
	assert_int_equal(scratch_open_files(), before);
}

static void a_socket_of_another_kind_is_refused_at_once(void **state)
{
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/d", scratch_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(fdpass_connect(scratch_name("d"), &scratch_err), -1);
	assert_int_equal(scratch_err.sys, EPROTOTYPE);
}

static int listen_late(void *argument)
{
	struct timespec pause = {.tv_nsec = 50000000};

	(void)argument;
	(void)nanosleep(&pause, NULL);
	return accept(listen_at("late"), NULL, NULL) < 0;
}

static void a_listener_may_come_a_little_late(void **state)
{
	_close_ int connection = -1;
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(listen_late(NULL));
	connection = fdpass_connect(scratch_name("late"), &scratch_err);
	assert_true(connection >= 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_listener_that_is_gone_is_an_error_and_no_signal(void **state)
{
	_close_ int listener = listen_at("s");
	_close_ int connection = fdpass_connect(scratch_name("s"), &scratch_err);

	(void)state;
	fd_close(&listener);
	assert_int_equal(fdpass_send(connection, "x", scratch, &scratch_err), -1);
	assert_int_equal(scratch_err.sys, EPIPE);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(text_and_descriptor_arrive),
		test(a_path_may_be_longer_than_an_address),
		test(nothing_stays_open_after_a_failure),
		test(a_socket_of_another_kind_is_refused_at_once),
		test(a_listener_may_come_a_little_late),
		test(a_listener_that_is_gone_is_an_error_and_no_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
