/*
 * What a D-Bus connection may bring: any bytes are a message or are refused, and of a message only
 * its own bytes are read.
 */
#include <stdlib.h>
#include <string.h>

#include "frame.h"
#include "sys/dbus_message.h"

/* Every text must end within the message. */
static size_t check_text(const char *text, const uint8_t *data, size_t size)
{
	const uint8_t *at = (const uint8_t *)text;

	if (at < data || at >= data + size)
		return *text ? 1 : 0; /* only "" is not from there */
	return memchr(text, '\0', size - (size_t)(at - data)) ? 0 : 1;
}

static void check(const uint8_t *data, size_t size, struct err *e)
{
	static const char *const bodies[] = {"s", "o", "v", "uoss", "ybnqiuxtdsogv"};
	struct dbus_message m;
	struct dbus_value value[16];

	if (dbus_decode(data, size, &m, e))
		return;
	if (check_text(m.sender, data, size) || check_text(m.path, data, size) ||
	    check_text(m.interface, data, size) || check_text(m.member, data, size) ||
	    check_text(m.error, data, size) || check_text(m.signature, data, size))
		fuzz_broken("a text of the head ends outside of the message");
	for (size_t i = 0; i < array_len(bodies); i++) {
		if (dbus_read(&m, bodies[i], value, e))
			continue;
		for (size_t k = 0; bodies[i][k]; k++)
			if (strchr("sog", *value[k].type) && check_text(value[k].text, data, size))
				fuzz_broken("a text ends outside of the message");
	}
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	const uint8_t *data = (const uint8_t *)text;
	struct err e = {0};
	size_t announced;
	uint8_t *copy;

	(void)a;
	if (length < DBUS_HEAD || dbus_message_length(data, &announced, &e) || announced > length)
		return;
	copy = malloc(announced); /* so that the sanitizer sees every overrun */
	fuzz_hold(copy, "no memory");
	memcpy(copy, data, announced);
	check(copy, announced, &e);
	free(copy);
}
