/*
 * What checkpoint and restore have in common: the directories that criu works in, and what of a
 * container it must be told, since it is the host's and not the container's own.
 */
#pragma once

#include "container/runtime.h"
#include "criu/swrk.h"
#include "plan/plan.h"

#define IMAGES_DESCRIPTORS "descriptors.json" /* what the standard streams were, as runc has it */

#define CRIU_VERSION_LEAST 30000        /* tells its version */
#define CRIU_VERSION_STATUS_READY 31500 /* tells when lazy pages are ready */
#define CRIU_VERSION_LSM 31600          /* takes a profile and a mount context */

struct images {
	struct criu_program criu;
	struct criu_options options;
	const char *path, *log_path, *log_name;
	int dir, work; /* open; work −1: dir */
};

/*
 * Opens the directories of images and logs; make: both are made when they are missing, with their
 * parents, otherwise that of the logs alone. Fills the options that follow from o and from the
 * annotations.
 */
int images_open(struct creel *c, const struct creel_criu *o, const struct str_map *annotations,
		bool make, struct images *im, struct err *e) must_check;
void images_close(struct images *im);

/* "DIR/PATH" in its shortest form, where the directory PATH of o begins. */
const char *images_path(struct creel *c, const struct creel_criu *o, struct err *e) must_check;

/*
 * A place in the container that something of the host is mounted on, and what that is. The name of
 * it in the images is the place itself.
 */
struct images_mount {
	const char *place, *source;
};
struct images_mounts {
	struct images_mount *item;
	size_t count;
};

/*
 * All that criu need not save: binds, devices that may be binds, cgroups of version 1. paths are
 * the container's cgroup.
 */
int images_mounts(struct creel *c, const struct spec *spec, const char *bundle,
		  const struct cgroup_paths *paths, struct images_mounts *ret,
		  struct err *e) must_check;

/* Namespaces that a container only joined, which criu leaves to us; the rest it joins by path. */
extern const struct images_namespace {
	enum ns_type type;
	unsigned version; /* of criu */
	char name[8], key[16];
} images_namespaces[2];

/*
 * Tells why criu failed: the errors of its log become warnings, the first of them part of the
 * error's text, and what `criu check` has against the machine its hint. Returns −1.
 */
int images_fail(struct creel *c, const struct images *im, struct err *e) must_check;
