/*
 * Changing the limits of a cgroup in use: what one file holds together is completed from what is in
 * force, the order of the writes is found, and what was changed before a failure is put back.
 * Called by container/update.
 *
 * The cgroup is the record of what is in force: nothing is remembered beside it (see
 * docs/decisions/0013-limits-in-force.md).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/fd.h"
#include "cgroup/knob.h"
#include "cgroup/paths.h"

#define KNOB_MAX (1u << 20) /* bytes of a file of limits: one line for each device */

int cgroup_host_of(const struct cgroup_paths *paths, struct arena *a, struct cgroup_host *ret,
		   struct err *e)
{
	struct cgroup_host host = {.layout = CGROUP_V2};

	host.item = arena_get_array(a, paths->count, sizeof(*host.item), e);
	if (!host.item)
		return -1;
	for (; host.count < paths->count; host.count++)
		host.item[host.count].name = paths->item[host.count].name;
	if (!host.count)
		host.layout = CGROUP_NONE;
	else if (!paths_only_unified(paths))
		host.layout = paths_find(paths, "") ? CGROUP_HYBRID : CGROUP_V1;
	*ret = host;
	return 0;
}

/* ---- completing ------------------------------------------------------------------------------ */

/* "max" is −1. */
static bool parse_limit(const char *text, int64_t *ret)
{
	if (str_equal(text, "max"))
		*ret = -1;
	return str_equal(text, "max") || str_to_i64(text, ret);
}

static bool read_limit(const char *dir, const char *file, int64_t *ret)
{
	char text[32];

	return knob_read(dir, file, text, sizeof(text)) > 0 && parse_limit(text, ret);
}

/* A machine without the controller tells by the write that follows. */
static void complete_cpu(const char *dir, struct spec_cpu *cpu)
{
	struct opt_u64 period = {.set = true};
	struct opt_i64 quota = {.set = true};
	char text[64], *blank;

	if (!cpu->quota.value == !cpu->period.value)
		return;
	if (knob_read(dir, "cpu.max", text, sizeof(text)) <= 0 || !(blank = strchr(text, ' ')))
		return;
	*blank = '\0';
	if (!parse_limit(text, &quota.value) || !str_to_u64(blank + 1, &period.value))
		return;
	if (cpu->quota.value)
		cpu->period = period;
	else
		cpu->quota = quota;
}

static bool gives_swap_alone(const struct spec_resources *resources)
{
	for (size_t i = 0; resources && i < resources->unified.count; i++)
		if (str_equal(resources->unified.item[i].key, "memory.swap.max"))
			return true;
	return false;
}

/* The limit of memory and swap together stays where it is when that of memory moves. */
static int complete_swap(const char *dir, struct spec_memory *memory, struct err *e)
{
	int64_t limit, swap;

	if (!read_limit(dir, "memory.max", &limit) || limit < 0 ||
	    !read_limit(dir, "memory.swap.max", &swap) || swap < 0)
		return 0;
	memory->swap = (struct opt_i64){.value = limit + swap, .set = true};
	if (memory->limit.value <= memory->swap.value)
		return 0;
	err_set(e, ERR_INVALID, "memory+swap limit should be >= memory limit");
	err_hint(e, "memory and swap together are limited to %" PRId64 ": raise that limit too",
		 memory->swap.value);
	return err_in(e, "/linux/resources/memory/limit");
}

/* A limit that is not asked for is not checked either: usage may have come up to it. */
static void complete_limit(const char *dir, struct spec_memory *memory)
{
	int64_t limit;

	if (!read_limit(dir, "memory.max", &limit) || limit < 0)
		return;
	memory->limit = (struct opt_i64){.value = limit, .set = true};
	memory->check_before_update.value = false;
}

int cgroup_complete(const struct cgroup_paths *paths, const struct spec_resources *config,
		    struct spec_resources *change, struct err *e)
{
	const char *dir = paths_only_unified(paths) ? paths_find(paths, "") : NULL;
	struct spec_memory *memory = &change->memory;

