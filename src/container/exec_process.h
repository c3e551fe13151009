/*
 * The process that exec runs: from a file, or the container's own with what the command line
 * changes.
 */
#pragma once

#include "container/status.h"

/* spec: the container's configuration, as it was created. */
int exec_process(struct creel *c, const struct container *ct, const struct creel_exec *o,
		 const struct spec *spec, const struct spec_process **ret,
		 struct err *e) must_check;
