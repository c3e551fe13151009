/*
 * From linux.resources to the list of writes: what does not depend on the version, and the list
 * itself. Pure, called by plan and by update.
 */
#include "cgroup/settings.h"

#include <inttypes.h>
#include <string.h>

/* ---- the list -------------------------------------------------------------------------------- */

static bool host_has(const struct cgroup_host *host, const char *controller)
{
	for (size_t i = 0; i < host->count; i++)
		if (str_equal(host->item[i].name, controller))
			return true;
	return false;
}

int settings_refuse(const char *pointer, const char *why, struct err *e)
{
	err_set(e, ERR_INVALID, "%s", why);
	return err_in(e, "/linux/resources%s", pointer);
}

int settings_unsupported(const struct settings *s, const char *pointer, struct err *e)
{
	static const char *const names[] = {
		[CGROUP_NONE] = "a machine without cgroups",
		[CGROUP_V1] = "cgroup v1",
		[CGROUP_HYBRID] = "cgroup v1",
		[CGROUP_V2] = "cgroup v2",
	};

	err_set(e, ERR_UNSUPPORTED, "cannot set %s on %s", pointer + 1, names[s->host->layout]);
	return err_in(e, "/linux/resources%s", pointer);
}

struct cgroup_setting *settings_text(struct settings *s, const struct target *to, const char *value,
				     struct err *e)
{
	struct cgroup_settings *list = &s->list;
	bool unified = s->host->layout == CGROUP_V2;
	const char *pointer;

	if (!value)
		return NULL;
	if (!unified && !host_has(s->host, to->controller)) {
		err_set(e, ERR_UNSUPPORTED,
			"cgroup controller \"%s\" is not available on this machine",
			to->controller);
		err_in(e, "/linux/resources%s", to->pointer);
		return NULL;
	}
	pointer = arena_format(s->arena, e, "/linux/resources%s", to->pointer);
	list->item =
		arena_grow(s->arena, list->item, list->count, &s->capacity, sizeof(*list->item), e);
	if (!pointer || !list->item)
		return NULL;
	list->item[list->count] = (struct cgroup_setting){
		.name = unified ? "" : to->controller,
		.file = to->file,
		.value = value,
		.pointer = pointer,
	};
	return &list->item[list->count++];
}

struct cgroup_setting *settings_number(struct settings *s, const struct target *to, int64_t value,
				       struct err *e)
{
	return settings_text(s, to, arena_format(s->arena, e, "%" PRId64, value), e);
}

struct cgroup_setting *settings_number_or_max(struct settings *s, const struct target *to,
					      int64_t value, struct err *e)
{
	return value < 0 ? settings_text(s, to, "max", e) : settings_number(s, to, value, e);
}

int settings_otherwise(struct settings *s, struct cgroup_setting *row, const char *otherwise_file,
		       const char *otherwise_value, struct err *e)
{
	struct cgroup_setting *otherwise = row ? arena_get(s->arena, sizeof(*otherwise), e) : NULL;

	if (!otherwise || !otherwise_value)
		return -1;
	*otherwise = *row;
	otherwise->file = otherwise_file;
	otherwise->value = otherwise_value;
	row->otherwise = otherwise;
	return 0;
}

const char *settings_entry(struct settings *s, const char *list, size_t i, struct err *e)
{
	return arena_format(s->arena, e, "%s/%zu", list, i);
}

/* ---- what both versions do in the same way --------------------------------------------------- */

int settings_cpuset(struct settings *s, const struct spec_cpu *cpu, struct err *e)
{
	static const struct target cpus = {"cpuset", "cpuset.cpus", "/cpu/cpus"};
	static const struct target mems = {"cpuset", "cpuset.mems", "/cpu/mems"};

	if (cpu->cpus && *cpu->cpus && !settings_text(s, &cpus, cpu->cpus, e))
		return -1;
	return cpu->mems && *cpu->mems && !settings_text(s, &mems, cpu->mems, e) ? -1 : 0;
}

/*
 * 0 is written as 1: systemd has no 0, and a container with one process is in both cases what is
 * meant.
 */
int settings_pids(struct settings *s, struct opt_i64 limit, struct err *e)
{
	static const struct target max = {"pids", "pids.max", "/pids/limit"};

	if (!limit.set)
		return 0;
	return settings_number_or_max(s, &max, limit.value ? limit.value : 1, e) ? 0 : -1;
}

int settings_rdma(struct settings *s, const struct spec_rdmas *rdma, struct err *e)
{
	for (size_t i = 0; i < rdma->count; i++) {
		const struct spec_rdma *device = &rdma->item[i];
		const struct target max = {"rdma", "rdma.max",
					   arena_format(s->arena, e, "/rdma/%s", device->device)};
		struct str value;

		str_init(&value, s->arena);
		str_add(&value, device->device);
		if (device->hca_handles.set)
			str_addf(&value, " hca_handle=%" PRIu32, device->hca_handles.value);
		if (device->hca_objects.set)
			str_addf(&value, " hca_object=%" PRIu32, device->hca_objects.value);
		if (!max.pointer || !settings_text(s, &max, str_end(&value, e), e))
			return -1;
	}
	return 0;
}

/* The size becomes part of a file name: digits, and KB, MB or GB as the kernel writes it. */
static bool is_page_size(const char *size)
{
	size_t digits = size ? strspn(size, "0123456789") : 0;

	return digits && digits < 16 && size[digits] && strchr("KMG", size[digits]) &&
	       str_equal(size + digits + 1, "B");
}

int settings_hugepages(struct settings *s, const struct spec_hugepage_limits *limits,
		       const char *file, const char *reserved, struct err *e)
{
	for (size_t i = 0; i < limits->count; i++) {
		const struct spec_hugepage_limit *limit = &limits->item[i];
		const char *const ends[] = {file, reserved};
		const char *pointer = settings_entry(s, "/hugepageLimits", i, e);

		if (!pointer)
			return -1;
		if (!is_page_size(limit->page_size))
			return settings_refuse(
				pointer, "hugepage size must look like \"2MB\" or \"1GB\"", e);
		for (size_t k = 0; k < array_len(ends); k++) {
			const struct target to = {"hugetlb",
						  arena_format(s->arena, e, "hugetlb.%s.%s",
							       limit->page_size, ends[k]),
						  pointer};
			const char *value = arena_format(s->arena, e, "%" PRIu64, limit->limit);
			struct cgroup_setting *row =
				to.file ? settings_text(s, &to, value, e) : NULL;

			if (!row)
				return -1;
			row->optional = ends[k] == reserved; /* came later than the limit itself */
		}
	}
	return 0;
}

int settings_check_swap(const struct spec_memory *memory, struct err *e)
{
	if (memory->limit.value > 0 && memory->swap.value > 0 &&
	    memory->swap.value < memory->limit.value)
		return settings_refuse("/memory/swap",
				       "memory+swap limit should be >= memory limit", e);
	return 0;
}

int cgroup_settings(const struct cgroup_host *host, const struct spec_resources *resources,
		    struct arena *a, struct cgroup_settings *ret, struct err *e)
{
	struct settings s = {.host = host, .arena = a};
	int failed = 0;

	if (resources)
		failed = host->layout == CGROUP_V2 ? settings_v2(&s, resources, e)
						   : settings_v1(&s, resources, e);
	if (failed)
		return -1;
	*ret = s.list;
	return 0;
}
