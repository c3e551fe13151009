/*
 * The doer that makes the container's own socket for readiness, or, when start will open that, the
 * place for it: see notify.h.
 */
#include "run/doers.h"

int do_notify(struct walk *w, const struct step *step, struct err *e)
{
	const char *socket = step->socket.path;

	if (notify_make_place(w->state, e))
		return -1;
	return socket ? notify_open(&w->notify, w->state, socket, w->log, e) : 0;
}
