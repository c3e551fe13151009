/*
 * The JSON writer: see json_write.h.
 */
#include "base/json_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void json_write_init(struct json_writer *w, struct str *out, const char *indent)
{
	*w = (struct json_writer){.out = out, .indent = indent, .empty = true};
}

/* ---- layout ---------------------------------------------------------------------------------- */

static void new_line(struct json_writer *w)
{
	if (!w->indent)
		return;
	str_add_char(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		str_add(w->out, w->indent);
}

/* What does not stand for itself in a string: Go also escapes what would matter inside HTML. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

/* Writes the character at `at`, which is not plain; returns how many bytes of it were used. */
static size_t put_special(struct str *out, const char *at)
{
	/* pairs: the character, its letter */
	static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
	unsigned char c = (unsigned char)*at;
	size_t length = utf8_length(at);

	for (const char *pair = named; c < 0x80 && *pair; pair += 2) {
		if (*pair != *at)
			continue;
		str_add_char(out, '\\');
		str_add_char(out, pair[1]);
		return 1;
	}
	if (c < 0x80)
		str_addf(out, "\\u%04x", c);
	else if (!length)
		str_add(out, "\\ufffd");
	else if (length == 3 && (!memcmp(at, "\xe2\x80\xa8", 3) || !memcmp(at, "\xe2\x80\xa9", 3)))
		str_addf(out, "\\u202%x", (unsigned char)at[2] & 0xf);
	else
		str_add_bytes(out, at, length);
	return length ? length : 1;
}

static void put_quoted(struct str *out, const char *text)
{
	str_add_char(out, '"');
	while (*text) {
		size_t plain = 0;

		while (is_plain((unsigned char)text[plain]))
			plain++;
		str_add_bytes(out, text, plain);
		text += plain;
		if (*text)
			text += put_special(out, text);
	}
	str_add_char(out, '"');
}

/* Everything that goes before a value: the comma, the line, the key. */
static void before_value(struct json_writer *w, const char *key)
{
	if (!w->empty && w->depth)
		str_add_char(w->out, ',');
	if (w->depth)
		new_line(w);
	w->empty = false;
	if (!key)
		return;
	put_quoted(w->out, key);
	str_add(w->out, w->indent ? ": " : ":");
}

static void open_level(struct json_writer *w, const char *key, bool array)
{
	before_value(w, key);
	if (w->depth == JSON_WRITE_DEPTH - 1) {
		w->out->failed = true;
		return;
	}
	str_add_char(w->out, array ? '[' : '{');
	w->depth++;
	w->arrays = (w->arrays & ~(UINT64_C(1) << w->depth)) | (uint64_t)array << w->depth;
	w->empty = true;
}

void json_write_object(struct json_writer *w, const char *key)
{
	open_level(w, key, false);
}

void json_write_array(struct json_writer *w, const char *key)
{
	open_level(w, key, true);
}

void json_write_end(struct json_writer *w)
{
	bool array = w->arrays >> w->depth & 1;

	if (!w->depth)
		return;
	w->depth--;
	if (!w->empty)
		new_line(w);
	str_add_char(w->out, array ? ']' : '}');
	w->empty = false;
}

/* ---- values ---------------------------------------------------------------------------------- */

void json_write_null(struct json_writer *w, const char *key)
{
	before_value(w, key);
	str_add(w->out, "null");
}

void json_write_string(struct json_writer *w, const char *key, const char *value)
{
	if (!value) {
		json_write_null(w, key);
		return;
	}
	before_value(w, key);
	put_quoted(w->out, value);
}

static void put_number(struct str *out, bool negative, uint64_t magnitude)
{
	char digits[21], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + magnitude % 10);
	while (magnitude /= 10);
	if (negative)
		*--at = '-';
	str_add_bytes(out, at, (size_t)(digits + sizeof(digits) - at));
}

void json_write_u64(struct json_writer *w, const char *key, uint64_t value)
{
	before_value(w, key);
	put_number(w->out, false, value);
}

void json_write_i64(struct json_writer *w, const char *key, int64_t value)
{
	before_value(w, key);
	put_number(w->out, value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_write_hundredths(struct json_writer *w, const char *key, uint64_t value)
{
	json_write_u64(w, key, value / 100);
	if (value % 100) {
		str_add_char(w->out, '.');
		str_add_char(w->out, (char)('0' + value / 10 % 10));
	}
	if (value % 10)
		str_add_char(w->out, (char)('0' + value % 10));
}

void json_write_bool(struct json_writer *w, const char *key, bool value)
{
	before_value(w, key);
	str_add(w->out, value ? "true" : "false");
}

void json_write_strings(struct json_writer *w, const char *key, const struct str_list *list)
{
	json_write_array(w, key);
	for (size_t i = 0; i < list->count; i++)
		json_write_string(w, NULL, list->item[i]);
	json_write_end(w);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct str_pair *)a)->key, ((const struct str_pair *)b)->key);
}

void json_write_map(struct json_writer *w, const char *key, const struct str_map *map)
{
	struct err at_limit;
	struct str_pair *sorted =
		arena_get_array(w->out->arena, map->count, sizeof(*sorted), &at_limit);

	if (!sorted) {
		w->out->failed = true;
		return;
	}
	if (map->count)
		memcpy(sorted, map->item, map->count * sizeof(*sorted));
	qsort(sorted, map->count, sizeof(*sorted), by_key);
	json_write_object(w, key);
	for (size_t i = 0; i < map->count; i++)
		json_write_string(w, sorted[i].key, sorted[i].value);
	json_write_end(w);
}
