/*
 * The protocol between the runtime and init: what each message brings, and that everything which is
 * not the expected message is a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "plan/plan.h"
#include "run/sync.h"
#include "scratch.h"

static int near_end = -1, far_end = -1; /* we receive on the near one */
static struct sync_incoming incoming, silent;
static char logged[256];

static void keep(void *user, enum log_level level, const char *message)
{
	size_t used = strlen(logged);

	(void)user;
	(void)snprintf(logged + used, sizeof(logged) - used, "%d %s\n", (int)level, message);
}

static const struct log debug_log = {.level = LOG_LEVEL_DEBUG, .sink = keep};

static int setup(void **state)
{
	int pair[2];

	if (scratch_setup(state) || sync_pair(pair, &scratch_err))
		return -1;
	near_end = pair[0];
	far_end = pair[1];
	logged[0] = '\0';
	silent = (struct sync_incoming){.terminal = -1, .agent = -1};
	incoming = silent;
	incoming.log = &debug_log;
	return 0;
}

static int teardown(void **state)
{
	fd_close(&near_end);
	fd_close(&far_end);
	fd_close(&incoming.terminal);
	fd_close(&incoming.agent);
	return scratch_teardown(state);
}

static int receive_done(int stage)
{
	return sync_receive_done(near_end, stage, &incoming, &scratch_err);
}

static void send_done(int stage)
{
	assert_int_equal(sync_send_done(far_end, stage, &scratch_err), 0);
}

#define fails_with(call, part) \
	do { \
		assert_int_equal(call, -1); \
		assert_non_null(strstr(scratch_err.text, part)); \
	} while (0)

