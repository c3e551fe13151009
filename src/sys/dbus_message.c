/*
 * The messages of D-Bus as bytes: see dbus_message.h.
 */
#include "sys/dbus_message.h"

#include <limits.h>
#include <string.h>

#define ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B')
#define VERSION 1

enum field {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR,
	FIELD_REPLY_TO,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE,
};

/* Where a value of this type may begin; 0: no type that is known here. */
static size_t alignment(char type)
{
	switch (type) {
	case 'y':
	case 'g':
	case 'v':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 's':
	case 'o':
	case 'a':
		return 4;
	case 'x':
	case 't':
	case 'd':
	case '(':
		return 8;
	default:
		return 0;
	}
}

static bool is_text(char type)
{
	return type == 's' || type == 'o';
}

/* ---- writing --------------------------------------------------------------------------------- */

static void pad(struct str *out, size_t to)
{
	while (!out->failed && out->length % to)
		str_add_char(out, '\0');
}

static void add_u32(struct str *out, uint32_t number)
{
	pad(out, 4);
	str_add_bytes(out, (const char *)&number, sizeof(number));
}

static void add_text(struct str *out, const char *text)
{
	add_u32(out, (uint32_t)strlen(text));
	str_add_bytes(out, text, strlen(text) + 1);
}

static void add_signature(struct str *out, const char *signature)
{
	str_add_char(out, (char)strlen(signature));
	str_add_bytes(out, signature, strlen(signature) + 1);
}

/* The low bytes of a number: as many as its type has. */
static void add_number(struct str *out, char type, uint64_t number)
{
	uint8_t byte = (uint8_t)number;
	uint16_t half = (uint16_t)number;
	uint32_t word = (uint32_t)number;

	switch (alignment(type)) {
	case 1:
		str_add_bytes(out, (const char *)&byte, sizeof(byte));
		break;
	case 2:
		str_add_bytes(out, (const char *)&half, sizeof(half));
		break;
	case 4:
		str_add_bytes(out, (const char *)&word, sizeof(word));
		break;
	default:
		str_add_bytes(out, (const char *)&number, sizeof(number));
	}
}

static void add_value(struct str *out, const struct dbus_value *value);

static void add_array(struct str *out, const struct dbus_value *value)
{
	size_t at, start;
	uint32_t length;

	add_u32(out, 0);
	at = out->length - sizeof(length);
	pad(out, alignment(value->type[1]));
	start = out->length;
	for (size_t i = 0; i < value->list.count; i++)
		add_value(out, &value->list.item[i]);
	length = (uint32_t)(out->length - start);
	if (!out->failed)
		memcpy(out->text + at, &length, sizeof(length));
}

static void add_value(struct str *out, const struct dbus_value *value)
{
	char type = value->type[0];

	pad(out, alignment(type));
	if (is_text(type))
		add_text(out, value->text);
	else if (type == 'g')
		add_signature(out, value->text);
	else if (type == 'a')
		add_array(out, value);
	else if (type == 'v')
		add_signature(out, value->list.item[0].type);
	else if (type != '(')
		add_number(out, type, value->number);
	if (type == '(' || type == 'v')
		for (size_t i = 0; i < value->list.count; i++)
			add_value(out, &value->list.item[i]);
}

static void add_field(struct str *out, enum field field, const char *type, const char *text)
{
	if (!text || !*text)
		return;
	pad(out, 8);
	str_add_char(out, (char)field);
	add_signature(out, type);
	if (*type == 'g')
		add_signature(out, text);
	else
		add_text(out, text);
}

static void add_fields(struct str *out, const struct dbus_call *call, const char *signature)
{
	size_t at;
	uint32_t length;

	add_u32(out, 0);
	at = out->length;
	add_field(out, FIELD_PATH, "o", call->path);
	add_field(out, FIELD_INTERFACE, "s", call->interface);
	add_field(out, FIELD_MEMBER, "s", call->member);
	add_field(out, FIELD_DESTINATION, "s", call->destination);
	add_field(out, FIELD_SIGNATURE, "g", signature);
	length = (uint32_t)(out->length - at);
	if (!out->failed)
		memcpy(out->text + at - sizeof(length), &length, sizeof(length));
	pad(out, 8);
}

int dbus_encode_call(const struct dbus_call *call, uint32_t serial, struct arena *a,
		     struct str *ret, struct err *e)
{
	const char begin[] = {ENDIAN, DBUS_CALL, 0, VERSION};
	struct str signature, body, out;

