/*
 * creel: the public C API of the OCI container runtime. The creel program uses nothing else.
 *
 * A runtime handle stands for one state directory and the options that hold for every command. Each
 * verb is one function: it returns 0 (or what its line says) on success and −1 with *ret_error
 * filled on failure, having undone whatever it had begun. ret_error may be NULL; no other pointer
 * may, where nothing is said of it. The library prints nothing and reads no environment variable.
 * Until version 1.0 structs grow from one minor version to the next: make them by initialisers that
 * name their members.
 *
 * The first process of a container, its init, is a copy of the calling process until it executes
 * its program, and so is the process that creel_exec makes. That is why creel_create, creel_run and
 * creel_exec ask something of a program (docs/library.md tells more):
 *
 *   protection   It must have called creel_protect first of all, or they fail with CREEL_USAGE.
 *   threads      It has one; creel_restore asks for that, too. Of the other verbs each handle takes
 *                one at a time; two handles may be used in two threads.
 *   children     Init, also a restored one, and what creel_exec runs, are its children: when it is
 *                not creel that waits for them, it must itself (waitpid(2)), or see to it that
 *                nobody need.
 *   signals      Where creel_run, creel_restore and creel_exec wait for the program, all signals
 * are blocked and passed on to it, and any child of the caller that ends is waited for. descriptors
 * Hooks inherit those without close-on-exec: see creel_close_from. All that the library opens has
 * it, and is closed before a verb returns.
 *
 * Terms and rules are those of the OCI runtime specification, runtime.md and config.md.
 */
#ifndef CREEL_H
#define CREEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default) /* all that follows, and of the library nothing else */

#define CREEL_SPEC_VERSION "1.3.0" /* the newest runtime specification that is carried out */

/* What kind of failure it is. */
enum creel_code {
	CREEL_SYSTEM = 1,      /* a system call failed: see sys */
	CREEL_INVALID = 2,     /* config.json or another input file is wrong: see pointer */
	CREEL_USAGE = 3,       /* the caller's arguments are wrong */
	CREEL_NOT_FOUND = 4,   /* there is no such container */
	CREEL_EXISTS = 5,      /* the id is taken */
	CREEL_STATE = 6,       /* the container is in the wrong state */
	CREEL_UNSUPPORTED = 7, /* this build or this machine cannot do what was asked */
	CREEL_NO_MEMORY = 8,   /* the memory limit of one command was reached */
};

struct creel_error {
	int code;          /* enum creel_code */
	int sys;           /* errno, 0 when none */
	char pointer[160]; /* JSON pointer (RFC 6901) into config.json, "" when none */
	char text[1280];   /* what was tried, on what, and why it failed */
	char hint[320];    /* how to mend it, "" when not known */
};

/*
 * Writes "text (config.json: pointer); hint: hint" into buf, ended with NUL and cut at size;
 * returns its length.
 */
size_t creel_error_message(const struct creel_error *error, char *buf, size_t size);

enum creel_log_level { CREEL_LOG_ERROR, CREEL_LOG_WARNING, CREEL_LOG_INFO, CREEL_LOG_DEBUG };

enum creel_cgroup_manager { CREEL_CGROUP_CGROUPFS, CREEL_CGROUP_SYSTEMD, CREEL_CGROUP_DISABLED };

enum creel_rootless { CREEL_ROOTLESS_AUTO, CREEL_ROOTLESS_TRUE, CREEL_ROOTLESS_FALSE };

/* What holds for every command. Zero is the default of each; strings are borrowed until creel_free.
 */
struct creel_options {
	const char *root; /* state directory, absolute; it is made when first needed */
	/*
	 * The argv that main was called with, followed in memory by the environment as the kernel
	 * lays them out: a container that waits for its start overwrites its copy. NULL: it keeps
	 * it.
	 */
	char **argv;
	enum creel_cgroup_manager cgroup_manager;
	enum creel_rootless rootless;
	const char *user_bus; /* D-Bus address where systemd of the user is; NULL: there is none */
	enum creel_log_level log_level; /* log gets messages up to this level */
	void (*log)(void *user, enum creel_log_level level, const char *message);
	void *log_user;
};

