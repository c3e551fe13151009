/*
 * Usage as version 1 tells it, hierarchy by hierarchy. Source: the kernel's admin-guide/cgroup-v1.
 */
#include <string.h>

#include "cgroup/knob.h"
#include "cgroup/paths.h"
#include "cgroup/stats_files.h"

#define TICK 10000000 /* nanoseconds of the kernel's USER_HZ */

/* ---- processors ------------------------------------------------------------------------------ */

static int read_percpu(const char *dir, struct arena *a, struct stats_cpu *cpu, struct err *e)
{
	static const char total[] = "cpuacct.usage_percpu", parts[] = "cpuacct.usage_all";
	char *text;

	if (stats_read(dir, total, a, &text, e))
		return -1;
	if (text && stats_parse_numbers(text, a, &cpu->percpu, e))
		return stats_refuse(dir, total, e);
	if (stats_read(dir, parts, a, &text, e))
		return -1;
	if (text && stats_parse_usage_all(text, a, &cpu->percpu_user, &cpu->percpu_kernel, e))
		return stats_refuse(dir, parts, e);
	return 0;
}

static int read_cpuacct(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_file files[] = {{"cpuacct.usage", STATS_PLACE(cpu.total)}};
	static const struct stats_member members[] = {
		{"user", STATS_PLACE(cpu.user), TICK},
		{"system", STATS_PLACE(cpu.kernel), TICK},
	};

	return stats_read_files(dir, files, array_len(files), stats, e) ||
			       stats_read_members(dir, "cpuacct.stat", members, array_len(members),
						  a, stats, e) ||
			       read_percpu(dir, a, &stats->cpu, e)
		       ? -1
		       : 0;
}

static int read_cpu(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_member members[] = {
		{"nr_periods", STATS_PLACE(cpu.periods), 1},
		{"nr_throttled", STATS_PLACE(cpu.throttled_periods), 1},
		{"throttled_time", STATS_PLACE(cpu.throttled_time), 1},
	};

	return stats_read_members(dir, "cpu.stat", members, array_len(members), a, stats, e);
}

static int read_relax_level(const char *dir, int64_t *ret, struct err *e)
{
	static const char file[] = "cpuset.sched_relax_domain_level";
	char text[32];

	if (knob_read(dir, file, text, sizeof(text)) <= 0 || str_to_i64(text, ret))
		return 0;
	return err_set(e, ERR_INVALID, "read %s/%s: \"%s\" is not a number", dir, file, text);
}

static int read_cpuset(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_file files[] = {
		{"cpuset.cpu_exclusive", STATS_PLACE(cpuset.cpu_exclusive)},
		{"cpuset.mem_hardwall", STATS_PLACE(cpuset.mem_hardwall)},
		{"cpuset.mem_exclusive", STATS_PLACE(cpuset.mem_exclusive)},
		{"cpuset.memory_migrate", STATS_PLACE(cpuset.memory_migrate)},
		{"cpuset.memory_spread_page", STATS_PLACE(cpuset.memory_spread_page)},
		{"cpuset.memory_spread_slab", STATS_PLACE(cpuset.memory_spread_slab)},
		{"cpuset.memory_pressure", STATS_PLACE(cpuset.memory_pressure)},
		{"cpuset.sched_load_balance", STATS_PLACE(cpuset.sched_load_balance)},
	};

	return stats_read_files(dir, files, array_len(files), stats, e) ||
			       stats_read_list(dir, "cpuset.cpus", a, &stats->cpuset.cpus, e) ||
			       stats_read_list(dir, "cpuset.mems", a, &stats->cpuset.mems, e) ||
			       read_relax_level(dir, &stats->cpuset.sched_relax_domain_level, e)
		       ? -1
		       : 0;
}

/* ---- memory ---------------------------------------------------------------------------------- */

#define USAGE_FILES(prefix, field) \
	{prefix ".limit_in_bytes", STATS_PLACE(memory.field.limit)}, \
		{prefix ".usage_in_bytes", STATS_PLACE(memory.field.usage)}, \
		{prefix ".max_usage_in_bytes", STATS_PLACE(memory.field.max)}, \
	{ \
		prefix ".failcnt", STATS_PLACE(memory.field.failures) \
	}

