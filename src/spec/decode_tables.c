/*
 * One table per JSON object of config.json, in the order of the specification. A new member of the
 * specification is one row here and one in spec.h. The row's kind follows from the C type; see
 * base/json_table.h for the row macros.
 */
#include "spec/decode_tables.h"

#include "spec/spec.h"
#include "spec/words.h"

/*
 * Which names a member may have; the texts about any other name are in `words` at the end of the
 * file.
 */
enum {
	NAMESPACES,
	RLIMITS,
	POLICIES,
	SCHED_FLAGS,
	IO_CLASSES,
	DEVICE_TYPES,
	RULE_TYPES,
	ACTIONS,
	OPS,
	ARCHS,
	SECCOMP_FLAGS,
	MEMORY_MODES,
	MEMORY_FLAGS,
	DOMAINS
};

enum { ODD_CAPABILITIES };

/* ---- the top, root, mounts ------------------------------------------------------------------- */

static const struct json_field spec_fields[] = {
	{FIELD("ociVersion", struct spec, oci_version)},
	{POINTER_FIELD("process", struct spec, process, TABLE_PROCESS)},
	{POINTER_FIELD("root", struct spec, root, TABLE_ROOT)},
	{FIELD("hostname", struct spec, hostname)},
	{FIELD("domainname", struct spec, domainname)},
	{LIST_FIELD("mounts", struct spec, mounts, TABLE_MOUNT)},
	{OBJECT_FIELD("hooks", struct spec, hooks, TABLE_HOOKS)},
	{FIELD("annotations", struct spec, annotations)},
	{OBJECT_FIELD("linux", struct spec, linux_, TABLE_LINUX)},
};

static const struct json_field root_fields[] = {
	{FIELD("path", struct spec_root, path)},
	{FIELD("readonly", struct spec_root, readonly)},
};

static const struct json_field mount_fields[] = {
	{FIELD("destination", struct spec_mount, destination)},
	{FIELD("type", struct spec_mount, type)},
	{FIELD("source", struct spec_mount, source)},
	{FIELD("options", struct spec_mount, options)},
	{LIST_FIELD("uidMappings", struct spec_mount, uid_mappings, TABLE_ID_MAP)},
	{LIST_FIELD("gidMappings", struct spec_mount, gid_mappings, TABLE_ID_MAP)},
};

static const struct json_field id_map_fields[] = {
	{FIELD("containerID", struct spec_id_map, container_id)},
	{FIELD("hostID", struct spec_id_map, host_id)},
	{FIELD("size", struct spec_id_map, size)},
};

/* ---- process --------------------------------------------------------------------------------- */

static const struct json_field process_fields[] = {
	{FIELD("terminal", struct spec_process, terminal)},
	{PART_FIELD("consoleSize", TABLE_CONSOLE_SIZE)},
	{OBJECT_FIELD("user", struct spec_process, user, TABLE_USER)},
	{FIELD("args", struct spec_process, args)},
	{FIELD("env", struct spec_process, env)},
	{FIELD("cwd", struct spec_process, cwd)},
	{POINTER_FIELD("capabilities", struct spec_process, capabilities, TABLE_CAPABILITIES)},
	{LIST_FIELD("rlimits", struct spec_process, rlimits, TABLE_RLIMIT)},
	{FIELD("noNewPrivileges", struct spec_process, no_new_privileges)},
	{FIELD("apparmorProfile", struct spec_process, apparmor_profile)},
	{FIELD("oomScoreAdj", struct spec_process, oom_score_adj)},
	{POINTER_FIELD("scheduler", struct spec_process, scheduler, TABLE_SCHEDULER)},
	{FIELD("selinuxLabel", struct spec_process, selinux_label)},
	{POINTER_FIELD("ioPriority", struct spec_process, io_priority, TABLE_IO_PRIORITY)},
	{PART_FIELD("execCPUAffinity", TABLE_AFFINITY)},
};

static const struct json_field console_size_fields[] = {
	{FIELD("height", struct spec_process, console_size.height)},
	{FIELD("width", struct spec_process, console_size.width)},
};

