/*
 * What the runtime may hear from init, which shares its life with hostile code: any messages, whole
 * or not, with any descriptors. The runtime takes what it expects or fails with a whole error, and
 * holds no descriptor that nobody asked for.
 *
 * A message is bytes for kind, stage, size, value, code of its error, and descriptors; and a line
 * of text.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "frame.h"
#include "run/sync.h"

#define MESSAGES_MAX 20

static void send_message(int fd, struct fuzz_rest *rest, struct arena *a)
{
	struct sync_message m = {.kind = (int32_t)fuzz_choose(rest, SYNC_FAILED + 3) - 1,
				 .stage = (int32_t)fuzz_choose(rest, 12) - 1};
	unsigned size = fuzz_byte(rest), passed;
	size_t length = size < 250 ? size : sizeof(m);
	const char *line;

	m.value = (int8_t)fuzz_byte(rest);
	m.err.code = (int8_t)fuzz_byte(rest);
	passed = fuzz_choose(rest, FUZZ_PASSED + 1);
	line = fuzz_line(rest, a);
	if (line && size == 250) /* text without an end, pointer without a beginning */
		memset(m.err.pointer, *line,
		       sizeof(m) - offsetof(struct sync_message, err.pointer));
	else if (line)
		(void)strncpy(m.err.text, line, sizeof(m.err.text));
	if (m.kind < SYNC_LOG && size >= 250)
		length = offsetof(struct sync_message, err);
	fuzz_send(fd, &m, length, passed);
}

static void listen_to_log(void *user, enum log_level level, const char *message)
{
	(void)user;
	(void)level;
	fuzz_hold(strlen(message) < 4096, "a long message");
}

/* Hears all of it; each answer is good or a whole error. */
static void hear(int fd, unsigned what, struct sync_incoming *in)
{
	for (int i = 0; i <= MESSAGES_MAX; i++) {
		struct err e = {0};
		int64_t pid;
		int pidfd = -1, failed;

		if (what % 3 == 0)
			failed = sync_receive_done(fd, (int)(what / 3 % 12), in, &e);
		else if (what % 3 == 1)
			failed = sync_receive_spawned(fd, in, &pid, &pidfd, &e);
		else
			failed = sync_wait_exec(fd, in, &e);
		fuzz_hold(failed || what % 3 != 1 || pidfd >= 0, "spawned without a descriptor");
		if (failed)
			fuzz_hold_error(&e);
		fd_close(&pidfd);
	}
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	static const struct log log = {.level = LOG_LEVEL_DEBUG, .sink = listen_to_log};
	struct fuzz_rest rest = {text, text + length};
	unsigned before = fuzz_descriptors(), what = fuzz_byte(&rest);
	struct sync_incoming in = {.log = &log, .terminal = -1, .agent = -1, .agent_text = "{}"};
	int pair[2], agent[2];
	struct err e;

	fuzz_hold(!sync_pair(pair, &e) && !sync_pair(agent, &e), "%s", e.text);
	in.agent = agent[0];
	for (int i = 0; i < MESSAGES_MAX && rest.at < rest.end; i++)
		send_message(pair[1], &rest, a);
	fd_close(&pair[1]);
	hear(pair[0], what, &in);
	fd_close(&pair[0]);
	fd_close(&in.terminal);
	fd_close(&in.agent);
	fd_close(&agent[1]);
	fuzz_hold(fuzz_descriptors() == before, "a descriptor is left open");
}
