/*
 * The tables of names: see words.h. Sorted by name as `features` prints them, but for those that
 * have an order of their own (hooks, capabilities).
 */
#include "spec/words.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/resource.h>

#include "base/str.h"

/* linux/sched.h reserves the number without a name. */
#define SCHED_ISO 4

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1ul << 5)
#endif

#define WORDS(items) \
	{ \
		.item = items, .count = array_len(items) \
	}

static const struct word hooks[] = {
	{"prestart", HOOK_PRESTART},
	{"createRuntime", HOOK_CREATE_RUNTIME},
	{"createContainer", HOOK_CREATE_CONTAINER},
	{"startContainer", HOOK_START_CONTAINER},
	{"poststart", HOOK_POSTSTART},
	{"poststop", HOOK_POSTSTOP},
};
const struct words words_hooks = WORDS(hooks);

static const struct word namespaces[] = {
	{"cgroup", NS_CGROUP}, {"ipc", NS_IPC},   {"mount", NS_MOUNT}, {"network", NS_NET},
	{"pid", NS_PID},       {"time", NS_TIME}, {"user", NS_USER},   {"uts", NS_UTS},
};
const struct words words_namespaces = WORDS(namespaces);

#define CAP(name) \
	{ \
#name, name \
	}

static const struct word capabilities[] = {
	CAP(CAP_CHOWN),
	CAP(CAP_DAC_OVERRIDE),
	CAP(CAP_DAC_READ_SEARCH),
	CAP(CAP_FOWNER),
	CAP(CAP_FSETID),
	CAP(CAP_KILL),
	CAP(CAP_SETGID),
	CAP(CAP_SETUID),
	CAP(CAP_SETPCAP),
	CAP(CAP_LINUX_IMMUTABLE),
	CAP(CAP_NET_BIND_SERVICE),
	CAP(CAP_NET_BROADCAST),
	CAP(CAP_NET_ADMIN),
	CAP(CAP_NET_RAW),
	CAP(CAP_IPC_LOCK),
	CAP(CAP_IPC_OWNER),
	CAP(CAP_SYS_MODULE),
	CAP(CAP_SYS_RAWIO),
	CAP(CAP_SYS_CHROOT),
	CAP(CAP_SYS_PTRACE),
	CAP(CAP_SYS_PACCT),
	CAP(CAP_SYS_ADMIN),
	CAP(CAP_SYS_BOOT),
	CAP(CAP_SYS_NICE),
	CAP(CAP_SYS_RESOURCE),
	CAP(CAP_SYS_TIME),
	CAP(CAP_SYS_TTY_CONFIG),
	CAP(CAP_MKNOD),
	CAP(CAP_LEASE),
	CAP(CAP_AUDIT_WRITE),
	CAP(CAP_AUDIT_CONTROL),
	CAP(CAP_SETFCAP),
	CAP(CAP_MAC_OVERRIDE),
	CAP(CAP_MAC_ADMIN),
	CAP(CAP_SYSLOG),
	CAP(CAP_WAKE_ALARM),
	CAP(CAP_BLOCK_SUSPEND),
	CAP(CAP_AUDIT_READ),
	CAP(CAP_PERFMON),
	CAP(CAP_BPF),
	CAP(CAP_CHECKPOINT_RESTORE),
};
const struct words words_capabilities = WORDS(capabilities);

