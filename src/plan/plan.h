/*
 * The plan: everything that creating a container (or one more process in it) changes, decided
 * before anything is changed. A plan is a list of steps in stages; the runtime and the container's
 * init walk the same list, each doing its own column. A step is one sentence of the specification,
 * with its place in config.json and a resolved payload; it has no condition in it.
 *
 * build_* makes plans and is pure, print shows them, run/ carries them out. Where one process must
 * wait for the other is computed by plan_wait from the list and written nowhere. Source of the
 * order: runtime-spec runtime.md "Lifecycle" and config.md "Hooks".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "cgroup/cgroup.h"
#include "security/seccomp.h"
#include "spec/spec.h"
#include "sys/idmap.h"
#include "sys/resctrl.h"
#include "sys/tty.h"

/* In the order of time. Between prepare and join the container's process is cloned. */
enum plan_stage {
	STAGE_PREPARE, /* runtime: what is made or opened outside, before the process exists */
	STAGE_JOIN,    /* init: joins cgroups and given namespaces */
	STAGE_MAPS,   /* runtime: id maps and what else must come from outside the user namespace */
	STAGE_ENTER,  /* init: becomes root inside, makes the remaining namespaces */
	STAGE_ROOTFS, /* init: mounts, devices */
	STAGE_HOST_HOOKS, /* runtime: prestart and createRuntime hooks */
	STAGE_PIVOT,      /* init: createContainer hooks, the new root, masks, sysctls */
	STAGE_SEAL,       /* init: limits, credentials, program look-up, seccomp */
	STAGE_REPORT,     /* runtime: pid file; then create returns */
	STAGE_GATE,       /* init: waits for start, startContainer hooks, exec */
	STAGES,
};

enum plan_side { SIDE_RUNTIME, SIDE_INIT };

enum step_kind {
	STEP_CGROUP_MAKE,
	STEP_CGROUP_WRITE,
	STEP_CGROUP_DEVICES,
	STEP_CGROUP_OPEN,
	STEP_RDT_MAKE,
	STEP_RDT_OPEN,
	STEP_CGROUP_UNIT,
	STEP_CGROUP_REST,
	STEP_CGROUP_GIVE,
	STEP_CGROUP_ATTACH,
	STEP_OPEN_TREE,
	STEP_CONSOLE_SOCKET,
	STEP_SECCOMP_SOCKET,
	STEP_NOTIFY,
	STEP_CGROUP_JOIN,
	STEP_RDT_JOIN,
	STEP_AFFINITY,
	STEP_OOM_SCORE,
	STEP_NS_JOIN,
	STEP_NS_JOIN_INIT,
	STEP_TIME_OFFSETS,
	STEP_ID_MAPS,
	STEP_BECOME_ROOT,
	STEP_NS_NEW,
	STEP_SESSION,
	STEP_LOOPBACK,
	STEP_NET_DEVICE,
	STEP_ROOT,
	STEP_MOUNT,
	STEP_DEVICE,
	STEP_DEV_LINKS,
	STEP_CONSOLE,
	STEP_HOOK,
	STEP_PIVOT,
	STEP_CWD_MAKE,
	STEP_MOUNT_READONLY,
	STEP_ROOT_READONLY,
	STEP_ROOT_PROPAGATION,
	STEP_HOSTNAME,
	STEP_DOMAINNAME,
	STEP_SYSCTL,
	STEP_READONLY_PATH,
	STEP_MASK_PATH,
	STEP_RLIMIT,
	STEP_SCHEDULER,
	STEP_IO_PRIORITY,
	STEP_MEMORY_POLICY,
	STEP_PERSONALITY,
	STEP_APPARMOR,
	STEP_SELINUX,
	STEP_NO_NEW_PRIVS,
	STEP_SECCOMP,
	STEP_BOUNDING,
	STEP_CWD,
	STEP_USER,
	STEP_CAPS,
	STEP_LOOKUP,
	STEP_PIDFD,
	STEP_REPORT,
	STEP_WAIT_START,
	STEP_CLOSE,
	STEP_EXEC,
	STEP_CRIU_ROOT,
	STEP_CRIU,
	STEP_KINDS,
};

