/*
 * Strings: see str.h.
 */
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void str_init(struct str *s, struct arena *a)
{
	*s = (struct str){.text = "", .arena = a};
}

/* Makes room for more bytes and the NUL; false once anything failed. */
static bool str_reserve(struct str *s, size_t more)
{
	struct err ignored;
	size_t capacity = s->capacity ? s->capacity : 256;
	char *text;

	if (s->failed)
		return false;
	if (more < s->capacity - s->length)
		return true;
	while (capacity - s->length <= more && capacity < ARENA_LIMIT)
		capacity *= 2;
	text = arena_get(s->arena, capacity, &ignored);
	if (!text) {
		s->failed = true;
		return false;
	}
	memcpy(text, s->text, s->length);
	s->text = text;
	s->capacity = capacity;
	return true;
}

void str_add_bytes(struct str *s, const char *data, size_t length)
{
	if (length >= ARENA_LIMIT)
		s->failed = true;
	if (!str_reserve(s, length))
		return;
	memcpy(s->text + s->length, data, length);
	s->length += length;
	s->text[s->length] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_bytes(s, &c, 1);
}

void str_add_list(struct str *s, const struct str_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			str_add_char(s, ' ');
		str_add(s, list->item[i]);
	}
}

void str_add_pointer(struct str *s, const char *key)
{
	for (; *key; key++)
		if (*key == '~')
			str_add(s, "~0");
		else if (*key == '/')
			str_add(s, "~1");
		else
			str_add_char(s, *key);
}

void str_addf(struct str *s, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !str_reserve(s, (size_t)n + 1)) {
		s->failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(s->text + s->length, (size_t)n + 1, format, args);
	va_end(args);
	s->length += (size_t)n;
}

const char *str_end(struct str *s, struct err *e)
{
	if (!s->failed)
		return s->text;
	err_set(e, ERR_NO_MEMORY, "out of memory: one command may use %zu MiB",
		s->arena->limit >> 20);
	return NULL;
}

bool str_equal(const char *a, const char *b)
{
	return !strcmp(a, b);
}

bool str_equal_nocase(const char *a, const char *b)
{
	return !strcasecmp(a, b);
}

bool str_starts(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool str_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length >= tail && !strcmp(text + length - tail, suffix);
}

bool str_to_u64(const char *text, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*ret = value;
	return true;
}

bool str_to_u32(const char *text, uint32_t *ret)
{
	uint64_t value;

	if (!str_to_u64(text, &value) || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool str_to_i64(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t value;

	if (!str_to_u64(text + negative, &value) || value > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - value) : (int64_t)value;
	return true;
}

const char *str_clean_path(struct arena *a, const char *path, struct err *e)
{
	char *clean = arena_get(a, strlen(path) + 2, e);
	char *to = clean;

	if (!clean)
		return NULL;
	for (size_t length; *path; path += length) {
		path += strspn(path, "/");
		length = strcspn(path, "/");
		if (length == 0 || (length == 1 && path[0] == '.'))
			continue;
		if (length == 2 && path[0] == '.' && path[1] == '.') {
			while (to > clean && *--to != '/')
				;
			continue;
		}
		*to++ = '/';
		memcpy(to, path, length);
		to += length;
	}
	if (to == clean)
		*to++ = '/';
	*to = '\0';
	return clean;
}
