/*
 * The listener of a seccomp filter that notifies, on its way to the agent at
 * linux.seccomp.listenerPath: init sends it to whoever is with it (create, run, exec; start when
 * the filter is loaded behind the gate), and that process passes it on at once, with the state of
 * the process. One connection, one message, no answer. Source: runtime-spec config-linux.md "The
 * Container Process State".
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "run/sync.h"
#include "run/walk.h"
#include "spec/spec.h"
#include "state/record.h"

/*
 * For create, run and exec, whose plan connects: fills the text for the agent, when the process is
 * there.
 */
int listener_describe(struct walk *w, struct err *e) must_check;

/* For start: connects, and fills the text. Errors: nobody listens. */
int listener_connect(const struct spec_seccomp *profile, const struct state_record *record,
		     struct arena *a, struct sync_incoming *in, struct err *e) must_check;
