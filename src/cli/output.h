/*
 * What commands print: the state of containers as JSON and as a table, in runc's form to the last
 * byte.
 */
#pragma once

#include <creel.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "cli/call.h"

/*
 * Adds the object of `state`: two spaces of indent, no newline at its end, the owner empty as runc
 * leaves it.
 */
void output_add_state(struct str *text, const struct creel_state *state);

/* Adds the array of `list --format json` and a newline; an empty one is null. */
void output_add_json_list(struct str *text, const struct creel_state *states, size_t count);

/* Adds the table of `list`; the header stands there even when there is no container. */
void output_add_table(struct str *text, const struct creel_state *states, size_t count);

/* Writes text to stdout at once. Errors: CREEL_SYSTEM, CREEL_NO_MEMORY. */
int output_print(struct str *text, struct creel_error *e) must_check;
int output_print_text(const char *text, struct creel_error *e) must_check;

/*
 * Writes text to stderr, past the log, for messages that runc does not log. A failure has nobody to
 * be told to.
 */
void output_print_aside(struct str *text);
