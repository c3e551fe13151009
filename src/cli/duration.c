/*
 * Durations: see duration.h.
 */
#include "cli/duration.h"

#include <string.h>

#include "base/str.h"

/* The longest first where one is the begin of another. */
static const struct {
	char name[4];
	uint64_t nanoseconds;
} units[] = {
	{"ns", 1},    {"us", 1000},    {"µs", 1000}, /* the micro sign, and then the Greek letter
							that looks like it */
	{"μs", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
};

/* The unit at the front of *text, which is moved behind it; 0 when there is none. */
static uint64_t take_unit(const char **text)
{
	for (size_t i = 0; i < array_len(units); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(*text, units[i].name, length) != 0)
			continue;
		*text += length;
		return units[i].nanoseconds;
	}
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* One number with its unit, moved over. */
static bool take_part(const char **text, uint64_t *ret)
{
	unsigned __int128 value = 0, fraction = 0, ten = 1;
	const char *at = *text;
	uint64_t unit;

	for (; is_digit(*at); at++) {
		value = value * 10 + (unsigned)(*at - '0');
		if (value > INT64_MAX)
			return false;
	}
	if (at == *text && !(*at == '.' && is_digit(at[1])))
		return false;
	if (*at == '.')
		for (at++; is_digit(*at); at++) {
			if (ten > UINT64_MAX / 10)
				continue; /* less than a nanosecond of any unit */
			fraction = fraction * 10 + (unsigned)(*at - '0');
			ten *= 10;
		}
	unit = take_unit(&at);
	value = value * unit + fraction * unit / ten;
	if (!unit || value > INT64_MAX)
		return false;
	*text = at;
	*ret = (uint64_t)value;
	return true;
}

bool duration_parse(const char *text, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t sum = 0, part;

	text += *text == '-' || *text == '+';
	if (str_equal(text, "0")) {
		*ret = 0;
		return true;
	}
	if (!*text)
		return false;
	while (*text) {
		if (!take_part(&text, &part) || part > INT64_MAX - sum)
			return false;
		sum += part;
	}
	*ret = negative ? -(int64_t)sum : (int64_t)sum;
	return true;
}
