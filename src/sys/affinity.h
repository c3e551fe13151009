/*
 * On which processors a process may run (sched_setaffinity(2)).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Whether text is a list of processors as the kernel writes them: "0-3,7". */
bool affinity_valid(const char *text);

/* Lets the caller run on the processors of the list; NULL: on all that its cgroup allows. */
int affinity_set(const char *list, struct err *e) must_check;
