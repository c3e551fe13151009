/*
 * What a D-Bus connection may bring: any bytes are a message or are refused, and of a message only
 * its own bytes are read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sys/dbus_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
		abort();
	for (size_t i = 0; i < array_len(bodies); i++) {
		if (dbus_read(&m, bodies[i], value, e))
			continue;
		for (size_t k = 0; bodies[i][k]; k++)
			if (strchr("sog", *value[k].type) && check_text(value[k].text, data, size))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = {0};
	uint8_t *copy;
	size_t length;

	if (size < DBUS_HEAD || dbus_message_length(data, &length, &e) || length > size)
		return 0;
	copy = malloc(length); /* so that the sanitizer sees every overrun */
	if (!copy)
		abort();
	memcpy(copy, data, length);
	check(copy, length, &e);
	free(copy);
	return 0;
}