struct creel;

/*
 * Must be the first thing that main does, with its own argv, before any descriptor is opened and
 * any thread begins: opens /dev/null for standard streams that the caller has closed and, when a
 * container will be entered (enters), makes the process non-dumpable and runs the program again,
 * with the same arguments and environment, from a read-only copy that no container can reach for
 * writing (CVE-2019-5736). Returns 0 in the protected process, and does not return in the first
 * one, unless with an error. Needs /proc, and a program that is not on a mount with noexec.
 */
int creel_protect(char *const argv[], bool enters, struct creel_error *ret_error);

/*
 * Closes the caller's descriptors from first on, but for kept (−1: none). Programs leak their own
 * sockets and the other ends of the container's pipes: these must reach neither init nor a hook.
 */
void creel_close_from(unsigned first, int kept);

/*
 * Makes a handle. Errors: CREEL_NO_MEMORY, CREEL_UNSUPPORTED (the kernel is too old), CREEL_USAGE
 * (root).
 */
struct creel *creel_new(const struct creel_options *options, struct creel_error *ret_error);
void creel_free(struct creel *creel); /* NULL-safe */

/* ---- making and running ---------------------------------------------------------------------- */

struct creel_create {
	const char *bundle;         /* directory; NULL: the current one */
	const char *config;         /* file in place of BUNDLE/config.json; NULL: that */
	const char *console_socket; /* path of the socket that gets the terminal; NULL: none */
	const char *pidfd_socket;   /* path of the socket that gets a pidfd of init; NULL: none */
	const char *
		pid_file; /* written, atomically and only on success, with init's pid; NULL: none */
	const char *notify_socket; /* see below; NULL: none */
	bool no_pivot, no_new_keyring, no_subreaper;
	bool detach;           /* creel_run: return as soon as the program runs */
	bool keep;             /* creel_run: keep the state after the program ended */
	unsigned preserve_fds; /* descriptors 3 … 2+N stay open in the container */
	unsigned listen_fds;   /* as systemd's LISTEN_FDS, counted before preserve_fds */
};

/*
 * notify_socket is the NOTIFY_SOCKET of a service manager (sd_notify(3)): an absolute path, or "@"
 * and an abstract name. The container gets a socket of its own, and where its program says READY=1
 * the service manager hears that, and of the main process: init, or for a program in the foreground
 * the caller. creel_run, detached, and creel_start return when it was told, or the program ended.
 */

/* Makes the container; its program waits for creel_start. */
int creel_create(struct creel *creel, const char *id, const struct creel_create *create,
		 struct creel_error *ret_error);

struct creel_start {
	const char *notify_socket; /* as at creel_create, which must have had one; NULL: none */
};

/* Starts the program of a created container; returns when it runs. */
int creel_start(struct creel *creel, const char *id, const struct creel_start *start,
		struct creel_error *ret_error);

/*
 * create, start and, unless detached, wait, then delete. *ret_status gets the exit status of the
 * program (128 + the signal when one ended it), 0 when detached.
 */
int creel_run(struct creel *creel, const char *id, const struct creel_create *create,
	      int *ret_status, struct creel_error *ret_error);

struct creel_exec {
	const char
		*process; /* file with the JSON of the process; NULL: args and the options below */
	const char *const *args; /* the program and its arguments, ended with NULL */
	const char *const
		*env;    /* NAME=value added to the container's, ended with NULL; NULL: none */
	const char *cwd; /* NULL: the container's */
	bool terminal, detach, no_new_privs, ignore_paused;
	bool user_given, gid_given;
	uint32_t uid, gid;
	const uint32_t *additional_gids;
	size_t additional_gid_count;
	const char *const *caps; /* capability names added, ended with NULL; NULL: none */
	const char *const
		*cgroups; /* sub-cgroups to join, ended with NULL; NULL: the container's own */
	const char *apparmor, *process_label;
	const char *console_socket, *pidfd_socket, *pid_file;
	unsigned preserve_fds, listen_fds; /* as for creel_create */
};