static void the_pair_does_not_live_through_exec(void **state)
{
	(void)state;
	assert_int_equal(fcntl(near_end, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(far_end, F_GETFD), FD_CLOEXEC);
}

static void done_is_received_in_both_directions(void **state)
{
	(void)state;
	send_done(STAGE_JOIN);
	send_done(STAGE_ROOTFS);
	assert_int_equal(receive_done(STAGE_JOIN), 0);
	assert_int_equal(receive_done(STAGE_ROOTFS), 0);
	assert_int_equal(sync_send_done(near_end, STAGE_MAPS, &scratch_err), 0);
	assert_int_equal(sync_receive_done(far_end, STAGE_MAPS, &silent, &scratch_err), 0);
}

static void done_of_another_stage_is_a_failure(void **state)
{
	(void)state;
	send_done(STAGE_JOIN);
	fails_with(receive_done(STAGE_SEAL), "expected message 1 of stage 7, got 1 of stage 1");
}

static void failed_brings_the_peers_error_as_it_is(void **state)
{
	struct err why = {.code = ERR_UNSUPPORTED, .sys = EPERM};

	(void)state;
	memset(why.text, 'x', sizeof(why.text) - 1); /* the longest there is */
	strcpy(why.pointer, "/mounts/3");
	strcpy(why.hint, "do as I say");
	sync_send_failed(far_end, &why);
	assert_int_equal(receive_done(STAGE_JOIN), -1);
	assert_memory_equal(&scratch_err, &why, sizeof(why));
}

static void failed_is_heard_wherever_one_waits(void **state)
{
	struct err why;
	int64_t pid;
	int pidfd;

	(void)state;
	err_set(&why, ERR_INVALID, "no such program");
	sync_send_failed(far_end, &why);
	sync_send_failed(far_end, &why);
	fd_close(&far_end);
	fails_with(sync_receive_spawned(near_end, &silent, &pid, &pidfd, &scratch_err),
		   "no such program");
	fails_with(sync_wait_exec(near_end, &silent, &scratch_err), "no such program");
	assert_int_equal(scratch_err.code, ERR_INVALID);
}

static void end_of_file_is_a_failure(void **state)
{
	int64_t pid = 77;
	int pidfd = 77;

	(void)state;
	fd_close(&far_end);
	fails_with(receive_done(STAGE_JOIN), "the other process ended unexpectedly");
	fails_with(sync_receive_spawned(near_end, &silent, &pid, &pidfd, &scratch_err),
		   "the other process ended unexpectedly");
	assert_int_equal(pid, 77);
	assert_int_equal(pidfd, 77);
}

static void an_end_with_unread_words_is_the_same(void **state)
{
	(void)state;
	assert_int_equal(sync_send_done(near_end, STAGE_ROOTFS, &scratch_err), 0);
	fd_close(&far_end); /* the kernel calls this a reset */
	fails_with(receive_done(STAGE_ENTER), "the other process ended unexpectedly");
}

static void what_was_sent_before_the_end_still_counts(void **state)
{
	(void)state;
	send_done(STAGE_SEAL);
	fd_close(&far_end);
	assert_int_equal(receive_done(STAGE_SEAL), 0);
	fails_with(receive_done(STAGE_GATE), "ended unexpectedly");
}

/* ---- waiting for exec ------------------------------------------------------------------------ */

static void send_exec(void)
{
	assert_int_equal(sync_send_exec(far_end, &scratch_err), 0);
}

static void end_of_file_behind_exec_is_success(void **state)
{
	(void)state;
	send_exec();
	fd_close(&far_end);
	assert_int_equal(sync_wait_exec(near_end, &silent, &scratch_err), 0);
}

static void end_of_file_alone_is_a_death(void **state)
{
	(void)state;
	fd_close(&far_end);
	fails_with(sync_wait_exec(near_end, &silent, &scratch_err), "ended unexpectedly");
	fails_with(sync_wait_exec(near_end, &incoming, &scratch_err), "ended unexpectedly");
}

static void a_failure_behind_exec_is_heard(void **state)
{
	struct err why;

	(void)state;
	send_exec();
	err_set(&why, ERR_SYSTEM, "exec format error");
	sync_send_failed(far_end, &why);
	fd_close(&far_end);
	fails_with(sync_wait_exec(near_end, &silent, &scratch_err), "exec format error");
}

static void nothing_else_comes_before_exec_or_behind_it(void **state)
{
	(void)state;
	send_done(STAGE_GATE);
	send_exec();
	send_done(STAGE_GATE);
	fd_close(&far_end);
	fails_with(sync_wait_exec(near_end, &silent, &scratch_err), "expected message 5");
	fails_with(sync_wait_exec(near_end, &silent, &scratch_err), "expected message 8");
}

static void log_lines_come_around_exec(void **state)
{
	(void)state;
	sync_send_log(far_end, "almost there");
	send_exec();
	sync_send_log(far_end, "gone");
	fd_close(&far_end);
	assert_int_equal(sync_wait_exec(near_end, &incoming, &scratch_err), 0);
	assert_string_equal(logged, "3 almost there\n3 gone\n");
}

static void wait_and_end(void)
{
	struct timespec pause = {.tv_nsec = 20000000};

	if (sync_send_exec(far_end, &scratch_err))
		_exit(1);
	(void)nanosleep(&pause, NULL);
	_exit(0);
}

/* Success is told when the peer is through, not when it says so. */
static void exec_is_waited_for(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		wait_and_end();
	fd_close(&far_end);
	assert_int_equal(sync_wait_exec(near_end, &silent, &scratch_err), 0);
	/* A moment later at most, its end can be waited for. */
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void assert_is_scratch(int fd)
{
	struct stat sent, got;

	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(scratch, &sent) || fstat(fd, &got), 0);
	assert_true(sent.st_ino == got.st_ino && sent.st_dev == got.st_dev);
}

static void spawned_brings_pid_and_pidfd(void **state)
{
	int64_t pid = 0;
	int pidfd = -1;

	(void)state;
	assert_int_equal(sync_send_spawned(far_end, INT64_C(0x123456789), scratch, &scratch_err),
			 0);
	assert_int_equal(sync_receive_spawned(near_end, &silent, &pid, &pidfd, &scratch_err), 0);
	assert_true(pid == INT64_C(0x123456789));
	assert_is_scratch(pidfd);
	fd_close(&pidfd);
}

static void spawned_without_pidfd_is_a_failure(void **state)
{
	int64_t pid = 77;
	int pidfd = 77;

	(void)state;
	assert_int_equal(sync_send_spawned(far_end, 12, -1, &scratch_err), 0);
	fails_with(sync_receive_spawned(near_end, &silent, &pid, &pidfd, &scratch_err),
		   "sent no pidfd");
	assert_int_equal(pid, 77);
	assert_int_equal(pidfd, 77);
}

static void spawned_is_not_done_and_done_not_spawned(void **state)
{
	int64_t pid;
	int pidfd;

	(void)state;
	assert_int_equal(sync_send_spawned(far_end, 12, scratch, &scratch_err), 0);
	fails_with(receive_done(STAGE_JOIN), "expected message 1 of stage 1, got 2 of stage 0");
	send_done(STAGE_PREPARE);
	fails_with(sync_receive_spawned(near_end, &silent, &pid, &pidfd, &scratch_err),
		   "expected message 2");
}

static void a_descriptor_nobody_expects_is_closed(void **state)
{
	size_t before = scratch_open_files();

	(void)state;
	assert_int_equal(sync_send_spawned(far_end, 12, scratch, &scratch_err), 0);
	assert_int_equal(receive_done(STAGE_JOIN), -1);
	assert_int_equal(sync_send_spawned(far_end, 12, scratch, &scratch_err), 0);
	assert_int_equal(sync_wait_exec(near_end, &incoming, &scratch_err), -1);
	assert_int_equal(scratch_open_files(), before);
}

static void send_terminal(int fd)
{
	assert_int_equal(sync_send_terminal(far_end, fd, &scratch_err), 0);
}

static void a_terminal_comes_on_the_way_to_done(void **state)
{
	(void)state;
	sync_send_log(far_end, "before");
	send_terminal(scratch);
	sync_send_log(far_end, "behind");
	send_done(STAGE_SEAL);
	assert_int_equal(receive_done(STAGE_SEAL), 0);
	assert_string_equal(logged, "3 before\n3 behind\n");
	assert_is_scratch(incoming.terminal);
}

static void a_terminal_is_neither_done_nor_sent_twice(void **state)
{
	size_t before;

	(void)state;
	for (int i = 0; i < 3; i++)
		send_terminal(scratch);
	send_terminal(-1);
	before = scratch_open_files();
	fails_with(receive_done(STAGE_SEAL), "expected message 1"); /* the first one is kept */
	fails_with(receive_done(STAGE_SEAL), "expected message 1");
	assert_int_equal(scratch_open_files(), before + 1);
	fd_close(&incoming.terminal);
	fails_with(receive_done(STAGE_SEAL), "expected message 1"); /* without a descriptor */
	assert_int_equal(incoming.terminal, -1);
}

/* The other end of the connection that the agent listens on. */
static int begin_agent(void)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	incoming.agent = pair[0];
	incoming.agent_text = "the state";
	return pair[1];
}

