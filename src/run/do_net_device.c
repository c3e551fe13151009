/*
 * The doer of linux.netDevices: a device of the runtime's network namespace becomes one of the
 * container's, by the runtime, while init mounts. Source: runtime-spec config-linux.md "Network
 * Devices".
 *
 * Whatever can be known to fail is looked at before the device is moved. The kernel sets it down on
 * the way; it takes it back, or ends it, with the container's namespace.
 */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/fd.h"
#include "run/doers.h"
#include "sys/netlink.h"

/* A device on its way. */
struct transfer {
	struct netlink here, there; /* the runtime's network namespace and the container's */
	const char *name;           /* there */
	int index, index_there;
	struct netlink_addresses addresses;
};

static int open_both(struct walk *w, struct transfer *t, struct err *e)
{
	bool same;

	if (netlink_open(&t->here, e) || netlink_open_at(&t->here, w->pidfd, &t->there, e) ||
	    netlink_is_same(&t->here, &t->there, &same, e))
		return -1;
	if (same)
		return err_set(e, ERR_INVALID,
			       "unable to move network devices without a NET namespace");
	return 0;
}

static int find(struct transfer *t, const char *name, struct err *e)
{
	if (!netlink_find(&t->here, name, &t->index, e))
		return 0;
	return e->sys == ENODEV ? err_hint(e, "it must be in the runtime's network namespace") : -1;
}

/* With %d in it the kernel finds a name that is free. */
static int check_name(struct transfer *t, struct err *e)
{
	int index;

	if (strchr(t->name, '%'))
		return 0;
	if (!netlink_find(&t->there, t->name, &index, e)) {
		errno = EEXIST;
		err_sys(e, "%s in the container", t->name);
		return err_hint(e, "give it another name, or one with %%d for a number");
	}
	return e->sys == ENODEV ? 0 : -1;
}

/* An index that is free there, its own if that is: so the device is known whatever its name. */
static int choose_index(struct transfer *t, struct err *e)
{
	bool taken = true;

	for (t->index_there = t->index - 1; taken;) {
		t->index_there++;
		if (netlink_has_index(&t->there, t->index_there, &taken, e))
			return -1;
	}
	return 0;
}

/* Those that somebody gave it for good; the others come with the link. */
static int add_addresses(struct transfer *t, struct err *e)
{
	for (size_t i = 0; i < t->addresses.count; i++) {
		const struct netlink_address *address = &t->addresses.item[i];

		if (address->flags & IFA_F_PERMANENT &&
		    address->head.ifa_scope == RT_SCOPE_UNIVERSE &&
		    netlink_add_address(&t->there, t->index_there, address, e))
			return -1;
	}
	return 0;
}

int do_net_device(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_net_device *device = step->net_device;
	struct transfer t = {
		.here = NETLINK_CLOSED,
		.there = NETLINK_CLOSED,
		.name = device->name ? device->name : device->host_name,
	};
	int failed = open_both(w, &t, e) || find(&t, device->host_name, e) || check_name(&t, e) ||
		     choose_index(&t, e) ||
		     netlink_list_addresses(&t.here, t.index, w->arena, &t.addresses, e) ||
		     netlink_move(&t.here, t.index, &t.there, t.name, t.index_there, e) ||
		     add_addresses(&t, e) || netlink_set_up(&t.there, t.index_there, e);

	fd_close(&t.here.fd);
	fd_close(&t.there.fd);
	return failed ? err_wrap(e, "network device \"%s\"", device->host_name) : 0;
}
