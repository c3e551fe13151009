/*
 * Running one hook (runtime-spec config.md "POSIX-platform Hooks"): called by the walk for those of
 * create, by the verbs for poststart and poststop.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json_write.h"
#include "spec/spec.h"
#include "state/record.h"

/* The container's state (runtime.md "State") as a member of what w writes; pid 0 leaves it out. */
void hook_write_state(struct json_writer *w, const char *key, const struct state_record *record,
		      const char *status, int64_t pid);

/* The state that a hook reads on its standard input. */
const char *hook_state(const struct state_record *record, const char *status, int64_t pid,
		       struct arena *a, struct err *e) must_check;

/*
 * Runs it with state on standard input and waits, at most its timeout, after which it is killed
 * with all that it started. cwd is where it begins, NULL: where the caller is. The error has its
 * output: `error running createRuntime hook #0: exit status 1, stdout: …, stderr: …`.
 */
int hook_run(const struct spec_hook *hook, enum hook_kind kind, size_t index, const char *state,
	     const char *cwd, struct arena *a, struct err *e) must_check;
