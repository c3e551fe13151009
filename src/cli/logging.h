/*
 * What goes to stderr and to the file of --log: errors, warnings and the library's debug messages,
 * in the forms that engines read. The format is that of logrus, the logger of runc.
 */
#pragma once

#include <creel.h>

#include "base/err.h"
#include "cli/call.h"

struct logging {
	int fd; /* stderr, or the file of --log */
	bool json;
	enum creel_log_level level;
	long start; /* seconds of the monotonic clock, for messages on a terminal */
	struct arena *arena;
};

/* Logs to stderr as text. Does nothing but fill *ret_l, so it may come before creel_protect. */
void logging_init(struct logging *ret_l, struct arena *a);

/*
 * Follows --log, --log-format, --log-level and --debug: opens the file for appending. Errors:
 * CREEL_USAGE, CREEL_SYSTEM; then *l still logs to stderr as text.
 */
int logging_open(struct logging *l, const struct call *call, struct creel_error *e) must_check;

/*
 * Logs one message, in one write. user is a struct logging: this is the log callback of
 * creel_options.
 */
void logging_message(void *user, enum creel_log_level level, const char *message);

/* Logs why the command failed; when the log is a file, the bare message goes to stderr too. */
void logging_failure(struct logging *l, const char *message);
