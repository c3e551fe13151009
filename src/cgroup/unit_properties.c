/*
 * What systemd is told of a container's unit: properties that every container's has, those that
 * annotations ask for, and the resources as far as systemd knows them. Pure.
 *
 * Resources are turned into settings first, which are files and their values; a table says which
 * property stands for which file. So what linux.resources asks for and what its "unified" does are
 * the same. Sources: systemd.resource-control(5), org.freedesktop.systemd1(5).
 */
#include <limits.h>
#include <string.h>

#include "cgroup/devices.h"
#include "cgroup/unit.h"
#include "sys/dbus_text.h"

#define ANNOTATION "org.systemd.property."
#define UNLIMITED UINT64_MAX
#define SECOND 1000000 /* µs */

/* ---- the list -------------------------------------------------------------------------------- */

struct builder {
	struct cgroup_properties list;
	size_t capacity;
	struct arena *arena;
	bool optional;                  /* of what is added now */
	uint64_t cpu_quota, cpu_period; /* µs; 0: not asked for */
};

/* Adds a property in place of an earlier one of that name. */
static int add(struct builder *b, const char *name, struct dbus_value value, struct err *e)
{
	struct cgroup_properties *list = &b->list;
	size_t i = 0;

	while (i < list->count && !str_equal(list->item[i].name, name))
		i++;
	if (i == list->count) {
		list->item = arena_grow(b->arena, list->item, list->count, &b->capacity,
					sizeof(*list->item), e);
		if (!list->item)
			return -1;
		list->count++;
	}
	list->item[i] = (struct cgroup_property){
		.name = name,
		.value = value,
		.optional = b->optional,
	};
	return 0;
}

static int add_text(struct builder *b, const char *name, const char *text, struct err *e)
{
	return add(b, name, (struct dbus_value){.type = "s", .text = text}, e);
}

static int add_bool(struct builder *b, const char *name, bool value, struct err *e)
{
	return add(b, name, (struct dbus_value){.type = "b", .number = value}, e);
}

static int add_number(struct builder *b, const char *name, uint64_t number, struct err *e)
{
	return add(b, name, (struct dbus_value){.type = "t", .number = number}, e);
}

/* ---- annotations ----------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	size_t length = strlen(name);

	return length >= 3 && strspn(name, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

/* With those, others of the host would come into the unit, and end with it. */
static bool takes_processes(const char *name)
{
	return str_equal(name, "PIDs") || str_equal(name, "PIDFDs");
}

/* Whether a property is one in seconds, of which systemd only takes the one in microseconds. */
static bool is_in_seconds(const char *name)
{
	size_t length = strlen(name);

	return str_ends(name, "Sec") && name[length - 4] >= 'a' && name[length - 4] <= 'z';
}

static int to_microseconds(struct dbus_value *value, struct err *e)
{
	double seconds;
	bool is_signed = strchr("nix", *value->type);

	if (*value->type == 'd') {
		memcpy(&seconds, &value->number, sizeof(seconds));
		if (!(seconds >= 0 && seconds < (double)INT64_MAX / SECOND))
			return err_set(e, ERR_INVALID, "seconds out of range");
		value->number = (uint64_t)(seconds * SECOND);
	} else {
		if (!strchr("ynqiuxt", *value->type))
			return err_set(e, ERR_INVALID, "seconds are a number");
		if ((is_signed && (int64_t)value->number < 0) ||
		    __builtin_mul_overflow(value->number, SECOND, &value->number))
			return err_set(e, ERR_INVALID, "seconds out of range");
	}
	value->type = "t";
	return 0;
}

