/*
 * rtnetlink: see netlink.h.
 */
#include "sys/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/process.h"

#define ANSWER_SIZE 32768 /* what the kernel puts into one datagram of a list at most */
#define LIST_TRIES 20

/* Flags that RTM_NEWADDR takes from a user; the others tell how the address is doing. */
#define SETTABLE_FLAGS \
	(IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | \
	 IFA_F_MCAUTOJOIN)

struct request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct ifaddrmsg address;
	} body;
	char attributes[128];
};

struct answer {
	_Alignas(struct nlmsghdr) char bytes[ANSWER_SIZE];
	size_t length;
};

/* ---- requests -------------------------------------------------------------------------------- */

static void begin(struct request *r, uint16_t type, uint16_t flags, size_t body)
{
	*r = (struct request){.header = {
				      .nlmsg_len = (uint32_t)NLMSG_LENGTH(body),
				      .nlmsg_type = type,
				      .nlmsg_flags = NLM_F_REQUEST | flags,
			      }};
}

/* The callers' attributes fit: their lengths are fixed. */
static void add(struct request *r, uint16_t type, const void *value, size_t length)
{
	size_t at = NLMSG_ALIGN(r->header.nlmsg_len);
	struct rtattr head = {.rta_len = (uint16_t)RTA_LENGTH(length), .rta_type = type};

	if (at + RTA_SPACE(length) > sizeof(*r))
		return;
	memcpy((char *)r + at, &head, sizeof(head));
	memcpy((char *)r + at + RTA_LENGTH(0), value, length);
	r->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(length));
}

static int send_request(struct netlink *n, struct request *r, struct err *e)
{
	ssize_t sent;

	r->header.nlmsg_seq = ++n->sequence;
	do
		sent = send(n->fd, r, r->header.nlmsg_len, 0);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? err_sys(e, "send a netlink request") : 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

static int receive(const struct netlink *n, struct answer *answer, struct err *e)
{
	ssize_t got;

	do
		got = recv(n->fd, answer->bytes, sizeof(answer->bytes), MSG_TRUNC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_sys(e, "receive a netlink answer");
	if ((size_t)got > sizeof(answer->bytes))
		return err_set(e, ERR_SYSTEM, "receive a netlink answer: it has %zd bytes", got);
	answer->length = (size_t)got;
	return 0;
}

/* The message at *at, moving behind it; NULL when there is none, or none that is whole. */
static const struct nlmsghdr *next_message(const struct answer *answer, size_t *at)
{
	const struct nlmsghdr *m;

	if (*at > answer->length || answer->length - *at < sizeof(*m))
		return NULL;
	m = (const void *)(answer->bytes + *at);
	if (m->nlmsg_len < sizeof(*m) || m->nlmsg_len > answer->length - *at)
		return NULL;
	*at += NLMSG_ALIGN(m->nlmsg_len);
	return m;
}

/* The same for attributes; those of a message begin behind its header and its body. */
static const struct rtattr *next_attribute(const struct nlmsghdr *m, size_t *at)
{
	const struct rtattr *a;

	if (*at > m->nlmsg_len || m->nlmsg_len - *at < sizeof(*a))
		return NULL;
	a = (const void *)((const char *)m + *at);
	if (a->rta_len < sizeof(*a) || a->rta_len > m->nlmsg_len - *at)
		return NULL;
	*at += RTA_ALIGN(a->rta_len);
	return a;
}

/* The kernel's words behind its errno, when it has some. */
static void add_kernel_message(const struct nlmsghdr *m, struct err *e)
{
	size_t at = NLMSG_LENGTH(sizeof(struct nlmsgerr));
	const struct rtattr *a;

	while (m->nlmsg_flags & NLM_F_ACK_TLVS && (a = next_attribute(m, &at))) {
		size_t used = strlen(e->text), length = RTA_PAYLOAD(a);

		if (a->rta_type != NLMSGERR_ATTR_MSG || used + length + 4 > sizeof(e->text))
			continue;
		memcpy(e->text + used, " (", 2);
		memcpy(e->text + used + 2, RTA_DATA(a), length);
		e->text[used + 2 + length] = '\0';
		used = strlen(e->text);
		memcpy(e->text + used, ")", 2);
	}
}

/* What an NLMSG_ERROR says: 0 is success. */
static int judge(const struct nlmsghdr *m, const char *what, struct err *e)
{
	const struct nlmsgerr *body = NLMSG_DATA(m);

	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*body)))
		return err_set(e, ERR_SYSTEM, "%s: a netlink answer cut short", what);
	if (!body->error)
		return 0;
	errno = -body->error;
	err_sys(e, "%s", what);
	add_kernel_message(m, e);
	return -1;
}

