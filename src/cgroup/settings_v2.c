/*
 * linux.resources, which speaks the language of version 1, as writes into a version 2 cgroup. Pure;
 * the order is the one a new cgroup takes. Sources: the kernel's admin-guide/cgroup-v2.rst; the
 * conversions are those that runc made a habit.
 */
#include <inttypes.h>
#include <string.h>

#include "cgroup/settings.h"

/* ---- memory ---------------------------------------------------------------------------------- */

/*
 * memory.swap of the configuration counts memory in, memory.swap.max does not. *ret is empty when
 * nothing is asked.
 */
static int swap_alone(const struct spec_memory *memory, struct opt_i64 *ret, struct err *e)
{
	int64_t swap = memory->swap.value, limit = memory->limit.value;

	*ret = (struct opt_i64){.set = swap || limit == -1, .value = swap};
	if (!swap && limit == -1)
		ret->value = -1;
	if (swap <= 0 || limit == -1)
		return 0;
	if (!limit)
		return settings_refuse("/memory/swap",
				       "unable to set swap limit without memory limit", e);
	if (limit < 0) {
		err_set(e, ERR_INVALID, "invalid memory value: %" PRId64, limit);
		return err_in(e, "/linux/resources/memory/limit");
	}
	ret->value = swap - limit;
	return settings_check_swap(memory, e);
}

static int memory(struct settings *s, const struct spec_memory *memory, struct err *e)
{
	static const struct target max = {"memory", "memory.max", "/memory/limit"};
	static const struct target low = {"memory", "memory.low", "/memory/reservation"};
	static const struct target swap_max = {"memory", "memory.swap.max", "/memory/swap"};
	struct cgroup_setting *row;
	struct opt_i64 swap;

	if (swap_alone(memory, &swap, e))
		return -1;
	if (memory->limit.value) {
		row = settings_number_or_max(s, &max, memory->limit.value, e);
		if (!row)
			return -1;
		row->check_usage = memory->check_before_update.value;
	}
	if (swap.set) {
		row = settings_number_or_max(s, &swap_max, swap.value, e);
		if (!row)
			return -1;
		row->optional =
			swap.value <= 0; /* a kernel without swap has none and no limit of it */
	}
	if (memory->reservation.value &&
	    !settings_number_or_max(s, &low, memory->reservation.value, e))
		return -1;
	return 0;
}

/* ---- cpu ------------------------------------------------------------------------------------- */

static int cpu_max(struct settings *s, const struct spec_cpu *cpu, struct err *e)
{
	const struct target max = {"cpu", "cpu.max",
				   cpu->quota.value ? "/cpu/quota" : "/cpu/period"};
	uint64_t period = cpu->period.value ? cpu->period.value : 100000; /* the kernel's default */
	const char *value;

	if (!cpu->quota.value && !cpu->period.value)
		return 0;
	if (cpu->quota.value > 0)
		value = arena_format(s->arena, e, "%" PRId64 " %" PRIu64, cpu->quota.value, period);
	else
		value = arena_format(s->arena, e, "max %" PRIu64, period);
	return settings_text(s, &max, value, e) ? 0 : -1;
}

static int cpu(struct settings *s, const struct spec_cpu *cpu, struct err *e)
{
	static const struct target weight = {"cpu", "cpu.weight", "/cpu/shares"};
	static const struct target burst = {"cpu", "cpu.max.burst", "/cpu/burst"};
	static const struct target idle = {"cpu", "cpu.idle", "/cpu/idle"};

	if (cpu->realtime_period.value)
		return settings_unsupported(s, "/cpu/realtimePeriod", e);
	if (cpu->realtime_runtime.value)
		return settings_unsupported(s, "/cpu/realtimeRuntime", e);
	if (cpu->shares.value &&
	    !settings_number(s, &weight, (int64_t)cgroup_weight_of_shares(cpu->shares.value), e))
		return -1;
	if (cpu_max(s, cpu, e))
		return -1;
	if (cpu->burst.set && !settings_number(s, &burst, (int64_t)cpu->burst.value, e))
		return -1;
	return cpu->idle.set && !settings_number(s, &idle, cpu->idle.value, e) ? -1 : 0;
}

/* ---- block devices --------------------------------------------------------------------------- */

