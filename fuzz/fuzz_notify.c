/*
 * What a container may send to its notify socket: any datagrams, with any descriptors. The service
 * manager hears of readiness when one of them said so, in our words, once.
 *
 * A datagram is a byte with its number of descriptors, two with its length, and so many bytes.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "frame.h"
#include "run/notify.h"

#define LENGTH_MAX 5000
#define MAIN 42
#define TOLD "READY=1\nMAINPID=42\n"

/* Whether a line of it is READY=1; a NUL at its end does not count. */
static bool says_ready(const char *text, size_t length)
{
	char framed[LENGTH_MAX + 3];
	size_t end = length && !text[length - 1] ? length - 1 : length;

	framed[0] = '\n';
	memcpy(framed + 1, text, end);
	framed[end + 1] = '\n';
	return length <= 4096 && memmem(framed, end + 2, "\nREADY=1\n", 9);
}

/* What the service manager hears: nothing, or our two messages. */
static void listen_to(int manager, bool wanted)
{
	char text[sizeof(TOLD)];
	ssize_t n = recv(manager, text, sizeof(text), MSG_DONTWAIT);

	fuzz_hold((n >= 0) == wanted, "readiness was told: %d", n >= 0);
	if (!wanted)
		return;
	fuzz_hold(n == (ssize_t)strlen(TOLD) && !memcmp(text, TOLD, (size_t)n), "other words");
	n = recv(manager, text, sizeof(text), MSG_DONTWAIT); /* closes the barrier */
	fuzz_hold(n == 9 && !memcmp(text, "BARRIER=1", 9), "no barrier");
	fuzz_hold(recv(manager, text, sizeof(text), MSG_DONTWAIT) < 0, "something was told twice");
}

static void make_pair(int ret[2])
{
	fuzz_hold(!socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ret), "socketpair: %m");
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	unsigned before = fuzz_descriptors();
	int container[2], manager[2];
	bool wanted = false;
	struct notify n;

	(void)a;
	notify_none(&n);
	make_pair(container);
	make_pair(manager);
	n.inside = container[0];
	n.outside = manager[0];
	while (rest.at < rest.end) {
		unsigned passed = fuzz_choose(&rest, FUZZ_PASSED + 1);
		size_t size = (size_t)fuzz_byte(&rest) << 8 | fuzz_byte(&rest);

		size %= LENGTH_MAX;
		if (size > (size_t)(rest.end - rest.at))
			size = (size_t)(rest.end - rest.at);
		fuzz_send(container[1], rest.at, size, passed);
		notify_take(&n, MAIN);
		wanted |= says_ready(rest.at, size);
		fuzz_hold(n.told == wanted, "told: %d", n.told);
		rest.at += size;
	}
	listen_to(manager[1], wanted);
	notify_settle(&n);
	notify_close(&n);
	fd_close(&container[1]);
	fd_close(&manager[1]);
	fuzz_hold(fuzz_descriptors() == before, "a descriptor is left open");
}
