/*
 * Words for steps, one file a subject: for plan/print.c alone.
 */
#pragma once

#include "plan/plan.h"

/* "mount tmpfs on /dev (nosuid, mode=755)" */
void print_mount(const struct plan_mount *mount, struct str *out);

/* The same mount, opened beforehand by the runtime. */
void print_tree(const struct plan_mount *mount, struct str *out);

/* The steps of the process's limits, privileges and scheduling; false: it is none of them. */
bool print_process(const struct step *step, struct str *out);
