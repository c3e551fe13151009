/*
 * Words of the options of checkpoint and restore that stand for something else, into call->criu.
 * Errors are CREEL_USAGE, in the words that runc has for them.
 */
#pragma once

#include "cli/call.h"

/* --manage-cgroups-mode, --network-lock, and --empty-ns, which is held against what there is. */
int criu_words(struct call *call, struct creel_error *ret_error) must_check;

/* --page-server: ADDRESS:PORT, where an IPv6 address stands in brackets. */
int criu_words_page_server(struct call *call, struct creel_error *ret_error) must_check;
