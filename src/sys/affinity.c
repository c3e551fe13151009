/*
 * Processors: see affinity.h.
 */
#include "sys/affinity.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/ranges.h"

bool affinity_valid(const char *text)
{
	struct ranges cpus;

	return ranges_parse(text, &cpus) > 0;
}

int affinity_set(const char *list, struct err *e)
{
	struct ranges cpus;

	memset(&cpus, 0xff, sizeof(cpus));
	if (list && ranges_parse(list, &cpus) < 0)
		return err_set(e, ERR_INVALID, "\"%s\" is not a list of processors", list);
	if (syscall(SYS_sched_setaffinity, 0, sizeof(cpus), &cpus))
		return err_sys(e, "set the processor affinity to %s", list ? list : "all");
	return 0;
}
