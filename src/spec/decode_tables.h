/*
 * The tables of the decoder by name: for decode.c, and for the test that compares them with the
 * JSON schema.
 */
#pragma once

#include "base/json_table.h"

enum spec_table {
	TABLE_SPEC,
	TABLE_ROOT,
	TABLE_MOUNT,
	TABLE_ID_MAP,
	TABLE_PROCESS,
	TABLE_CONSOLE_SIZE,
	TABLE_USER,
	TABLE_CAPABILITIES,
	TABLE_RLIMIT,
	TABLE_SCHEDULER,
	TABLE_IO_PRIORITY,
	TABLE_AFFINITY,
	TABLE_HOOKS,
	TABLE_HOOK,
	TABLE_LINUX,
	TABLE_NAMESPACE,
	TABLE_DEVICE,
	TABLE_NET_DEVICE,
	TABLE_TIME_OFFSETS,
	TABLE_TIME_OFFSET,
	TABLE_INTEL_RDT,
	TABLE_MEMORY_POLICY,
	TABLE_PERSONALITY,
	TABLE_SECCOMP,
	TABLE_SECCOMP_RULE,
	TABLE_SECCOMP_ARG,
	TABLE_RESOURCES,
	TABLE_DEVICE_RULE,
	TABLE_MEMORY,
	TABLE_CPU,
	TABLE_PIDS,
	TABLE_BLOCK_IO,
	TABLE_WEIGHT_DEVICE,
	TABLE_THROTTLE_DEVICE,
	TABLE_HUGEPAGE_LIMIT,
	TABLE_NETWORK,
	TABLE_NET_PRIORITY,
	TABLE_RDMA,
	TABLE_COUNT
};

extern const struct json_schema spec_schema;

/*
 * Reads one set of process.capabilities: names to bits, those that no table knows to unknown.
 * decode.c.
 */
int spec_read_capabilities(struct json *j, const struct json_field *field, void *object,
			   struct err *e) must_check;
