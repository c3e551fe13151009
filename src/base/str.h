/*
 * Strings: a builder that grows in an arena, and strict reading of numbers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

/* A list of strings, as most arrays of config.json are. */
struct str_list {
	const char **item;
	size_t count;
};

/*
 * A string under construction. text always ends with NUL. The first failure (the arena's limit) is
 * remembered, later calls do nothing, and str_end reports it: so a writer needs one check at its
 * end.
 */
struct str {
	char *text;
	size_t length, capacity;
	struct arena *arena;
	bool failed;
};

/* Starts an empty string in the arena. */
void str_init(struct str *s, struct arena *a);
void str_add(struct str *s, const char *text);
void str_add_bytes(struct str *s, const char *data, size_t length);
void str_add_char(struct str *s, char c);
void str_addf(struct str *s, const char *format, ...) printf_like(2, 3);

/* Adds every item, a space between two. */
void str_add_list(struct str *s, const struct str_list *list);

/* Adds a key as one part of a JSON pointer: "/" and "~" in it are escaped (RFC 6901). */
void str_add_pointer(struct str *s, const char *key);

/* The finished text; NULL and ERR_NO_MEMORY when anything did not fit. */
const char *str_end(struct str *s, struct err *e) must_check;

bool str_equal(const char *a, const char *b);
bool str_equal_nocase(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/*
 * path as an absolute one in its shortest form: no doubled or trailing slash, no "." and no "..",
 * which are taken as words alone, as Go's filepath.Clean does; what is a link in the world is not
 * looked at. A relative path begins at the root.
 */
const char *str_clean_path(struct arena *a, const char *path, struct err *e) must_check;

/*
 * The whole of text as a decimal number of digits alone: no sign, no space, no prefix, nothing
 * behind it, in range. False otherwise, and *ret is untouched. Every id, signal, descriptor and
 * size of the command line goes through here.
 */
bool str_to_u32(const char *text, uint32_t *ret);
bool str_to_u64(const char *text, uint64_t *ret);

/* The same with one leading '-' allowed. */
bool str_to_i64(const char *text, int64_t *ret);