/* Runs one more program in the container; *ret_status as in creel_run. */
int creel_exec(struct creel *creel, const char *id, const struct creel_exec *exec, int *ret_status,
	       struct creel_error *ret_error);

struct creel_update {
	/*
	 * JSON in the form of linux.resources: what is in it changes, the rest stays as it is in
	 * force. Devices are passed over. NULL: nothing.
	 */
	const char *resources;
	const char *name; /* of the file that it is from, for errors; NULL: they tell no place */
	const char *l3_cache_schema, *mem_bw_schema; /* of linux.intelRdt; NULL: unchanged */
};

/* Changes the limits of a container that is not stopped: all of them, or none when one fails. */
int creel_update(struct creel *creel, const char *id, const struct creel_update *update,
		 struct creel_error *ret_error);

/* ---- looking --------------------------------------------------------------------------------- */

enum creel_status { CREEL_CREATING, CREEL_CREATED, CREEL_RUNNING, CREEL_PAUSED, CREEL_STOPPED };

/* "creating", "created", "running", "paused", "stopped". */
const char *creel_status_name(enum creel_status status);

struct creel_annotation {
	const char *key, *value;
};

/* One container as `state` and `list` show it; all strings belong to the object that gave it. */
struct creel_state {
	const char *id, *bundle, *rootfs;
	const char *oci_version; /* of config.json, as it stands there; "" when absent */
	const char *created;     /* RFC 3339 in UTC with nanoseconds */
	const char *owner;       /* user name of the owner of the state directory, or "#UID" */
	enum creel_status status;
	pid_t pid; /* 0 when stopped */
	const struct creel_annotation *annotations;
	size_t annotation_count;
};

/* *ret_state is good until the next call on the handle. */
int creel_state(struct creel *creel, const char *id, const struct creel_state **ret_state,
		struct creel_error *ret_error);

/*
 * All containers, sorted by id. A broken one is reported to broken (which may be NULL) and left
 * out. *ret_states is good until the next call on the handle.
 */
int creel_list(struct creel *creel, const struct creel_state **ret_states, size_t *ret_count,
	       void (*broken)(void *user, const char *id, const struct creel_error *why),
	       void *user, struct creel_error *ret_error);

struct creel_events {
	bool stats;        /* one event, of what is used now, and no more */
	uint64_t interval; /* nanoseconds from one event of usage to the next; 0: five seconds */
	/*
	 * Gets each event: an object as JSON, with a newline at its end, good until it returns. Not
	 * 0 ends creel_events, which then succeeds.
	 */
	int (*event)(void *user, const char *json);
	void *user;
};

/*
 * Tells what a container that is not stopped uses, again and again, and when its memory runs out.
 * Returns when its cgroup is empty.
 */
int creel_events(struct creel *creel, const char *id, const struct creel_events *events,
		 struct creel_error *ret_error);

/*
 * The pids of all processes of a container, sorted, as its caller counts them. A stopped container
 * has none. *ret_pids is good until the next call on the handle.
 */
int creel_ps(struct creel *creel, const char *id, const pid_t **ret_pids, size_t *ret_count,
	     struct creel_error *ret_error);

/*
 * The ids that a POSIX extended regular expression matches, sorted: broken containers too. They are
 * good until the next call on the handle. Errors: CREEL_USAGE.
 */
int creel_match(struct creel *creel, const char *pattern, const char *const **ret_ids,
		size_t *ret_count, struct creel_error *ret_error);

/*
 * The text of `spec`: a config.json to start from, without a newline at its end. Good until the
 * next call.
 */
int creel_template(struct creel *creel, bool rootless, const char **ret_text,
		   struct creel_error *ret_error);

