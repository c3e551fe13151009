/*
 * The files of a cgroup that tell usage, of any bytes: the first byte chooses the file. What is
 * taken, written as the kernel writes it, is the same.
 */
#include <inttypes.h>
#include <string.h>

#include "cgroup/stats_parse.h"
#include "frame.h"

static void check_number(char *text, struct arena *a)
{
	uint64_t number;
	struct err e;

	(void)a;
	if (stats_parse_number(text, &number, &e))
		fuzz_hold_error(&e);
}

static int numbers(char *text, struct arena *a, struct str *out)
{
	struct stats_numbers list;
	struct err e;

	if (stats_parse_numbers(text, a, &list, &e))
		return -1;
	for (size_t i = 0; i < list.count; i++)
		str_addf(out, "%" PRIu64 " ", list.item[i]);
	return 0;
}

static int pairs(char *text, struct arena *a, struct str *out)
{
	struct stats_pair *pair;
	size_t count;
	struct err e;

	if (stats_parse_pairs(text, a, &pair, &count, &e))
		return -1;
	for (size_t i = 0; i < count; i++)
		str_addf(out, "%s %" PRIu64 "\n", pair[i].key, pair[i].value);
	return 0;
}

static int usage_all(char *text, struct arena *a, struct str *out)
{
	struct stats_numbers user, kernel;
	struct err e;

	if (stats_parse_usage_all(text, a, &user, &kernel, &e))
		return -1;
	fuzz_hold(user.count == kernel.count, "not as many of both");
	str_add(out, "cpu user system\n");
	for (size_t i = 0; i < user.count; i++)
		str_addf(out, "%zu %" PRIu64 " %" PRIu64 "\n", i, user.item[i], kernel.item[i]);
	return 0;
}

static void add_stall(struct str *out, const char *kind, const struct stats_stall *s)
{
	str_addf(out, "%s avg10=%u.%02u avg60=%u.%02u avg300=%u.%02u total=%" PRIu64 "\n", kind,
		 s->avg10 / 100, s->avg10 % 100, s->avg60 / 100, s->avg60 % 100, s->avg300 / 100,
		 s->avg300 % 100, s->total);
}

static int pressure(char *text, struct arena *a, struct str *out)
{
	struct stats_pressure p;
	struct err e;

	(void)a;
	if (stats_parse_pressure(text, &p, &e))
		return -1;
	add_stall(out, "some", &p.some);
	add_stall(out, "full", &p.full);
	return 0;
}

static void add_entry(struct str *out, const struct stats_io_entry *entry)
{
	str_addf(out, "%" PRIu64 ":%" PRIu64 " ", entry->major, entry->minor);
	if (*entry->op)
		str_addf(out, "%s ", entry->op);
	str_addf(out, "%" PRIu64 "\n", entry->value);
}

static int blkio(char *text, struct arena *a, struct str *out)
{
	struct stats_io list = {0};
	struct err e;

	if (stats_parse_blkio(text, a, &list, &e))
		return -1;
	for (size_t i = 0; i < list.count; i++)
		add_entry(out, &list.item[i]);
	return 0;
}

static int io(char *text, struct arena *a, struct str *out)
{
	struct stats_io lists[STATS_IO_KINDS] = {{0}};
	struct err e;

	if (stats_parse_io(text, a, lists, &e))
		return -1;
	for (size_t kind = 0; kind < array_len(lists); kind++)
		for (size_t i = 0; i < lists[kind].count; i++) {
			const struct stats_io_entry *entry = &lists[kind].item[i];

			fuzz_hold(kind <= STATS_IO_SERVICED && *entry->op, "no operation");
			str_addf(out, "%" PRIu64 ":%" PRIu64 " %c%s=%" PRIu64 "\n", entry->major,
				 entry->minor, *entry->op | 0x20, kind ? "ios" : "bytes",
				 entry->value);
		}
	return 0;
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	static int (*const files[])(char *text, struct arena *a, struct str *out) = {
		numbers, pairs, usage_all, pressure, blkio, io,
	};
	struct fuzz_rest rest = {text, text + length};
	unsigned which = fuzz_choose(&rest, array_len(files) + 1);
	struct str first, second;

	text += length > 0;
	if (which == array_len(files)) {
		check_number(text, a);
		return;
	}
	str_init(&first, a);
	str_init(&second, a);
	if (files[which](text, a, &first) || first.failed)
		return;
	text = arena_copy(a, first.text, first.length, &(struct err){0});
	if (text)
		fuzz_hold(!files[which](text, a, &second), "what was written is refused: %s",
			  first.text);
	fuzz_hold(!text || second.failed || str_equal(first.text, second.text),
		  "%s\nis read as\n%s", first.text, second.text);
}
