/*
 * A client of D-Bus: see dbus.h.
 */
#include "sys/dbus.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/deadline.h"

#define BUS "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Waits until the socket is ready for events. */
static int wait_ready(const struct dbus *d, short events, int64_t deadline, bool *ret,
		      struct err *e)
{
	struct pollfd wait = {.fd = d->fd, .events = events};

	for (;;) {
		int n = poll(&wait, 1, deadline_left(deadline));

		*ret = n > 0;
		if (n >= 0)
			return 0;
		if (errno != EINTR)
			return err_sys(e, "D-Bus: wait");
	}
}

static int late(struct err *e)
{
	errno = ETIMEDOUT;
	return err_sys(e, "D-Bus");
}

static int send_all(const struct dbus *d, const char *data, size_t size, int64_t deadline,
		    struct err *e)
{
	bool ready;

	while (size) {
		ssize_t n = send(d->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			data += n;
			size -= (size_t)n;
		} else if (errno == EAGAIN) {
			if (wait_ready(d, POLLOUT, deadline, &ready, e))
				return -1;
			if (!ready)
				return late(e);
		} else if (errno != EINTR) {
			return err_sys(e, "D-Bus: send");
		}
	}
	return 0;
}

/* Reads once what is there; 0 when nothing came before the deadline. There must be room. */
static int receive_some(struct dbus *d, int64_t deadline, struct err *e)
{
	bool ready;

	for (;;) {
		ssize_t n = recv(d->fd, d->in + d->used, DBUS_MESSAGE_MAX - d->used, MSG_DONTWAIT);

		if (n > 0) {
			d->used += (size_t)n;
			return 1;
		}
		if (!n)
			return err_set(e, ERR_SYSTEM, "D-Bus: the other end closed the connection");
		if (errno == EAGAIN) {
			if (wait_ready(d, POLLIN, deadline, &ready, e))
				return -1;
			if (!ready)
				return 0;
		} else if (errno != EINTR) {
			return err_sys(e, "D-Bus: receive");
		}
	}
}

/* Until size bytes are there, which must fit; 0: not before the deadline. */
static int receive(struct dbus *d, size_t size, int64_t deadline, struct err *e)
{
	int got = 1;

	while (got > 0 && d->used < size)
		got = receive_some(d, deadline, e);
	return got;
}

static void drop(struct dbus *d, size_t size)
{
	d->used -= size;
	memmove(d->in, d->in + size, d->used);
}

/* ---- messages -------------------------------------------------------------------------------- */

/* The next message, good until the next; 0: not before the deadline. */
static int next_message(struct dbus *d, int64_t deadline, struct dbus_message *ret, struct err *e)
{
	size_t length;
	int got;

	drop(d, d->taken);
	d->taken = 0;
	got = receive(d, DBUS_HEAD, deadline, e);
	if (got <= 0)
		return got;
	if (dbus_message_length(d->in, &length, e))
		return -1;
	got = receive(d, length, deadline, e);
	if (got <= 0)
		return got;
	d->taken = length;
	return dbus_decode(d->in, length, ret, e) ? -1 : 1;
}

/* The text of a refusal is mostly its one argument. */
static int refused(struct dbus *d, const struct dbus_message *answer, struct err *e)
{
	struct dbus_value text;
	struct err ignored;

	d->refusal = arena_copy(d->arena, answer->error, strlen(answer->error), e);
	if (!d->refusal)
		return -1;
	if (dbus_read(answer, "s", &text, &ignored))
		text.text = answer->error;
	return err_set(e, ERR_SYSTEM, "%s", text.text);
}

int dbus_call(struct dbus *d, const struct dbus_call *call, struct dbus_message *ret, struct err *e)
{
	int64_t deadline = deadline_in(DBUS_PATIENCE);
	uint32_t serial = ++d->serial;
	struct str out;
	int got;

	d->refusal = NULL;
	if (dbus_encode_call(call, serial, d->arena, &out, e) ||
	    send_all(d, out.text, out.length, deadline, e))
		return -1;
	do {
		got = next_message(d, deadline, ret, e);
		if (got <= 0)
			return got ? -1 : late(e);
	} while (ret->reply_to != serial || ret->type == DBUS_SIGNAL);
	return ret->type == DBUS_ERROR ? refused(d, ret, e) : 0;
}

int dbus_next_signal(struct dbus *d, int64_t deadline, struct dbus_message *ret, struct err *e)
{
	int got;

	do
		got = next_message(d, deadline, ret, e);
	while (got > 0 && ret->type != DBUS_SIGNAL);
	return got;
}