enum plan_mount_how {
	MOUNT_NEW,         /* a new file system */
	MOUNT_BIND,        /* a clone of a tree of the host */
	MOUNT_CGROUP,      /* the container's view of its cgroups */
	MOUNT_REMOUNT,     /* only the flags of what is mounted there already */
	MOUNT_RECONFIGURE, /* those, and the options of its file system */
};

/*
 * The ids of an id-mapped mount: inside is what the file system has, outside what is seen of it.
 * Mounts with equal ones share one of these.
 */
struct plan_mount_ids {
	const struct idmap_range *uids, *gids;
	size_t uid_count, gid_count;
	const char *path; /* of a user namespace that has them; NULL: the ranges above */
};

struct plan_mount {
	enum plan_mount_how how;
	const char *target, *type,
		*source; /* target absolute in the container, a bind's source absolute outside */
	unsigned long flags;   /* MS_… that are set */
	unsigned long cleared; /* MS_… that an option cleared in so many words */
	/* MS_PRIVATE, …, with MS_REC for the whole tree: one change after the other */
	const uint32_t *propagation;
	size_t propagation_count;
	uint64_t recursive_set,
		recursive_clear; /* MOUNT_ATTR_… for the whole tree (rro, rnosuid, …) */
	const char *data;        /* file system options, comma separated; NULL: none */
	const char *label;       /* SELinux's, for its root when it is made; NULL: none */
	bool recursive;          /* rbind */
	bool late_readonly;      /* becomes read-only only when everything has been made in it */
	uint32_t extensions;     /* MOUNT_EXT_… */
	const struct plan_mount_ids *ids; /* NULL: not id-mapped */
	size_t tree; /* number of the descriptor that STEP_OPEN_TREE opened, NO_TREE: opened in
			place */
};
#define NO_TREE ((size_t)-1)

struct step {
	enum step_kind kind;
	enum plan_stage stage;
	enum plan_side side;
	const char *pointer; /* JSON pointer into config.json, NULL: from no single place */
	int item;            /* which element of the array at pointer, −1: pointer says it all */
	union {
		const struct cgroup_setting *setting;     /* CGROUP_WRITE */
		const struct spec_device_rules *rules;    /* CGROUP_DEVICES */
		const struct plan_mount *mount;           /* OPEN_TREE, MOUNT, MOUNT_READONLY */
		const struct resctrl_group *rdt;          /* RDT_MAKE, RDT_OPEN */
		int32_t oom_score;                        /* OOM_SCORE */
		const struct spec_net_device *net_device; /* NET_DEVICE */
		struct {
			const char *name;
			const struct cgroup_properties *properties;
		} unit;         /* CGROUP_UNIT */
		uint32_t owner; /* CGROUP_GIVE */
		struct {
			enum ns_type type;
			const char *path;
		} ns;              /* NS_JOIN */
		uint64_t ns_flags; /* NS_NEW, NS_JOIN_INIT: CLONE_NEW… */
		struct {
			const char *source;
			const char *propagation; /* as config.json has it, NULL: the usual one */
			bool no_pivot;
		} root; /* ROOT, PIVOT, ROOT_PROPAGATION */
		struct {
			const char *source, *target;
			bool readonly;
		} criu_root; /* CRIU_ROOT */
		struct {
			const struct spec_device *item;
			bool bind;
		} device; /* DEVICE */
		struct {
			enum hook_kind kind;
			size_t index;
			const struct spec_hook *item;
		} hook; /* HOOK */
		struct {
			const char *path;
			const char *word; /* PIDFD: sent with it */
		} socket; /* CONSOLE_SOCKET, SECCOMP_SOCKET, PIDFD, NOTIFY (NULL: start opens it) */
		struct {
			struct tty_size size; /* 0: as the kernel makes it */
			bool dev_console;     /* it is bound on /dev/console */
		} console;                    /* CONSOLE */
		/* HOSTNAME, DOMAINNAME, *_PATH, CWD, AFFINITY (or NULL), labels */
		const char *text;
		struct str_pair sysctl;                     /* SYSCTL: key with slashes, value */
		struct spec_rlimit rlimit;                  /* RLIMIT */
		const struct spec_scheduler *scheduler;     /* SCHEDULER */
		const struct spec_io_priority *io_priority; /* IO_PRIORITY */
		const struct spec_memory_policy *memory_policy; /* MEMORY_POLICY */
		enum personality_domain personality;            /* PERSONALITY */
		const struct spec_time_offsets *time_offsets;   /* TIME_OFFSETS */
		struct {
			const struct seccomp_program *program;
			size_t rules;
		} seccomp;         /* SECCOMP */
		uint64_t bounding; /* BOUNDING: the capabilities kept */
		struct {
			const struct spec_user *item;
			bool setgroups;
			uint32_t umask;
		} user;                               /* USER */
		const struct spec_capabilities *caps; /* CAPS */
		struct {
			bool keyring;
			const char *label; /* SELinux's, for the keyring; NULL: none */
		} session;                 /* SESSION */
	};
};