/* The JSON of `features`, with a newline at its end. Good until the next call. */
int creel_features(struct creel *creel, const char **ret_text, struct creel_error *ret_error);

/*
 * The text of `explain`: the plan that creel_create would carry out, one step a line. Changes
 * nothing. Good until the next call.
 */
int creel_explain(struct creel *creel, const char *id, const struct creel_create *create,
		  const char **ret_text, struct creel_error *ret_error);

/* ---- pausing --------------------------------------------------------------------------------- */

/*
 * Freezes every process of a created or running container, and returns when all stand still. The
 * status is "paused" from then on, until creel_resume.
 */
int creel_pause(struct creel *creel, const char *id, struct creel_error *ret_error);
int creel_resume(struct creel *creel, const char *id, struct creel_error *ret_error);

/* ---- to disk and back ------------------------------------------------------------------------ */

enum creel_manage_cgroups {
	CREEL_MANAGE_CGROUPS_DEFAULT, /* what criu thinks best */
	CREEL_MANAGE_CGROUPS_IGNORE,
	CREEL_MANAGE_CGROUPS_SOFT,
	CREEL_MANAGE_CGROUPS_FULL,
	CREEL_MANAGE_CGROUPS_STRICT,
};

enum creel_network_lock {
	CREEL_NETWORK_LOCK_DEFAULT,
	CREEL_NETWORK_LOCK_IPTABLES,
	CREEL_NETWORK_LOCK_NFTABLES,
	CREEL_NETWORK_LOCK_SKIP,
};

/* What criu(8), which does the work, is told. It must be there, in version 3.0 or newer. */
struct creel_criu {
	const char *search_path; /* directories in which criu is looked up, as $PATH; NULL: the
				    usual ones */
	/* directory of the images; NULL: "checkpoint" in the current one */
	const char *image_path;
	const char *work_path; /* directory of its logs, dump.log and restore.log, made when it is
				  missing; NULL: that of the images */
	bool tcp_established, ext_unix_sk, shell_job, file_locks, lazy_pages, auto_dedup;
	enum creel_manage_cgroups manage_cgroups;
	enum creel_network_lock network_lock;
	/* creel_checkpoint alone */
	const char *parent_path;         /* images of an earlier pre_dump, relative to image_path */
	const char *page_server_address; /* memory is sent there; NULL: goes into the images */
	uint16_t page_server_port;
	bool leave_running; /* the container goes on; otherwise it is deleted */
	bool pre_dump;      /* memory alone, and it goes on */
	bool tcp_skip_in_flight, link_remap;
	unsigned status_fd; /* gets a NUL byte, and is closed, when lazy pages are ready to be
			       fetched; 0: none */
	/* creel_restore alone */
	bool tcp_close;
	const char *lsm_profile; /* "apparmor:NAME", "selinux:LABEL"; NULL: as it was */
	const char *lsm_mount_context;
};

/* Writes a running or paused container as images to disk. */
int creel_checkpoint(struct creel *creel, const char *id, const struct creel_criu *criu,
		     struct creel_error *ret_error);

/*
 * Makes a container of images that creel_checkpoint wrote, and of the same bundle, and lets it run;
 * then as creel_run. Of create the options bundle, config, console_socket, pid_file, no_subreaper,
 * detach and keep count.
 */
int creel_restore(struct creel *creel, const char *id, const struct creel_create *create,
		  const struct creel_criu *criu, int *ret_status, struct creel_error *ret_error);

/* ---- ending ---------------------------------------------------------------------------------- */

/* Sends a signal to init, or to every process when all. */
int creel_kill(struct creel *creel, const char *id, int signal, bool all,
	       struct creel_error *ret_error);

/* Deletes a stopped or created container, with force any. With force a missing one is no error. */
int creel_delete(struct creel *creel, const char *id, bool force, struct creel_error *ret_error);

/* The version of the library, "0.1.0". */
const char *creel_version(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif
#endif