	if (config && !memory->check_before_update.set)
		memory->check_before_update = config->memory.check_before_update;
	if (!dir)
		return 0;
	complete_cpu(dir, &change->cpu);
	if (memory->swap.value > 0 && !memory->limit.value)
		complete_limit(dir, memory);
	else if (memory->limit.value > 0 && !memory->swap.value && !gives_swap_alone(config) &&
		 !gives_swap_alone(change))
		return complete_swap(dir, memory, e);
	return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/*
 * As long as one more succeeds, what the kernel calls invalid is tried again. Any other error ends
 * it, but for a stubborn one.
 */
static int write_all(const struct cgroup_paths *paths, const struct cgroup_settings *settings,
		     bool stubborn, struct arena *a, struct err *e)
{
	size_t left = settings->count, before;
	bool *done = arena_get_array(a, left, sizeof(*done), e);

	if (!done)
		return -1;
	do {
		before = left;
		for (size_t i = 0; i < settings->count; i++) {
			if (done[i])
				continue;
			done[i] = !cgroup_write(paths, &settings->item[i], e);
			if (!done[i] && e->sys != EINVAL && !stubborn)
				return -1;
			left -= done[i];
		}
	} while (left && left < before);
	return left ? -1 : 0;
}

/* ---- putting back ---------------------------------------------------------------------------- */

/* A file that is about to be written. */
struct saved {
	const struct cgroup_setting *setting; /* which of the two alternatives it will be */
	const char *text;                     /* NULL: it could not be read */
};

/* NULL where there is nothing to read. */
static const char *read_whole(const struct cgroup_paths *paths,
			      const struct cgroup_setting *setting, struct arena *a)
{
	const char *dir = paths_find(paths, setting->name);
	_close_ int fd = dir ? knob_open(dir, setting->file, O_RDONLY) : -1;
	size_t length;
	struct err why;
	char *text;

	if (fd < 0 || fd_read(fd, KNOB_MAX, a, setting->file, &text, &length, &why))
		return NULL;
	if (length && text[length - 1] == '\n')
		text[length - 1] = '\0';
	return text;
}

static void save(const struct cgroup_paths *paths, const struct cgroup_setting *setting,
		 struct arena *a, struct saved *ret)
{
	*ret = (struct saved){.setting = setting, .text = read_whole(paths, setting, a)};
	if (!ret->text && setting->otherwise)
		*ret = (struct saved){.setting = setting->otherwise,
				      .text = read_whole(paths, setting->otherwise, a)};
}

/*
 * "8:0 rbps=1024" as "8:0 rbps=max"; a file of weights wants "8:0 default", a throttle of version 1
 * "8:0 0".
 */
static void add_no_limit(struct str *to, const char *file, const char *line, size_t length)
{
	size_t key = strcspn(line, " ");
	bool weight = strstr(file, "weight");

	if (!memchr(line, '=', length)) {
		str_add_bytes(to, line, key);
		str_add(to, weight ? " default" : " 0");
		return;
	}
	for (size_t at = 0, word; at < length; at += word) {
		word = strcspn(line + at, "=") + 1;
		if (at + word > length)
			return;
		str_add_bytes(to, line + at, word);
		str_add(to, "max");
		at += strcspn(line + at + word, " \n");
	}
}

/* The line of a device in a file of them, NULL when it has none. */
static const char *find_line(const char *text, const char *key, size_t length)
{
	while (strncmp(text, key, length) != 0 || text[length] != ' ') {
		text += strcspn(text, "\n");
		if (!*text++)
			return NULL;
	}
	return text;
}

static bool same_line(const char *a, const char *b)
{
	size_t length = a ? strcspn(a, "\n") : 0;

	return a && b ? !strncmp(a, b, length) && (!b[length] || b[length] == '\n') : a == b;
}

/*
 * Adds what brings the old value back that the line has changed: the old line of the same device,
 * or the whole of a file that knows no devices. False: the line has changed nothing.
 */
static bool add_old_line(struct str *to, const struct saved *saved, const char *now,
			 const char *line, size_t length)
{
	static const char oom[] = "oom_kill_disable ";
	size_t key = strcspn(line, " \n");
	const char *old;

	if (str_starts(saved->text, oom)) {
		str_add_bytes(to, saved->text + strlen(oom), 1);
		return true;
	}
	if (!memchr(line, ':', key)) {
		str_add(to, saved->text);
		return true;
	}
	old = find_line(saved->text, line, key);
	if (same_line(old, find_line(now, line, key)))
		return false;
	if (to->length)
		str_add_char(to, '\n');
	if (old)
		str_add_bytes(to, old, strcspn(old, "\n"));
	else
		add_no_limit(to, saved->setting->file, line, length);
	return true;
}

/* Adds a row that undoes a setting, when its file is not as it was. */
static int add_old(const struct saved *saved, const char *now, struct arena *a,
		   struct cgroup_settings *list, struct err *e)
{
	struct cgroup_setting *row = &list->item[list->count];
	const char *line = saved->setting->value;
	bool changed = false;
	struct str value;

	if (str_equal(now, saved->text))
		return 0;
	str_init(&value, a);
	for (;; line++) {
		size_t length = strcspn(line, "\n");

		changed |= add_old_line(&value, saved, now, line, length);
		line += length;
		if (!*line)
			break;
	}
	*row = *saved->setting;
	row->check_usage = false;
	row->otherwise = NULL;
	row->value = str_end(&value, e);
	list->count += changed;
	return row->value ? 0 : -1;
}

/* From the last to the first. */
static int put_back(const struct cgroup_paths *paths, const struct saved *saved, size_t count,
		    struct arena *a, struct err *e)
{
	struct cgroup_settings old = {0};

	arena_use_reserve(a);
	old.item = arena_get_array(a, count, sizeof(*old.item), e);
	if (!old.item)
		return -1;
	for (size_t i = count; i--;) {
		const char *now = saved[i].text ? read_whole(paths, saved[i].setting, a) : NULL;

		if (now && add_old(&saved[i], now, a, &old, e))
			return -1;
	}
	return write_all(paths, &old, true, a, e);
}

/*
 * systemd writes what it is told, as exactly as it knows it: so the files have the last word. It
 * takes all or nothing.
 */
static int write_and_tell(const struct cgroup_paths *paths, const struct cgroup_unit *unit,
			  const struct cgroup_settings *settings, struct arena *a, struct err *e)
{
	if (write_all(paths, settings, false, a, e))
		return -1;
	if (!unit->name)
		return 0;
	return cgroup_unit_update(unit, settings, a, e) || write_all(paths, settings, false, a, e)
		       ? -1
		       : 0;
}

int cgroup_update(const struct cgroup_paths *paths, const struct cgroup_unit *unit,
		  const struct cgroup_settings *settings, struct arena *a, struct err *e)
{
	struct saved *saved = arena_get_array(a, settings->count, sizeof(*saved), e);
	struct err why;

	if (!saved)
		return -1;
	for (size_t i = 0; i < settings->count; i++)
		save(paths, &settings->item[i], a, &saved[i]);
	if (!write_and_tell(paths, unit, settings, a, e))
		return 0;
	if (put_back(paths, saved, settings->count, a, &why))
		err_hint(e, "what was changed before could not be put back: %s", why.text);
	return -1;
}
