/*
 * The protocol with an init that is no longer ours: whatever it sends, what is told is an error,
 * and no descriptor of it stays with the runtime.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "plan/plan.h"
#include "run/sync.h"
#include "scratch.h"

static int near_end = -1, far_end = -1; /* we receive on the near one */
static struct sync_incoming incoming;

static int setup(void **state)
{
	int pair[2];

	if (scratch_setup(state) || sync_pair(pair, &scratch_err))
		return -1;
	near_end = pair[0];
	far_end = pair[1];
	incoming = (struct sync_incoming){.terminal = -1, .agent = -1};
	return 0;
}

static int teardown(void **state)
{
	fd_close(&near_end);
	fd_close(&far_end);
	return scratch_teardown(state);
}

static void an_error_that_is_none_is_made_one(void **state)
{
	struct err why = {.code = 77};

	(void)state;
	memset(why.pointer, 'x', sizeof(why.pointer));
	memset(why.hint, 'x', sizeof(why.hint));
	sync_send_failed(far_end, &why);
	assert_int_equal(sync_receive_done(near_end, STAGE_JOIN, &incoming, &scratch_err), -1);
	assert_string_equal(scratch_err.text, "the other process does not say why");
	assert_int_equal(scratch_err.code, ERR_SYSTEM);
	assert_string_equal(scratch_err.pointer, "");
	assert_int_equal(strlen(scratch_err.hint), sizeof(why.hint) - 1);
}

/* A message without its error, and as many descriptors with it. */
static void send_with(enum sync_kind kind, unsigned passed)
{
	struct sync_message message = {.kind = (int32_t)kind};
	struct iovec part = {&message, offsetof(struct sync_message, err)};
	const int both[2] = {scratch, scratch};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(both))];
	} control = {.header = {CMSG_LEN(passed * sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = &control,
				.msg_controllen = CMSG_SPACE(passed * sizeof(int))};

	memcpy(CMSG_DATA(&control.header), both, passed * sizeof(int));
	assert_int_equal(sendmsg(far_end, &packet, 0), (ssize_t)part.iov_len);
}

static void a_descriptor_with_exec_is_closed(void **state)
{
	size_t before;

	(void)state;
	send_with(SYNC_EXEC, 1);
	send_with(SYNC_DONE, 1);
	fd_close(&far_end);
	before = scratch_open_files();
	assert_int_equal(sync_wait_exec(near_end, &incoming, &scratch_err), -1);
	assert_int_equal(scratch_open_files(), before);
}

static void of_two_descriptors_none_stays(void **state)
{
	size_t before = scratch_open_files();

	(void)state;
	send_with(SYNC_DONE, 2);
	assert_int_equal(sync_receive_done(near_end, STAGE_JOIN, &incoming, &scratch_err), -1);
	assert_int_equal(scratch_open_files(), before);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(an_error_that_is_none_is_made_one),
		test(a_descriptor_with_exec_is_closed),
		test(of_two_descriptors_none_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
