/*
 * Errors of the JSON reader: where in the text, where in the document, and what is wrong there. All
 * of it is cold.
 */
#include "base/json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct json_place json_place(const char *text, const char *at)
{
	struct json_place place = {1, 1};

	for (; text < at; text++) {
		if (*text == '\n')
			place = (struct json_place){place.line + 1, 1};
		else if (((unsigned char)*text & 0xc0) != 0x80)
			place.column++;
	}
	return place;
}

/* A piece of a fixed buffer that is filled from the left and cut at its end. */
struct piece {
	char *at;
	size_t room;
};

static void put(struct piece *p, const char *format, ...) printf_like(2, 3);
static void put(struct piece *p, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(p->at, p->room, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= p->room)
		n = (int)p->room - 1;
	p->at += n;
	p->room -= (size_t)n;
}

/* The place in the document as a JSON pointer (RFC 6901). */
static void put_pointer(struct piece *p, const struct json *j)
{
	for (unsigned i = 0; i < j->depth; i++) {
		const struct json_step *step = &j->path[i];

		if (step->close == ']' && step->count)
			put(p, "/%zu", step->count - 1);
		if (!step->key)
			continue;
		put(p, "/");
		for (const char *c = step->key; *c; c++)
			if (*c == '~' || *c == '/')
				put(p, "~%c", *c == '/' ? '1' : '0');
			else
				put(p, "%c", *c);
	}
}

/* The same as people write it: process.args[0]. */
static void put_words(struct piece *p, const struct json *j)
{
	const char *begin = p->at;

	for (unsigned i = 0; i < j->depth; i++) {
		const struct json_step *step = &j->path[i];

		if (step->close == ']' && step->count)
			put(p, "[%zu]", step->count - 1);
		else if (step->key)
			put(p, "%s%s", p->at > begin ? "." : "", step->key);
	}
	if (p->at == begin)
		put(p, "%s", j->input->name);
}

/*
 * A character as it is shown in a message: itself in quotes when it can be seen, its number when
 * not.
 */
static void put_character(struct piece *p, const char *at)
{
	size_t length = utf8_length(at);

	if (*at == '\'')
		put(p, "'\\''");
	else if (length && (unsigned char)*at >= 0x20 && *at != 0x7f)
		put(p, "'%.*s'", (int)length, at);
	else
		put(p, "'\\x%02x'", (unsigned char)*at);
}

static int fail_at(const struct json *j, const char *at, struct err *e, const char *text)
{
	struct json_place place = json_place(j->input->text, at);
	struct piece pointer;

	err_set(e, ERR_INVALID, "%s:%u:%u: %s", j->input->name, place.line, place.column, text);
	pointer = (struct piece){e->pointer, sizeof(e->pointer)};
	put_pointer(&pointer, j);
	return -1;
}

static void format_text(struct piece *p, const char *format, va_list args) printf_like(2, 0);
static void format_text(struct piece *p, const char *format, va_list args)
{
	int n = vsnprintf(p->at, p->room, format, args);

	if (n > 0)
		p->at += (size_t)n < p->room ? (size_t)n : p->room - 1;
}

static int fail_with(const struct json *j, const char *at, struct err *e, const char *format,
		     va_list args) printf_like(4, 0);
static int fail_with(const struct json *j, const char *at, struct err *e, const char *format,
		     va_list args)
{
	char text[512] = "";
	struct piece p = {text, sizeof(text)};

	format_text(&p, format, args);
	return fail_at(j, at, e, text);
}

int json_fail(const struct json *j, struct err *e, const char *format, ...)
{
	va_list args;
	int failed;

	va_start(args, format);
	failed = fail_with(j, j->value, e, format, args);
	va_end(args);
	return failed;
}

int json_fail_here(const struct json *j, struct err *e, const char *format, ...)
{
	va_list args;
	int failed;

	va_start(args, format);
	failed = fail_with(j, j->at, e, format, args);
	va_end(args);
	return failed;
}

int json_fail_syntax(const struct json *j, struct err *e, const char *format, ...)
{
	char text[512] = "";
	struct piece p = {text, sizeof(text)};
	va_list args;

	if (j->at == j->end)
		return fail_at(j, j->at, e, "unexpected end of JSON input");
	put(&p, "invalid character ");
	put_character(&p, j->at);
	put(&p, " ");
	va_start(args, format);
	format_text(&p, format, args);
	va_end(args);
	return fail_at(j, j->at, e, text);
}

int json_fail_wanted(const struct json *j, struct err *e, const char *type, const char *wanted)
{
	char text[512] = "";
	struct piece p = {text, sizeof(text)};

	put(&p, "cannot use %s as %s for ", type, wanted);
	put_words(&p, j);
	return fail_at(j, j->value, e, text);
}

int json_fail_number(const struct json *j, struct err *e, const char *format, ...)
{
	int length = (int)(j->at - j->value);
	char text[512] = "";
	struct piece p = {text, sizeof(text)};
	va_list args;

	put(&p, "number %.*s%s for ", length < 40 ? length : 40, j->value, length < 40 ? "" : "…");
	put_words(&p, j);
	put(&p, " ");
	va_start(args, format);
	format_text(&p, format, args);
	va_end(args);
	return fail_at(j, j->value, e, text);
}

#define UNKNOWN_LIMIT 50 /* finding a line takes longer the further it is: no million of them */

void json_tell_unknown(struct json *j)
{
	struct json_place place;
	char text[512] = "";
	struct piece p = {text, sizeof(text)};

	if (++j->unknown > UNKNOWN_LIMIT)
		return;
	place = json_place(j->input->text, j->value);
	put_words(&p, j);
	log_add(j->input->log, LOG_LEVEL_DEBUG, "%s:%u:%u: unknown member %s is ignored%s",
		j->input->name, place.line, place.column, text,
		j->unknown == UNKNOWN_LIMIT ? ", and so may be others" : "");
}