static int add_annotation(struct builder *b, const char *name, const char *text, struct err *e)
{
	struct dbus_value value;

	if (!is_name(name))
		return err_set(e, ERR_INVALID, "annotation " ANNOTATION "%s name incorrect", name);
	if (takes_processes(name))
		return err_set(e, ERR_INVALID, "annotation " ANNOTATION "%s is the runtime's alone",
			       name);
	if (dbus_parse(text, b->arena, &value, e) ||
	    (is_in_seconds(name) && to_microseconds(&value, e))) {
		err_wrap(e, "annotation " ANNOTATION "%s=%s value parse error", name, text);
		return err_hint(e, "values are in GVariant's text: true, uint64 10, 'text'");
	}
	if (is_in_seconds(name)) {
		name = arena_format(b->arena, e, "%.*sUSec", (int)(strlen(name) - 3), name);
		if (!name)
			return -1;
	}
	return add(b, name, value, e);
}

static int add_annotations(struct builder *b, const struct str_map *annotations, struct err *e)
{
	for (size_t i = 0; i < annotations->count; i++) {
		const struct str_pair *pair = &annotations->item[i];

		if (str_starts(pair->key, ANNOTATION) &&
		    add_annotation(b, pair->key + strlen(ANNOTATION), pair->value, e))
			return err_in(e, "/annotations/%s", pair->key);
	}
	return 0;
}

/* ---- settings -------------------------------------------------------------------------------- */

/* No limit is "max", or -1 in version 1. False: not a number that systemd could be told. */
static bool read_limit(const char *text, uint64_t *ret)
{
	if (!str_equal(text, "max") && !str_equal(text, "-1"))
		return str_to_u64(text, ret);
	*ret = UNLIMITED;
	return true;
}

#define MASK_BITS 8192 /* more than any machine has processors */

/* "0-3,5" as bytes of bits. False: no list, which the kernel will say better. */
static bool read_mask(const char *text, uint8_t mask[MASK_BITS / 8], size_t *ret_bytes)
{
	uint32_t first, last;
	char word[16];

	for (; *text; text += *text == ',') {
		size_t length = strcspn(text, ","), digits = strcspn(text, ",-");

		if (length >= sizeof(word))
			return false;
		memcpy(word, text, length);
		word[length] = word[digits] = '\0';
		if (!str_to_u32(word, &first))
			return false;
		last = first;
		if (digits < length && !str_to_u32(word + digits + 1, &last))
			return false;
		if (last < first || last >= MASK_BITS)
			return false;
		for (uint32_t bit = first; bit <= last; bit++)
			mask[bit / 8] |= (uint8_t)(1 << bit % 8);
		if (last / 8 + 1 > *ret_bytes)
			*ret_bytes = last / 8 + 1;
		text += length;
	}
	return *ret_bytes;
}

static int add_mask(struct builder *b, const char *name, const char *text, struct err *e)
{
	uint8_t mask[MASK_BITS / 8] = {0};
	struct dbus_value *bytes;
	size_t count = 0;

	if (!read_mask(text, mask, &count))
		return 0;
	bytes = arena_get_array(b->arena, count, sizeof(*bytes), e);
	if (!bytes)
		return -1;
	for (size_t i = 0; i < count; i++)
		bytes[i] = (struct dbus_value){.type = "y", .number = mask[i]};
	return add(b, name, (struct dbus_value){.type = "ay", .list = {bytes, count}}, e);
}

/* Of version 2: "25000 50000", "max 100000", "max". */
static void note_cpu_max(struct builder *b, const char *text)
{
	size_t length = strcspn(text, " ");
	char quota[24];

	if (length >= sizeof(quota))
		return;
	memcpy(quota, text, length);
	quota[length] = '\0';
	(void)!read_limit(quota, &b->cpu_quota);
	if (text[length])
		(void)!read_limit(text + length + 1, &b->cpu_period);
}

/*
 * What a file is called as a property. limit: a number or "max". A weight of 0 is how systemd says
 * idle.
 */
