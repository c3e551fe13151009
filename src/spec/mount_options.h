/*
 * What the options of a mount mean: one table of every name that is not left to the file system.
 *
 * Source: runtime-spec config.md "Linux mount options", mount(8), mount_setattr(2); names and
 * numbers are runc's, and copy-symlink, src-nofollow and dest-nofollow crun's. The constants are
 * those of linux/mount.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

/* What is neither a flag nor left to the file system. */
enum {
	MOUNT_EXT_TMPCOPYUP = 1, /* fill the tmpfs with what it covers */
	/* id-mapped: by the mount's own mappings, or the container's */
	MOUNT_EXT_IDMAP = 2,
	MOUNT_EXT_RIDMAP = 4,         /* the same for the whole tree */
	MOUNT_EXT_COPY_SYMLINK = 8,   /* a source that is a link is made anew at the destination */
	MOUNT_EXT_SRC_NOFOLLOW = 16,  /* … is itself what is bound */
	MOUNT_EXT_DEST_NOFOLLOW = 32, /* a destination that is a link is itself what is covered */
};

struct mount_options {
	/* MS_…: asked for; explicitly taken back ("rw", "exec", …). The last one wins */
	uint64_t set, cleared;
	/* MOUNT_ATTR_… for mount_setattr(AT_RECURSIVE); 0 and 0: none */
	uint64_t recursive_set, recursive_clear;
	/*
	 * MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with MS_REC for the whole tree
	 * ("rslave"): each is a change of its own, in the order of the list ("slave", "shared" is
	 * both)
	 */
	uint32_t *propagation;
	size_t propagation_count;
	uint32_t extensions; /* MOUNT_EXT_… */
	const char *data;    /* all others, joined by commas; NULL when there are none */
};

/* Errors: ERR_NO_MEMORY. */
int mount_options_parse(const struct str_list *options, struct arena *a, struct mount_options *ret,
			struct err *e) must_check;

/* The flags of a propagation option ("rslave" is MS_SLAVE | MS_REC); false when it is none. */
bool mount_options_propagation(const char *name, uint32_t *ret);

/*
 * The names by their place in the alphabet, as `features` lists them; NULL behind the last. idmap
 * is not listed.
 */
const char *mount_options_name(size_t index);
