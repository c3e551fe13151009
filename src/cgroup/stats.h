/*
 * What a cgroup has used, and what it was held up by: for events. Beside cgroup.h because nobody
 * else asks for it. Numbers are those of the kernel's files, times in nanoseconds; what a kernel, a
 * layout or a controller does not tell is zero or empty.
 */
#pragma once

#include "cgroup/cgroup.h"

struct stats_numbers {
	uint64_t *item;
	size_t count;
};

/* Shares of time in hundredths of a per cent, and microseconds in all. */
struct stats_stall {
	uint32_t avg10, avg60, avg300;
	uint64_t total;
};

/* How long some, or all, processes waited for a resource (PSI, version 2). */
struct stats_pressure {
	bool given;
	struct stats_stall some, full;
};

struct stats_cpu {
	uint64_t total, kernel, user;
	struct stats_numbers percpu, percpu_kernel, percpu_user; /* version 1 */
	uint64_t periods, throttled_periods, throttled_time;
	struct stats_pressure pressure;
};

/* The flags are those of version 1. */
struct stats_cpuset {
	struct stats_numbers cpus, mems;
	uint64_t cpu_exclusive, mem_hardwall, mem_exclusive, memory_migrate, memory_spread_page,
		memory_spread_slab, memory_pressure, sched_load_balance;
	int64_t sched_relax_domain_level;
};

/* limit is UINT64_MAX where version 2 has none; version 1 has a number for that. */
struct stats_usage {
	uint64_t limit, usage, max, failures;
};

struct stats_pair {
	const char *key;
	uint64_t value;
};

struct stats_memory {
	uint64_t cache;
	struct stats_usage memory, swap; /* swap counts memory in */
	struct stats_usage kernel, kernel_tcp;
	struct { /* memory.stat, sorted by key */
		struct stats_pair *item;
		size_t count;
	} raw;
	struct stats_pressure pressure;
};

enum stats_io_kind {
	STATS_IO_BYTES,
	STATS_IO_SERVICED,
	STATS_IO_QUEUED,
	STATS_IO_SERVICE_TIME,
	STATS_IO_WAIT_TIME,
	STATS_IO_MERGED,
	STATS_IO_TIME,
	STATS_IO_SECTORS,
	STATS_IO_KINDS
};

struct stats_io_entry {
	uint64_t major, minor;
	const char *op; /* "Read", "Write", …; "" where the file tells none apart */
	uint64_t value;
};

struct stats_io {
	struct stats_io_entry *item;
	size_t count, capacity;
};

struct stats_hugepages {
	const char *size; /* "2MB" */
	uint64_t usage, max, failures;
};

struct cgroup_stats {
	struct stats_cpu cpu;
	struct stats_cpuset cpuset;
	struct stats_memory memory;
	uint64_t pids, pids_limit; /* limit 0: none */
	struct stats_io io[STATS_IO_KINDS];
	struct stats_pressure io_pressure;
	struct { /* sorted by size as text */
		struct stats_hugepages *item;
		size_t count, capacity;
	} hugepages;
};

/*
 * Reads it all. A cgroup that goes away meanwhile has used nothing. Errors: a file that cannot be
 * read, or that says something that no kernel would (ERR_INVALID, with the file's path).
 */
int cgroup_stats(const struct cgroup_paths *paths, struct arena *a, struct cgroup_stats *ret,
		 struct err *e) must_check;
