/*
 * Terminals: what passes for a devpts, the mode and the size, and which terminal is the caller's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "scratch.h"
#include "sys/tty.h"

static int master = -1, slave = -1;

static int setup(void **state)
{
	return scratch_setup(state) || openpty(&master, &slave, NULL, NULL, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&master);
	fd_close(&slave);
	return scratch_teardown(state);
}

static void one_is_made_in_a_devpts(void **state)
{
	_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int own = tty_make(root, &scratch_err);
	_close_ int other = -1;
	char name[TTY_NAME_MAX];
	struct stat by_name, st;

	(void)state;
	if (own < 0) /* a machine without a devpts at its own /dev/pts */
		skip();
	other = tty_open_slave(own, &scratch_err);
	assert_true(other >= 0 && isatty(other));
	assert_int_equal(fcntl(own, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(other, F_GETFD), FD_CLOEXEC);
	assert_int_equal(tty_name(own, name, &scratch_err), 0);
	assert_true(!stat(name, &by_name) && !fstat(other, &st));
	assert_true(by_name.st_rdev == st.st_rdev && by_name.st_ino == st.st_ino);
}

static void fails_in_scratch(const char *part)
{
	size_t before = scratch_open_files();

	assert_int_equal(tty_make(scratch, &scratch_err), -1);
	assert_non_null(strstr(scratch_err.text, part));
	assert_non_null(strstr(scratch_err.hint, "devpts"));
	assert_int_equal(scratch_open_files(), before);
}

static void nothing_but_a_devpts_will_do(void **state)
{
	(void)state;
	fails_in_scratch("no such file or directory");
	scratch_directory("dev");
	scratch_link("dev/pts", "/dev/pts");
	fails_in_scratch("too many levels of symbolic links");
	assert_int_equal(unlinkat(scratch, "dev/pts", 0), 0);
	scratch_file("dev/pts", "");
	fails_in_scratch("not a directory");
	assert_int_equal(unlinkat(scratch, "dev/pts", 0), 0);
	scratch_directory("dev/pts");
	scratch_link("dev/pts/ptmx", "/dev/ptmx");
	fails_in_scratch("is not a devpts");
}

static void size_is_set_and_got(void **state)
{
	struct tty_size size = {.rows = 12, .columns = 345}, got;

	(void)state;
	assert_int_equal(tty_set_size(master, size, &scratch_err), 0);
	assert_int_equal(tty_get_size(slave, &got, &scratch_err), 0);
	assert_int_equal(got.rows, 12);
	assert_int_equal(got.columns, 345);
	assert_int_equal(tty_get_size(scratch, &got, &scratch_err), -1);
}

static bool same_mode(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_lflag == b->c_lflag &&
	       a->c_cflag == b->c_cflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

static void raw_mode_keeps_the_output_and_can_be_taken_back(void **state)
{
	struct termios at_first, before, now;

	(void)state;
	assert_int_equal(tcgetattr(slave, &at_first), 0);
	assert_int_equal(tty_make_raw(slave, &before, &scratch_err), 0);
	assert_true(same_mode(&before, &at_first));
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_false(now.c_lflag & (ECHO | ICANON | ISIG | IEXTEN));
	assert_false(now.c_iflag & (ICRNL | IXON));
	assert_int_equal(now.c_oflag, at_first.c_oflag);
	tty_restore(slave, &before);
	assert_int_equal(tcgetattr(slave, &now), 0);
	assert_true(same_mode(&now, &at_first));
}

static void newlines_can_be_kept(void **state)
{
	char shown[8];

	(void)state;
	assert_int_equal(tty_keep_newlines(master, &scratch_err), 0);
	assert_int_equal(write(slave, "a\nb\n", 4), 4);
	assert_int_equal(read(master, shown, sizeof(shown)), 4);
	assert_memory_equal(shown, "a\nb\n", 4);
}

static void opened_again_it_does_not_wait(void **state)
{
	_close_ int own = tty_reopen(slave, &scratch_err);
	char key;

	(void)state;
	assert_true(own >= 0);
	assert_int_equal(read(own, &key, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_false(fcntl(slave, F_GETFL) & O_NONBLOCK);
}

/* In a process of its own: the slave is the controlling terminal and all standard streams. */
static int adopt(void *argument)
{
	struct err e;
	int found;

	(void)argument;
	if (setsid() < 0 || tty_adopt(slave, &e))
		return 1;
	for (int fd = 0; fd <= 2; fd++)
		if (!isatty(fd) || fcntl(fd, F_GETFD) != 0)
			return 2;
	found = tty_find(&e);
	if (found < 3 || tcgetsid(found) != getpid() || tty_in_background(found))
		return 3;
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(scratch, fd);
	found = tty_find(&e); /* by way of /dev/tty */
	return found < 3 || tcgetsid(found) != getpid() ? 4 : 0;
}

static void adopted_it_is_the_callers_terminal(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(adopt, NULL), 0);
}

static int find_none(void *argument)
{
	struct err e;

	(void)argument;
	for (int fd = 0; fd <= 2; fd++)
		(void)dup2(scratch, fd);
	if (setsid() < 0 || tty_find(&e) != -1)
		return 1;
	return e.sys != ENXIO || strcmp(e.text, "open /dev/tty: no such device or address");
}

static void without_one_none_is_found(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(find_none, NULL), 0);
}

/* The terminal that is found is the first of standard error, output, input. */
static int find_in_order(void *argument)
{
	struct stat here, there;
	struct err e;
	int fd;

	(void)argument;
	for (fd = 0; fd <= 2; fd++)
		(void)dup2(scratch, fd);
	for (fd = 0; fd <= 2; fd++) {
		int number = dup2(fd == 1 ? slave : master, fd), found = tty_find(&e);

		if (fstat(number, &here) || fstat(found, &there) || here.st_rdev != there.st_rdev)
			return fd + 1;
	}
	return 0;
}

static void standard_error_is_asked_first(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(find_in_order, NULL), 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(one_is_made_in_a_devpts),
		test(nothing_but_a_devpts_will_do),
		test(size_is_set_and_got),
		test(raw_mode_keeps_the_output_and_can_be_taken_back),
		test(newlines_can_be_kept),
		test(opened_again_it_does_not_wait),
		test(adopted_it_is_the_callers_terminal),
		test(without_one_none_is_found),
		test(standard_error_is_asked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
