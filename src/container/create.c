/*
 * create: makes a container and leaves its init waiting for start.
 */
#include "container/make.h"

int container_create(struct creel *c, const char *id, const struct creel_create *o, struct err *e)
{
	struct making m = {0};

	if (make_container(c, id, o, true, &m, e))
		return -1;
	make_done(&m);
	return 0;
}