static int call_bus(struct dbus *d, const char *member, struct dbus_list arguments, struct err *e)
{
	const struct dbus_call call = {
		.destination = BUS,
		.path = BUS_PATH,
		.interface = BUS,
		.member = member,
		.arguments = arguments,
	};
	struct dbus_message reply;

	return dbus_call(d, &call, &reply, e) ? err_wrap(e, "D-Bus: %s", member) : 0;
}

int dbus_match(struct dbus *d, const char *rule, struct err *e)
{
	const struct dbus_value text = {.type = "s", .text = rule};

	return d->direct ? 0 : call_bus(d, "AddMatch", (struct dbus_list){&text, 1}, e);
}

/* ---- connecting ------------------------------------------------------------------------------ */

static int hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Up to the end of the key's value; bytes may be written as "%2f". False: too long, or not so. */
static bool copy_escaped(const char *from, size_t size, char *ret)
{
	for (; *from && *from != ',' && *from != ';'; from++) {
		if (size-- <= 1)
			return false;
		*ret = *from;
		if (*from == '%') {
			int high = hex(from[1]), low = high < 0 ? -1 : hex(from[2]);

			if (low < 0)
				return false;
			*ret = (char)(high * 16 + low);
			from += 2;
		}
		ret++;
	}
	*ret = '\0';
	return true;
}

/* One part of an address, up to ";" or its end. False: nothing that can be connected to. */
static bool read_address(const char *part, struct sockaddr_un *ret, socklen_t *ret_size)
{
	static const char unix_[] = "unix:", path[] = "path=", abstract[] = "abstract=";
	const size_t head = offsetof(struct sockaddr_un, sun_path);
	bool good = false;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (!str_starts(part, unix_))
		return false;
	for (part += strlen(unix_); *part && *part != ';' && !good; part += *part == ',') {
		if (str_starts(part, path)) {
			good = copy_escaped(part + strlen(path), sizeof(ret->sun_path),
					    ret->sun_path);
			*ret_size = sizeof(*ret);
		} else if (str_starts(part, abstract)) {
			good = copy_escaped(part + strlen(abstract), sizeof(ret->sun_path) - 1,
					    ret->sun_path + 1);
			*ret_size = (socklen_t)(head + 1 + strlen(ret->sun_path + 1));
		}
		part += strcspn(part, ",;");
	}
	return good;
}

static int connect_any(struct dbus *d, const char *address, struct err *e)
{
	const char *part = address;
	struct sockaddr_un un;
	socklen_t size;

	errno = EINVAL;
	for (; *part; part += *part == ';') {
		if (read_address(part, &un, &size)) {
			fd_close(&d->fd);
			d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
			if (d->fd < 0)
				return err_sys(e, "D-Bus: make a socket");
			if (!connect(d->fd, (struct sockaddr *)&un, size))
				return 0;
		}
		part += strcspn(part, ";");
	}
	return err_sys(e, "D-Bus: connect to \"%s\"", address);
}

/*
 * EXTERNAL without a name: the other end asks the kernel who we are. So nobody needs to know which
 * number our user has outside of a user namespace.
 */
static int authenticate(struct dbus *d, struct err *e)
{
	static const char words[] = "\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
	int64_t deadline = deadline_in(DBUS_PATIENCE);
	const uint8_t *end;
	bool ok = false;

	if (send_all(d, words, sizeof(words) - 1, deadline, e))
		return -1;
	while (!ok) {
		while (!(end = memchr(d->in, '\n', d->used))) {
			int got = d->used < 512 ? receive_some(d, deadline, e) : 0;

			if (got <= 0)
				return got ? -1 : late(e);
		}
		ok = d->used > 3 && !memcmp(d->in, "OK ", 3);
		if (!ok && (d->used < 4 || memcmp(d->in, "DATA", 4) != 0))
			return err_set(e, ERR_SYSTEM, "D-Bus: we are not let in");
		drop(d, (size_t)(end - d->in) + 1);
	}
	return 0;
}

int dbus_open(const char *address, bool direct, struct arena *a, struct dbus *ret, struct err *e)
{
	struct dbus d = {.fd = -1, .direct = direct, .arena = a};

	d.in = arena_get(a, DBUS_MESSAGE_MAX, e);
	if (!d.in)
		return -1;
	if (connect_any(&d, address, e) || authenticate(&d, e) ||
	    (!direct && call_bus(&d, "Hello", (struct dbus_list){0}, e))) {
		fd_close(&d.fd);
		return -1;
	}
	*ret = d;
	return 0;
}

void dbus_close(struct dbus *d)
{
	fd_close(&d->fd);
}