static int read_memory(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_file files[] = {
		USAGE_FILES("memory", memory),
		USAGE_FILES("memory.memsw", swap),
		USAGE_FILES("memory.kmem", kernel),
		USAGE_FILES("memory.kmem.tcp", kernel_tcp),
	};

	return stats_read_files(dir, files, array_len(files), stats, e) ||
			       stats_read_memory(dir, "cache", a, &stats->memory, e)
		       ? -1
		       : 0;
}

static int read_hugepages(const char *dir, struct arena *a, struct cgroup_stats *stats,
			  struct err *e)
{
	if (stats_find_hugepages(dir, "usage_in_bytes", a, stats, e))
		return -1;
	for (size_t i = 0; i < stats->hugepages.count; i++) {
		struct stats_hugepages *pages = &stats->hugepages.item[i];
		const char *max = arena_format(a, e, "hugetlb.%s.max_usage_in_bytes", pages->size);
		const char *failures = arena_format(a, e, "hugetlb.%s.failcnt", pages->size);

		if (!max || !failures || stats_read_number(dir, max, &pages->max, e) ||
		    stats_read_number(dir, failures, &pages->failures, e))
			return -1;
	}
	return 0;
}

/* ---- block devices --------------------------------------------------------------------------- */

struct io_file {
	char name[44];
	uint8_t kind;
};

/*
 * A scheduler that counts says more than the throttle does. Whether it counts, its first file tells
 * by what it has; the others of the group are read then.
 */
static int read_blkio(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	static const struct io_file bfq_all[] = {
		{"blkio.bfq.sectors_recursive", STATS_IO_SECTORS},
		{"blkio.bfq.io_service_time_recursive", STATS_IO_SERVICE_TIME},
		{"blkio.bfq.io_wait_time_recursive", STATS_IO_WAIT_TIME},
		{"blkio.bfq.io_merged_recursive", STATS_IO_MERGED},
		{"blkio.bfq.io_queued_recursive", STATS_IO_QUEUED},
		{"blkio.bfq.time_recursive", STATS_IO_TIME},
		{"blkio.bfq.io_serviced_recursive", STATS_IO_SERVICED},
		{"blkio.bfq.io_service_bytes_recursive", STATS_IO_BYTES},
	};
	static const struct io_file throttle[] = {
		{"blkio.throttle.io_serviced_recursive", STATS_IO_SERVICED},
		{"blkio.throttle.io_service_bytes_recursive", STATS_IO_BYTES},
	};
	static const struct {
		const struct io_file *files;
		size_t count;
	} groups[] = {{bfq_all, 8}, {bfq_all + 6, 2}, {throttle, 2}};

	for (size_t g = 0; g < array_len(groups); g++) {
		for (size_t i = 0; i < groups[g].count; i++) {
			const struct io_file *file = &groups[g].files[i];
			struct stats_io *list = &stats->io[file->kind];
			char *text;

			if (stats_read(dir, file->name, a, &text, e))
				return -1;
			if (text && stats_parse_blkio(text, a, list, e))
				return stats_refuse(dir, file->name, e);
			if (!i && !list->count)
				break;
			if (i + 1 == groups[g].count)
				return 0;
		}
	}
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int read_pids(const char *dir, struct arena *a, struct cgroup_stats *stats, struct err *e)
{
	(void)a;
	return stats_read_pids(dir, stats, e);
}

int stats_v1(const struct cgroup_paths *paths, struct arena *a, struct cgroup_stats *stats,
	     struct err *e)
{
	static const struct {
		const char *name;
		int (*read)(const char *dir, struct arena *a, struct cgroup_stats *stats,
			    struct err *e);
	} controllers[] = {
		{"cpuacct", read_cpuacct},   {"cpu", read_cpu},   {"cpuset", read_cpuset},
		{"memory", read_memory},     {"pids", read_pids}, {"blkio", read_blkio},
		{"hugetlb", read_hugepages},
	};

	for (size_t i = 0; i < array_len(controllers); i++) {
		const char *dir = paths_find(paths, controllers[i].name);

		if (dir && controllers[i].read(dir, a, stats, e))
			return -1;
	}
	return 0;
}
