/*
 * The wire format of Protocol Buffers, as far as criu's messages go: numbers and runs of bytes.
 * message.c alone speaks it. What comes in is not trusted: a reader never looks beyond the end that
 * it was given, and copies nothing.
 *
 * A message is a row of fields in any order. A field is a key, its number and its wire type, and a
 * value: a number of up to 64 bits (wire type 0), or a length and that many bytes (2), which may be
 * text or a message in its turn. Wire types 1 and 5, of eight and four bytes, are passed over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Each adds one field to a message under construction. A negative number is sign-extended. */
void wire_add_number(struct str *out, unsigned field, uint64_t number);
void wire_add_text(struct str *out, unsigned field, const char *text);
void wire_add_message(struct str *out, unsigned field, const struct str *message);

/* What is left of a message. */
struct wire {
	const uint8_t *at, *end;
};

struct wire_field {
	unsigned number;     /* from 1 */
	bool is_number;      /* of wire type 0 */
	uint64_t value;      /* when it is a number */
	struct wire content; /* otherwise, within the message */
};

/*
 * Takes the next field: 1 and *ret, 0 at the end of the message, −1 and ERR_INVALID when it is
 * none.
 */
int wire_next(struct wire *w, struct wire_field *ret, struct err *e) must_check;

/* Copies text into buf of size bytes, cut at its end, ended with NUL; control characters become
 * '?'.
 */
void wire_text(const struct wire *content, char *buf, size_t size);
