/*
 * Usage as JSON: see stats_json.h. A number that is 0 is left out where runc leaves it out; an
 * array of numbers, a list of devices and the pressure are when there is nothing in them.
 */
#include "container/stats_json.h"

#include "base/str.h"

static void write_unless_zero(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_write_u64(w, key, value);
}

static void write_numbers(struct json_writer *w, const char *key, const struct stats_numbers *list)
{
	if (!list->count)
		return;
	json_write_array(w, key);
	for (size_t i = 0; i < list->count; i++)
		json_write_u64(w, NULL, list->item[i]);
	json_write_end(w);
}

static void write_stall(struct json_writer *w, const char *key, const struct stats_stall *stall)
{
	json_write_object(w, key);
	json_write_hundredths(w, "avg10", stall->avg10);
	json_write_hundredths(w, "avg60", stall->avg60);
	json_write_hundredths(w, "avg300", stall->avg300);
	json_write_u64(w, "total", stall->total);
	json_write_end(w);
}

static void write_pressure(struct json_writer *w, const struct stats_pressure *pressure)
{
	if (!pressure->given)
		return;
	json_write_object(w, "psi");
	write_stall(w, "some", &pressure->some);
	write_stall(w, "full", &pressure->full);
	json_write_end(w);
}

static void write_cpu(struct json_writer *w, const struct stats_cpu *cpu)
{
	json_write_object(w, "cpu");
	json_write_object(w, "usage");
	write_unless_zero(w, "total", cpu->total);
	write_numbers(w, "percpu", &cpu->percpu);
	write_numbers(w, "percpu_kernel", &cpu->percpu_kernel);
	write_numbers(w, "percpu_user", &cpu->percpu_user);
	json_write_u64(w, "kernel", cpu->kernel);
	json_write_u64(w, "user", cpu->user);
	json_write_end(w);
	json_write_object(w, "throttling");
	write_unless_zero(w, "periods", cpu->periods);
	write_unless_zero(w, "throttledPeriods", cpu->throttled_periods);
	write_unless_zero(w, "throttledTime", cpu->throttled_time);
	json_write_end(w);
	write_pressure(w, &cpu->pressure);
	json_write_end(w);
}

static void write_cpuset(struct json_writer *w, const struct stats_cpuset *set)
{
	json_write_object(w, "cpuset");
	write_numbers(w, "cpus", &set->cpus);
	json_write_u64(w, "cpu_exclusive", set->cpu_exclusive);
	write_numbers(w, "mems", &set->mems);
	json_write_u64(w, "mem_hardwall", set->mem_hardwall);
	json_write_u64(w, "mem_exclusive", set->mem_exclusive);
	json_write_u64(w, "memory_migrate", set->memory_migrate);
	json_write_u64(w, "memory_spread_page", set->memory_spread_page);
	json_write_u64(w, "memory_spread_slab", set->memory_spread_slab);
	json_write_u64(w, "memory_pressure", set->memory_pressure);
	json_write_u64(w, "sched_load_balance", set->sched_load_balance);
	json_write_i64(w, "sched_relax_domain_level", set->sched_relax_domain_level);
	json_write_end(w);
}

static void write_usage(struct json_writer *w, const char *key, const struct stats_usage *usage)
{
	json_write_object(w, key);
	json_write_u64(w, "limit", usage->limit);
	write_unless_zero(w, "usage", usage->usage);
	write_unless_zero(w, "max", usage->max);
	json_write_u64(w, "failcnt", usage->failures);
	json_write_end(w);
}

static void write_memory(struct json_writer *w, const struct stats_memory *memory)
{
	json_write_object(w, "memory");
	write_unless_zero(w, "cache", memory->cache);
	write_usage(w, "usage", &memory->memory);
	write_usage(w, "swap", &memory->swap);
	write_usage(w, "kernel", &memory->kernel);
	write_usage(w, "kernelTCP", &memory->kernel_tcp);
	if (memory->raw.count) {
		json_write_object(w, "raw");
		for (size_t i = 0; i < memory->raw.count; i++)
			json_write_u64(w, memory->raw.item[i].key, memory->raw.item[i].value);
		json_write_end(w);
	}
	write_pressure(w, &memory->pressure);
	json_write_end(w);
}

static void write_io_list(struct json_writer *w, const char *key, const struct stats_io *list)
{
	if (!list->count)
		return;
	json_write_array(w, key);
	for (size_t i = 0; i < list->count; i++) {
		const struct stats_io_entry *entry = &list->item[i];

		json_write_object(w, NULL);
		write_unless_zero(w, "major", entry->major);
		write_unless_zero(w, "minor", entry->minor);
		if (*entry->op)
			json_write_string(w, "op", entry->op);
		write_unless_zero(w, "value", entry->value);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_io(struct json_writer *w, const struct cgroup_stats *stats)
{
	static const char names[STATS_IO_KINDS][28] = {
		[STATS_IO_BYTES] = "ioServiceBytesRecursive",
		[STATS_IO_SERVICED] = "ioServicedRecursive",
		[STATS_IO_QUEUED] = "ioQueueRecursive",
		[STATS_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
		[STATS_IO_WAIT_TIME] = "ioWaitTimeRecursive",
		[STATS_IO_MERGED] = "ioMergedRecursive",
		[STATS_IO_TIME] = "ioTimeRecursive",
		[STATS_IO_SECTORS] = "sectorsRecursive",
	};

	json_write_object(w, "blkio");
	for (size_t i = 0; i < STATS_IO_KINDS; i++)
		write_io_list(w, names[i], &stats->io[i]);
	write_pressure(w, &stats->io_pressure);
	json_write_end(w);
}

static void write_hugepages(struct json_writer *w, const struct cgroup_stats *stats)
{
	json_write_object(w, "hugetlb");
	for (size_t i = 0; i < stats->hugepages.count; i++) {
		const struct stats_hugepages *pages = &stats->hugepages.item[i];

		json_write_object(w, pages->size);
		write_unless_zero(w, "usage", pages->usage);
		write_unless_zero(w, "max", pages->max);
		json_write_u64(w, "failcnt", pages->failures);
		json_write_end(w);
	}
	json_write_end(w);
}

void stats_write(struct json_writer *w, const char *key, const struct cgroup_stats *stats)
{
	json_write_object(w, key);
	write_cpu(w, &stats->cpu);
	write_cpuset(w, &stats->cpuset);
	write_memory(w, &stats->memory);
	json_write_object(w, "pids");
	write_unless_zero(w, "current", stats->pids);
	write_unless_zero(w, "limit", stats->pids_limit);
	json_write_end(w);
	write_io(w, stats);
	write_hugepages(w, stats);
	/* Nobody reads these two without looking whether they are there, but runc has them. */
	json_write_object(w, "intel_rdt");
	json_write_end(w);
	json_write_null(w, "network_interfaces");
	json_write_end(w);
}