static const struct row {
	const char *file, *property;
	enum { NUMBER, MASK, CPU_MAX, CPU_QUOTA, CPU_PERIOD, CPU_IDLE, OOM_GROUP } kind;
} rows[] = {
	{"memory.max", "MemoryMax", NUMBER},
	{"memory.low", "MemoryLow", NUMBER},
	{"memory.high", "MemoryHigh", NUMBER},
	{"memory.min", "MemoryMin", NUMBER},
	{"memory.swap.max", "MemorySwapMax", NUMBER},
	{"memory.oom.group", "OOMPolicy", OOM_GROUP},
	{"pids.max", "TasksMax", NUMBER},
	{"cpu.weight", "CPUWeight", NUMBER},
	{"cpu.idle", "CPUWeight", CPU_IDLE},
	{"cpu.max", NULL, CPU_MAX},
	{"cpuset.cpus", "AllowedCPUs", MASK},
	{"cpuset.mems", "AllowedMemoryNodes", MASK},
	{"io.weight", "IOWeight", NUMBER},
	/* version 1 */
	{"memory.limit_in_bytes", "MemoryLimit", NUMBER},
	{"cpu.shares", "CPUShares", NUMBER},
	{"cpu.cfs_quota_us", NULL, CPU_QUOTA},
	{"cpu.cfs_period_us", NULL, CPU_PERIOD},
	{"blkio.weight", "BlockIOWeight", NUMBER},
};

static int add_row(struct builder *b, const struct row *row, const char *value, struct err *e)
{
	uint64_t number;

	switch (row->kind) {
	case MASK:
		return add_mask(b, row->property, value, e);
	case CPU_MAX:
		note_cpu_max(b, value);
		return 0;
	case OOM_GROUP:
		return add_text(b, row->property, str_equal(value, "1") ? "kill" : "continue", e);
	default:
		break;
	}
	if (!read_limit(value, &number))
		return 0;
	if (row->kind == CPU_QUOTA)
		b->cpu_quota = number;
	else if (row->kind == CPU_PERIOD)
		b->cpu_period = number;
	else if (row->kind == NUMBER)
		return add_number(b, row->property, number, e);
	else if (number == 1)
		return add_number(b, row->property, 0, e);
	return 0;
}

/* systemd counts in hundredths of a processor: what is between them is given, not taken. */
static int add_cpu_quota(struct builder *b, struct err *e)
{
	uint64_t period = b->cpu_period ? b->cpu_period : 100000, quota;

	if (!b->cpu_quota && !b->cpu_period)
		return 0;
	if (!b->cpu_quota || __builtin_mul_overflow(b->cpu_quota, SECOND, &quota))
		quota = UNLIMITED;
	else
		quota = (quota / period + 9999) / 10000 * 10000;
	if (b->cpu_period && add_number(b, "CPUQuotaPeriodUSec", period, e))
		return -1;
	return add_number(b, "CPUQuotaPerSecUSec", quota, e);
}

static const struct row *find_row(const struct cgroup_setting *setting)
{
	for (size_t i = 0; i < array_len(rows); i++)
		if (str_equal(rows[i].file, setting->file))
			return &rows[i];
	return NULL;
}

/* BFQ's weight, which has a scale of its own, and the general one stand for each other. */
static int add_settings(struct builder *b, const struct cgroup_settings *settings, struct err *e)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct cgroup_setting *setting = &settings->item[i];
		const struct row *row = find_row(setting);

		if (!row && setting->otherwise) {
			setting = setting->otherwise;
			row = find_row(setting);
		}
		/* systemd has nothing to do with the cpuset of version 1. */
		if (!row || (row->kind == MASK && *setting->name))
			continue;
		if (add_row(b, row, setting->value, e))
			return -1;
	}
	return add_cpu_quota(b, e);
}

int cgroup_setting_properties(const struct cgroup_settings *settings, struct arena *a,
			      struct cgroup_properties *ret, struct err *e)
{
	struct builder b = {.arena = a, .optional = true};

	if (add_settings(&b, settings, e))
		return -1;
	*ret = b.list;
	return 0;
}

/* ---- devices --------------------------------------------------------------------------------- */

/*
 * systemd knows single devices and all of a major number. A rule that is finer is told as one that
 * allows more: our own rules hold beside systemd's.
 */
static const char *device_pattern(const struct device_exception *device, struct arena *a,
				  struct err *e)
{
	const char *type = device->type == 'b' ? "block" : "char";

