/*
 * All of config.json: the OCI runtime specification 1.3 for Linux, as plain structs.
 *
 * spec/decode fills them, spec/validate checks what concerns more than one field, plan reads them.
 * Field names are those of the specification in C's spelling (rootfsPropagation is
 * rootfs_propagation). A string is NULL when the file does not have it or has "" there (items of
 * lists and maps may be ""); a number or switch that may be absent is one of the opt_ types.
 * Everything lives in the arena of the command. Sections for other systems (windows, solaris, vm,
 * zos, freebsd) are skipped.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/str.h"
#include "spec/words.h"

#define SPEC_VERSION "1.3.0" /* of what is written for others to read */

struct spec_id_map {
	uint32_t container_id, host_id, size;
};
struct spec_id_maps {
	struct spec_id_map *item;
	size_t count;
};

/* ---- root, mounts, process ------------------------------------------------------------------- */

struct spec_root {
	const char *path;
	bool readonly;
};

struct spec_mount {
	const char *destination, *type, *source;
	struct str_list options;
	struct spec_id_maps uid_mappings, gid_mappings;
};
struct spec_mounts {
	struct spec_mount *item;
	size_t count;
};

struct spec_rlimit {
	int type;
	uint64_t hard, soft;
}; /* type: RLIMIT_NOFILE, … (words_rlimits) */
struct spec_rlimits {
	struct spec_rlimit *item;
	size_t count;
};

struct spec_user {
	uint32_t uid, gid;
	struct opt_u32 umask;
	uint32_t *additional_gids;
	size_t additional_gid_count;
};

/*
 * Capability sets as bit masks (1 << CAP_CHOWN); names that no kernel header knows stand in
 * unknown.
 */
struct spec_capabilities {
	uint64_t bounding, effective, inheritable, permitted, ambient;
	struct str_list unknown;
};

struct spec_scheduler {
	int policy; /* SCHED_OTHER, … (words_sched_policies); −1: absent */
	struct opt_i32 nice, priority;
	uint64_t flags; /* SCHED_FLAG_… */
	struct opt_u64 runtime, deadline, period;
};

struct spec_io_priority {
	int class;
	int priority;
}; /* class: IOPRIO_CLASS_… (words_io_classes) */

struct spec_process {
	bool terminal;
	struct {
		struct opt_u32 height, width;
	} console_size;
	struct spec_user user;
	struct str_list args;
	struct str_list env; /* "NAME=value" */
	const char *cwd;
	struct spec_capabilities *capabilities; /* NULL: absent */
	struct spec_rlimits rlimits;
	bool no_new_privileges;
	const char *apparmor_profile, *selinux_label;
	struct opt_i32 oom_score_adj;
	struct spec_scheduler *scheduler;
	struct spec_io_priority *io_priority;
	struct {
		const char *initial, *final;
	} exec_cpu_affinity;
};

/* ---- hooks ----------------------------------------------------------------------------------- */

struct spec_hook {
	const char *path;
	struct str_list args, env;
	bool env_given;         /* an absent env means the runtime's own environment */
	struct opt_i64 timeout; /* seconds */
};
struct spec_hook_list {
	struct spec_hook *item;
	size_t count;
};
struct spec_hooks {
	struct spec_hook_list kind[HOOK_KINDS];
}; /* by enum hook_kind */

/* ---- linux ----------------------------------------------------------------------------------- */

struct spec_namespace {
	enum ns_type type;
	const char *path;
}; /* path NULL: a new one */
struct spec_namespaces {
	struct spec_namespace *item;
	size_t count;
};

struct spec_device {
	char type; /* 'c' 'b' 'u' 'p' */
	const char *path;
	int64_t major, minor;
	struct opt_u32 file_mode, uid, gid;
};
struct spec_devices {
	struct spec_device *item;
	size_t count;
};

struct spec_net_device {
	const char *host_name, *name;
}; /* name NULL: unchanged */
struct spec_net_devices {
	struct spec_net_device *item;
	size_t count;
};