/* Sends a request that has one answer. *ret: the message, in answer; NULL: it was acknowledged. */
static int ask(struct netlink *n, struct request *r, struct answer *answer, const char *what,
	       const struct nlmsghdr **ret, struct err *e)
{
	const struct nlmsghdr *m;
	size_t at = 0;

	if (send_request(n, r, e) || receive(n, answer, e))
		return err_wrap(e, "%s", what);
	m = next_message(answer, &at);
	if (!m || m->nlmsg_seq != n->sequence)
		return err_set(e, ERR_SYSTEM, "%s: not the netlink answer to this request", what);
	*ret = m->nlmsg_type == NLMSG_ERROR ? NULL : m;
	return m->nlmsg_type == NLMSG_ERROR ? judge(m, what, e) : 0;
}

/* Sends a request that is only acknowledged. */
static int tell(struct netlink *n, struct request *r, const char *what, struct err *e)
{
	const struct nlmsghdr *m;
	struct answer answer;

	r->header.nlmsg_flags |= NLM_F_ACK;
	if (ask(n, r, &answer, what, &m, e))
		return -1;
	return m ? err_set(e, ERR_SYSTEM, "%s: not acknowledged", what) : 0;
}

/* ---- sockets --------------------------------------------------------------------------------- */

int netlink_open(struct netlink *ret, struct err *e)
{
	_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int on = 1;

	/* Connected, it takes nothing from other processes. */
	if (fd < 0 || connect(fd, (struct sockaddr *)&kernel, sizeof(kernel)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on)))
		return err_sys(e, "open a netlink socket");
	*ret = (struct netlink){.fd = fd_take(&fd)};
	return 0;
}

static int namespace_of(const struct netlink *n, struct err *e)
{
	int fd = ioctl(n->fd, SIOCGSKNS);

	return fd < 0 ? err_sys(e, "open the network namespace of a socket") : fd;
}

int netlink_open_at(const struct netlink *own, int pidfd, struct netlink *ret, struct err *e)
{
	_close_ int back = namespace_of(own, e);
	struct netlink there;
	int failed;

	if (back < 0 || process_setns(pidfd, CLONE_NEWNET, "network", e))
		return -1;
	failed = netlink_open(&there, e);
	if (process_setns(back, CLONE_NEWNET, "network", e)) {
		if (!failed)
			fd_close(&there.fd);
		return -1;
	}
	if (!failed)
		*ret = there;
	return failed;
}

int netlink_is_same(const struct netlink *a, const struct netlink *b, bool *ret, struct err *e)
{
	_close_ int one = namespace_of(a, e);
	_close_ int other = one < 0 ? -1 : namespace_of(b, e);
	struct stat first, second;

	if (other < 0)
		return -1;
	if (fstat(one, &first) || fstat(other, &second))
		return err_sys(e, "stat a network namespace");
	*ret = first.st_dev == second.st_dev && first.st_ino == second.st_ino;
	return 0;
}

/* ---- devices --------------------------------------------------------------------------------- */

int netlink_find(struct netlink *n, const char *name, int *ret_index, struct err *e)
{
	const struct nlmsghdr *m;
	struct answer answer;
	struct request r;

	begin(&r, RTM_GETLINK, 0, sizeof(r.body.link));
	add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	if (ask(n, &r, &answer, "find the device", &m, e))
		return -1;
	if (!m || m->nlmsg_type != RTM_NEWLINK ||
	    m->nlmsg_len < NLMSG_LENGTH(sizeof(struct ifinfomsg)))
		return err_set(e, ERR_SYSTEM, "find the device: an unexpected netlink answer");
	*ret_index = ((const struct ifinfomsg *)NLMSG_DATA(m))->ifi_index;
	return 0;
}

int netlink_has_index(struct netlink *n, int index, bool *ret, struct err *e)
{
	const struct nlmsghdr *m;
	struct answer answer;
	struct request r;
	int failed;

	begin(&r, RTM_GETLINK, 0, sizeof(r.body.link));
	r.body.link.ifi_index = index;
	failed = ask(n, &r, &answer, "find the device", &m, e);
	if (failed && e->sys != ENODEV)
		return -1;
	*ret = !failed;
	return 0;
}

