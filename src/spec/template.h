/*
 * The text of `spec`: a config.json to start from, byte for byte what runc writes.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

struct spec_template {
	bool cgroup_v2; /* the host is on cgroup version 2 alone: a cgroup namespace is listed */
	/* for a user without privileges: a user namespace, and nothing that needs root */
	bool rootless;
	/* rootless: who root of the container is outside (the effective ids of the caller) */
	uid_t uid;
	gid_t gid;
};

/* Adds the text to out, indented with tabs and without a newline at its end. */
void spec_template(const struct spec_template *options, struct str *out);