/*
 * What the plan must know of the machine; found once by facts_collect, or written by hand in a
 * golden test.
 */
struct plan_facts {
	struct cgroup_host cgroup;
	bool no_cgroup; /* the container is to stay in the caller's */
	uint32_t euid, egid;
	bool in_user_namespace; /* the runtime itself is in one */
	bool foreign_mounts;    /* its mount namespace belongs to another one */
	bool setgroups_denied;
	bool apparmor, selinux;      /* looked for where the configuration asks for them */
	uint64_t capabilities;       /* those the kernel knows */
	uint64_t permitted;          /* those the runtime itself has */
	struct resctrl_host resctrl; /* looked for where the configuration asks for it */
	/*
	 * CLONE_NEW… of those given by a path that leads to the runtime's own; looked for where
	 * something is changed in them
	 */
	uint64_t own_namespaces;
};

/* What was asked for beside config.json. */
struct plan_request {
	const char *id;
	const char *rootfs; /* absolute, resolved */
	const char *bundle; /* absolute */
	bool no_pivot, no_new_keyring;
	bool wait_start;                           /* create: the program waits for start */
	bool pid_file;                             /* one is to be written */
	unsigned listen_fds, preserve_fds;         /* counted from 3, in this order */
	const char *console_socket, *pidfd_socket; /* NULL: none */
	const char *notify_socket;                 /* NOTIFY_SOCKET of the caller, NULL: none */
	const char *state_root; /* directory of all containers' states, absolute */
	const char *criu_root;  /* restore: where criu is to find the root */
	const struct log *log;
};

/* Where the directory with the socket of sd_notify(3) is in the container. */
#define NOTIFY_TARGET "/run/notify"
#define NOTIFY_INSIDE NOTIFY_TARGET "/notify.sock"

