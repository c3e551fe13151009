/*
 * Making the container's process: the clone between the prepare and the join stage, and its end
 * when things go wrong.
 */
#pragma once

#include "run/walk.h"

/*
 * Makes init with its namespaces and cgroup; it walks its column at once. w gets pid, pidfd and the
 * runtime's end of the protocol. The runtime joins a given pid namespace around the clone and
 * returns from it.
 */
int spawn_process(struct walk *w, struct err *e) must_check;

/*
 * After a failure: kills init, waits for its end, and puts what its exit status tells into an error
 * that knew only that init was gone.
 */
void spawn_kill(struct walk *w, struct err *e);