static const struct json_field user_fields[] = {
	{FIELD("uid", struct spec_user, uid)},
	{FIELD("gid", struct spec_user, gid)},
	{FIELD("umask", struct spec_user, umask)},
	{U32S_FIELD("additionalGids", struct spec_user, additional_gids)},
};

#define CAPABILITIES(name) ODD_FIELD(#name, struct spec_capabilities, name, ODD_CAPABILITIES)

static const struct json_field capabilities_fields[] = {
	{CAPABILITIES(bounding)},  {CAPABILITIES(effective)}, {CAPABILITIES(inheritable)},
	{CAPABILITIES(permitted)}, {CAPABILITIES(ambient)},
};

static const struct json_field rlimit_fields[] = {
	{WORD_FIELD("type", struct spec_rlimit, type, RLIMITS)},
	{FIELD("hard", struct spec_rlimit, hard)},
	{FIELD("soft", struct spec_rlimit, soft)},
};

static const struct json_field scheduler_fields[] = {
	{OPT_WORD_FIELD("policy", struct spec_scheduler, policy, POLICIES)},
	{FIELD("nice", struct spec_scheduler, nice)},
	{FIELD("priority", struct spec_scheduler, priority)},
	{BITS_FIELD("flags", struct spec_scheduler, flags, SCHED_FLAGS)},
	{FIELD("runtime", struct spec_scheduler, runtime)},
	{FIELD("deadline", struct spec_scheduler, deadline)},
	{FIELD("period", struct spec_scheduler, period)},
};

static void scheduler_init(void *object)
{
	/* validate has runc's text for an absent one */
	((struct spec_scheduler *)object)->policy = -1;
}

static const struct json_field io_priority_fields[] = {
	{WORD_FIELD("class", struct spec_io_priority, class, IO_CLASSES)},
	{FIELD("priority", struct spec_io_priority, priority)},
};

static const struct json_field affinity_fields[] = {
	{FIELD("initial", struct spec_process, exec_cpu_affinity.initial)},
	{FIELD("final", struct spec_process, exec_cpu_affinity.final)},
};

/* ---- hooks ----------------------------------------------------------------------------------- */

#define HOOKS(name, hook) LIST_FIELD(name, struct spec_hooks, kind[hook], TABLE_HOOK)

static const struct json_field hooks_fields[] = {
	{HOOKS("prestart", HOOK_PRESTART)},
	{HOOKS("createRuntime", HOOK_CREATE_RUNTIME)},
	{HOOKS("createContainer", HOOK_CREATE_CONTAINER)},
	{HOOKS("startContainer", HOOK_START_CONTAINER)},
	{HOOKS("poststart", HOOK_POSTSTART)},
	{HOOKS("poststop", HOOK_POSTSTOP)},
};

static const struct json_field hook_fields[] = {
	{FIELD("path", struct spec_hook, path)},
	{FIELD("args", struct spec_hook, args)},
	{FIELD("env", struct spec_hook, env), GIVEN(struct spec_hook, env_given)},
	{FIELD("timeout", struct spec_hook, timeout)},
};

/* ---- linux ----------------------------------------------------------------------------------- */

static const struct json_field linux_fields[] = {
	{LIST_FIELD("uidMappings", struct spec_linux, uid_mappings, TABLE_ID_MAP)},
	{LIST_FIELD("gidMappings", struct spec_linux, gid_mappings, TABLE_ID_MAP)},
	{FIELD("sysctl", struct spec_linux, sysctl)},
	{POINTER_FIELD("resources", struct spec_linux, resources, TABLE_RESOURCES)},
	{FIELD("cgroupsPath", struct spec_linux, cgroups_path)},
	{LIST_FIELD("namespaces", struct spec_linux, namespaces, TABLE_NAMESPACE)},
	{LIST_FIELD("devices", struct spec_linux, devices, TABLE_DEVICE)},
	{NAMED_FIELD("netDevices", struct spec_linux, net_devices, TABLE_NET_DEVICE)},
	{POINTER_FIELD("seccomp", struct spec_linux, seccomp, TABLE_SECCOMP)},
	{FIELD("rootfsPropagation", struct spec_linux, rootfs_propagation)},
	{FIELD("maskedPaths", struct spec_linux, masked_paths)},
	{FIELD("readonlyPaths", struct spec_linux, readonly_paths)},
	{FIELD("mountLabel", struct spec_linux, mount_label)},
	{POINTER_FIELD("intelRdt", struct spec_linux, intel_rdt, TABLE_INTEL_RDT)},
	{POINTER_FIELD("memoryPolicy", struct spec_linux, memory_policy, TABLE_MEMORY_POLICY)},
	{POINTER_FIELD("personality", struct spec_linux, personality, TABLE_PERSONALITY)},
	{PART_FIELD("timeOffsets", TABLE_TIME_OFFSETS)},
};

