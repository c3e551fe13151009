/*
 * Runs one command line in this process and keeps what it printed, for the tests of the command
 * line.
 */
#pragma once

#include "cli/environment.h"

struct answer {
	int status;
	char out[32768], err[8192];
};

/* The environment of the next calls; all NULL at first. */
extern struct environment call_environment;

/*
 * Calls cli_main with the words of line, split at spaces; the first is argv[0]. '' is an empty
 * word.
 */
struct answer call_line(const char *line);
