/*
 * What start and run do once the program runs.
 */
#pragma once

#include "container/status.h"

/*
 * Runs the poststart hooks. When one fails the container is killed, as the specification demands
 * that it be stopped.
 */
int container_poststart(struct creel *c, struct container *ct, struct err *e) must_check;
