/*
 * Numbers, sizes and durations as users write them: any text is what a plain reading of their
 * grammar makes of it, or is refused.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/duration.h"
#include "cli/options.h"
#include "cli/size.h"
#include "frame.h"

/* Digits alone, read by libc. */
static bool plain_number(const char *text, unsigned long long max, unsigned long long *ret)
{
	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	*ret = strtoull(text, NULL, 10);
	return !errno && *ret <= max;
}

static void check_numbers(const char *text)
{
	unsigned long long wanted = 0;
	uint32_t small = 1;
	uint64_t large = 1;
	int64_t number = 1;
	bool negative = *text == '-', good;

	good = plain_number(text, UINT32_MAX, &wanted);
	fuzz_hold(str_to_u32(text, &small) == good && small == (good ? wanted : 1), "u32");
	good = plain_number(text, UINT64_MAX, &wanted);
	fuzz_hold(str_to_u64(text, &large) == good && large == (good ? wanted : 1), "u64");
	good = plain_number(text + negative, INT64_MAX + (unsigned long long)negative, &wanted);
	if (negative)
		wanted = 0 - wanted;
	fuzz_hold(str_to_i64(text, &number) == good && number == (good ? (int64_t)wanted : 1),
		  "i64");
}

/* A decimal number with a point perhaps, but no more; NULL: none is there. */
static const char *plain_decimal(const char *text, long double *ret)
{
	size_t whole = strspn(text, "0123456789");
	size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	const char *behind = text + whole + (text[whole] == '.') + part, *end = behind;
	size_t zeros = strspn(text, "0");
	char copy[128];

	if (!whole && !part)
		return NULL;
	text += zeros;
	if ((size_t)(end - text) >= sizeof(copy))
		/* its last digits weigh nothing, or it is too large */
		end = text + sizeof(copy) - 1;
	memcpy(copy, text, (size_t)(end - text));
	copy[end - text] = '\0';
	*ret = strtold(copy, NULL);
	return behind;
}

/* Equal but for what a floating point number cannot hold, and for what is cut off. */
static bool is_near(int64_t number, long double wanted)
{
	return fabsl((long double)number - wanted) <= 1 + fabsl(wanted) * 1e-15L;
}

static void check_size(const char *text)
{
	static const char units[] = "bkmgtp";
	long double wanted = 0;
	const char *unit = plain_decimal(text, &wanted), *found;
	int64_t size = -7;
	bool good;

	if (unit && *unit == ' ')
		unit++;
	found = unit && *unit ? strchr(units, tolower((unsigned char)*unit)) : units;
	good = unit && found &&
	       (!*unit || !unit[1] ||
		(found > units && (!strcasecmp(unit + 1, "b") || !strcasecmp(unit + 1, "ib"))));
	if (good)
		wanted *= powl(1024, (long double)(found - units));
	if (good && fabsl(wanted - 0x1p63L) < 1e6L)
		return; /* too near to the end for this judge */
	good &= wanted < 0x1p63L;
	fuzz_hold(size_parse(text, &size) == good, "size: %d wanted", good);
	fuzz_hold(good ? is_near(size, wanted) : size == -7, "size %lld, not %Lf", (long long)size,
		  wanted);
}

static const char *plain_unit(const char *text, long double *ret)
{
	static const struct {
		const char *name;
		long double value;
	} units[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
		     {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},      {"h", 3600e9}};

	for (size_t i = 0; text && i < array_len(units); i++)
		if (str_starts(text, units[i].name)) {
			*ret = units[i].value;
			return text + strlen(units[i].name);
		}
	return NULL;
}

static void check_duration(const char *text)
{
	const char *at = text + (*text == '-' || *text == '+');
	long double sum = 0, number = 0, unit = 0;
	int64_t duration = -7;
	bool good = *at, zero = str_equal(at, "0");

	while (!zero && good && *at) {
		at = plain_unit(plain_decimal(at, &number), &unit);
		good = at;
		sum += good ? number * unit : 0;
	}
	if (fabsl(sum - 0x1p63L) < 1e6L)
		return;
	good &= sum < 0x1p63L;
	fuzz_hold(duration_parse(text, &duration) == good, "duration: %d wanted", good);
	/* each part may lose its last nanosecond */
	fuzz_hold(good || duration == -7, "an output was written");
	fuzz_hold(!good || fabsl(fabsl((long double)duration) - sum) <=
				   (long double)strlen(text) + sum * 1e-15L,
		  "duration %lld, not %Lf", (long long)duration, sum);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	(void)length;
	(void)a;
	check_numbers(text);
	check_size(text);
	check_duration(text);
}
