/*
 * Nearest names: see suggest.h. The distance is Levenshtein's, on names so short that a row fits on
 * the stack.
 */
#include "cli/suggest.h"

#include <string.h>

#define LONGEST 32

struct suggestion suggestion_for(const char *typed, size_t length)
{
	/* A third of the letters may be wrong; an offer must stay below distance. */
	return (struct suggestion){.typed = typed, .length = length, .distance = length / 3 + 1};
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be added, removed or replaced; both lengths are below LONGEST. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t row[LONGEST];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

void suggestion_offer(struct suggestion *s, const char *name)
{
	size_t length = strlen(name);
	size_t distance;

	if (s->length >= LONGEST || length >= LONGEST)
		return;
	distance = edit_distance(s->typed, s->length, name, length);
	if (distance >= s->distance)
		return;
	s->distance = distance;
	s->name = name;
}
