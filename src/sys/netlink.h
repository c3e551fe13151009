/*
 * rtnetlink, as much of it as moving a network device takes (run/do_net_device.c); restore brings
 * lo up by it. A socket belongs to the network namespace that it was made in; one request is sent,
 * and its whole answer is read. Sources: netlink(7), rtnetlink(7).
 *
 * Only the kernel is heard, answers have a fixed room, and nothing in them is believed beyond the
 * length that the kernel told. Errors hold the kernel's own words when it has some.
 */
#pragma once

#include <linux/if_addr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct netlink {
	int fd;
	uint32_t sequence; /* of the last request */
};

#define NETLINK_CLOSED \
	{ \
		.fd = -1 \
	}

/* An address of a device, as RTM_NEWADDR takes it. */
struct netlink_address {
	struct ifaddrmsg head; /* its index is that of the device it was found on */
	uint32_t flags;        /* IFA_F_…; those in the head are a part of them */
	size_t length;         /* of the attributes: the address, its peer, its broadcast */
	char attributes[64];
};

struct netlink_addresses {
	struct netlink_address *item;
	size_t count;
};

/* Opens a socket in the caller's network namespace. */
int netlink_open(struct netlink *ret, struct err *e) must_check;

/*
 * Opens one in the network namespace of the process that pidfd stands for. The caller goes there
 * and comes back; *own is a socket of its namespace, by which it does.
 */
int netlink_open_at(const struct netlink *own, int pidfd, struct netlink *ret,
		    struct err *e) must_check;

/* Whether both belong to the same namespace. */
int netlink_is_same(const struct netlink *a, const struct netlink *b, bool *ret,
		    struct err *e) must_check;

/*
 * The index of the device with this name (shorter than IFNAMSIZ). Errors: ENODEV in e->sys when
 * there is none.
 */
int netlink_find(struct netlink *n, const char *name, int *ret_index, struct err *e) must_check;

/* Whether a device has this index. */
int netlink_has_index(struct netlink *n, int index, bool *ret, struct err *e) must_check;

/*
 * Moves a device into the namespace of there, where it gets that name (%d: a number that the kernel
 * chooses) and that index. It is down then and has no addresses.
 */
int netlink_move(struct netlink *n, int index, const struct netlink *there, const char *name,
		 int index_there, struct err *e) must_check;

int netlink_set_up(struct netlink *n, int index, struct err *e) must_check;

/* The addresses of a device, of all families. */
int netlink_list_addresses(struct netlink *n, int index, struct arena *a,
			   struct netlink_addresses *ret, struct err *e) must_check;

/* Gives an address to a device, with those flags that a user may set. */
int netlink_add_address(struct netlink *n, int index, const struct netlink_address *address,
			struct err *e) must_check;