	str_init(&signature, a);
	str_init(&body, a);
	str_init(&out, a);
	for (size_t i = 0; i < call->arguments.count; i++) {
		str_add(&signature, call->arguments.item[i].type);
		add_value(&body, &call->arguments.item[i]);
	}
	str_add_bytes(&out, begin, sizeof(begin));
	add_u32(&out, (uint32_t)body.length);
	add_u32(&out, serial);
	add_fields(&out, call, signature.text);
	if (!str_end(&signature, e) || !str_end(&body, e))
		return -1;
	str_add_bytes(&out, body.text, body.length);
	if (!str_end(&out, e))
		return -1;
	if (out.length > DBUS_MESSAGE_MAX)
		return err_set(e, ERR_INVALID, "D-Bus: a message of %zu bytes is too long",
			       out.length);
	*ret = out;
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int malformed(struct err *e)
{
	return err_set(e, ERR_SYSTEM, "D-Bus: a message came that makes no sense");
}

/* What is still to be read; at counts from where alignment does. */
struct cursor {
	const uint8_t *data;
	size_t at, size;
};

static bool align(struct cursor *c, size_t to)
{
	size_t at = to ? (c->at + to - 1) / to * to : SIZE_MAX;

	if (at > c->size)
		return false;
	c->at = at;
	return true;
}

static bool take(struct cursor *c, size_t size, void *ret)
{
	if (size > c->size - c->at)
		return false;
	memcpy(ret, c->data + c->at, size);
	c->at += size;
	return true;
}

/* length bytes and the NUL behind them, without another one. */
static bool take_text(struct cursor *c, size_t length, const char **ret)
{
	const char *text = (const char *)c->data + c->at;

	if (length >= c->size - c->at || memchr(text, '\0', length) || text[length])
		return false;
	*ret = text;
	c->at += length + 1;
	return true;
}

static bool take_number(struct cursor *c, size_t size, uint64_t *ret)
{
	uint8_t byte;
	uint16_t half;
	uint32_t word;
	bool good;

	if (size == 8)
		return take(c, size, ret);
	if (size == 4) {
		good = take(c, size, &word);
		*ret = good ? word : 0;
	} else if (size == 2) {
		good = take(c, size, &half);
		*ret = good ? half : 0;
	} else {
		good = take(c, size, &byte);
		*ret = good ? byte : 0;
	}
	return good;
}

/* One value of a basic type. */
static bool take_basic(struct cursor *c, char type, struct dbus_value *ret)
{
	static const char names[] = "y\0b\0n\0q\0i\0u\0x\0t\0d\0s\0o\0g";
	const char *name = type ? memchr(names, type, sizeof(names)) : NULL;
	uint64_t length;

	if (!name || !align(c, alignment(type)))
		return false;
	ret->type = name;
	if (!is_text(type) && type != 'g')
		return take_number(c, alignment(type), &ret->number);
	return take_number(c, alignment(type), &length) && take_text(c, length, &ret->text);
}

static bool take_variant(struct cursor *c, struct dbus_value *ret)
{
	struct dbus_value signature;

	return take_basic(c, 'g', &signature) && strlen(signature.text) == 1 &&
	       take_basic(c, signature.text[0], ret);
}

int dbus_message_length(const uint8_t *head, size_t *ret, struct err *e)
{
	uint32_t body, fields;
	uint64_t length;

	memcpy(&body, head + 4, sizeof(body));
	memcpy(&fields, head + 12, sizeof(fields));
	if (head[0] != ENDIAN || head[3] != VERSION)
		return malformed(e);
	length = DBUS_HEAD + ((uint64_t)fields + 7) / 8 * 8 + body;
	if (length > DBUS_MESSAGE_MAX)
		return err_set(e, ERR_SYSTEM, "D-Bus: a message came that is too long");
	*ret = (size_t)length;
	return 0;
}

static void note_field(struct dbus_message *m, unsigned field, const struct dbus_value *value)
{
	const char **const texts[] = {
		[FIELD_PATH] = &m->path,     [FIELD_INTERFACE] = &m->interface,
		[FIELD_MEMBER] = &m->member, [FIELD_ERROR] = &m->error,
		[FIELD_SENDER] = &m->sender, [FIELD_SIGNATURE] = &m->signature,
	};
	bool text = is_text(value->type[0]) || value->type[0] == 'g';

	if (field == FIELD_REPLY_TO && value->type[0] == 'u')
		m->reply_to = (uint32_t)value->number;
	else if (field < array_len(texts) && texts[field] && text)
		*texts[field] = value->text;
}

static bool take_fields(struct cursor *c, struct dbus_message *m)
{
	struct dbus_value value;
	uint64_t field;

	while (c->at < c->size) {
		if (!align(c, 8) || !take_number(c, 1, &field) || !take_variant(c, &value))
			return false;
		note_field(m, (unsigned)field, &value);
	}
	return true;
}

int dbus_decode(const uint8_t *data, size_t size, struct dbus_message *ret, struct err *e)
{
	struct dbus_message m = {
		.sender = "",
		.path = "",
		.interface = "",
		.member = "",
		.error = "",
		.signature = "",
	};
	struct cursor c = {.data = data, .at = DBUS_HEAD};
	uint32_t body, fields;
	size_t length;

	if (size < DBUS_HEAD || dbus_message_length(data, &length, e) || length != size)
		return malformed(e);
	memcpy(&body, data + 4, sizeof(body));
	memcpy(&fields, data + 12, sizeof(fields));
	m.type = data[1];
	c.size = DBUS_HEAD + (size_t)fields;
	if (!take_fields(&c, &m))
		return malformed(e);
	if ((m.type == DBUS_REPLY || m.type == DBUS_ERROR) && !m.reply_to)
		return malformed(e);
	m.body = data + size - body;
	m.body_size = body;
	*ret = m;
	return 0;
}

int dbus_read(const struct dbus_message *message, const char *types, struct dbus_value *ret,
	      struct err *e)
{
	struct cursor c = {.data = message->body, .size = message->body_size};

	if (!str_equal(message->signature, types))
		return malformed(e);
	for (size_t i = 0; types[i]; i++)
		if (!(types[i] == 'v' ? take_variant(&c, &ret[i])
				      : take_basic(&c, types[i], &ret[i])))
			return malformed(e);
	return 0;
}
