/*
 * What is said to criu and what it answers, as structs: the messages of criu's own rpc.proto, by
 * their field numbers. swrk.c carries them; the verbs checkpoint and restore fill the options.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/opt.h"
#include "base/str.h"

/* Values and field numbers below are those of rpc.proto (criu 3.0 to 4.2). */
enum criu_type {
	CRIU_DUMP = 1,
	CRIU_RESTORE = 2,
	CRIU_PRE_DUMP = 4,
	CRIU_NOTIFY = 6,
	CRIU_FEATURE_CHECK = 9,
	CRIU_VERSION = 10,
};

enum criu_cgroup_mode {
	CRIU_CGROUP_IGNORE = 0,
	CRIU_CGROUP_SOFT = 3,
	CRIU_CGROUP_FULL,
	CRIU_CGROUP_STRICT
};

enum criu_network_lock { CRIU_LOCK_IPTABLES = 1, CRIU_LOCK_NFTABLES, CRIU_LOCK_SKIP };

/* Options that are on or off: bit 1 << number of struct criu_options.switches. */
enum criu_switch {
	CRIU_LEAVE_RUNNING = 3,
	CRIU_EXT_UNIX_SK = 4,
	CRIU_TCP_ESTABLISHED = 5,
	CRIU_EVASIVE_DEVICES = 6,
	CRIU_SHELL_JOB = 7,
	CRIU_FILE_LOCKS = 8,
	CRIU_NOTIFY_SCRIPTS = 12, /* tells of each stage, and waits for an answer */
	CRIU_TRACK_MEM = 15,
	CRIU_AUTO_DEDUP = 16,
	CRIU_LINK_REMAP = 18,
	CRIU_MANAGE_CGROUPS = 24,
	CRIU_RST_SIBLING = 26, /* the restored process becomes a child of criu's parent */
	CRIU_TCP_SKIP_IN_FLIGHT = 46,
	CRIU_LAZY_PAGES = 48,
	CRIU_ORPHAN_PTS_MASTER = 50, /* hands over masters of terminals that nobody inside has */
	CRIU_TCP_CLOSE = 52,
};

/* A descriptor of criu's own that takes the place of what the images call key. */
struct criu_inherited {
	const char *key;
	int fd;
};

struct criu_options {
	uint64_t switches;
	int images_dir, work_dir; /* descriptors of the caller; work_dir −1: images_dir */
	pid_t pid;                /* of what is dumped; 0: none */
	const char *log_file;     /* in work_dir */
	const char *root, *parent_images, *freezer, *config_file; /* NULL: not given */
	const char *lsm_profile, *lsm_mount_context;              /* the same */
	const char *page_server;                                  /* address; NULL: none */
	uint32_t page_server_port;
	uint32_t empty_namespaces; /* CLONE_NEW… */
	struct opt_u32 cgroup_mode, network_lock;
	/* external mounts: dump, place → name; restore, name → directory or file of the host */
	struct str_map mounts;
	struct str_map joined;       /* namespace ("ipc") → file */
	struct str_map cgroup_roots; /* controller → the cgroup that takes the place of the old */
	struct str_list external;    /* "net[4026532281]:extRootNetNS" */
	struct criu_inherited *inherited;
	size_t inherited_count;
};

/* What of the machine is asked for by CRIU_FEATURE_CHECK, and answered. */
struct criu_features {
	bool mem_track, lazy_pages;
};

/*
 * A request as criu reads it, added to out. options may be NULL where there are none; features is
 * for CRIU_FEATURE_CHECK, otherwise NULL. criu_answer is what a CRIU_NOTIFY is answered by.
 */
void criu_request(struct str *out, enum criu_type type, const struct criu_options *options,
		  const struct criu_features *features);
void criu_answer(struct str *out, bool success);

/* A message of criu's. What it does not have is zero or "". */
struct criu_reply {
	unsigned type; /* enum criu_type, or one that is not known here */
	bool success;
	int32_t number;   /* its errno */
	char script[32];  /* CRIU_NOTIFY: the stage, "post-restore" */
	int32_t pid;      /* CRIU_NOTIFY, CRIU_RESTORE: of the first process */
	unsigned version; /* CRIU_VERSION: 4.1.1 is 40101 */
	struct criu_features features;
	int passed; /* descriptor that came with it, −1: none; the receiver closes it */
};

/*
 * Reads a message of size bytes. Nothing in it is trusted. Errors: ERR_INVALID. What is not known
 * is passed over; the last of a repeated field counts.
 */
int criu_decode(const void *data, size_t size, struct criu_reply *ret, struct err *e) must_check;

/* "DUMP", …, as rpc.proto has it. Never NULL. */
const char *criu_type_name(unsigned type);
