/*
 * The program's own constants: those that hold addresses are written once, when it is loaded, and
 * read-only from then on.
 */
#pragma once

#include "base/err.h"

/* Makes them read-only where the loader has not. Errors: ERR_SYSTEM. */
int relro_apply(struct err *e) must_check;