static const struct word rlimits[] = {
	{"RLIMIT_AS", RLIMIT_AS},
	{"RLIMIT_CORE", RLIMIT_CORE},
	{"RLIMIT_CPU", RLIMIT_CPU},
	{"RLIMIT_DATA", RLIMIT_DATA},
	{"RLIMIT_FSIZE", RLIMIT_FSIZE},
	{"RLIMIT_LOCKS", RLIMIT_LOCKS},
	{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
	{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
	{"RLIMIT_NICE", RLIMIT_NICE},
	{"RLIMIT_NOFILE", RLIMIT_NOFILE},
	{"RLIMIT_NPROC", RLIMIT_NPROC},
	{"RLIMIT_RSS", RLIMIT_RSS},
	{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
	{"RLIMIT_RTTIME", RLIMIT_RTTIME},
	{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
	{"RLIMIT_STACK", RLIMIT_STACK},
};
const struct words words_rlimits = WORDS(rlimits);

static const struct word sched_policies[] = {
	{"SCHED_BATCH", SCHED_BATCH}, {"SCHED_DEADLINE", SCHED_DEADLINE},
	{"SCHED_FIFO", SCHED_FIFO},   {"SCHED_IDLE", SCHED_IDLE},
	{"SCHED_ISO", SCHED_ISO},     {"SCHED_OTHER", SCHED_NORMAL},
	{"SCHED_RR", SCHED_RR},
};
const struct words words_sched_policies = WORDS(sched_policies);

static const struct word sched_flags[] = {
	{"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
	{"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
	{"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
	{"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
	{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
	{"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX},
	{"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
};
const struct words words_sched_flags = WORDS(sched_flags);

static const struct word io_classes[] = {
	{"IOPRIO_CLASS_BE", IOPRIO_CLASS_BE},
	{"IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE},
	{"IOPRIO_CLASS_RT", IOPRIO_CLASS_RT},
};
const struct words words_io_classes = WORDS(io_classes);

static const struct word device_types[] = {{"b", 'b'}, {"c", 'c'}, {"p", 'p'}, {"u", 'u'}};
const struct words words_device_types = WORDS(device_types);

static const struct word rule_types[] = {{"a", 'a'}, {"b", 'b'}, {"c", 'c'}, {"", 'a'}};
const struct words words_device_rule_types = WORDS(rule_types);

static const struct word seccomp_actions[] = {
	{"SCMP_ACT_ALLOW", ACT_ALLOW},
	{"SCMP_ACT_ERRNO", ACT_ERRNO},
	{"SCMP_ACT_KILL", ACT_KILL_THREAD},
	{"SCMP_ACT_KILL_PROCESS", ACT_KILL_PROCESS},
	{"SCMP_ACT_KILL_THREAD", ACT_KILL_THREAD},
	{"SCMP_ACT_LOG", ACT_LOG},
	{"SCMP_ACT_NOTIFY", ACT_NOTIFY},
	{"SCMP_ACT_TRACE", ACT_TRACE},
	{"SCMP_ACT_TRAP", ACT_TRAP},
};
const struct words words_seccomp_actions = WORDS(seccomp_actions);

static const struct word seccomp_ops[] = {
	{"SCMP_CMP_EQ", OP_EQ}, {"SCMP_CMP_GE", OP_GE}, {"SCMP_CMP_GT", OP_GT},
	{"SCMP_CMP_LE", OP_LE}, {"SCMP_CMP_LT", OP_LT}, {"SCMP_CMP_MASKED_EQ", OP_MASKED_EQ},
	{"SCMP_CMP_NE", OP_NE},
};
const struct words words_seccomp_ops = WORDS(seccomp_ops);

/*
 * SH is the little-endian SuperH and SHEB the big-endian one; the kernel's names for them are SHEL
 * and SH.
 */
static const struct word seccomp_archs[] = {
	{"SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64},
	{"SCMP_ARCH_ARM", AUDIT_ARCH_ARM},
	{"SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64},
	{"SCMP_ARCH_M68K", AUDIT_ARCH_M68K},
	{"SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS},
	{"SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64},
	{"SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32},
	{"SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL},
	{"SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64},
	{"SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32},
	{"SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC},
	{"SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64},
	{"SCMP_ARCH_PPC", AUDIT_ARCH_PPC},
	{"SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64},
	{"SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE},
	{"SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64},
	{"SCMP_ARCH_S390", AUDIT_ARCH_S390},
	{"SCMP_ARCH_S390X", AUDIT_ARCH_S390X},
	{"SCMP_ARCH_SH", AUDIT_ARCH_SHEL},
	{"SCMP_ARCH_SHEB", AUDIT_ARCH_SH},
	{"SCMP_ARCH_X32", SPEC_ARCH_X32},
	{"SCMP_ARCH_X86", AUDIT_ARCH_I386},
	{"SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64},
};
const struct words words_seccomp_archs = WORDS(seccomp_archs);

static const struct word seccomp_flags[] = {
	{"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
	{"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
	{"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
	{"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV},
};
const struct words words_seccomp_flags = WORDS(seccomp_flags);

static const struct word memory_modes[] = {
	{"MPOL_BIND", POLICY_BIND},
	{"MPOL_DEFAULT", POLICY_DEFAULT},
	{"MPOL_INTERLEAVE", POLICY_INTERLEAVE},
	{"MPOL_LOCAL", POLICY_LOCAL},
	{"MPOL_PREFERRED", POLICY_PREFERRED},
	{"MPOL_PREFERRED_MANY", POLICY_PREFERRED_MANY},
	{"MPOL_WEIGHTED_INTERLEAVE", POLICY_WEIGHTED_INTERLEAVE},
};
const struct words words_memory_modes = WORDS(memory_modes);

static const struct word memory_flags[] = {
	{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
	{"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
	{"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES},
};
const struct words words_memory_flags = WORDS(memory_flags);

static const struct word personalities[] = {{"LINUX", DOMAIN_LINUX}, {"LINUX32", DOMAIN_LINUX32}};
const struct words words_personalities = WORDS(personalities);

uint64_t ns_clone_flag(enum ns_type type)
{
	static const uint32_t flags[NS_TYPES] = {
		[NS_USER] = CLONE_NEWUSER,     [NS_PID] = CLONE_NEWPID,   [NS_NET] = CLONE_NEWNET,
		[NS_IPC] = CLONE_NEWIPC,       [NS_UTS] = CLONE_NEWUTS,   [NS_MOUNT] = CLONE_NEWNS,
		[NS_CGROUP] = CLONE_NEWCGROUP, [NS_TIME] = CLONE_NEWTIME,
	};

	return flags[type];
}

const char *ns_proc_name(enum ns_type type)
{
	static const char names[NS_TYPES][8] = {
		[NS_USER] = "user", [NS_PID] = "pid",   [NS_NET] = "net",       [NS_IPC] = "ipc",
		[NS_UTS] = "uts",   [NS_MOUNT] = "mnt", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
	};

	return names[type];
}
