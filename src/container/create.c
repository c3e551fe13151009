/*
 * create: makes a container and leaves its init waiting for start.
 */
#include "container/make.h"
#include "state/store.h"

int container_create(struct creel *c, const char *id, const struct creel_create *o, struct err *e)
{
	struct making m = {0};

	if (make_container(c, id, o, true, &m, e))
		return -1;
	if (store_set_made(m.ct.dir, e)) {
		make_undo(c, &m, e);
		return -1;
	}
	make_done(&m);
	return 0;
}
