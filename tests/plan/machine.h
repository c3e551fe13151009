/*
 * Machines that plans are made for in tests: facts as facts_collect would find them.
 */
#pragma once

#include "plan/plan.h"

/* Root on the machine "v1", "v2", "hybrid" or "none"; false: there is no such machine. */
bool machine_find(const char *name, struct plan_facts *ret);
