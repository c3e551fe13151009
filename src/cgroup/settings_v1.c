/*
 * linux.resources as writes into version 1 hierarchies. Pure; the order is the one a new cgroup
 * takes: memory before memory with swap, period before quota before burst. Source: the kernel's
 * admin-guide/cgroup-v1, runtime-spec config-linux.md.
 */
#include <inttypes.h>

#include "cgroup/settings.h"

/* ---- memory ---------------------------------------------------------------------------------- */

static int memory_limits(struct settings *s, const struct spec_memory *memory, struct err *e)
{
	static const struct target limit = {"memory", "memory.limit_in_bytes", "/memory/limit"};
	static const struct target swap = {"memory", "memory.memsw.limit_in_bytes", "/memory/swap"};
	static const struct target low = {"memory", "memory.soft_limit_in_bytes",
					  "/memory/reservation"};
	struct cgroup_setting *row;

	if (settings_check_swap(memory, e))
		return -1;
	if (memory->limit.value && !settings_number(s, &limit, memory->limit.value, e))
		return -1;
	if (memory->swap.value) {
		if (!settings_number(s, &swap, memory->swap.value, e))
			return -1;
	} else if (memory->limit.value == -1) {
		/* Without a limit of memory none of memory and swap is meant either. */
		row = settings_number(s, &swap, -1, e);
		if (!row)
			return -1;
		row->optional = true;
	}
	if (memory->reservation.value && !settings_number(s, &low, memory->reservation.value, e))
		return -1;
	return 0;
}

static int memory_habits(struct settings *s, const struct spec_memory *memory, struct err *e)
{
	static const struct target oom = {"memory", "memory.oom_control",
					  "/memory/disableOOMKiller"};
	static const struct target swappiness = {"memory", "memory.swappiness",
						 "/memory/swappiness"};

	if (memory->disable_oom_killer.value && !settings_text(s, &oom, "1", e))
		return -1;
	if (!memory->swappiness.set || memory->swappiness.value == UINT64_MAX) /* −1 */
		return 0;
	if (memory->swappiness.value > 100) {
		err_set(e, ERR_INVALID,
			"invalid memory swappiness value: %" PRIu64 " (valid range is 0-100)",
			memory->swappiness.value);
		return err_in(e, "/linux/resources%s", swappiness.pointer);
	}
	return settings_number(s, &swappiness, (int64_t)memory->swappiness.value, e) ? 0 : -1;
}

/* ---- cpu ------------------------------------------------------------------------------------- */

/* The kernel would take any number and keep it within these bounds without a word. */
static int cpu_shares(struct settings *s, const struct spec_cpu *cpu, struct err *e)
{
	static const struct target shares = {"cpu", "cpu.shares", "/cpu/shares"};
	uint64_t value = cpu->shares.value;

	if (!value)
		return 0;
	if (value < 2)
		return settings_refuse(shares.pointer, "the minimum allowed cpu-shares is 2", e);
	if (value > 262144)
		return settings_refuse(shares.pointer, "the maximum allowed cpu-shares is 262144",
				       e);
	return settings_number(s, &shares, (int64_t)value, e) ? 0 : -1;
}

static int cpu_times(struct settings *s, const struct spec_cpu *cpu, struct err *e)
{
	const struct {
		struct target to;
		int64_t value;
		bool set;
	} rows[] = {
		{{"cpu", "cpu.rt_period_us", "/cpu/realtimePeriod"},
		 (int64_t)cpu->realtime_period.value,
		 cpu->realtime_period.value},
		{{"cpu", "cpu.rt_runtime_us", "/cpu/realtimeRuntime"},
		 cpu->realtime_runtime.value,
		 cpu->realtime_runtime.value},
		{{"cpu", "cpu.cfs_period_us", "/cpu/period"},
		 (int64_t)cpu->period.value,
		 cpu->period.value},
		{{"cpu", "cpu.cfs_quota_us", "/cpu/quota"}, cpu->quota.value, cpu->quota.value},
		{{"cpu", "cpu.cfs_burst_us", "/cpu/burst"},
		 (int64_t)cpu->burst.value,
		 cpu->burst.set},
		{{"cpu", "cpu.idle", "/cpu/idle"}, cpu->idle.value, cpu->idle.set},
	};

	for (size_t i = 0; i < array_len(rows); i++)
		if (rows[i].set && !settings_number(s, &rows[i].to, rows[i].value, e))
			return -1;
	return 0;
}

/* ---- block devices --------------------------------------------------------------------------- */

/* Two schedulers, two names for the weight: CFQ's, and BFQ's of today. */
static int io_weight(struct settings *s, const struct target *to, const char *bfq,
		     const char *value, struct err *e)
{
	struct cgroup_setting *row = settings_text(s, to, value, e);

	return row ? settings_otherwise(s, row, bfq, value, e) : -1;
}

