/*
 * The relay between the caller and a program's terminal: both are terminals made here, the relay
 * runs in a process of its own and the test is the person in front of it and the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "run/relay.h"
#include "scratch.h"
#include "sys/tty.h"

static int screen, caller;  /* the caller's terminal */
static int program, master; /* the program's */

static int setup(void **state)
{
	struct winsize size = {.ws_row = 33, .ws_col = 111};
	struct err e;

	return scratch_setup(state) || openpty(&screen, &caller, NULL, NULL, &size) ||
			       openpty(&master, &program, NULL, NULL, NULL) ||
			       tty_keep_newlines(program, &e)
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	fd_close(&screen);
	fd_close(&caller);
	fd_close(&master);
	fd_close(&program);
	return scratch_teardown(state);
}

static bool closed(const struct relay *r)
{
	return r->master < 0;
}

/* Relays until the program's terminal is closed, by whomever. */
static int relay_on(int in, int out)
{
	struct pollfd wait[RELAY_FDS];
	struct relay r;
	struct err e;

	if (dup2(in, 0) || dup2(out, 1) != 1 || dup2(caller, 2) != 2)
		return 1;
	fd_close(&screen);
	fd_close(&program);
	if (relay_begin(&r, master, &scratch_arena, &e))
		return 2;
	fd_close(&r.slave); /* so that the end of the program's is seen here */
	while (!closed(&r)) {
		relay_watch(&r, wait);
		if (poll(wait, RELAY_FDS, 5000) <= 0)
			return 3;
		relay_move(&r, wait);
	}
	relay_end(&r);
	return 0;
}

static pid_t start(int in, int out)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(relay_on(in, out));
	fd_close(&master);
	return child;
}

static void ends_well(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Reads until text has been shown, and nothing else. */
static void reads(int fd, const char *text)
{
	size_t length = strlen(text), got = 0;
	char shown[256];

	assert_true(length <= sizeof(shown));
	while (got < length) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		ssize_t n = poll(&wait, 1, 5000) == 1 ? read(fd, shown + got, length - got) : 0;

		assert_true(n > 0);
		got += (size_t)n;
	}
	assert_memory_equal(shown, text, length);
}

static void types(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void keys_and_what_is_shown_go_through(void **state)
{
	struct termios before, after;
	pid_t child;

	(void)state;
	assert_int_equal(tcgetattr(caller, &before), 0);
	child = start(caller, caller);
	types(program, "ready\n");
	reads(screen, "ready\r\n"); /* by the caller's terminal */
	types(screen, "\x01\x02x\r");
	reads(screen, "^A^Bx\r\n"); /* the echo of the program's */
	reads(program, "\x01\x02x\n");
	fd_close(&program);
	ends_well(child);
	assert_int_equal(tcgetattr(caller, &after), 0);
	assert_true(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag);
}

static void the_size_is_copied(void **state)
{
	struct tty_size size;
	pid_t child = start(caller, caller);

	(void)state;
	types(program, "x");
	reads(screen, "x");
	assert_int_equal(tty_get_size(program, &size, &scratch_err), 0);
	assert_int_equal(size.rows, 33);
	assert_int_equal(size.columns, 111);
	fd_close(&program);
	ends_well(child);
}

static void the_callers_hang_up_is_the_programs(void **state)
{
	pid_t child = start(caller, caller);
	char key;

	(void)state;
	types(program, "x");
	reads(screen, "x");
	fd_close(&screen);
	ends_well(child);
	assert_true(read(program, &key, 1) <= 0);
}

static void the_end_of_a_pipe_is_not(void **state)
{
	int keys[2];
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(keys, O_CLOEXEC), 0);
	child = start(keys[0], caller);
	types(keys[1], "word\n");
	fd_close(&keys[0]);
	fd_close(&keys[1]);
	reads(program, "word\n");
	types(program, "still here\n");
	reads(screen, "word\r\nstill here\r\n"); /* the echo first */
	fd_close(&program);
	ends_well(child);
}

static void a_pipe_that_nobody_reads_hangs_up(void **state)
{
	int shown[2];
	pid_t child;

	(void)state;
	assert_int_equal(pipe2(shown, O_CLOEXEC), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	fd_close(&shown[0]);
	child = start(caller, shown[1]);
	fd_close(&shown[1]);
	types(program, "for nobody\n");
	ends_well(child);
	(void)signal(SIGPIPE, SIG_DFL);
}

static void a_relay_that_does_nothing_can_be_asked_everything(void **state)
{
	struct pollfd wait[RELAY_FDS];
	struct relay r;

	(void)state;
	relay_none(&r);
	relay_watch(&r, wait);
	assert_int_equal(poll(wait, RELAY_FDS, 0), 0);
	relay_move(&r, wait);
	relay_resize(&r);
	relay_resume(&r);
	assert_false(relay_has_rest(&r));
	relay_end(&r);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(keys_and_what_is_shown_go_through),
		test(the_size_is_copied),
		test(the_callers_hang_up_is_the_programs),
		test(the_end_of_a_pipe_is_not),
		test(a_pipe_that_nobody_reads_hangs_up),
		test(a_relay_that_does_nothing_can_be_asked_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
