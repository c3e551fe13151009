/*
 * Who shall have the terminal of a process: see terminal.h.
 */
#include "container/terminal.h"

#include <errno.h>

#include "base/fd.h"
#include "sys/tty.h"

/* A terminal whose size nobody has set (0 × 0) says nothing: then consoleSize stands. */
static int take_size(struct spec_process *process, struct err *e)
{
	_close_ int fd = tty_find(e);
	struct tty_size size;

	if (fd < 0) {
		if (e->sys == ENXIO)
			err_hint(e, "run it on a terminal, or set process.terminal to false");
		return -1;
	}
	if (tty_get_size(fd, &size, e))
		return -1;
	if (size.rows || size.columns) {
		process->console_size.height = (struct opt_u32){.set = true, .value = size.rows};
		process->console_size.width = (struct opt_u32){.set = true, .value = size.columns};
	}
	return 0;
}

int terminal_prepare(struct spec_process *process, const char *console_socket, bool detached,
		     struct err *e)
{
	if (console_socket && !(detached && process->terminal))
		return err_set(e, ERR_USAGE,
			       "cannot use console socket if runc will not detach or allocate tty");
	if (!process->terminal || console_socket)
		return 0;
	if (!detached)
		return take_size(process, e);
	err_set(e, ERR_INVALID,
		"cannot allocate tty if runc will detach without setting console socket");
	return err_hint(e, "give --console-socket, let \"run\" or \"exec\" stay in the foreground, "
			   "or do without a terminal (process.terminal: false)");
}
