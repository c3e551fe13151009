/*
 * Words for steps, one file a subject: for plan/print.c alone.
 */
#pragma once

#include "plan/plan.h"

/* The steps of the process's limits, privileges and scheduling; false: it is none of them. */
bool print_process(const struct step *step, struct str *out);
