/*
 * What criu may answer: any bytes are a reply or are refused, texts in it end and steer nothing,
 * and what a message was made of is what is read of it.
 *
 * The whole input is a reply; and it says, byte by byte, of which fields another one is made.
 */
#include <string.h>

#include "criu/message.h"
#include "criu/wire.h"
#include "frame.h"

static void check_text(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	fuzz_hold(end, "a text without an end");
	for (; text < end; text++)
		fuzz_hold((unsigned char)*text >= ' ' && *text != 0x7f, "a control character");
}

static void read_any(const char *text, size_t length)
{
	struct criu_reply reply = {.type = 0};
	struct err e = {0};

	if (criu_decode(text, length, &reply, &e)) {
		fuzz_hold_error(&e);
		fuzz_hold(!reply.type, "written in spite of an error");
		return;
	}
	fuzz_hold(reply.type && reply.passed == -1, "a reply of nothing");
	fuzz_hold(reply.version < 1000000, "version %u", reply.version);
	check_text(reply.script, sizeof(reply.script));
}

/* Adds fields of a reply, and notes what is to be read of them; junk is what nobody knows. */
static void make_reply(struct fuzz_rest *rest, struct str *out, struct criu_reply *expected,
		       struct arena *a)
{
	while (rest->at < rest->end) {
		unsigned what = fuzz_choose(rest, 5), value = fuzz_byte(rest);
		struct str part;

		str_init(&part, a);
		if (what == 0) {
			expected->type = value + 1;
			wire_add_number(out, 1, value + 1);
		} else if (what == 1) {
			expected->number = -(int32_t)value;
			wire_add_number(out, 7, (uint64_t)expected->number);
		} else if (what == 2) {
			expected->pid = (int32_t)(value << 20);
			wire_add_number(&part, 2, (uint32_t)expected->pid);
			wire_add_message(out, 5, &part);
		} else if (what == 3) {
			expected->features = (struct criu_features){value & 1, value & 2};
			wire_add_number(&part, 1, value & 1);
			wire_add_number(&part, 2, value & 2);
			wire_add_message(out, 8, &part);
		} else {
			wire_add_number(out, 100 + value, value);
			wire_add_text(out, 400 + value, "junk");
		}
	}
}

static void read_made(struct fuzz_rest *rest, struct arena *a)
{
	struct criu_reply expected = {.type = 1, .passed = -1}, reply;
	struct err e = {0};
	struct str made;

	str_init(&made, a);
	wire_add_number(&made, 1, 1);
	make_reply(rest, &made, &expected, a);
	if (made.failed)
		return;
	fuzz_hold(!criu_decode(made.text, made.length, &reply, &e), "%s", e.text);
	fuzz_hold(reply.type == expected.type && reply.number == expected.number &&
			  reply.pid == expected.pid &&
			  reply.features.mem_track == expected.features.mem_track &&
			  reply.features.lazy_pages == expected.features.lazy_pages,
		  "another reply was read");
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};

	read_any(text, length);
	read_made(&rest, a);
}