struct spec_time_offset {
	bool set;
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_time_offsets {
	struct spec_time_offset monotonic, boottime;
};

struct spec_seccomp_arg {
	uint32_t index;
	uint64_t value, value_two;
	enum seccomp_op op;
};
struct spec_seccomp_rule {
	struct str_list names;
	enum seccomp_action action;
	struct opt_u32 errno_ret;
	struct spec_seccomp_arg *args;
	size_t arg_count;
};
struct spec_seccomp {
	enum seccomp_action default_action;
	struct opt_u32 default_errno_ret;
	/* AUDIT_ARCH_…, SCMP order of the file; x32 is words.h's SPEC_ARCH_X32 */
	uint32_t *architectures;
	size_t architecture_count;
	bool flags_given;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_… */
	const char *listener_path, *listener_metadata;
	struct spec_seccomp_rule *rules;
	size_t rule_count;
};

/* type 'a' 'b' 'c'; −1: any */
struct spec_device_rule {
	bool allow;
	char type;
	int64_t major, minor;
	const char *access;
};
struct spec_device_rules {
	struct spec_device_rule *item;
	size_t count;
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp;
	struct opt_u64 swappiness;
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};
struct spec_cpu {
	struct opt_u64 shares, burst, period, realtime_period;
	struct opt_i64 quota, realtime_runtime, idle;
	const char *cpus, *mems;
};
struct spec_weight_device {
	int64_t major, minor;
	struct opt_u16 weight, leaf_weight;
};
struct spec_weight_devices {
	struct spec_weight_device *item;
	size_t count;
};
struct spec_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};
struct spec_throttle_devices {
	struct spec_throttle_device *item;
	size_t count;
};
struct spec_block_io {
	struct opt_u16 weight, leaf_weight;
	struct spec_weight_devices weight_device;
	struct spec_throttle_devices throttle_read_bps, throttle_write_bps, throttle_read_iops,
		throttle_write_iops;
};
struct spec_hugepage_limit {
	const char *page_size;
	uint64_t limit;
};
struct spec_hugepage_limits {
	struct spec_hugepage_limit *item;
	size_t count;
};
struct spec_net_priority {
	const char *name;
	uint32_t priority;
};
struct spec_net_priorities {
	struct spec_net_priority *item;
	size_t count;
};
struct spec_rdma {
	const char *device;
	struct opt_u32 hca_handles, hca_objects;
};
struct spec_rdmas {
	struct spec_rdma *item;
	size_t count;
};

struct spec_resources {
	struct spec_device_rules devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct opt_i64 pids_limit;
	struct spec_block_io block_io;
	struct spec_hugepage_limits hugepage_limits;
	struct opt_u32 network_class_id;
	struct spec_net_priorities network_priorities;
	struct spec_rdmas rdma;
	struct str_map unified;
};

struct spec_intel_rdt {
	const char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct str_list schemata;
	struct opt_bool enable_monitoring;
};

/* MPOL_F_… */
struct spec_memory_policy {
	enum memory_policy_mode mode;
	const char *nodes;
	uint32_t flags;
};

struct spec_personality {
	enum personality_domain domain;
	struct str_list flags;
};

struct spec_linux {
	struct spec_namespaces namespaces;
	struct spec_id_maps uid_mappings, gid_mappings;
	struct spec_time_offsets time_offsets;
	struct spec_devices devices;
	struct spec_net_devices net_devices;
	const char *cgroups_path;
	struct spec_resources *resources; /* NULL: absent */
	struct str_map sysctl;
	struct spec_seccomp *seccomp;
	const char *rootfs_propagation;
	struct str_list masked_paths, readonly_paths;
	const char *mount_label;
	struct spec_intel_rdt *intel_rdt;
	struct spec_memory_policy *memory_policy;
	struct spec_personality *personality;
};

struct spec {
	const char *oci_version;
	struct spec_root *root;       /* NULL: absent */
	struct spec_process *process; /* NULL: absent */
	const char *hostname, *domainname;
	struct spec_mounts mounts;
	struct spec_hooks hooks;
	struct str_map annotations;
	struct spec_linux linux_;
};

/* The entry of linux.namespaces with this type, NULL when there is none. */
const struct spec_namespace *spec_namespace_find(const struct spec *spec, enum ns_type type);
