/*
 * The files of a cgroup that tell usage: see stats_parse.h.
 */
#include "cgroup/stats_parse.h"

#include <string.h>

#include "base/ranges.h"
#include "base/str.h"

static int refuse(const char *piece, const char *wanted, struct err *e)
{
	return err_set(e, ERR_INVALID, "\"%.60s\" is not %s", piece, wanted);
}

/*
 * The next piece of *at up to one of the ends, which becomes its NUL; NULL when there is none left.
 * Ends before it are passed over.
 */
static char *next_piece(char **at, const char *ends)
{
	char *piece = *at + strspn(*at, ends);

	if (!*piece)
		return NULL;
	*at = piece + strcspn(piece, ends);
	if (**at)
		*(*at)++ = '\0';
	return piece;
}

int stats_parse_number(const char *text, uint64_t *ret, struct err *e)
{
	if (str_equal(text, "max"))
		*ret = UINT64_MAX;
	else if (!str_to_u64(text, ret))
		return refuse(text, "a number", e);
	return 0;
}

/* ---- lists ----------------------------------------------------------------------------------- */

static int add_number(struct stats_numbers *list, size_t *capacity, uint64_t number,
		      struct arena *a, struct err *e)
{
	list->item = arena_grow(a, list->item, list->count, capacity, sizeof(*list->item), e);
	if (!list->item)
		return -1;
	list->item[list->count++] = number;
	return 0;
}

int stats_parse_numbers(char *text, struct arena *a, struct stats_numbers *ret, struct err *e)
{
	struct stats_numbers list = {0};
	size_t capacity = 0;
	uint64_t number;
	char *piece;

	while ((piece = next_piece(&text, " \n"))) {
		if (!str_to_u64(piece, &number))
			return refuse(piece, "a number", e);
		if (add_number(&list, &capacity, number, a, e))
			return -1;
	}
	*ret = list;
	return 0;
}

int stats_parse_list(const char *text, struct arena *a, struct stats_numbers *ret, struct err *e)
{
	struct stats_numbers list = {0};
	size_t capacity = 0;
	struct ranges set;

	if (*text && ranges_parse(text, &set) < 0)
		return refuse(text, "a list of numbers", e);
	for (unsigned n = 0; *text && n < RANGES_MAX; n++)
		if (set.bits[n / RANGES_WORD] >> n % RANGES_WORD & 1 &&
		    add_number(&list, &capacity, n, a, e))
			return -1;
	*ret = list;
	return 0;
}

/* ---- lines ----------------------------------------------------------------------------------- */

int stats_parse_pairs(char *text, struct arena *a, struct stats_pair **ret, size_t *ret_count,
		      struct err *e)
{
	size_t count = 0, capacity = 0;
	struct stats_pair *pairs = NULL;
	char *line;

	while ((line = next_piece(&text, "\n"))) {
		char *key = next_piece(&line, " ");
		uint64_t value;

		if (!key || !str_to_u64(line, &value))
			return refuse(key ? key : "", "a key with a number", e);
		pairs = arena_grow(a, pairs, count, &capacity, sizeof(*pairs), e);
		if (!pairs)
			return -1;
		pairs[count++] = (struct stats_pair){.key = key, .value = value};
	}
	*ret = pairs;
	*ret_count = count;
	return 0;
}

int stats_parse_usage_all(char *text, struct arena *a, struct stats_numbers *ret_user,
			  struct stats_numbers *ret_kernel, struct err *e)
{
	struct stats_numbers user = {0}, kernel = {0};
	size_t user_capacity = 0, kernel_capacity = 0;
	char *line = next_piece(&text, "\n");

	if (!line || !str_equal(line, "cpu user system"))
		return refuse(line ? line : "", "\"cpu user system\"", e);
	while ((line = next_piece(&text, "\n"))) {
		uint64_t number[3];

		for (size_t i = 0; i < array_len(number); i++) {
			const char *piece = next_piece(&line, " ");

			if (!piece || !str_to_u64(piece, &number[i]))
				return refuse(piece ? piece : "", "a number", e);
		}
		if (add_number(&user, &user_capacity, number[1], a, e) ||
		    add_number(&kernel, &kernel_capacity, number[2], a, e))
			return -1;
	}
	*ret_user = user;
	*ret_kernel = kernel;
	return 0;
}

/* ---- pressure -------------------------------------------------------------------------------- */

