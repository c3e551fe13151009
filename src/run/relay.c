/*
 * The relay of a program's terminal: see relay.h.
 *
 * Nothing here may wait, since the loop has signals to pass on: the terminals are used through
 * descriptors of their own that do not block, and a pipe takes as much as is read at once without
 * blocking when poll says that it takes something.
 */
#include "run/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/tty.h"

#define FLOW_SIZE PIPE_BUF

void relay_none(struct relay *r)
{
	*r = (struct relay){.caller = -1, .in = -1, .out = -1, .master = -1, .slave = -1};
}

/* The caller's descriptor fd, for reading and writing without waiting where that can be had. */
static int own(int fd)
{
	struct err ignored;
	int copy = isatty(fd) ? tty_reopen(fd, &ignored) : -1;

	return copy < 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : copy;
}

/* In the background the terminal's mode belongs to another job. */
static void make_raw(struct relay *r)
{
	struct termios before;
	struct err ignored;

	if (r->caller < 0 || tty_in_background(r->caller) ||
	    tty_make_raw(r->caller, &before, &ignored))
		return;
	if (!r->raw)
		r->before = before;
	r->raw = true;
}

int relay_begin(struct relay *r, int master, struct arena *a, struct err *e)
{
	struct err gone;

	relay_none(r);
	r->master = master;
	r->keys.data = arena_get(a, FLOW_SIZE, e);
	r->shown.data = arena_get(a, FLOW_SIZE, e);
	if (!r->keys.data || !r->shown.data)
		return -1;
	if (fcntl(master, F_SETFL, O_NONBLOCK))
		return err_sys(e, "set the mode of the program's terminal");
	r->slave = tty_open_slave(master, e);
	if (r->slave < 0)
		return -1;
	r->caller = tty_find(&gone);
	r->in_tty = isatty(STDIN_FILENO);
	r->in = own(STDIN_FILENO);
	r->out = own(STDOUT_FILENO);
	make_raw(r);
	relay_resize(r);
	return 0;
}

static void hang_up(struct relay *r)
{
	fd_close(&r->slave);
	fd_close(&r->master);
	fd_close(&r->in);
	fd_close(&r->out);
	r->keys.end = r->shown.end = r->keys.at = r->shown.at = 0;
}

void relay_end(struct relay *r)
{
	hang_up(r);
	if (r->raw && !tty_in_background(r->caller))
		tty_restore(r->caller, &r->before);
	fd_close(&r->caller);
}

void relay_resize(struct relay *r)
{
	struct tty_size size;
	struct err ignored;

	if (r->caller < 0 || r->master < 0 || tty_get_size(r->caller, &size, &ignored))
		return;
	if ((size.rows || size.columns) && tty_set_size(r->master, size, &ignored))
		return;
}

void relay_resume(struct relay *r)
{
	r->held = false;
	make_raw(r);
	relay_resize(r);
}

static bool waiting(const struct relay_flow *flow)
{
	return flow->at < flow->end;
}

static bool not_now(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Reads into the empty flow; false at the end. */
static bool fill(struct relay_flow *flow, int fd)
{
	ssize_t n = read(fd, flow->data, FLOW_SIZE);

	flow->at = 0;
	flow->end = n > 0 ? (size_t)n : 0;
	return n > 0 || (n < 0 && not_now());
}

/* Takes what the program showed; a caller without standard output does not want it. */
static void read_shown(struct relay *r)
{
	if (!fill(&r->shown, r->master))
		fd_close(&r->master);
	if (r->out < 0)
		r->shown.end = 0;
}

/* Writes what waits; false when nobody takes it any more. */
static bool drain(struct relay_flow *flow, int fd)
{
	ssize_t n = write(fd, flow->data + flow->at, flow->end - flow->at);

	if (n > 0)
		flow->at += (size_t)n;
	return n >= 0 || not_now();
}

void relay_watch(const struct relay *r, struct pollfd wait[RELAY_FDS])
{
	bool keys = waiting(&r->keys), shown = waiting(&r->shown);

	/* A negative descriptor is left out; one without events would still tell of a hang-up. */
	wait[0] = (struct pollfd){.fd = keys || r->held ? -1 : r->in, .events = POLLIN};
	wait[1] = (struct pollfd){.fd = shown ? r->out : -1, .events = POLLOUT};
	wait[2] = (struct pollfd){
		.fd = shown && !keys ? -1 : r->master,
		.events = (short)((shown ? 0 : POLLIN) | (keys ? POLLOUT : 0)),
	};
}

/*
 * The end of a pipe or file leaves the program without keys, no more. A terminal has no end but its
 * hang-up; otherwise it refuses to be read in the background.
 */
static void read_keys(struct relay *r, short events)
{
	if (fill(&r->keys, r->in))
		return;
	if (!r->in_tty)
		fd_close(&r->in);
	else if (events & POLLHUP)
		hang_up(r);
	else
		r->held = true;
}

void relay_move(struct relay *r, const struct pollfd wait[RELAY_FDS])
{
	if (wait[2].revents & POLLOUT && !drain(&r->keys, r->master))
		r->keys.end = 0;
	if (wait[2].revents & ~POLLOUT && !waiting(&r->shown))
		read_shown(r);
	if (wait[1].revents && !drain(&r->shown, r->out))
		hang_up(r);
	if (wait[0].revents && r->in >= 0)
		read_keys(r, wait[0].revents);
}

bool relay_has_rest(struct relay *r)
{
	fd_close(&r->in);
	r->keys.end = 0;
	if (!waiting(&r->shown) && r->master >= 0)
		read_shown(r);
	return waiting(&r->shown);
}
