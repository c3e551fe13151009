/*
 * Every name of config.json that stands for a number, in one table each: used by the decoder, by
 * `creel features`, by `creel explain`, and by the messages. Sources: runtime-spec config-linux.md
 * and config.md, and the kernel headers that define the numbers.
 */
#pragma once

#include <stdint.h>

#include "base/words.h"

enum hook_kind {
	HOOK_PRESTART,
	HOOK_CREATE_RUNTIME,
	HOOK_CREATE_CONTAINER,
	HOOK_START_CONTAINER,
	HOOK_POSTSTART,
	HOOK_POSTSTOP,
	HOOK_KINDS
};

enum ns_type { NS_USER, NS_PID, NS_NET, NS_IPC, NS_UTS, NS_MOUNT, NS_CGROUP, NS_TIME, NS_TYPES };

enum seccomp_action {
	ACT_KILL_THREAD,
	ACT_KILL_PROCESS,
	ACT_TRAP,
	ACT_ERRNO,
	ACT_TRACE,
	ACT_ALLOW,
	ACT_LOG,
	ACT_NOTIFY
};

enum seccomp_op { OP_NE, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

/* In the kernel's numbers (MPOL_…), whose header may not know the last ones. */
enum memory_policy_mode {
	POLICY_DEFAULT,
	POLICY_PREFERRED,
	POLICY_BIND,
	POLICY_INTERLEAVE,
	POLICY_LOCAL,
	POLICY_PREFERRED_MANY,
	POLICY_WEIGHTED_INTERLEAVE
};

enum personality_domain { DOMAIN_LINUX, DOMAIN_LINUX32 };

/*
 * x32 shares AUDIT_ARCH_X86_64 and differs by bit 30 of the system call number; this value names it
 * in lists.
 */
#define SPEC_ARCH_X32 0x4000003eu

extern const struct words words_hooks;        /* prestart, createRuntime, … → enum hook_kind */
extern const struct words words_namespaces;   /* pid, network, … → enum ns_type */
extern const struct words words_capabilities; /* CAP_CHOWN, … → the capability's number */
extern const struct words words_rlimits;      /* RLIMIT_NOFILE, … → RLIMIT_NOFILE */
extern const struct words words_sched_policies;    /* SCHED_FIFO, … → SCHED_FIFO */
extern const struct words words_sched_flags;       /* SCHED_FLAG_RESET_ON_FORK, … → the bit */
extern const struct words words_io_classes;        /* IOPRIO_CLASS_BE, … → the class */
extern const struct words words_device_types;      /* c, b, u, p → the letter */
extern const struct words words_device_rule_types; /* a, b, c, "" → 'a', 'b', 'c', 'a' */
extern const struct words words_seccomp_actions;   /* SCMP_ACT_ALLOW, … → enum seccomp_action */
extern const struct words words_seccomp_ops;       /* SCMP_CMP_EQ, … → enum seccomp_op */
extern const struct words words_seccomp_archs;     /* SCMP_ARCH_X86_64, … → AUDIT_ARCH_X86_64 */
extern const struct words words_seccomp_flags;     /* SECCOMP_FILTER_FLAG_LOG, … → the bit */
extern const struct words words_memory_modes;      /* MPOL_BIND, … → enum memory_policy_mode */
extern const struct words words_memory_flags;      /* MPOL_F_STATIC_NODES, … → the bit */
extern const struct words words_personalities;     /* LINUX, LINUX32 → enum personality_domain */

/* CLONE_NEWPID, … and the name below /proc/PID/ns ("pid", "mnt", "net", …) of a namespace type. */
uint64_t ns_clone_flag(enum ns_type type);
const char *ns_proc_name(enum ns_type type);
