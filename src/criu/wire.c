/*
 * The wire format of Protocol Buffers: see wire.h. Source: the encoding page of its documentation.
 */
#include "criu/wire.h"

#include <string.h>

enum { WIRE_NUMBER = 0, WIRE_EIGHT = 1, WIRE_BYTES = 2, WIRE_FOUR = 5 };

#define NUMBER_MAX 10                       /* bytes of a number of 64 bits, seven bits each */
#define FIELD_MAX ((UINT64_C(1) << 29) - 1) /* field numbers have 29 bits */

static void add_varint(struct str *out, uint64_t value)
{
	char bytes[NUMBER_MAX];
	size_t length = 0;

	do {
		bytes[length++] = (char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
		value >>= 7;
	} while (value);
	str_add_bytes(out, bytes, length);
}

void wire_add_number(struct str *out, unsigned field, uint64_t number)
{
	add_varint(out, (uint64_t)field << 3 | WIRE_NUMBER);
	add_varint(out, number);
}

static void add_bytes(struct str *out, unsigned field, const char *data, size_t length)
{
	add_varint(out, (uint64_t)field << 3 | WIRE_BYTES);
	add_varint(out, length);
	str_add_bytes(out, data, length);
}

void wire_add_text(struct str *out, unsigned field, const char *text)
{
	add_bytes(out, field, text, strlen(text));
}

void wire_add_message(struct str *out, unsigned field, const struct str *message)
{
	out->failed |= message->failed;
	if (!message->failed)
		add_bytes(out, field, message->text, message->length);
}

/* A number of up to ten bytes; of the tenth, only one bit has a place left. */
static int take_varint(struct wire *w, uint64_t *ret, struct err *e)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 7 * NUMBER_MAX && w->at < w->end; shift += 7) {
		uint8_t byte = *w->at++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = value;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "a number in the message does not end");
}

static int take_bytes(struct wire *w, uint64_t length, struct wire *ret, struct err *e)
{
	if (length > (uint64_t)(w->end - w->at))
		return err_set(e, ERR_INVALID, "a field is longer than the message");
	*ret = (struct wire){.at = w->at, .end = w->at + length};
	w->at += length;
	return 0;
}

static int take_value(struct wire *w, unsigned type, struct wire_field *ret, struct err *e)
{
	uint64_t length;

	switch (type) {
	case WIRE_NUMBER:
		ret->is_number = true;
		return take_varint(w, &ret->value, e);
	case WIRE_EIGHT:
		return take_bytes(w, 8, &ret->content, e);
	case WIRE_BYTES:
		return take_varint(w, &length, e) || take_bytes(w, length, &ret->content, e) ? -1
											     : 0;
	case WIRE_FOUR:
		return take_bytes(w, 4, &ret->content, e);
	default:
		return err_set(e, ERR_INVALID, "a field has the unknown wire type %u", type);
	}
}

int wire_next(struct wire *w, struct wire_field *ret, struct err *e)
{
	struct wire_field field = {0};
	uint64_t key;

	if (w->at == w->end)
		return 0;
	if (take_varint(w, &key, e))
		return -1;
	if (!(key >> 3) || key >> 3 > FIELD_MAX)
		return err_set(e, ERR_INVALID, "a field has no valid number");
	field.number = (unsigned)(key >> 3);
	if (take_value(w, (unsigned)(key & 7), &field, e))
		return -1;
	*ret = field;
	return 1;
}

void wire_text(const struct wire *content, char *buf, size_t size)
{
	size_t length = 0;

	for (const uint8_t *at = content->at; at < content->end && length < size - 1; at++)
		buf[length++] = *at < ' ' || *at == 0x7f ? '?' : (char)*at;
	buf[length] = '\0';
}
