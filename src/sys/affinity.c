/*
 * Processors: see affinity.h.
 */
#include "sys/affinity.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS 8192 /* the most that a kernel can be built for */

struct cpus {
	unsigned long bits[CPUS / (8 * sizeof(unsigned long))];
};

/* One number of at most four digits; NULL when there is none. */
static const char *number(const char *at, unsigned *ret)
{
	const char *start = at;

	for (*ret = 0; *at >= '0' && *at <= '9' && at - start < 4; at++)
		*ret = *ret * 10 + (unsigned)(*at - '0');
	return at == start || *ret >= CPUS ? NULL : at;
}

static bool parse(const char *at, struct cpus *ret)
{
	unsigned first, last;

	memset(ret, 0, sizeof(*ret));
	for (;; at++) {
		at = number(at, &first);
		last = first;
		if (at && *at == '-')
			at = number(at + 1, &last);
		if (!at || last < first)
			return false;
		for (unsigned cpu = first; cpu <= last; cpu++)
			ret->bits[cpu / (8 * sizeof(long))] |= 1ul << cpu % (8 * sizeof(long));
		if (*at != ',')
			return !*at;
	}
}

bool affinity_valid(const char *text)
{
	struct cpus cpus;

	return parse(text, &cpus);
}

int affinity_set(const char *list, struct err *e)
{
	struct cpus cpus;

	memset(&cpus, 0xff, sizeof(cpus));
	if (list && !parse(list, &cpus))
		return err_set(e, ERR_INVALID, "\"%s\" is not a list of processors", list);
	if (syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus))
		return err_sys(e, "set the processor affinity to %s", list ? list : "all");
	return 0;
}
