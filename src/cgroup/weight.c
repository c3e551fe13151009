/*
 * cpu.shares as cpu.weight, without a mathematics library: log2 and a power of ten in fixed point.
 * Pure.
 *
 * The results are those of the formula in double precision for every share there is (the unit test
 * compares all of them): no value but the three that are exact comes nearer than 10^-6 to a whole
 * number. The error here is 10^-8 and always downwards, so that the exact ones are not rounded up.
 */
#include "cgroup/cgroup.h"

#define ONE (1ull << 40) /* 1.0 of the fixed point */

typedef unsigned __int128 wide;

static uint64_t multiply(uint64_t a, uint64_t b)
{
	return (uint64_t)((wide)a * b / ONE);
}

/*
 * log2 of a whole number: its bits before the point by counting, those behind it by squaring what
 * is left.
 */
static uint64_t log2_of(uint64_t number)
{
	unsigned whole = 63 - (unsigned)__builtin_clzll(number);
	uint64_t rest = number << (62 - whole); /* in [1, 2), the point behind bit 62 */
	uint64_t log = whole * ONE;

	for (uint64_t bit = ONE / 2; bit; bit /= 2) {
		rest = (uint64_t)((wide)rest * rest >> 62);
		if (rest >> 63) {
			rest /= 2;
			log |= bit;
		}
	}
	return log;
}

/* 2 to the power of x: the part behind the point by the series of the exponential function. */
static uint64_t exp2_of(uint64_t x)
{
	const uint64_t ln2 = 762123384786ull;
	uint64_t t = multiply(x % ONE, ln2), sum = ONE;

	for (uint64_t k = 16; k; k--)
		sum = ONE + multiply(sum, t) / k;
	return sum << (x / ONE);
}

uint64_t cgroup_weight_of_shares(uint64_t shares)
{
	const uint64_t log2_of_10 = 3652498566964ull;
	uint64_t l, exponent;

	if (!shares)
		return 0;
	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2_of(shares);
	exponent = (multiply(l, l) + 125 * l - 126 * ONE) / 612;
	return (exp2_of(multiply(exponent, log2_of_10)) + ONE - 1) / ONE;
}
