/*
 * Lists of processors and memory nodes: any text is the set that its numbers make, or is refused;
 * and a set, written as the kernel writes it, is the same set.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ranges.h"
#include "cgroup/stats_parse.h"
#include "frame.h"

static bool has(const struct ranges *set, unsigned number)
{
	return set->bits[number / RANGES_WORD] >> number % RANGES_WORD & 1;
}

static void print(const struct ranges *set, struct str *out)
{
	for (unsigned n = 0; n < RANGES_MAX; n++) {
		unsigned last = n;

		if (!has(set, n))
			continue;
		while (last + 1 < RANGES_MAX && has(set, last + 1))
			last++;
		str_addf(out, out->length ? ",%u" : "%u", n);
		if (last > n)
			str_addf(out, "-%u", last);
		n = last;
	}
}

/* "7", "3-7" or nothing, with space around it: −1 for anything else. */
static int plain_part(char *part, struct ranges *set)
{
	char *end = part + strlen(part), *dash;
	uint32_t first, last;

	part += strspn(part, " \t\n");
	while (end > part && strchr(" \t\n", end[-1]))
		*--end = '\0';
	if (!*part)
		return 0;
	dash = strchr(part, '-');
	if (dash)
		*dash++ = '\0';
	if (!str_to_u32(part, &first) || !str_to_u32(dash ? dash : part, &last) || first > last ||
	    last >= RANGES_MAX)
		return -1;
	for (; first <= last; first++)
		set->bits[first / RANGES_WORD] |= 1ul << first % RANGES_WORD;
	return 1;
}

/* How many numbers there are; −1: it is no list. */
static int plain(const char *text, struct ranges *ret, struct arena *a)
{
	struct err e;
	char *rest = arena_copy(a, text, strlen(text), &e), *part;
	int count = 0;

	*ret = (struct ranges){{0}};
	while ((part = strsep(&rest, ",")))
		if (plain_part(part, ret) < 0)
			return -1;
	for (unsigned n = 0; n < RANGES_MAX; n++)
		count += has(ret, n);
	return count ? count : -1;
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct ranges set = {{0}}, wanted, again;
	struct stats_numbers list;
	struct str printed;
	struct err e;
	int count = ranges_parse(text, &set), others = plain(text, &wanted, a);

	(void)length;
	fuzz_hold(count == others, "%d numbers, not %d", count, others);
	fuzz_hold(stats_parse_list(text, a, &list, &e) == (count < 0 && *text ? -1 : 0),
		  "the list is judged differently");
	if (count < 0)
		return;
	fuzz_hold(!memcmp(&set, &wanted, sizeof(set)), "other numbers");
	fuzz_hold(list.count == (size_t)count, "%zu numbers listed of %d", list.count, count);
	str_init(&printed, a);
	print(&set, &printed);
	fuzz_hold(ranges_parse(printed.text, &again) == count && !memcmp(&set, &again, sizeof(set)),
		  "%s is another list", printed.text);
}
