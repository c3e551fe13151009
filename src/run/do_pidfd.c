/*
 * The doer that gives the caller a hold on the process (--pidfd-socket) when it is all it will be.
 */
#include "base/fd.h"
#include "run/doers.h"
#include "sys/fdpass.h"

int do_pidfd(struct walk *w, const struct step *step, struct err *e)
{
	_close_ int connection = fdpass_connect(step->socket.path, e);

	if (connection < 0 || fdpass_send(connection, step->socket.word, w->pidfd, e))
		return err_wrap(e, "pidfd socket");
	return 0;
}