static const struct json_field namespace_fields[] = {
	{WORD_FIELD("type", struct spec_namespace, type, NAMESPACES)},
	{FIELD("path", struct spec_namespace, path)},
};

static const struct json_field device_fields[] = {
	{FIELD("path", struct spec_device, path)},
	{WORD_FIELD("type", struct spec_device, type, DEVICE_TYPES)},
	{FIELD("major", struct spec_device, major)},
	{FIELD("minor", struct spec_device, minor)},
	{FIELD("fileMode", struct spec_device, file_mode)},
	{FIELD("uid", struct spec_device, uid)},
	{FIELD("gid", struct spec_device, gid)},
};

static const struct json_field net_device_fields[] = {
	{FIELD("name", struct spec_net_device, name)},
};

/* clang-format off */
#define TIME_OFFSET(clock) \
	OBJECT_FIELD(#clock, struct spec_linux, time_offsets.clock, TABLE_TIME_OFFSET), \
	GIVEN(struct spec_linux, time_offsets.clock.set)
/* clang-format on */

static const struct json_field time_offsets_fields[] = {
	{TIME_OFFSET(monotonic)},
	{TIME_OFFSET(boottime)},
};

static const struct json_field time_offset_fields[] = {
	{FIELD("secs", struct spec_time_offset, secs)},
	{FIELD("nanosecs", struct spec_time_offset, nanosecs)},
};

static const struct json_field intel_rdt_fields[] = {
	{FIELD("closID", struct spec_intel_rdt, clos_id)},
	{FIELD("schemata", struct spec_intel_rdt, schemata)},
	{FIELD("l3CacheSchema", struct spec_intel_rdt, l3_cache_schema)},
	{FIELD("memBwSchema", struct spec_intel_rdt, mem_bw_schema)},
	{FIELD("enableMonitoring", struct spec_intel_rdt, enable_monitoring)},
};

static const struct json_field memory_policy_fields[] = {
	{WORD_FIELD("mode", struct spec_memory_policy, mode, MEMORY_MODES)},
	{FIELD("nodes", struct spec_memory_policy, nodes)},
	{BITS_FIELD("flags", struct spec_memory_policy, flags, MEMORY_FLAGS)},
};

static const struct json_field personality_fields[] = {
	{WORD_FIELD("domain", struct spec_personality, domain, DOMAINS)},
	{FIELD("flags", struct spec_personality, flags)},
};

/* ---- linux.seccomp --------------------------------------------------------------------------- */

static const struct json_field seccomp_fields[] = {
	{WORD_FIELD("defaultAction", struct spec_seccomp, default_action, ACTIONS)},
	{FIELD("defaultErrnoRet", struct spec_seccomp, default_errno_ret)},
	{WORDS_FIELD("architectures", struct spec_seccomp, architectures, ARCHS)},
	{BITS_FIELD("flags", struct spec_seccomp, flags, SECCOMP_FLAGS),
	 GIVEN(struct spec_seccomp, flags_given)},
	{FIELD("listenerPath", struct spec_seccomp, listener_path)},
	{FIELD("listenerMetadata", struct spec_seccomp, listener_metadata)},
	{LIST_FIELD("syscalls", struct spec_seccomp, rules, TABLE_SECCOMP_RULE)},
};

static const struct json_field seccomp_rule_fields[] = {
	{FIELD("names", struct spec_seccomp_rule, names)},
	{WORD_FIELD("action", struct spec_seccomp_rule, action, ACTIONS)},
	{FIELD("errnoRet", struct spec_seccomp_rule, errno_ret)},
	{LIST_FIELD("args", struct spec_seccomp_rule, args, TABLE_SECCOMP_ARG)},
};

static const struct json_field seccomp_arg_fields[] = {
	{FIELD("index", struct spec_seccomp_arg, index)},
	{FIELD("value", struct spec_seccomp_arg, value)},
	{FIELD("valueTwo", struct spec_seccomp_arg, value_two)},
	{WORD_FIELD("op", struct spec_seccomp_arg, op, OPS)},
};

/* ---- linux.resources ------------------------------------------------------------------------- */

static const struct json_field resources_fields[] = {
	{LIST_FIELD("devices", struct spec_resources, devices, TABLE_DEVICE_RULE)},
	{OBJECT_FIELD("memory", struct spec_resources, memory, TABLE_MEMORY)},
	{OBJECT_FIELD("cpu", struct spec_resources, cpu, TABLE_CPU)},
	{PART_FIELD("pids", TABLE_PIDS)},
	{OBJECT_FIELD("blockIO", struct spec_resources, block_io, TABLE_BLOCK_IO)},
	{LIST_FIELD("hugepageLimits", struct spec_resources, hugepage_limits,
		    TABLE_HUGEPAGE_LIMIT)},
	{PART_FIELD("network", TABLE_NETWORK)},
	{NAMED_FIELD("rdma", struct spec_resources, rdma, TABLE_RDMA)},
	{FIELD("unified", struct spec_resources, unified)},
};

static const struct json_field device_rule_fields[] = {
	{FIELD("allow", struct spec_device_rule, allow)},
	{OPT_WORD_FIELD("type", struct spec_device_rule, type, RULE_TYPES)},
	{FIELD("major", struct spec_device_rule, major)},
	{FIELD("minor", struct spec_device_rule, minor)},
	{FIELD("access", struct spec_device_rule, access)},
};

static void device_rule_init(void *object)
{
	*(struct spec_device_rule *)object =
		(struct spec_device_rule){.type = 'a', .major = -1, .minor = -1};
}

static const struct json_field memory_fields[] = {
	{FIELD("limit", struct spec_memory, limit)},
	{FIELD("reservation", struct spec_memory, reservation)},
	{FIELD("swap", struct spec_memory, swap)},
	{FIELD("kernel", struct spec_memory, kernel)},
	{FIELD("kernelTCP", struct spec_memory, kernel_tcp)},
	{FIELD("swappiness", struct spec_memory, swappiness)},
	{FIELD("disableOOMKiller", struct spec_memory, disable_oom_killer)},
	{FIELD("useHierarchy", struct spec_memory, use_hierarchy)},
	{FIELD("checkBeforeUpdate", struct spec_memory, check_before_update)},
};

static const struct json_field cpu_fields[] = {
	{FIELD("shares", struct spec_cpu, shares)},
	{FIELD("quota", struct spec_cpu, quota)},
	{FIELD("burst", struct spec_cpu, burst)},
	{FIELD("period", struct spec_cpu, period)},
	{FIELD("realtimeRuntime", struct spec_cpu, realtime_runtime)},
	{FIELD("realtimePeriod", struct spec_cpu, realtime_period)},
	{FIELD("cpus", struct spec_cpu, cpus)},
	{FIELD("mems", struct spec_cpu, mems)},
	{FIELD("idle", struct spec_cpu, idle)},
};

static const struct json_field pids_fields[] = {
	{FIELD("limit", struct spec_resources, pids_limit)},
};

static const struct json_field block_io_fields[] = {
	{FIELD("weight", struct spec_block_io, weight)},
	{FIELD("leafWeight", struct spec_block_io, leaf_weight)},
	{LIST_FIELD("weightDevice", struct spec_block_io, weight_device, TABLE_WEIGHT_DEVICE)},
	{LIST_FIELD("throttleReadBpsDevice", struct spec_block_io, throttle_read_bps,
		    TABLE_THROTTLE_DEVICE)},
	{LIST_FIELD("throttleWriteBpsDevice", struct spec_block_io, throttle_write_bps,
		    TABLE_THROTTLE_DEVICE)},
	{LIST_FIELD("throttleReadIOPSDevice", struct spec_block_io, throttle_read_iops,
		    TABLE_THROTTLE_DEVICE)},
	{LIST_FIELD("throttleWriteIOPSDevice", struct spec_block_io, throttle_write_iops,
		    TABLE_THROTTLE_DEVICE)},
};

static const struct json_field weight_device_fields[] = {
	{FIELD("major", struct spec_weight_device, major)},
	{FIELD("minor", struct spec_weight_device, minor)},
	{FIELD("weight", struct spec_weight_device, weight)},
	{FIELD("leafWeight", struct spec_weight_device, leaf_weight)},
};

static const struct json_field throttle_device_fields[] = {
	{FIELD("major", struct spec_throttle_device, major)},
	{FIELD("minor", struct spec_throttle_device, minor)},
	{FIELD("rate", struct spec_throttle_device, rate)},
};

static const struct json_field hugepage_limit_fields[] = {
	{FIELD("pageSize", struct spec_hugepage_limit, page_size)},
	{FIELD("limit", struct spec_hugepage_limit, limit)},
};

static const struct json_field network_fields[] = {
	{FIELD("classID", struct spec_resources, network_class_id)},
	{LIST_FIELD("priorities", struct spec_resources, network_priorities, TABLE_NET_PRIORITY)},
};

static const struct json_field net_priority_fields[] = {
	{FIELD("name", struct spec_net_priority, name)},
	{FIELD("priority", struct spec_net_priority, priority)},
};

static const struct json_field rdma_fields[] = {
	{FIELD("hcaHandles", struct spec_rdma, hca_handles)},
	{FIELD("hcaObjects", struct spec_rdma, hca_objects)},
};

/* ---- everything by its index ----------------------------------------------------------------- */

static const struct json_table tables[TABLE_COUNT] = {
	[TABLE_SPEC] = {JSON_TABLE(spec_fields, struct spec)},
	[TABLE_ROOT] = {JSON_TABLE(root_fields, struct spec_root)},
	[TABLE_MOUNT] = {JSON_TABLE(mount_fields, struct spec_mount)},
	[TABLE_ID_MAP] = {JSON_TABLE(id_map_fields, struct spec_id_map)},
	[TABLE_PROCESS] = {JSON_TABLE(process_fields, struct spec_process)},
	[TABLE_CONSOLE_SIZE] = {JSON_TABLE(console_size_fields, struct spec_process)},
	[TABLE_USER] = {JSON_TABLE(user_fields, struct spec_user)},
	[TABLE_CAPABILITIES] = {JSON_TABLE(capabilities_fields, struct spec_capabilities)},
	[TABLE_RLIMIT] = {JSON_TABLE(rlimit_fields, struct spec_rlimit)},
	[TABLE_SCHEDULER] = {JSON_TABLE(scheduler_fields, struct spec_scheduler),
			     .init = scheduler_init},
	[TABLE_IO_PRIORITY] = {JSON_TABLE(io_priority_fields, struct spec_io_priority)},
	[TABLE_AFFINITY] = {JSON_TABLE(affinity_fields, struct spec_process)},
	[TABLE_HOOKS] = {JSON_TABLE(hooks_fields, struct spec_hooks)},
	[TABLE_HOOK] = {JSON_TABLE(hook_fields, struct spec_hook)},
	[TABLE_LINUX] = {JSON_TABLE(linux_fields, struct spec_linux)},
	[TABLE_NAMESPACE] = {JSON_TABLE(namespace_fields, struct spec_namespace)},
	[TABLE_DEVICE] = {JSON_TABLE(device_fields, struct spec_device)},
	[TABLE_NET_DEVICE] = {JSON_TABLE(net_device_fields, struct spec_net_device)},
	[TABLE_TIME_OFFSETS] = {JSON_TABLE(time_offsets_fields, struct spec_linux)},
	[TABLE_TIME_OFFSET] = {JSON_TABLE(time_offset_fields, struct spec_time_offset)},
	[TABLE_INTEL_RDT] = {JSON_TABLE(intel_rdt_fields, struct spec_intel_rdt)},
	[TABLE_MEMORY_POLICY] = {JSON_TABLE(memory_policy_fields, struct spec_memory_policy)},
	[TABLE_PERSONALITY] = {JSON_TABLE(personality_fields, struct spec_personality)},
	[TABLE_SECCOMP] = {JSON_TABLE(seccomp_fields, struct spec_seccomp)},
	[TABLE_SECCOMP_RULE] = {JSON_TABLE(seccomp_rule_fields, struct spec_seccomp_rule)},
	[TABLE_SECCOMP_ARG] = {JSON_TABLE(seccomp_arg_fields, struct spec_seccomp_arg)},
	[TABLE_RESOURCES] = {JSON_TABLE(resources_fields, struct spec_resources)},
	[TABLE_DEVICE_RULE] = {JSON_TABLE(device_rule_fields, struct spec_device_rule),
			       .init = device_rule_init},
	[TABLE_MEMORY] = {JSON_TABLE(memory_fields, struct spec_memory)},
	[TABLE_CPU] = {JSON_TABLE(cpu_fields, struct spec_cpu)},
	[TABLE_PIDS] = {JSON_TABLE(pids_fields, struct spec_resources)},
	[TABLE_BLOCK_IO] = {JSON_TABLE(block_io_fields, struct spec_block_io)},
	[TABLE_WEIGHT_DEVICE] = {JSON_TABLE(weight_device_fields, struct spec_weight_device)},
	[TABLE_THROTTLE_DEVICE] = {JSON_TABLE(throttle_device_fields, struct spec_throttle_device)},
	[TABLE_HUGEPAGE_LIMIT] = {JSON_TABLE(hugepage_limit_fields, struct spec_hugepage_limit)},
	[TABLE_NETWORK] = {JSON_TABLE(network_fields, struct spec_resources)},
	[TABLE_NET_PRIORITY] = {JSON_TABLE(net_priority_fields, struct spec_net_priority)},
	[TABLE_RDMA] = {JSON_TABLE(rdma_fields, struct spec_rdma)},
};

static const struct json_words words[] = {
	[NAMESPACES] = {&words_namespaces, "namespace {\"", "\" \"\"} does not exist"},
	[RLIMITS] = {&words_rlimits, "wrong rlimit value: ", ""},
	[POLICIES] = {&words_sched_policies, "invalid scheduler policy: ", ""},
	[SCHED_FLAGS] = {&words_sched_flags, "invalid scheduler flag: ", ""},
	[IO_CLASSES] = {&words_io_classes, "invalid ioPriority.Class: \"", "\""},
	[DEVICE_TYPES] = {&words_device_types, "invalid device type \"", "\""},
	[RULE_TYPES] = {&words_device_rule_types, "invalid cgroup device type \"", "\""},
	[ACTIONS] = {&words_seccomp_actions, "string ", " is not a valid action for seccomp"},
	[OPS] = {&words_seccomp_ops, "string ", " is not a valid operator for seccomp"},
	[ARCHS] = {&words_seccomp_archs, "string ", " is not a valid arch for seccomp"},
	[SECCOMP_FLAGS] = {&words_seccomp_flags, "seccomp flag ", " is not known"},
	[MEMORY_MODES] = {&words_memory_modes, "invalid memory policy mode \"", "\""},
	[MEMORY_FLAGS] = {&words_memory_flags, "invalid memory policy flag \"", "\""},
	[DOMAINS] = {&words_personalities, "invalid personality domain ", ""},
};

static int (*const odd[])(struct json *j, const struct json_field *field, void *object,
			  struct err *e) = {
	[ODD_CAPABILITIES] = spec_read_capabilities,
};

const struct json_schema spec_schema = {.tables = tables, .words = words, .odd = odd};
