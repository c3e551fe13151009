/*
 * What goes to stderr and to the target of --log: errors, warnings and the library's debug
 * messages. Files get the forms that engines read, those of logrus, the logger of runc.
 */
#pragma once

#include <creel.h>
#include <time.h>

#include "base/err.h"
#include "cli/call.h"
#include "cli/log_line.h"

struct logging {
	int fd; /* stderr, or the target of --log: a file, or a socket of datagrams */
	enum log_form form;
	const char *id; /* JOURNAL, SYSLOG: whose messages these are */
	enum creel_log_level level;
	clock_t start; /* ticks of times(2), for messages on a terminal */
	struct arena *arena;
};

/* Logs to stderr as text. Does nothing but fill *ret_l, so it may come before creel_protect. */
void logging_init(struct logging *ret_l, struct arena *a);

/*
 * Follows --log ([file:]PATH, journald:ID or syslog:ID), --log-format, --log-level and --debug:
 * opens the file for appending, or connects to the service. Errors: CREEL_USAGE, CREEL_SYSTEM; then
 * *l still logs to stderr as text.
 */
int logging_open(struct logging *l, const struct call *call, struct creel_error *e) must_check;

/*
 * Logs one message, in one write. user is a struct logging: this is the log callback of
 * creel_options.
 */
void logging_message(void *user, enum creel_log_level level, const char *message);

/* Logs why the command failed; with --log the bare message goes to stderr too. */
void logging_failure(struct logging *l, const char *message);