int netlink_move(struct netlink *n, int index, const struct netlink *there, const char *name,
		 int index_there, struct err *e)
{
	_close_ int target = namespace_of(there, e);
	struct request r;

	if (target < 0)
		return -1;
	begin(&r, RTM_NEWLINK, 0, sizeof(r.body.link));
	r.body.link.ifi_index = index;
	add(&r, IFLA_NET_NS_FD, &target, sizeof(target));
	add(&r, IFLA_IFNAME, name, strlen(name) + 1);
	add(&r, IFLA_NEW_IFINDEX, &index_there, sizeof(index_there));
	return tell(n, &r, "move the device", e);
}

int netlink_set_up(struct netlink *n, int index, struct err *e)
{
	struct request r;

	begin(&r, RTM_NEWLINK, 0, sizeof(r.body.link));
	r.body.link.ifi_index = index;
	r.body.link.ifi_flags = r.body.link.ifi_change = IFF_UP;
	return tell(n, &r, "set the device up", e);
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* An address keeps what says which it is; RTM_NEWADDR makes the rest anew. */
static bool read_address(const struct nlmsghdr *m, struct netlink_address *ret)
{
	size_t at = NLMSG_LENGTH(sizeof(ret->head));
	const struct rtattr *a;

	if (m->nlmsg_len < at)
		return false;
	*ret = (struct netlink_address){.head = *(const struct ifaddrmsg *)NLMSG_DATA(m)};
	ret->flags = ret->head.ifa_flags;
	while ((a = next_attribute(m, &at))) {
		bool kept = a->rta_type == IFA_ADDRESS || a->rta_type == IFA_LOCAL ||
			    a->rta_type == IFA_BROADCAST;

		if (a->rta_type == IFA_FLAGS && RTA_PAYLOAD(a) == sizeof(ret->flags))
			memcpy(&ret->flags, RTA_DATA(a), sizeof(ret->flags));
		if (!kept || ret->length + RTA_ALIGN(a->rta_len) > sizeof(ret->attributes))
			continue;
		memcpy(ret->attributes + ret->length, a, a->rta_len);
		ret->length += RTA_ALIGN(a->rta_len);
	}
	return true;
}

struct listing {
	struct netlink_addresses found;
	size_t capacity;
	bool over;
	bool changed; /* while it was read: it may be wrong */
	struct arena *arena;
};

static int take_message(struct listing *l, const struct nlmsghdr *m, int index, struct err *e)
{
	struct netlink_address address;

	l->changed |= m->nlmsg_flags & NLM_F_DUMP_INTR;
	l->over = m->nlmsg_type == NLMSG_DONE;
	if (m->nlmsg_type == NLMSG_ERROR)
		return judge(m, "list addresses", e);
	if (m->nlmsg_type != RTM_NEWADDR || !read_address(m, &address) ||
	    (int)address.head.ifa_index != index)
		return 0;
	l->found.item = arena_grow(l->arena, l->found.item, l->found.count, &l->capacity,
				   sizeof(address), e);
	if (!l->found.item)
		return -1;
	l->found.item[l->found.count++] = address;
	return 0;
}

static int list_once(struct netlink *n, int index, struct listing *l, struct err *e)
{
	struct answer answer;
	struct request r;

	begin(&r, RTM_GETADDR, NLM_F_DUMP, sizeof(r.body.address));
	r.body.address.ifa_index = (uint32_t)index;
	if (send_request(n, &r, e))
		return -1;
	while (!l->over) {
		const struct nlmsghdr *m;
		size_t at = 0;

		if (receive(n, &answer, e))
			return -1;
		while ((m = next_message(&answer, &at)))
			if (m->nlmsg_seq == n->sequence && take_message(l, m, index, e))
				return -1;
	}
	return 0;
}

int netlink_list_addresses(struct netlink *n, int index, struct arena *a,
			   struct netlink_addresses *ret, struct err *e)
{
	for (int i = 0; i < LIST_TRIES; i++) {
		struct listing l = {.arena = a};

		if (list_once(n, index, &l, e))
			return -1;
		if (l.changed)
			continue;
		*ret = l.found;
		return 0;
	}
	return err_set(e, ERR_SYSTEM, "list addresses: they change all the time");
}

int netlink_add_address(struct netlink *n, int index, const struct netlink_address *address,
			struct err *e)
{
	uint32_t flags = address->flags & SETTABLE_FLAGS;
	struct request r;
	size_t at;

	begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(r.body.address));
	r.body.address = address->head;
	r.body.address.ifa_index = (uint32_t)index;
	r.body.address.ifa_flags = 0;
	add(&r, IFA_FLAGS, &flags, sizeof(flags));
	at = NLMSG_ALIGN(r.header.nlmsg_len);
	memcpy((char *)&r + at, address->attributes, address->length);
	r.header.nlmsg_len = (uint32_t)(at + address->length);
	return tell(n, &r, "add an address", e);
}
