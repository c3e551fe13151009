/*
 * Lists of small numbers: see ranges.h.
 */
#include "base/ranges.h"

#include <string.h>

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t\n");
}

/* One number; NULL when there is none. */
static const char *number(const char *at, unsigned *ret)
{
	const char *start = at;

	for (*ret = 0; *at >= '0' && *at <= '9' && *ret < RANGES_MAX; at++)
		*ret = *ret * 10 + (unsigned)(*at - '0');
	return at == start || *ret >= RANGES_MAX ? NULL : at;
}

static int add(struct ranges *set, unsigned first, unsigned last)
{
	int added = 0;

	for (unsigned n = first; n <= last; n++) {
		unsigned long *word = &set->bits[n / RANGES_WORD], bit = 1ul << n % RANGES_WORD;

		added += !(*word & bit);
		*word |= bit;
	}
	return added;
}

int ranges_parse(const char *text, struct ranges *ret)
{
	struct ranges set = {{0}};
	int count = 0;

	for (const char *at = skip_space(text);; at = skip_space(at + 1)) {
		unsigned first, last;

		if (*at && *at != ',') {
			at = number(at, &first);
			last = first;
			if (at && *at == '-')
				at = number(at + 1, &last);
			if (!at || last < first)
				return -1;
			count += add(&set, first, last);
			at = skip_space(at);
		}
		if (!*at)
			break;
		if (*at != ',')
			return -1;
	}
	if (!count)
		return -1;
	*ret = set;
	return count;
}
