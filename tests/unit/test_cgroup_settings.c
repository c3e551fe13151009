/*
 * linux.resources as writes: one table of goldens a version. A row reads "file=value", with the
 * hierarchy before the file where the version has several, "?" behind an optional one, and "|"
 * before what takes its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "arena_fixture.h"
#include "cgroup/cgroup.h"

static struct cgroup_hierarchy all_of_v1[] = {
	{.name = "cpu"},     {.name = "cpuset"},   {.name = "memory"},
	{.name = "pids"},    {.name = "blkio"},    {.name = "hugetlb"},
	{.name = "net_cls"}, {.name = "net_prio"}, {.name = "rdma"},
};
static struct cgroup_hierarchy all_of_v2[] = {{.name = ""}};

static const struct cgroup_host v1 = {CGROUP_V1, all_of_v1, array_len(all_of_v1), NULL};
static const struct cgroup_host v2 = {CGROUP_V2, all_of_v2, 1, NULL};

/* The writes as text, or "POINTER: error", the pointer behind "/linux/resources". */
static const char *writes(const struct cgroup_host *host, const struct spec_resources *resources)
{
	struct cgroup_settings settings;
	struct str text;

	str_init(&text, &arena);
	if (cgroup_settings(host, resources, &arena, &settings, &e)) {
		str_addf(&text, "%s: %s", e.pointer + strlen("/linux/resources"), e.text);
		return str_end(&text, &e);
	}
	for (size_t i = 0; i < settings.count; i++) {
		const struct cgroup_setting *it = &settings.item[i];

		str_addf(&text, "%s%s%s%s=%s%s", i ? "; " : "", it->name, *it->name ? " " : "",
			 it->file, it->value, it->optional ? "?" : "");
		if (it->otherwise)
			str_addf(&text, "|%s=%s", it->otherwise->file, it->otherwise->value);
		assert_int_equal(strncmp(it->pointer, "/linux/resources/", 17), 0);
	}
	return str_end(&text, &e);
}

struct row {
	struct spec_resources resources;
	const char *v1, *v2;
};

static void check(const struct row *row)
{
	assert_string_equal(writes(&v1, &row->resources), row->v1);
	assert_string_equal(writes(&v2, &row->resources), row->v2);
}

#define SET(n) \
	{ \
		.value = (n), .set = true \
	}

static void no_resources_are_no_writes(void **state)
{
	static const struct row nothing = {.v1 = "", .v2 = ""};

	(void)state;
	assert_string_equal(writes(&v1, NULL), "");
	assert_string_equal(writes(&v2, NULL), "");
	check(&nothing);
}

