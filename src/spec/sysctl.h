/*
 * What the keys of linux.sysctl mean: which file of /proc/sys, and which namespace it belongs to.
 *
 * spec/validate holds a key against the namespaces that are listed, plan against the machine, and
 * builds the path that init writes to: all three must mean the same file.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/words.h"

/*
 * The key as a path below /proc/sys, in the arena. Dots separate, unless the first separator is a
 * slash: then a dot is part of a name (net/ipv4/conf/eth0.100/forwarding), as sysctl(8) reads it.
 * NULL: no memory.
 */
const char *sysctl_path(const char *key, struct arena *a, struct err *e) must_check;

/*
 * The namespace that such a path belongs to. False when it belongs to the whole machine, or is no
 * plain path: "net/../vm/swappiness" is not the network's.
 */
bool sysctl_namespace(const char *path, enum ns_type *ret);

/* Says that the container has no such namespace of its own. Returns −1. */
int sysctl_refuse(const char *path, enum ns_type type, struct err *e) must_check
	__attribute__((cold));