struct plan {
	struct step *step;
	size_t count;
	unsigned stages[2];        /* by enum plan_side: bit n is set when stage n has steps */
	uint64_t clone_flags;      /* namespaces that are new with the process */
	const char *join_pid_path; /* pid namespace that the runtime joins around the clone; NULL:
				      none */
	bool join_pid_of_init;     /* exec by root: the same, of the container's init */
	bool by_intermediate; /* the join stage is done by a process in between, which clones init
				 as its sibling */
	bool recorded;       /* init goes no further than it can be taken back until the runtime has
				recorded it */
	bool user_namespace; /* init is in another user namespace than the runtime */
	bool mount_namespace; /* init has a mount namespace of its own */
	/* of "/" in there while the container is made: MS_SLAVE, MS_SHARED or MS_PRIVATE, MS_REC */
	uint32_t propagation;
	bool agent_with_start;      /* a seccomp filter with a listener is loaded behind the gate */
	struct cgroup_paths cgroup; /* of the container */
	const struct resctrl_group *rdt; /* NULL: none */
	struct cgroup_unit unit;         /* of systemd, whose cgroup it is; no name: none */
	/* without privilege and with nothing asked of it: done without where it cannot be had */
	bool cgroup_optional;
	const struct idmap_range *uids, *gids; /* of the user namespace, NULL: none or unknown */
	size_t uid_count, gid_count;
	size_t tree_count; /* descriptors that STEP_OPEN_TREE fills */
	const struct spec_process *process;
	unsigned listen_fds, preserve_fds;
	bool notify; /* the program is told where to say that it is ready */
	const char *id, *rootfs, *bundle;
	const struct spec *spec;
};

/* The plan of create and run. Pure. Errors have their JSON pointer. */
int plan_build(const struct spec *spec, const struct plan_facts *facts,
	       const struct plan_request *request, struct arena *a, struct plan **ret,
	       struct err *e) must_check;

/* What exec must know of the container it enters. */
struct plan_exec_request {
	const char *id;
	const struct spec *spec;            /* of the container, as it was created */
	const struct spec_process *process; /* to run */
	struct cgroup_paths cgroup;
	struct resctrl_group rdt; /* path NULL: none */
	struct cgroup_unit unit;
	unsigned listen_fds, preserve_fds;
	const char *console_socket, *pidfd_socket; /* NULL: none */
	bool pid_file;
	bool no_new_keyring; /* the container has none of its own */
	const struct log *log;
};

/* The plan of exec. Pure. */
int plan_build_exec(const struct plan_exec_request *request, const struct plan_facts *facts,
		    struct arena *a, struct plan **ret, struct err *e) must_check;

/*
 * The plan of restore, up to the execution of criu. Pure. Of mounts only what they are mounted on
 * will be left.
 */
int plan_build_restore(const struct spec *spec, const struct plan_facts *facts,
		       const struct plan_request *request, struct arena *a, struct plan **ret,
		       struct err *e) must_check;

/*
 * Not to be carried out: the mounts and devices of a container alone, which criu must be told of.
 * Pure.
 */
int plan_build_mounts(const struct spec *spec, const struct plan_facts *facts,
		      const struct plan_request *request, struct arena *a, struct plan **ret,
		      struct err *e) must_check;

/*
 * The stage of the other column that `side` must know to be done before it begins `stage`; −1 when
 * it need not wait. Both processes compute it, so what one waits for the other announces.
 */
int plan_wait(const struct plan *plan, enum plan_side side, enum plan_stage stage);

/* Whether any step of `side` is in `stage`. */
bool plan_has(const struct plan *plan, enum plan_side side, enum plan_stage stage);

/* The plan as text: stages, waits and steps, one a line. */
int plan_print(const struct plan *plan, struct arena *a, const char **ret,
	       struct err *e) must_check;

/* One step in words, for the plan and for debug lines: "mount tmpfs on /dev (nosuid, mode=755)". */
void plan_describe(const struct step *step, struct str *out);

/*
 * The step's place in config.json, "/mounts/3", written to text; "" when it is from no single
 * place.
 */
void plan_pointer(const struct step *step, char text[ERR_POINTER_MAX]);

/* Names, for texts and tests. */
const char *plan_stage_name(enum plan_stage stage);
const char *plan_kind_name(enum step_kind kind);

/*
 * Holds each step's declared needs against the order: used by the tests on every golden.
 * ERR_INVALID names the step and what it lacks.
 */
int plan_check(const struct plan *plan, struct err *e) must_check;
