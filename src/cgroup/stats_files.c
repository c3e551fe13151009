/*
 * What a cgroup has used: what does not depend on the version. See stats_files.h, and stats.h for
 * those above.
 */
#include "cgroup/stats_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"

#define FILE_MAX (1u << 20) /* bytes: some have a line for each processor or device */

/* A controller that is off, a cgroup that is gone, pressure that nobody measures. */
static bool is_missing(int number)
{
	return number == ENOENT || number == ENODEV || number == EOPNOTSUPP;
}

int stats_read(const char *dir, const char *file, struct arena *a, char **ret_text, struct err *e)
{
	_close_ int fd = knob_open(dir, file, O_RDONLY);
	size_t length;

	*ret_text = NULL;
	if (fd < 0)
		return is_missing(errno) ? 0 : err_sys(e, "open %s/%s", dir, file);
	if (fd_read(fd, FILE_MAX, a, file, ret_text, &length, e)) {
		*ret_text = NULL;
		return is_missing(e->sys) ? 0 : err_wrap(e, "%s", dir);
	}
	if (strlen(*ret_text) != length)
		return err_set(e, ERR_INVALID, "%s/%s has a NUL in it", dir, file);
	if (length && (*ret_text)[length - 1] == '\n')
		(*ret_text)[length - 1] = '\0';
	return 0;
}

int stats_refuse(const char *dir, const char *file, struct err *e)
{
	return err_wrap(e, "read %s/%s", dir, file);
}

static uint64_t *place_in(void *to, uint16_t place)
{
	return (uint64_t *)((char *)to + place);
}

int stats_read_number(const char *dir, const char *file, uint64_t *ret, struct err *e)
{
	char text[32];

	if (knob_read(dir, file, text, sizeof(text)) < 0)
		return is_missing(errno) ? 0 : err_sys(e, "read %s/%s", dir, file);
	return stats_parse_number(text, ret, e) ? stats_refuse(dir, file, e) : 0;
}

int stats_read_files(const char *dir, const struct stats_file *files, size_t count,
		     struct cgroup_stats *stats, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (stats_read_number(dir, files[i].name, place_in(stats, files[i].place), e))
			return -1;
	return 0;
}

int stats_read_members(const char *dir, const char *file, const struct stats_member *members,
		       size_t count, struct arena *a, void *to, struct err *e)
{
	struct stats_pair *pairs;
	size_t found;
	char *text;

	if (stats_read(dir, file, a, &text, e))
		return -1;
	if (!text)
		return 0;
	if (stats_parse_pairs(text, a, &pairs, &found, e))
		return stats_refuse(dir, file, e);
	for (size_t i = 0; i < found * count; i++) {
		const struct stats_pair *pair = &pairs[i / count];
		const struct stats_member *member = &members[i % count];
		uint64_t *place = place_in(to, member->place);

		if (str_equal(pair->key, member->key) &&
		    __builtin_mul_overflow(pair->value, (uint64_t)member->factor, place))
			*place = UINT64_MAX;
	}
	return 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct stats_pair *)a)->key, ((const struct stats_pair *)b)->key);
}

int stats_read_memory(const char *dir, const char *cache_key, struct arena *a,
		      struct stats_memory *memory, struct err *e)
{
	static const char file[] = "memory.stat";
	char *text;

	if (stats_read(dir, file, a, &text, e))
		return -1;
	if (!text)
		return 0;
	if (stats_parse_pairs(text, a, &memory->raw.item, &memory->raw.count, e))
		return stats_refuse(dir, file, e);
	if (memory->raw.count)
		qsort(memory->raw.item, memory->raw.count, sizeof(*memory->raw.item), by_key);
	for (size_t i = 0; i < memory->raw.count; i++)
		if (str_equal(memory->raw.item[i].key, cache_key))
			memory->cache = memory->raw.item[i].value;
	return 0;
}

int stats_read_list(const char *dir, const char *file, struct arena *a, struct stats_numbers *ret,
		    struct err *e)
{
	char *text;

	if (stats_read(dir, file, a, &text, e))
		return -1;
	return text && stats_parse_list(text, a, ret, e) ? stats_refuse(dir, file, e) : 0;
}

int stats_read_pids(const char *dir, struct cgroup_stats *stats, struct err *e)
{
	static const struct stats_file files[] = {
		{"pids.current", STATS_PLACE(pids)},
		{"pids.max", STATS_PLACE(pids_limit)},
	};

	if (stats_read_files(dir, files, array_len(files), stats, e))
		return -1;
	if (stats->pids_limit == UINT64_MAX)
		stats->pids_limit = 0;
	return 0;
}

/* ---- huge pages ------------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
	return strcmp(((const struct stats_hugepages *)a)->size,
		      ((const struct stats_hugepages *)b)->size);
}

/* The kernel's name of a size, which is 2 to the power of bits. */
static const char *size_name(unsigned bits, struct arena *a, struct err *e)
{
	static const char units[] = "KMG";

	return arena_format(a, e, "%u%cB", 1u << bits % 10, units[bits / 10 - 1]);
}

static int add_hugepages(const char *dir, unsigned bits, const char *file, struct arena *a,
			 struct cgroup_stats *stats, struct err *e)
{
	struct stats_hugepages found = {.size = size_name(bits, a, e), .usage = UINT64_MAX};
	const char *name =
		found.size ? arena_format(a, e, "hugetlb.%s.%s", found.size, file) : NULL;

	if (!name || stats_read_number(dir, name, &found.usage, e))
		return -1;
	if (found.usage == UINT64_MAX)
		return 0;
	stats->hugepages.item =
		arena_grow(a, stats->hugepages.item, stats->hugepages.count,
			   &stats->hugepages.capacity, sizeof(*stats->hugepages.item), e);
	if (!stats->hugepages.item)
		return -1;
	stats->hugepages.item[stats->hugepages.count++] = found;
	return 0;
}

/* The sizes that processors have are powers of two from 64 KB to 16 GB; no machine has many. */
int stats_find_hugepages(const char *dir, const char *file, struct arena *a,
			 struct cgroup_stats *stats, struct err *e)
{
	for (unsigned bits = 16; bits <= 34; bits++)
		if (add_hugepages(dir, bits, file, a, stats, e))
			return -1;
	if (stats->hugepages.count)
		qsort(stats->hugepages.item, stats->hugepages.count, sizeof(*stats->hugepages.item),
		      by_size);
	return 0;
}

int cgroup_stats(const struct cgroup_paths *paths, struct arena *a, struct cgroup_stats *ret,
		 struct err *e)
{
	struct cgroup_stats stats = {0};
	const char *unified = paths_only_unified(paths) ? paths_find(paths, "") : NULL;

	if (unified ? stats_v2(unified, a, &stats, e) : stats_v1(paths, a, &stats, e))
		return -1;
	*ret = stats;
	return 0;
}
