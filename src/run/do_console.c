/*
 * Doers of the process's terminal. It is made in the container's own devpts, by init, before init
 * gives anything up; everything goes by descriptors, since whatever an image has at /dev/pts,
 * /dev/ptmx or /dev/console may be a trap.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "run/doers.h"
#include "run/sync.h"
#include "sys/fdpass.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"
#include "sys/tty.h"

int do_console_socket(struct walk *w, const struct step *step, struct err *e)
{
	w->console = fdpass_connect(step->socket.path, e);
	return w->console < 0 ? -1 : 0;
}

/* What is there already is covered, but for a link: that could lead anywhere. */
static int bind_dev_console(struct walk *w, int slave, struct err *e)
{
	_close_ int tree = mountfd_clone(slave, "", false, e);
	_close_ int target = -1;

	if (tree < 0)
		return -1;
	if (inroot_mknod(w->root, "/dev/console", S_IFREG, 0, e) && e->sys != EEXIST)
		return -1;
	target = inroot_open_plain(w->root, "/dev/console", O_PATH, e);
	return target < 0 || mountfd_attach(tree, target, e) ? -1 : 0;
}

/*
 * To the listener at the console socket, as the kernel made it. Without one the runtime itself
 * stays and relays, and the caller's own terminal will put the carriage returns in.
 */
static int hand_over(struct walk *w, int master, struct err *e)
{
	char name[TTY_NAME_MAX];

	if (w->console < 0 && tty_keep_newlines(master, e))
		return -1;
	if (w->console < 0)
		return sync_send_terminal(w->sync, master, e);
	if (tty_name(master, name, e) || fdpass_send(w->console, name, master, e))
		return err_wrap(e, "console socket");
	fd_close(&w->console);
	return 0;
}

int do_console(struct walk *w, const struct step *step, struct err *e)
{
	const struct tty_size *size = &step->console.size;
	_close_ int master = tty_make(w->root, e);
	_close_ int slave = master < 0 ? -1 : tty_open_slave(master, e);

	if (slave < 0)
		return err_wrap(e, "allocate a terminal");
	if ((size->rows || size->columns) && tty_set_size(slave, *size, e))
		return -1;
	if (step->console.dev_console && bind_dev_console(w, slave, e))
		return err_wrap(e, "bind the terminal on /dev/console");
	return hand_over(w, master, e) || tty_adopt(slave, e) ? -1 : 0;
}
