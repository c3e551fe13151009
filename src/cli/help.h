/*
 * The help texts, made from the tables of commands and options, and the version.
 */
#pragma once

#include "base/str.h"
#include "cli/call.h"

/* The help of one command; COMMAND_NONE: of the program. */
void help_add(struct str *text, const struct call *call, enum command_id id);

/*
 * What --version prints: "creel version 0.1.0", the commit where it is known, the specification. No
 * other line than the first may have the word "version": engines look for the last one.
 */
void help_add_version(struct str *text, const struct call *call);
