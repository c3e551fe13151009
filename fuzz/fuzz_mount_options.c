/*
 * Mount options, one a line: a list of them means what its options mean one after the other.
 */
#include <string.h>

#include "frame.h"
#include "spec/mount_options.h"

#define OPTIONS_MAX 200

struct sum {
	struct mount_options all;
	uint32_t propagation[OPTIONS_MAX];
	struct str data;
};

static struct mount_options parse(const char **options, size_t count, struct arena *a)
{
	const struct str_list list = {options, count};
	struct mount_options m;
	struct err e;

	fuzz_hold(!mount_options_parse(&list, a, &m, &e), "%s", e.text);
	fuzz_hold(!(m.set & m.cleared), "a flag is set and cleared");
	fuzz_hold(!m.data || *m.data, "empty data");
	return m;
}

/* One option more, by what it means alone. */
static void add(struct sum *sum, const struct mount_options *one)
{
	uint64_t attributes = one->recursive_set | one->recursive_clear;

	sum->all.set = (sum->all.set & ~one->cleared) | one->set;
	sum->all.cleared = (sum->all.cleared & ~one->set) | one->cleared;
	sum->all.recursive_set = (sum->all.recursive_set & ~attributes) | one->recursive_set;
	sum->all.recursive_clear = (sum->all.recursive_clear & ~attributes) | one->recursive_clear;
	sum->all.extensions |= one->extensions;
	for (size_t i = 0; i < one->propagation_count; i++)
		sum->propagation[sum->all.propagation_count++] = one->propagation[i];
	if (one->data && sum->data.length)
		str_add_char(&sum->data, ',');
	if (one->data)
		str_add(&sum->data, one->data);
}

static bool is_listed(const char *name)
{
	const char *listed;

	for (size_t i = 0; (listed = mount_options_name(i)); i++)
		if (str_equal(listed, name))
			return true;
	return false;
}

static void compare(const struct mount_options *m, const struct sum *sum)
{
	const struct mount_options *s = &sum->all;

	fuzz_hold(m->set == s->set && m->cleared == s->cleared, "other flags");
	fuzz_hold(m->recursive_set == s->recursive_set && m->recursive_clear == s->recursive_clear,
		  "other recursive attributes");
	fuzz_hold(m->extensions == s->extensions, "other extensions");
	fuzz_hold(m->propagation_count == s->propagation_count &&
			  (!s->propagation_count ||
			   !memcmp(m->propagation, sum->propagation,
				   s->propagation_count * sizeof(*sum->propagation))),
		  "other propagation");
	fuzz_hold(str_equal(m->data ? m->data : "", sum->data.text ? sum->data.text : ""),
		  "other data: %s", m->data);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	const char *options[OPTIONS_MAX];
	struct sum sum = {.all = {0}};
	struct mount_options m;
	size_t count = 0;

	str_init(&sum.data, a);
	while (count < OPTIONS_MAX && (options[count] = fuzz_line(&rest, a))) {
		m = parse(&options[count], 1, a);
		fuzz_hold(!m.data || !is_listed(options[count]), "\"%s\" is not known",
			  options[count]);
		add(&sum, &m);
		count++;
	}
	m = parse(options, count, a);
	compare(&m, &sum);
}
