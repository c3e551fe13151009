/*
 * Sizes: see size.h. Digit by digit and not by a floating point number, so that what is written is
 * what counts.
 */
#include "cli/size.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* Bits to shift by, for "k", "KB", "KiB" and the like; −1 when it is none. */
static int unit_shift(const char *unit)
{
	static const char units[] = "bkmgtp";
	const char *found = *unit ? strchr(units, *unit | 0x20) : units;

	if (!found)
		return -1;
	if (found == units)
		return !*unit || !unit[1] ? 0 : -1;
	if (unit[1] && !str_equal_nocase(unit + 1, "b") && !str_equal_nocase(unit + 1, "ib"))
		return -1;
	return 10 * (int)(found - units);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The digits behind the point as a part of one unit; those behind the eighteenth weigh nothing. */
static uint64_t fraction_of(const char *digits, size_t count, int shift)
{
	unsigned __int128 value = 0, ten = 1;

	for (size_t i = 0; i < count && i < 18; i++) {
		value = value * 10 + (unsigned)(digits[i] - '0');
		ten *= 10;
	}
	return (uint64_t)((value << shift) / ten);
}

bool size_parse(const char *text, int64_t *ret)
{
	size_t whole = strspn(text, "0123456789");
	const char *point = text + whole;
	size_t fraction = *point == '.' ? strspn(point + 1, "0123456789") : 0;
	const char *unit = point + (*point == '.') + fraction;
	unsigned __int128 value = 0;
	int shift;

	if (!whole && !fraction)
		return false;
	shift = unit_shift(unit + (*unit == ' '));
	if (shift < 0)
		return false;
	for (; is_digit(*text); text++) {
		value = value * 10 + (unsigned)(*text - '0');
		if (value > INT64_MAX)
			return false;
	}
	value = (value << shift) + fraction_of(point + 1, fraction, shift);
	if (value > INT64_MAX)
		return false;
	*ret = (int64_t)value;
	return true;
}