	if (device->major == DEVICE_ANY)
		return arena_format(a, e, "%s-*", type);
	if (device->minor == DEVICE_ANY)
		return arena_format(a, e, "%s-%lld", type, (long long)device->major);
	return arena_format(a, e, "/dev/%s/%lld:%lld", type, (long long)device->major,
			    (long long)device->minor);
}

static int fill_device(struct dbus_value *ret, const struct device_exception *device,
		       struct arena *a, struct err *e)
{
	struct dbus_value *pair = arena_get_array(a, 2, sizeof(*pair), e);
	const char *pattern = device_pattern(device, a, e);
	char access[4];
	size_t length = 0;

	if (!pair || !pattern)
		return -1;
	for (unsigned bit = 0; bit < 3; bit++)
		if (device->access >> bit & 1)
			access[length++] = "mrw"[bit];
	pair[0] = (struct dbus_value){.type = "s", .text = pattern};
	pair[1] = (struct dbus_value){.type = "s", .text = arena_copy(a, access, length, e)};
	*ret = (struct dbus_value){.type = "(ss)", .list = {pair, 2}};
	return pair[1].text ? 0 : -1;
}

static int add_devices(struct builder *b, const struct spec_device_rules *rules, struct err *e)
{
	struct device_policy policy;
	struct dbus_value *list;

	if (devices_normalise(rules, b->arena, &policy, e))
		return -1;
	if (policy.allow)
		return add_text(b, "DevicePolicy", "auto", e);
	list = arena_get_array(b->arena, policy.count, sizeof(*list), e);
	if (!list)
		return -1;
	for (size_t i = 0; i < policy.count; i++)
		if (fill_device(&list[i], &policy.item[i], b->arena, e))
			return -1;
	return add_text(b, "DevicePolicy", "strict", e) ||
			       add(b, "DeviceAllow",
				   (struct dbus_value){.type = "a(ss)",
						       .list = {list, policy.count}},
				   e)
		       ? -1
		       : 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

/* A slice is placed by what it wants, and takes processes only by hand. */
static int add_place(struct builder *b, const struct cgroup_unit *unit, struct err *e)
{
	struct dbus_value *slice;

	if (!unit_is_slice(unit->name))
		return add_text(b, "Slice", unit->slice, e) || add_bool(b, "Delegate", true, e) ? -1
												: 0;
	slice = arena_get(b->arena, sizeof(*slice), e);
	if (!slice)
		return -1;
	*slice = (struct dbus_value){.type = "s", .text = unit->slice};
	return add(b, "Wants", (struct dbus_value){.type = "as", .list = {slice, 1}}, e);
}

static int add_accounting(struct builder *b, const struct cgroup_host *host, struct err *e)
{
	const char *const names[] = {
		"MemoryAccounting",
		"CPUAccounting",
		host->layout == CGROUP_V2 ? "IOAccounting" : "BlockIOAccounting",
		"TasksAccounting",
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (add_bool(b, names[i], true, e))
			return -1;
	return 0;
}

int cgroup_unit_properties(const struct cgroup_host *host, const struct cgroup_unit *unit,
			   const struct spec *spec, const struct cgroup_settings *settings,
			   struct arena *a, struct cgroup_properties *ret, struct err *e)
{
	const char *title = arena_format(a, e, "libcontainer container %s", unit->title);
	struct spec_device_rules rules;
	struct builder b = {.arena = a};

	if (!title || add_text(&b, "Description", title, e) || add_place(&b, unit, e) ||
	    add_bool(&b, "DefaultDependencies", false, e))
		return -1;
	b.optional = true;
	if (add_accounting(&b, host, e))
		return -1;
	b.optional = false;
	if (add_annotations(&b, &spec->annotations, e))
		return -1;
	b.optional = true;
	if (add_settings(&b, settings, e))
		return -1;
	/* The systemd of a user may not load the program that holds device rules. */
	if (!*unit->bus && (cgroup_device_rules(spec->linux_.resources, a, &rules, e) ||
			    add_devices(&b, &rules, e)))
		return -1;
	*ret = b.list;
	return 0;
}
