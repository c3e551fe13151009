/*
 * Usage as version 2 tells it, in the terms of version 1: swap counts memory in, io.stat is parted
 * into bytes and operations. Source: the kernel's admin-guide/cgroup-v2.rst.
 */
#include "cgroup/stats_files.h"
#include "cgroup/tree.h"

static int read_pressure(const char *dir, const char *file, struct arena *a,
			 struct stats_pressure *ret, struct err *e)
{
	char *text;

	if (stats_read(dir, file, a, &text, e))
		return -1;
	return text && stats_parse_pressure(text, ret, e) ? stats_refuse(dir, file, e) : 0;
}

static int read_cpu(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_member members[] = {
		{"usage_usec", STATS_PLACE(cpu.total), 1000},
		{"user_usec", STATS_PLACE(cpu.user), 1000},
		{"system_usec", STATS_PLACE(cpu.kernel), 1000},
		{"nr_periods", STATS_PLACE(cpu.periods), 1},
		{"nr_throttled", STATS_PLACE(cpu.throttled_periods), 1},
		{"throttled_usec", STATS_PLACE(cpu.throttled_time), 1000},
	};

	return stats_read_members(dir, "cpu.stat", members, array_len(members), a, stats, e) ||
			       read_pressure(dir, "cpu.pressure", a, &stats->cpu.pressure, e) ||
			       stats_read_list(dir, "cpuset.cpus.effective", a, &stats->cpuset.cpus,
					       e) ||
			       stats_read_list(dir, "cpuset.mems.effective", a, &stats->cpuset.mems,
					       e)
		       ? -1
		       : 0;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* How much of both together was in use at most cannot be told from the two. */
static int read_memory(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_file files[] = {
		{"memory.max", STATS_PLACE(memory.memory.limit)},
		{"memory.current", STATS_PLACE(memory.memory.usage)},
		{"memory.peak", STATS_PLACE(memory.memory.max)},
		{"memory.swap.max", STATS_PLACE(memory.swap.limit)},
		{"memory.swap.current", STATS_PLACE(memory.swap.usage)},
	};
	struct stats_memory *memory = &stats->memory;

	if (stats_read_files(dir, files, array_len(files), stats, e) ||
	    stats_read_memory(dir, "file", a, memory, e) ||
	    read_pressure(dir, "memory.pressure", a, &memory->pressure, e))
		return -1;
	memory->swap.limit = add(memory->swap.limit, memory->memory.limit);
	memory->swap.usage = add(memory->swap.usage, memory->memory.usage);
	return 0;
}

static int read_io(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const char file[] = "io.stat";
	char *text;

	if (stats_read(dir, file, a, &text, e))
		return -1;
	if (text && stats_parse_io(text, a, stats->io, e))
		return stats_refuse(dir, file, e);
	return read_pressure(dir, "io.pressure", a, &stats->io_pressure, e);
}

static int read_hugepages(const char *dir, struct arena *a, struct cgroup_stats *stats,
			  struct err *e)
{
	static const struct stats_member max = {"max", offsetof(struct stats_hugepages, failures),
						1};

	if (stats_find_hugepages(dir, "current", a, stats, e))
		return -1;
	for (size_t i = 0; i < stats->hugepages.count; i++) {
		struct stats_hugepages *pages = &stats->hugepages.item[i];
		const char *events = arena_format(a, e, "hugetlb.%s.events", pages->size);

		if (!events || stats_read_members(dir, events, &max, 1, a, pages, e))
			return -1;
	}
	return 0;
}

/* Without the controller nobody counts threads, but the processes are listed. */
static int read_pids(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	pid_t *pids;
	size_t count;

	if (stats_read_pids(dir, stats, e))
		return -1;
	if (stats->pids)
		return 0;
	if (tree_pids(dir, a, &pids, &count, e))
		return -1;
	stats->pids = count;
	return 0;
}

int stats_v2(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	return read_cpu(dir, a, stats, e) || read_memory(dir, a, stats, e) ||
			       read_pids(dir, a, stats, e) || read_io(dir, a, stats, e) ||
			       read_hugepages(dir, a, stats, e)
		       ? -1
		       : 0;
}
