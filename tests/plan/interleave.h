/*
 * A plan carried out without doing anything: the runtime and init walk it in one process, and every
 * step is held against what it needs. Shared by the goldens and tests/unit/test_plan.c.
 */
#pragma once

#include "plan/plan.h"

/*
 * Walks both columns with the messages that run/carry.c and run/spawn.c send and expect. `eager`
 * goes on as long as it can; the other one only where eager would wait for ever: so every step of
 * eager comes at the earliest moment that it could. ERR_INVALID: a step came before one of an
 * earlier stage or before what it needs, a message was not the expected one or was never taken, or
 * both wait.
 */
int interleave_check(const struct plan *plan, enum plan_side eager, struct arena *a,
		     struct err *e) must_check;
