/*
 * Deadlines: see deadline.h.
 */
#include "sys/deadline.h"

#include <time.h>

int64_t deadline_in(int seconds)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return ((int64_t)now.tv_sec + seconds) * 1000 + now.tv_nsec / 1000000;
}

int deadline_left(int64_t deadline)
{
	int64_t left = deadline - deadline_in(0);

	return left < 0 ? 0 : (int)left;
}