/* blkio.weight is 10 … 1000, io.weight 1 … 10000. */
static unsigned io_weight_of(unsigned weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

/* BFQ takes the weight as it is; what stands in for it has another scale. prefix is "" or "8:0 ".
 */
static int io_weight(struct settings *s, const char *pointer, const char *prefix, unsigned weight,
		     struct err *e)
{
	const struct target bfq = {"io", "io.bfq.weight", pointer};
	struct cgroup_setting *row =
		settings_text(s, &bfq, arena_format(s->arena, e, "%s%u", prefix, weight), e);
	const char *other = arena_format(s->arena, e, "%s%u", prefix, io_weight_of(weight));

	return row ? settings_otherwise(s, row, "io.weight", other, e) : -1;
}

static int io_device_weight(struct settings *s, const struct spec_weight_device *device, size_t i,
			    struct err *e)
{
	const char *pointer = settings_entry(s, "/blockIO/weightDevice", i, e);
	const char *prefix =
		arena_format(s->arena, e, "%" PRId64 ":%" PRId64 " ", device->major, device->minor);

	if (!pointer || !prefix)
		return -1;
	if (device->leaf_weight.value)
		return settings_unsupported(s, pointer, e);
	return device->weight.value ? io_weight(s, pointer, prefix, device->weight.value, e) : 0;
}

static int io_throttles(struct settings *s, const struct spec_throttle_devices *list,
			const char *key, const char *pointer, struct err *e)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct spec_throttle_device *device = &list->item[i];
		const struct target max = {"io", "io.max", settings_entry(s, pointer, i, e)};
		struct str value;

		str_init(&value, s->arena);
		str_addf(&value, "%" PRId64 ":%" PRId64 " %s=", device->major, device->minor, key);
		if (device->rate)
			str_addf(&value, "%" PRIu64, device->rate);
		else
			str_add(&value, "max");
		if (!max.pointer || !settings_text(s, &max, str_end(&value, e), e))
			return -1;
	}
	return 0;
}

static int io_all(struct settings *s, const struct spec_block_io *io, struct err *e)
{
	const struct {
		const struct spec_throttle_devices *list;
		const char *key, *pointer;
	} throttles[] = {
		{&io->throttle_read_bps, "rbps", "/blockIO/throttleReadBpsDevice"},
		{&io->throttle_write_bps, "wbps", "/blockIO/throttleWriteBpsDevice"},
		{&io->throttle_read_iops, "riops", "/blockIO/throttleReadIOPSDevice"},
		{&io->throttle_write_iops, "wiops", "/blockIO/throttleWriteIOPSDevice"},
	};

	if (io->leaf_weight.value)
		return settings_unsupported(s, "/blockIO/leafWeight", e);
	if (io->weight.value && io_weight(s, "/blockIO/weight", "", io->weight.value, e))
		return -1;
	for (size_t i = 0; i < io->weight_device.count; i++)
		if (io_device_weight(s, &io->weight_device.item[i], i, e))
			return -1;
	for (size_t i = 0; i < array_len(throttles); i++)
		if (io_throttles(s, throttles[i].list, throttles[i].key, throttles[i].pointer, e))
			return -1;
	return 0;
}

/* ---- unified --------------------------------------------------------------------------------- */

static const char *unified_pointer(struct settings *s, const char *key, struct err *e)
{
	struct str pointer;

	str_init(&pointer, s->arena);
	str_add(&pointer, "/unified/");
	str_add_pointer(&pointer, key);
	return str_end(&pointer, e);
}

/* Those would bring processes of the host into the container's cgroup, and its end theirs. */
static bool takes_processes(const char *file)
{
	return str_equal(file, "cgroup.procs") || str_equal(file, "cgroup.threads");
}

static int unified_one(struct settings *s, const struct str_pair *pair, struct err *e)
{
	const struct target to = {"", pair->key, unified_pointer(s, pair->key, e)};

	if (!to.pointer)
		return -1;
	if (takes_processes(pair->key)) {
		err_set(e, ERR_INVALID, "unified resource \"%s\" is no limit: it takes processes",
			pair->key);
		return err_in(e, "/linux/resources%s", to.pointer);
	}
	if (strchr(pair->key, '/')) {
		err_set(e, ERR_INVALID, "unified resource \"%s\" must be a file name (no slashes)",
			pair->key);
		return err_in(e, "/linux/resources%s", to.pointer);
	}
	if (!strchr(pair->key, '.')) {
		err_set(e, ERR_INVALID,
			"unified resource \"%s\" must be in the form CONTROLLER.PARAMETER",
			pair->key);
		return err_in(e, "/linux/resources%s", to.pointer);
	}
	return settings_text(s, &to, pair->value, e) ? 0 : -1;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int network(struct settings *s, const struct spec_resources *r, struct err *e)
{
	if (r->network_class_id.value)
		return settings_unsupported(s, "/network/classID", e);
	return r->network_priorities.count ? settings_unsupported(s, "/network/priorities", e) : 0;
}

/* unified comes last, so that it has the last word. */
int settings_v2(struct settings *s, const struct spec_resources *r, struct err *e)
{
	if (memory(s, &r->memory, e) || cpu(s, &r->cpu, e) || settings_cpuset(s, &r->cpu, e))
		return -1;
	if (settings_pids(s, r->pids_limit, e) || io_all(s, &r->block_io, e))
		return -1;
	if (settings_hugepages(s, &r->hugepage_limits, "max", "rsvd.max", e) || network(s, r, e))
		return -1;
	if (settings_rdma(s, &r->rdma, e))
		return -1;
	for (size_t i = 0; i < r->unified.count; i++)
		if (unified_one(s, &r->unified.item[i], e))
			return -1;
	return 0;
}
