/*
 * Readiness: what counts as READY=1, that nothing a container sends is kept, and what the service
 * manager is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/notify.h"
#include "scratch.h"
#include "sys/address.h"

static int manager; /* the service manager's end */
static struct notify notify;

static int open_all(void **state)
{
	struct sockaddr_un un;

	scratch_setup(state);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	un = address_below(scratch, "manager");
	assert_int_equal(bind(manager, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(notify_make_place(scratch, &scratch_err), 0);
	assert_int_equal(notify_open(&notify, scratch, scratch_name("manager"), NULL, &scratch_err),
			 0);
	return 0;
}

static int close_all(void **state)
{
	notify_close(&notify);
	fd_close(&manager);
	return scratch_teardown(state);
}

/* One datagram to the socket that the container sees, with count descriptors. */
static void send_inside(const char *text, size_t length, size_t count)
{
	_close_ int place = openat(scratch, "notify", O_PATH | O_CLOEXEC);
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = address_below(place, "notify.sock");
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(253 * sizeof(int))]; /* as many as the kernel takes */
	} control = {0};
	struct iovec part = {.iov_base = (void *)(uintptr_t)text, .iov_len = length};
	struct msghdr packet = {
		.msg_name = &un, .msg_namelen = sizeof(un), .msg_iov = &part, .msg_iovlen = 1};

	if (count) {
		packet.msg_control = control.space;
		packet.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		for (size_t i = 0; i < count; i++)
			memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &scratch, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &packet, 0), length);
}

static bool is_ready(const char *text, size_t length)
{
	notify.told = false;
	send_inside(text, length, 0);
	notify_take(&notify, 7);
	fd_close(&notify.barrier);
	return notify.told;
}

static void ready_is_a_line_of_its_own(void **state)
{
	static const char *const yes[] = {"READY=1", "READY=1\n", "\n\nREADY=1\nX=2", "X\nREADY=1"};
	static const char *const no[] = {"READY=0",  "READY=",   "READY=11", "ready=1",
					 "XREADY=1", "READY=1 ", "\n",       "READY =1"};

	(void)state;
	for (size_t i = 0; i < array_len(yes); i++)
		assert_true(is_ready(yes[i], strlen(yes[i])));
	for (size_t i = 0; i < array_len(no); i++)
		assert_false(is_ready(no[i], strlen(no[i])));
	assert_true(is_ready("READY=1", 8)); /* with the NUL at its end */
	assert_false(is_ready("READY=1\0X", 9));
	assert_false(is_ready("", 0));
}

static void only_what_fits_is_looked_at(void **state)
{
	static const char end[] = "\nREADY=1";
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + 4096 - strlen(end), end, strlen(end));
	assert_true(is_ready(text, 4096));
	assert_false(is_ready(text, 4097));
	memcpy(text, "READY=1\n", 8);
	assert_false(is_ready(text, sizeof(text)));
}

static void descriptors_are_not_kept(void **state)
{
	size_t before = scratch_open_files();

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		send_inside("BARRIER=1", 9, 253);
		notify_take(&notify, 7);
	}
	assert_int_equal(scratch_open_files(), before);
	assert_false(notify.told);
}

static void manager_is_told_once(void **state)
{
	char text[64] = "";

	(void)state;
	send_inside("READY=1\nMAINPID=1", 17, 0);
	send_inside("READY=1", 7, 0);
	notify_take(&notify, 7);
	notify_take(&notify, 7);
	assert_true(recv(manager, text, sizeof(text), 0) > 0);
	assert_string_equal(text, "READY=1\nMAINPID=7\n");
	assert_true(notify.barrier >= 0);
	assert_int_equal(recv(manager, text, sizeof(text), 0), strlen("BARRIER=1"));
	assert_memory_equal(text, "BARRIER=1", 9);
	assert_int_equal(recv(manager, text, sizeof(text), MSG_DONTWAIT), -1);
	notify_settle(&notify); /* the descriptor went with the message */
	assert_int_equal(notify.barrier, -1);
}

static void nothing_to_take_is_no_wait(void **state)
{
	(void)state;
	notify_take(&notify, 7);
	assert_false(notify.told);
}

/* A container that can write to the place after all must not reach anything else by it. */
static void no_name_in_the_place_is_followed(void **state)
{
	struct notify other;
	struct stat st;

	(void)state;
	scratch_file("victim", "");
	assert_int_equal(fchmodat(scratch, "victim", 0600, 0), 0);
	assert_int_equal(unlinkat(scratch, "notify/notify.sock", 0), 0);
	assert_int_equal(symlinkat(scratch_name("victim"), scratch, "notify/notify.sock"), 0);
	assert_int_equal(notify_open(&other, scratch, scratch_name("manager"), NULL, &scratch_err),
			 0);
	notify_close(&other);
	assert_int_equal(fstatat(scratch, "victim", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(scratch, "notify/notify.sock", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0777);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(ready_is_a_line_of_its_own, open_all, close_all),
		cmocka_unit_test_setup_teardown(only_what_fits_is_looked_at, open_all, close_all),
		cmocka_unit_test_setup_teardown(descriptors_are_not_kept, open_all, close_all),
		cmocka_unit_test_setup_teardown(manager_is_told_once, open_all, close_all),
		cmocka_unit_test_setup_teardown(nothing_to_take_is_no_wait, open_all, close_all),
		cmocka_unit_test_setup_teardown(no_name_in_the_place_is_followed, open_all,
						close_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
