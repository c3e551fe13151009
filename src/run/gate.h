/*
 * The gate between create and start: a socket in the container's state directory on which init
 * waits. Its existence is what makes a container "created"; whoever connects lets the program go,
 * and hears over the same connection whether it could be executed.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Makes the gate in the state directory and listens on it. */
int gate_make(int state, struct err *e) must_check;

/* Whether the gate is still there. */
bool gate_exists(int state);

/* Connects to it. ECONNREFUSED or ENOENT in e->sys: init is gone, or was started. */
int gate_connect(int state, struct err *e) must_check;

/* Takes it away, so that nobody starts the container again. */
void gate_remove(int state);