static void agent_has(int agent, const char *text)
{
	char control[CMSG_SPACE(sizeof(int))], got[64] = "";
	struct iovec part = {.iov_base = got, .iov_len = sizeof(got) - 1};
	struct msghdr packet = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof(control)};
	int fd = -1;

	assert_int_equal(recvmsg(agent, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), strlen(text));
	assert_string_equal(got, text);
	assert_non_null(CMSG_FIRSTHDR(&packet));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&packet)), sizeof(int));
	assert_is_scratch(fd);
	fd_close(&fd);
	assert_int_equal(recv(agent, got, sizeof(got), MSG_DONTWAIT), 0); /* closed */
}

static void a_listener_is_passed_on_before_done(void **state)
{
	_close_ int agent = begin_agent();

	(void)state;
	assert_int_equal(sync_send_listener(far_end, scratch, &scratch_err), 0);
	send_done(STAGE_SEAL);
	assert_int_equal(receive_done(STAGE_SEAL), 0);
	agent_has(agent, "the state");
	assert_int_equal(incoming.agent, -1);
}

/* The peer may be held until the agent answers: its end must not be waited for. */
static void a_listener_is_passed_on_while_the_peer_lives(void **state)
{
	_close_ int agent = begin_agent();
	pid_t child;
	int status;

	(void)state;
	incoming.log = NULL; /* at debug level every message wakes up */
	send_exec();
	assert_int_equal(sync_send_listener(far_end, scratch, &scratch_err), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* the agent, who lets the peer go */
		struct pollfd wait = {.fd = agent, .events = POLLIN};

		_exit(poll(&wait, 1, -1) == 1 && !shutdown(far_end, SHUT_RDWR) ? 0 : 1);
	}
	assert_int_equal(sync_wait_exec(near_end, &incoming, &scratch_err), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	agent_has(agent, "the state");
}

static void a_listener_that_nobody_expects_is_a_failure(void **state)
{
	size_t before = scratch_open_files();

	(void)state;
	assert_int_equal(sync_send_listener(far_end, scratch, &scratch_err), 0);
	fails_with(receive_done(STAGE_SEAL), "expected message 1");
	assert_int_equal(scratch_open_files(), before);
}

static void an_agent_that_is_gone_is_a_failure(void **state)
{
	int agent = begin_agent();

	(void)state;
	fd_close(&agent);
	assert_int_equal(sync_send_listener(far_end, scratch, &scratch_err), 0);
	fails_with(receive_done(STAGE_SEAL), "seccomp listener: send a descriptor: broken pipe");
	assert_true(incoming.agent >= 0); /* so that the caller knows */
}

static void log_lines_come_on_the_way(void **state)
{
	int64_t pid;
	int pidfd = -1;

	(void)state;
	sync_send_log(far_end, "mount proc: 12 µs");
	sync_send_log(far_end, "100 %s");
	send_done(STAGE_ROOTFS);
	sync_send_log(far_end, "pivot");
	assert_int_equal(sync_send_spawned(far_end, 12, scratch, &scratch_err), 0);
	assert_int_equal(receive_done(STAGE_ROOTFS), 0);
	assert_string_equal(logged, "3 mount proc: 12 µs\n3 100 %s\n");
	assert_int_equal(sync_receive_spawned(near_end, &incoming, &pid, &pidfd, &scratch_err), 0);
	assert_non_null(strstr(logged, "3 pivot\n"));
	fd_close(&pidfd);
}

static void log_lines_without_a_log_are_passed_over(void **state)
{
	(void)state;
	sync_send_log(far_end, "for nobody");
	send_done(STAGE_ROOTFS);
	assert_int_equal(sync_receive_done(near_end, STAGE_ROOTFS, &silent, &scratch_err), 0);
}

/* Sends the first size bytes of a message of this kind, and bytes behind it when that is more. */
static void send_raw(int kind, size_t size)
{
	char bytes[sizeof(struct sync_message) + 100];
	struct sync_message message = {.kind = kind, .stage = STAGE_JOIN};

	memset(bytes, 'x', sizeof(bytes));
	err_set(&message.err, ERR_SYSTEM, "told");
	memcpy(bytes, &message, sizeof(message));
	assert_int_equal(send(far_end, bytes, size, 0), size);
}

static void a_message_cut_short_is_a_failure(void **state)
{
	size_t whole = sizeof(struct sync_message), head = offsetof(struct sync_message, err);

	(void)state;
	for (size_t size = 1; size < head; size++) {
		send_raw(SYNC_DONE, size);
		fails_with(receive_done(STAGE_JOIN), "a message of ");
	}
	for (size_t size = head; size < whole; size += 97) {
		send_raw(SYNC_FAILED, size);
		fails_with(receive_done(STAGE_JOIN), "a message of ");
		send_raw(SYNC_LOG, size);
		fails_with(receive_done(STAGE_JOIN), "a message of ");
	}
	assert_string_equal(logged, "");
}

static void a_message_too_long_is_cut(void **state)
{
	(void)state;
	send_raw(SYNC_FAILED, sizeof(struct sync_message) + 100);
	fails_with(receive_done(STAGE_JOIN), "told");
	send_done(STAGE_JOIN);
	assert_int_equal(receive_done(STAGE_JOIN), 0);
}

static void an_unknown_message_is_a_failure(void **state)
{
	static const int kinds[] = {0, -1, SYNC_FAILED + 1, INT32_MAX};

	(void)state;
	for (size_t i = 0; i < array_len(kinds); i++) {
		send_raw(kinds[i], sizeof(struct sync_message));
		fails_with(receive_done(STAGE_JOIN), "expected message 1");
	}
}

static void a_peer_that_is_gone_is_an_error_and_no_signal(void **state)
{
	struct sigaction fatal = {.sa_handler = SIG_DFL}, old;
	struct err why;

	(void)state;
	assert_int_equal(sigaction(SIGPIPE, &fatal, &old), 0);
	fd_close(&near_end);
	fails_with(sync_send_done(far_end, STAGE_JOIN, &scratch_err), "broken pipe");
	err_set(&why, ERR_SYSTEM, "nobody hears this");
	sync_send_failed(far_end, &why);
	sync_send_log(far_end, "nor this");
	assert_int_equal(sigaction(SIGPIPE, &old, NULL), 0);
}

static void ignore(int number)
{
	(void)number;
}

static void send_late(void)
{
	struct timespec pause = {.tv_nsec = 20000000};

	(void)nanosleep(&pause, NULL);
	_exit(sync_send_done(far_end, STAGE_JOIN, &scratch_err) != 0);
}

static void a_signal_does_not_end_the_wait(void **state)
{
	struct itimerval often = {{0, 2000}, {0, 2000}}, never = {0};
	struct sigaction action = {.sa_handler = ignore}, old;
	pid_t child = fork();
	int got, status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		send_late();
	assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	got = receive_done(STAGE_JOIN);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
	assert_int_equal(got, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(the_pair_does_not_live_through_exec),
		test(done_is_received_in_both_directions),
		test(done_of_another_stage_is_a_failure),
		test(failed_brings_the_peers_error_as_it_is),
		test(failed_is_heard_wherever_one_waits),
		test(end_of_file_is_a_failure),
		test(an_end_with_unread_words_is_the_same),
		test(what_was_sent_before_the_end_still_counts),
		test(end_of_file_behind_exec_is_success),
		test(end_of_file_alone_is_a_death),
		test(a_failure_behind_exec_is_heard),
		test(nothing_else_comes_before_exec_or_behind_it),
		test(log_lines_come_around_exec),
		test(exec_is_waited_for),
		test(spawned_brings_pid_and_pidfd),
		test(spawned_without_pidfd_is_a_failure),
		test(spawned_is_not_done_and_done_not_spawned),
		test(a_descriptor_nobody_expects_is_closed),
		test(a_terminal_comes_on_the_way_to_done),
		test(a_terminal_is_neither_done_nor_sent_twice),
		test(a_listener_is_passed_on_before_done),
		test(a_listener_is_passed_on_while_the_peer_lives),
		test(a_listener_that_nobody_expects_is_a_failure),
		test(an_agent_that_is_gone_is_a_failure),
		test(log_lines_come_on_the_way),
		test(log_lines_without_a_log_are_passed_over),
		test(a_message_cut_short_is_a_failure),
		test(a_message_too_long_is_cut),
		test(an_unknown_message_is_a_failure),
		test(a_peer_that_is_gone_is_an_error_and_no_signal),
		test(a_signal_does_not_end_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
