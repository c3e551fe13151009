/*
 * The whole of the command line program but its main: the unit tests call it with a library that
 * only takes notes.
 */
#pragma once

#include "cli/environment.h"

/* Does what argv (ended with NULL) says. Returns the exit status. */
int cli_main(int argc, char **argv, const struct environment *environment);
