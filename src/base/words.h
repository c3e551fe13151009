/*
 * Names that stand for numbers, in tables: what spec/words.c has of config.json, and anyone else's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The name is in the table itself, not behind a pointer: so tables need no relocation when the
 * program starts.
 */
struct word {
	char name[40];
	uint64_t number;
};
struct words {
	const struct word *item;
	size_t count;
};

/* Looks a name up, in the exact spelling; false when it is not in the table. */
bool word_number(const struct words *w, const char *name, uint64_t *ret);

/* The first name of a number; NULL when there is none. */
const char *word_name(const struct words *w, uint64_t number);
