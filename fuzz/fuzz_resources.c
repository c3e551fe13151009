/*
 * resources.json of any bytes, as `update --resources` reads it: it is taken or refused, and what
 * is taken becomes writes to files of the cgroup itself, of either version, or is refused.
 */
#include <string.h>

#include "cgroup/cgroup.h"
#include "frame.h"
#include "spec/decode.h"

static struct cgroup_hierarchy all_of_v1[] = {
	{.name = "cpu"},     {.name = "cpuset"},   {.name = "memory"},
	{.name = "pids"},    {.name = "blkio"},    {.name = "hugetlb"},
	{.name = "net_cls"}, {.name = "net_prio"}, {.name = "rdma"},
};
static struct cgroup_hierarchy all_of_v2[] = {{.name = ""}};

static const struct cgroup_host hosts[] = {
	{CGROUP_V1, all_of_v1, array_len(all_of_v1), NULL},
	{CGROUP_V2, all_of_v2, array_len(all_of_v2), NULL},
};

static void check_writes(const struct cgroup_host *host, const struct spec_resources *resources,
			 struct arena *a)
{
	struct cgroup_settings settings;
	struct err e;

	if (cgroup_settings(host, resources, a, &settings, &e)) {
		fuzz_hold_error(&e);
		return;
	}
	for (size_t i = 0; i < settings.count; i++) {
		const struct cgroup_setting *it = &settings.item[i];

		fuzz_hold(it->value, "%s has no value", it->file);
		fuzz_hold(*it->file && !strchr(it->file, '/'), "\"%s\" is no file of a cgroup",
			  it->file);
	}
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct json_input input = {
		.name = "resources.json", .text = text, .length = length, .arena = a};
	struct spec_resources *resources;
	struct err e;

	if (spec_decode_resources(&input, &resources, &e))
		fuzz_hold_error_in(&input, &e);
	else
		for (size_t i = 0; i < array_len(hosts); i++)
			check_writes(&hosts[i], resources, a);
}
