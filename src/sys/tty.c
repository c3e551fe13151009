/*
 * Terminals: see tty.h.
 */
#include "sys/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/inroot.h"

/*
 * The devpts of the tree below root, and nothing else that is found under its name
 * (CVE-2025-52565).
 */
static int open_devpts(int root, struct err *e)
{
	_close_ int pts = inroot_open_plain(root, "/dev/pts", O_PATH | O_DIRECTORY, e);
	struct statfs fs;

	if (pts < 0)
		return err_hint(e, "a terminal needs a mount of type devpts at /dev/pts");
	if (fstatfs(pts, &fs))
		return err_sys(e, "stat /dev/pts in the container's root");
	if (fs.f_type != DEVPTS_SUPER_MAGIC) {
		err_set(e, ERR_INVALID, "/dev/pts in the container's root is not a devpts");
		return err_hint(e, "a terminal needs a mount of type devpts at /dev/pts");
	}
	return fd_take(&pts);
}

int tty_make(int root, struct err *e)
{
	_close_ int pts = open_devpts(root, e);
	_close_ int master = -1;

	if (pts < 0)
		return -1;
	master = inroot_open_onefs(pts, "ptmx", O_RDWR | O_NOCTTY, e);
	if (master < 0)
		return err_wrap(e, "/dev/pts in the container's root");
	if (ioctl(master, TIOCSPTLCK, &(int){0}))
		return err_sys(e, "unlock the pseudo-terminal");
	return fd_take(&master);
}

int tty_open_slave(int master, struct err *e)
{
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (slave < 0)
		return err_sys(e, "open the slave of the pseudo-terminal");
	return slave;
}

int tty_name(int master, char ret[TTY_NAME_MAX], struct err *e)
{
	int number = ptsname_r(master, ret, TTY_NAME_MAX);

	if (!number)
		return 0;
	errno = number;
	return err_sys(e, "get the name of the pseudo-terminal");
}

int tty_adopt(int slave, struct err *e)
{
	for (int fd = 0; fd <= 2; fd++)
		if (dup3(slave, fd, 0) < 0)
			return err_sys(e, "make the pseudo-terminal descriptor %d", fd);
	if (ioctl(slave, TIOCSCTTY, 0))
		return err_sys(e, "make the pseudo-terminal the controlling terminal");
	return 0;
}

int tty_keep_newlines(int fd, struct err *e)
{
	struct termios mode;

	if (tcgetattr(fd, &mode))
		return err_sys(e, "get the mode of the pseudo-terminal");
	mode.c_oflag &= ~(tcflag_t)ONLCR;
	if (tcsetattr(fd, TCSANOW, &mode))
		return err_sys(e, "set the mode of the pseudo-terminal");
	return 0;
}

int tty_get_size(int fd, struct tty_size *ret, struct err *e)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size))
		return err_sys(e, "get the size of the terminal");
	*ret = (struct tty_size){.rows = size.ws_row, .columns = size.ws_col};
	return 0;
}

int tty_set_size(int fd, struct tty_size size, struct err *e)
{
	struct winsize wanted = {.ws_row = size.rows, .ws_col = size.columns};

	if (ioctl(fd, TIOCSWINSZ, &wanted))
		return err_sys(e, "set the size of the terminal");
	return 0;
}

int tty_find(struct err *e)
{
	int fd = 2;

	while (fd >= 0 && !isatty(fd))
		fd--;
	if (fd >= 0) {
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? err_sys(e, "duplicate the terminal") : fd;
	}
	fd = fd_open("/dev/tty", O_RDWR | O_NOCTTY);
	return fd < 0 ? err_sys(e, "open /dev/tty") : fd;
}

bool tty_in_background(int fd)
{
	pid_t group = tcgetpgrp(fd); /* −1: not the controlling terminal */

	return group >= 0 && group != getpgrp();
}

int tty_reopen(int fd, struct err *e)
{
	char path[32];
	int own;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = fd_open(path, O_RDWR | O_NONBLOCK | O_NOCTTY);
	return own < 0 ? err_sys(e, "open the terminal again") : own;
}

/*
 * Output is still processed (OPOST): the carriage returns that the container's terminal leaves out
 * are put in here.
 */
int tty_make_raw(int fd, struct termios *ret_before, struct err *e)
{
	struct termios before, raw;

	if (tcgetattr(fd, &before))
		return err_sys(e, "get the mode of the terminal");
	raw = before;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST;
	if (tcsetattr(fd, TCSANOW, &raw))
		return err_sys(e, "set the mode of the terminal");
	*ret_before = before;
	return 0;
}

void tty_restore(int fd, const struct termios *before)
{
	(void)tcsetattr(fd, TCSANOW, before);
}