static int io_weights(struct settings *s, const struct spec_block_io *io, struct err *e)
{
	static const struct target weight = {"blkio", "blkio.weight", "/blockIO/weight"};
	static const struct target leaf = {"blkio", "blkio.leaf_weight", "/blockIO/leafWeight"};

	if (io->weight.value && io_weight(s, &weight, "blkio.bfq.weight",
					  arena_format(s->arena, e, "%u", io->weight.value), e))
		return -1;
	return io->leaf_weight.value && !settings_number(s, &leaf, io->leaf_weight.value, e) ? -1
											     : 0;
}

static int io_device_weight(struct settings *s, const struct spec_weight_device *device,
			    const char *pointer, struct err *e)
{
	const struct target weight = {"blkio", "blkio.weight_device", pointer};
	const struct target leaf = {"blkio", "blkio.leaf_weight_device", pointer};
	const char *name =
		arena_format(s->arena, e, "%" PRId64 ":%" PRId64, device->major, device->minor);

	if (!name || !pointer)
		return -1;
	if (device->weight.value &&
	    io_weight(s, &weight, "blkio.bfq.weight_device",
		      arena_format(s->arena, e, "%s %u", name, device->weight.value), e))
		return -1;
	if (device->leaf_weight.value &&
	    !settings_text(s, &leaf,
			   arena_format(s->arena, e, "%s %u", name, device->leaf_weight.value), e))
		return -1;
	return 0;
}

static int io_throttles(struct settings *s, const struct spec_throttle_devices *list,
			const char *file, const char *pointer, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spec_throttle_device *device = &list->item[i];
		const struct target to = {"blkio", file, settings_entry(s, pointer, i, e)};
		const char *value = arena_format(s->arena, e, "%" PRId64 ":%" PRId64 " %" PRIu64,
						 device->major, device->minor, device->rate);

		if (!to.pointer || !settings_text(s, &to, value, e))
			return -1;
	}
	return 0;
}

static int io_all(struct settings *s, const struct spec_block_io *io, struct err *e)
{
	const struct {
		const struct spec_throttle_devices *list;
		const char *file, *pointer;
	} throttles[] = {
		{&io->throttle_read_bps, "blkio.throttle.read_bps_device",
		 "/blockIO/throttleReadBpsDevice"},
		{&io->throttle_write_bps, "blkio.throttle.write_bps_device",
		 "/blockIO/throttleWriteBpsDevice"},
		{&io->throttle_read_iops, "blkio.throttle.read_iops_device",
		 "/blockIO/throttleReadIOPSDevice"},
		{&io->throttle_write_iops, "blkio.throttle.write_iops_device",
		 "/blockIO/throttleWriteIOPSDevice"},
	};

	if (io_weights(s, io, e))
		return -1;
	for (size_t i = 0; i < io->weight_device.count; i++)
		if (io_device_weight(s, &io->weight_device.item[i],
				     settings_entry(s, "/blockIO/weightDevice", i, e), e))
			return -1;
	for (size_t i = 0; i < array_len(throttles); i++)
		if (io_throttles(s, throttles[i].list, throttles[i].file, throttles[i].pointer, e))
			return -1;
	return 0;
}

/* ---- network --------------------------------------------------------------------------------- */

static int network(struct settings *s, const struct spec_resources *resources, struct err *e)
{
	static const struct target class = {"net_cls", "net_cls.classid", "/network/classID"};
	const struct spec_net_priorities *list = &resources->network_priorities;

	if (resources->network_class_id.value &&
	    !settings_number(s, &class, resources->network_class_id.value, e))
		return -1;
	for (size_t i = 0; i < list->count; i++) {
		const struct target to = {"net_prio", "net_prio.ifpriomap",
					  settings_entry(s, "/network/priorities", i, e)};
		const char *value = arena_format(s->arena, e, "%s %" PRIu32, list->item[i].name,
						 list->item[i].priority);

		if (!to.pointer || !settings_text(s, &to, value, e))
			return -1;
	}
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

int settings_v1(struct settings *s, const struct spec_resources *r, struct err *e)
{
	if (r->unified.count)
		return settings_refuse("/unified",
				       "invalid configuration: cannot use unified on cgroup v1", e);
	if (memory_limits(s, &r->memory, e) || memory_habits(s, &r->memory, e))
		return -1;
	if (cpu_shares(s, &r->cpu, e) || cpu_times(s, &r->cpu, e) || settings_cpuset(s, &r->cpu, e))
		return -1;
	if (settings_pids(s, r->pids_limit, e) || io_all(s, &r->block_io, e))
		return -1;
	if (settings_hugepages(s, &r->hugepage_limits, "limit_in_bytes", "rsvd.limit_in_bytes", e))
		return -1;
	return network(s, r, e) || settings_rdma(s, &r->rdma, e) ? -1 : 0;
}