static void memory_limits(void **state)
{
	static const struct row rows[] = {
		{{.memory = {.limit = SET(1 << 20)}},
		 "memory memory.limit_in_bytes=1048576",
		 "memory.max=1048576"},
		{{.memory = {.limit = SET(0), .swap = SET(0)}}, "", ""},
		{{.memory = {.limit = SET(-1)}},
		 "memory memory.limit_in_bytes=-1; memory memory.memsw.limit_in_bytes=-1?",
		 "memory.max=max; memory.swap.max=max?"},
		{{.memory = {.limit = SET(4096), .swap = SET(12288)}},
		 "memory memory.limit_in_bytes=4096; memory memory.memsw.limit_in_bytes=12288",
		 "memory.max=4096; memory.swap.max=8192"},
		{{.memory = {.limit = SET(4096), .swap = SET(4096)}},
		 "memory memory.limit_in_bytes=4096; memory memory.memsw.limit_in_bytes=4096",
		 "memory.max=4096; memory.swap.max=0?"},
		{{.memory = {.limit = SET(4096), .swap = SET(-1)}},
		 "memory memory.limit_in_bytes=4096; memory memory.memsw.limit_in_bytes=-1",
		 "memory.max=4096; memory.swap.max=max?"},
		{{.memory = {.limit = SET(-1), .swap = SET(8192)}},
		 "memory memory.limit_in_bytes=-1; memory memory.memsw.limit_in_bytes=8192",
		 "memory.max=max; memory.swap.max=8192"},
		{{.memory = {.swap = SET(8192)}},
		 "memory memory.memsw.limit_in_bytes=8192",
		 "/memory/swap: unable to set swap limit without memory limit"},
		{{.memory = {.swap = SET(-1)}},
		 "memory memory.memsw.limit_in_bytes=-1",
		 "memory.swap.max=max?"},
		{{.memory = {.limit = SET(8192), .swap = SET(4096)}},
		 "/memory/swap: memory+swap limit should be >= memory limit",
		 "/memory/swap: memory+swap limit should be >= memory limit"},
		{{.memory = {.limit = SET(-2), .swap = SET(4096)}},
		 "memory memory.limit_in_bytes=-2; memory memory.memsw.limit_in_bytes=4096",
		 "/memory/limit: invalid memory value: -2"},
		{{.memory = {.reservation = SET(4096)}},
		 "memory memory.soft_limit_in_bytes=4096",
		 "memory.low=4096"},
		{{.memory = {.kernel = SET(1), .kernel_tcp = SET(1), .use_hierarchy = SET(true)}},
		 "",
		 ""},
		{{.memory = {.disable_oom_killer = SET(true), .swappiness = SET(60)}},
		 "memory memory.oom_control=1; memory memory.swappiness=60",
		 ""},
		{{.memory = {.disable_oom_killer = SET(false), .swappiness = SET(UINT64_MAX)}},
		 "",
		 ""},
		{{.memory = {.swappiness = SET(101)}},
		 "/memory/swappiness: invalid memory swappiness value: 101 (valid range is 0-100)",
		 ""},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static void the_check_before_update_goes_with_the_limit(void **state)
{
	static const struct spec_resources resources = {
		.memory = {.limit = SET(4096),
			   .reservation = SET(1),
			   .check_before_update = SET(true)}};
	struct cgroup_settings settings;

	(void)state;
	assert_int_equal(cgroup_settings(&v2, &resources, &arena, &settings, &e), 0);
	assert_int_equal(settings.count, 2);
	assert_true(settings.item[0].check_usage);
	assert_false(settings.item[1].check_usage);
}

static void cpu_limits(void **state)
{
	static const struct row rows[] = {
		{{.cpu = {.shares = SET(1024)}}, "cpu cpu.shares=1024", "cpu.weight=100"},
		{{.cpu = {.shares = SET(1)}},
		 "/cpu/shares: the minimum allowed cpu-shares is 2",
		 "cpu.weight=1"},
		{{.cpu = {.shares = SET(262145)}},
		 "/cpu/shares: the maximum allowed cpu-shares is 262144",
		 "cpu.weight=10000"},
		{{.cpu = {.quota = SET(5000), .period = SET(10000), .burst = SET(100)}},
		 "cpu cpu.cfs_period_us=10000; cpu cpu.cfs_quota_us=5000; cpu cpu.cfs_burst_us=100",
		 "cpu.max=5000 10000; cpu.max.burst=100"},
		{{.cpu = {.quota = SET(-1)}}, "cpu cpu.cfs_quota_us=-1", "cpu.max=max 100000"},
		{{.cpu = {.period = SET(20000)}},
		 "cpu cpu.cfs_period_us=20000",
		 "cpu.max=max 20000"},
		{{.cpu = {.quota = SET(0), .period = SET(0)}}, "", ""},
		{{.cpu = {.shares = SET(2), .idle = SET(1)}},
		 "cpu cpu.shares=2; cpu cpu.idle=1",
		 "cpu.weight=1; cpu.idle=1"},
		{{.cpu = {.burst = SET(0), .idle = SET(0)}},
		 "cpu cpu.cfs_burst_us=0; cpu cpu.idle=0",
		 "cpu.max.burst=0; cpu.idle=0"},
		{{.cpu = {.cpus = "0-1,3", .mems = "0"}},
		 "cpuset cpuset.cpus=0-1,3; cpuset cpuset.mems=0",
		 "cpuset.cpus=0-1,3; cpuset.mems=0"},
		{{.cpu = {.cpus = "", .mems = ""}}, "", ""},
		{{.cpu = {.realtime_period = SET(1000), .realtime_runtime = SET(500)}},
		 "cpu cpu.rt_period_us=1000; cpu cpu.rt_runtime_us=500",
		 "/cpu/realtimePeriod: cannot set cpu/realtimePeriod on cgroup v2"},
		{{.cpu = {.realtime_runtime = SET(500)}},
		 "cpu cpu.rt_runtime_us=500",
		 "/cpu/realtimeRuntime: cannot set cpu/realtimeRuntime on cgroup v2"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static void pids_limit(void **state)
{
	static const struct row rows[] = {
		{{.pids_limit = SET(100)}, "pids pids.max=100", "pids.max=100"},
		{{.pids_limit = SET(0)}, "pids pids.max=1", "pids.max=1"},
		{{.pids_limit = SET(-1)}, "pids pids.max=max", "pids.max=max"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static struct spec_weight_device weights[] = {{8, 0, SET(500), {0}}};
static struct spec_weight_device leaf_weights[] = {{8, 16, SET(20), SET(30)}};
static struct spec_throttle_device rates[] = {{8, 0, 1000}, {8, 16, 0}};

static void block_devices(void **state)
{
	static const struct row rows[] = {
		{{.block_io = {.weight = SET(10)}},
		 "blkio blkio.weight=10|blkio.bfq.weight=10",
		 "io.bfq.weight=10|io.weight=1"},
		{{.block_io = {.weight = SET(1000)}},
		 "blkio blkio.weight=1000|blkio.bfq.weight=1000",
		 "io.bfq.weight=1000|io.weight=10000"},
		{{.block_io = {.weight = SET(0)}}, "", ""},
		{{.block_io = {.leaf_weight = SET(10)}},
		 "blkio blkio.leaf_weight=10",
		 "/blockIO/leafWeight: cannot set blockIO/leafWeight on cgroup v2"},
		{{.block_io = {.weight_device = {weights, 1}}},
		 "blkio blkio.weight_device=8:0 500|blkio.bfq.weight_device=8:0 500",
		 "io.bfq.weight=8:0 500|io.weight=8:0 4950"},
		{{.block_io = {.weight_device = {leaf_weights, 1}}},
		 "blkio blkio.weight_device=8:16 20|blkio.bfq.weight_device=8:16 20; "
		 "blkio blkio.leaf_weight_device=8:16 30",
		 "/blockIO/weightDevice/0: cannot set blockIO/weightDevice/0 on cgroup v2"},
		{{.block_io = {.throttle_read_bps = {rates, 2}, .throttle_write_bps = {rates, 1}}},
		 "blkio blkio.throttle.read_bps_device=8:0 1000; "
		 "blkio blkio.throttle.read_bps_device=8:16 0; "
		 "blkio blkio.throttle.write_bps_device=8:0 1000",
		 "io.max=8:0 rbps=1000; io.max=8:16 rbps=max; io.max=8:0 wbps=1000"},
		{{.block_io = {.throttle_read_iops = {rates, 1},
			       .throttle_write_iops = {rates, 1}}},
		 "blkio blkio.throttle.read_iops_device=8:0 1000; "
		 "blkio blkio.throttle.write_iops_device=8:0 1000",
		 "io.max=8:0 riops=1000; io.max=8:0 wiops=1000"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static struct spec_hugepage_limit pages[] = {{"2MB", 1 << 21}};
static struct spec_hugepage_limit bad_pages[] = {{"2MB", 1}, {"../x", 1}};
static struct spec_net_priority priorities[] = {{"eth0", 5}};
static struct spec_rdma rdmas[] = {{"mlx5_0", SET(2), SET(0)}, {"mlx5_1", {0}, SET(9)}};

static void other_controllers(void **state)
{
	static const struct row rows[] = {
		{{.hugepage_limits = {pages, 1}},
		 "hugetlb hugetlb.2MB.limit_in_bytes=2097152; "
		 "hugetlb hugetlb.2MB.rsvd.limit_in_bytes=2097152?",
		 "hugetlb.2MB.max=2097152; hugetlb.2MB.rsvd.max=2097152?"},
		{{.hugepage_limits = {bad_pages, 2}},
		 "/hugepageLimits/1: hugepage size must look like \"2MB\" or \"1GB\"",
		 "/hugepageLimits/1: hugepage size must look like \"2MB\" or \"1GB\""},
		{{.network_class_id = SET(0x100001)},
		 "net_cls net_cls.classid=1048577",
		 "/network/classID: cannot set network/classID on cgroup v2"},
		{{.network_priorities = {priorities, 1}},
		 "net_prio net_prio.ifpriomap=eth0 5",
		 "/network/priorities: cannot set network/priorities on cgroup v2"},
		{{.rdma = {rdmas, 2}},
		 "rdma rdma.max=mlx5_0 hca_handle=2 hca_object=0; "
		 "rdma rdma.max=mlx5_1 hca_object=9",
		 "rdma.max=mlx5_0 hca_handle=2 hca_object=0; rdma.max=mlx5_1 hca_object=9"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static struct str_pair unified[] = {{"memory.high", "1000"}, {"io.max", "8:0 rbps=1\n8:16 rbps=2"}};
static struct str_pair slash[] = {{"../x.y", "1"}};
static struct str_pair no_dot[] = {{"x~", "1"}};
static struct str_pair processes[] = {{"cgroup.procs", "1"}};
static struct str_pair threads[] = {{"cgroup.threads", "1"}};

static void unified_is_of_version_2(void **state)
{
	static const char refused[] =
		"/unified: invalid configuration: cannot use unified on cgroup v1";
	static const struct row rows[] = {
		{{.unified = {unified, 2}, .memory = {.limit = SET(1)}},
		 refused,
		 "memory.max=1; memory.high=1000; io.max=8:0 rbps=1\n8:16 rbps=2"},
		{{.unified = {slash, 1}},
		 refused,
		 "/unified/..~1x.y: unified resource \"../x.y\" must be a file name (no slashes)"},
		{{.unified = {no_dot, 1}},
		 refused,
		 "/unified/x~0: unified resource \"x~\" must be in the form CONTROLLER.PARAMETER"},
		{{.unified = {processes, 1}},
		 refused,
		 "/unified/cgroup.procs: "
		 "unified resource \"cgroup.procs\" is no limit: it takes processes"},
		{{.unified = {threads, 1}},
		 refused,
		 "/unified/cgroup.threads: "
		 "unified resource \"cgroup.threads\" is no limit: it takes processes"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		check(&rows[i]);
}

static void a_limit_of_a_missing_controller_is_refused(void **state)
{
	static const struct cgroup_host few = {CGROUP_HYBRID, all_of_v1, 1, NULL},
					none = {.layout = CGROUP_NONE};
	static const struct spec_resources memory = {.memory = {.limit = SET(1)}},
					   cpu = {.cpu = {.shares = SET(2)}};

	(void)state;
	assert_string_equal(writes(&few, &cpu), "cpu cpu.shares=2");
	assert_string_equal(writes(&few, &memory),
			    "/memory/limit: "
			    "cgroup controller \"memory\" is not available on this machine");
	assert_int_equal(e.code, ERR_UNSUPPORTED);
	assert_string_equal(writes(&none, &cpu),
			    "/cpu/shares: "
			    "cgroup controller \"cpu\" is not available on this machine");
}

static void every_share_has_the_weight_of_the_formula(void **state)
{
	(void)state;
	assert_int_equal(cgroup_weight_of_shares(0), 0);
	assert_int_equal(cgroup_weight_of_shares(1), 1);
	for (uint64_t shares = 2; shares <= 262144; shares++) {
		double l = log2((double)shares),
		       weight = ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));

		if (cgroup_weight_of_shares(shares) != (uint64_t)weight)
			fail_msg("%llu shares: %g", (unsigned long long)shares, weight);
	}
	assert_int_equal(cgroup_weight_of_shares(1024), 100);
	assert_int_equal(cgroup_weight_of_shares(262144), 10000);
	assert_int_equal(cgroup_weight_of_shares(UINT64_MAX), 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_resources_are_no_writes),
		cmocka_unit_test(memory_limits),
		cmocka_unit_test(the_check_before_update_goes_with_the_limit),
		cmocka_unit_test(cpu_limits),
		cmocka_unit_test(pids_limit),
		cmocka_unit_test(block_devices),
		cmocka_unit_test(other_controllers),
		cmocka_unit_test(unified_is_of_version_2),
		cmocka_unit_test(a_limit_of_a_missing_controller_is_refused),
		cmocka_unit_test(every_share_has_the_weight_of_the_formula),
	};

	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