/* "12.34" as 1234. */
static bool to_hundredths(char *text, uint32_t *ret)
{
	char *point = strchr(text, '.');

	if (!point || strlen(point) != 3)
		return false;
	memmove(point, point + 1, 3);
	return str_to_u32(text, ret);
}

static bool parse_stall(char *line, struct stats_stall *ret)
{
	const struct {
		const char *name;
		uint32_t *place;
	} averages[] = {
		{"avg10=", &ret->avg10}, {"avg60=", &ret->avg60}, {"avg300=", &ret->avg300}};
	char *piece;

	for (size_t i = 0; i < array_len(averages); i++) {
		piece = next_piece(&line, " ");
		if (!piece || !str_starts(piece, averages[i].name) ||
		    !to_hundredths(piece + strlen(averages[i].name), averages[i].place))
			return false;
	}
	piece = next_piece(&line, " ");
	return piece && str_starts(piece, "total=") &&
	       str_to_u64(piece + strlen("total="), &ret->total);
}

int stats_parse_pressure(char *text, struct stats_pressure *ret, struct err *e)
{
	struct stats_pressure pressure = {.given = true};
	char *line;

	while ((line = next_piece(&text, "\n"))) {
		char *kind = next_piece(&line, " ");
		struct stats_stall *stall = NULL;

		if (kind && str_equal(kind, "some"))
			stall = &pressure.some;
		else if (kind && str_equal(kind, "full"))
			stall = &pressure.full;
		if (!stall || !parse_stall(line, stall))
			return refuse(kind ? kind : "", "a line of pressure", e);
	}
	*ret = pressure;
	return 0;
}

/* ---- block devices --------------------------------------------------------------------------- */

static int add_entry(struct stats_io *list, const struct stats_io_entry *entry, struct arena *a,
		     struct err *e)
{
	list->item =
		arena_grow(a, list->item, list->count, &list->capacity, sizeof(*list->item), e);
	if (!list->item)
		return -1;
	list->item[list->count++] = *entry;
	return 0;
}

static bool parse_device(char *name, struct stats_io_entry *ret)
{
	char *colon = strchr(name, ':');

	if (!colon)
		return false;
	*colon = '\0';
	return str_to_u64(name, &ret->major) && str_to_u64(colon + 1, &ret->minor);
}

int stats_parse_blkio(char *text, struct arena *a, struct stats_io *list, struct err *e)
{
	char *line;

	while ((line = next_piece(&text, "\n"))) {
		struct stats_io_entry entry = {.op = ""};
		char *device = next_piece(&line, " "), *value = next_piece(&line, " ");
		char *last = value ? next_piece(&line, " ") : NULL;

		if (last)
			entry.op = value;
		if (device && str_equal(device, "Total") && !last)
			continue;
		if (!device || !value || !parse_device(device, &entry) ||
		    !str_to_u64(last ? last : value, &entry.value))
			return refuse(device ? device : "", "a device with a number", e);
		if (add_entry(list, &entry, a, e))
			return -1;
	}
	return 0;
}

/* One "rbytes=17" of io.stat. */
static int parse_io_member(char *piece, struct stats_io_entry *entry, struct arena *a,
			   struct stats_io *list, struct err *e)
{
	static const struct {
		char key[8], op[8];
		uint8_t kind;
	} members[] = {
		{"rbytes", "Read", STATS_IO_BYTES},
		{"wbytes", "Write", STATS_IO_BYTES},
		{"rios", "Read", STATS_IO_SERVICED},
		{"wios", "Write", STATS_IO_SERVICED},
	};
	char *equals = strchr(piece, '=');

	if (!equals)
		return refuse(piece, "a key with a number", e);
	*equals = '\0';
	for (size_t i = 0; i < array_len(members); i++) {
		if (!str_equal(piece, members[i].key))
			continue;
		if (!str_to_u64(equals + 1, &entry->value))
			return refuse(equals + 1, "a number", e);
		entry->op = members[i].op;
		return add_entry(&list[members[i].kind], entry, a, e);
	}
	return 0;
}

int stats_parse_io(char *text, struct arena *a, struct stats_io *list, struct err *e)
{
	char *line, *piece;

	while ((line = next_piece(&text, "\n"))) {
		struct stats_io_entry entry;
		char *device = next_piece(&line, " ");

		if (!device || !parse_device(device, &entry))
			return refuse(device ? device : "", "a device", e);
		while ((piece = next_piece(&line, " ")))
			if (parse_io_member(piece, &entry, a, list, e))
				return -1;
	}
	return 0;
}
