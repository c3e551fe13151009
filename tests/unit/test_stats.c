/*
 * What a cgroup has used: the kernel's files, good and damaged, in plain directories, and the JSON
 * that becomes of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup/stats_parse.h"
#include "container/stats_json.h"
#include "scratch.h"

static struct err e;

/* A text that may be written to. */
static char *text(const char *from)
{
	return arena_copy(&scratch_arena, from, strlen(from), &e);
}

/* ---- parsing --------------------------------------------------------------------------------- */

static void numbers_are_strict(void **state)
{
	static const char *const wrong[] = {"",   " 1",  "1 ",  "-1",      "x",
					    "1x", "0x1", "Max", "maximum", "18446744073709551616"};
	uint64_t number;

	(void)state;
	assert_false(stats_parse_number("0", &number, &e));
	assert_int_equal(number, 0);
	assert_false(stats_parse_number("18446744073709551615", &number, &e));
	assert_false(stats_parse_number("max", &number, &e));
	assert_true(number == UINT64_MAX);
	for (size_t i = 0; i < array_len(wrong); i++) {
		number = 7;
		assert_int_equal(stats_parse_number(wrong[i], &number, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
		assert_int_equal(number, 7);
	}
}

static void lists_become_their_numbers(void **state)
{
	static const char *const wrong[] = {"x",   "3-1",         "1-",     "-1",
					    "1;2", "99999999999", "0-65535"};
	struct stats_numbers list;

	(void)state;
	assert_false(stats_parse_list("0-2,7", &scratch_arena, &list, &e));
	assert_int_equal(list.count, 4);
	assert_int_equal(list.item[2], 2);
	assert_int_equal(list.item[3], 7);
	assert_false(stats_parse_list("", &scratch_arena, &list, &e));
	assert_int_equal(list.count, 0);
	assert_false(stats_parse_numbers(text("17 0 5 "), &scratch_arena, &list, &e));
	assert_int_equal(list.count, 3);
	assert_int_equal(list.item[2], 5);
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_int_equal(stats_parse_list(wrong[i], &scratch_arena, &list, &e), -1);
	assert_int_equal(stats_parse_numbers(text("1 x"), &scratch_arena, &list, &e), -1);
	assert_string_equal(e.text, "\"x\" is not a number");
	assert_int_equal(list.count, 3);
}

static void pairs_have_a_key_and_a_number(void **state)
{
	static const char *const wrong[] = {"a", "a ", "a b", "a 1 2", "a -1", "a  1", " \n"};
	struct stats_pair *pairs;
	size_t count;

	(void)state;
	assert_false(stats_parse_pairs(text("b 2\na 18446744073709551615\n"), &scratch_arena,
				       &pairs, &count, &e));
	assert_int_equal(count, 2);
	assert_string_equal(pairs[1].key, "a");
	assert_true(pairs[1].value == UINT64_MAX);
	for (size_t i = 0; i < array_len(wrong); i++)
		if (stats_parse_pairs(text(wrong[i]), &scratch_arena, &pairs, &count, &e) != -1)
			fail_msg("\"%s\"", wrong[i]);
	assert_int_equal(count, 2);
}

static void processors_have_two_columns(void **state)
{
	static const char *const wrong[] = {"", "cpu user\n0 1 2", "cpu user system\n0 1",
					    "cpu user system\n0 1 x"};
	struct stats_numbers user, kernel;

	(void)state;
	assert_false(stats_parse_usage_all(text("cpu user system\n0 11 12\n1 21 22\n"),
					   &scratch_arena, &user, &kernel, &e));
	assert_int_equal(user.count, 2);
	assert_int_equal(user.item[1], 21);
	assert_int_equal(kernel.item[0], 12);
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_int_equal(
			stats_parse_usage_all(text(wrong[i]), &scratch_arena, &user, &kernel, &e),
			-1);
}

static void pressure_is_in_hundredths(void **state)
{
	static const char *const wrong[] = {"some",
					    "some avg10=0.00",
					    "some avg10=0.00 avg60=0.00 avg300=0.00",
					    "some avg10=0.0 avg60=0.00 avg300=0.00 total=0",
					    "some avg10=0.000 avg60=0.00 avg300=0.00 total=0",
					    "some avg10=nan avg60=0.00 avg300=0.00 total=0",
					    "some avg60=0.00 avg10=0.00 avg300=0.00 total=0",
					    "much avg10=0.00 avg60=0.00 avg300=0.00 total=0"};
	struct stats_pressure pressure;

	(void)state;
	assert_false(stats_parse_pressure(
		text("some avg10=1.25 avg60=100.00 avg300=0.07 total=99\n"
		     "full avg10=0.00 avg60=0.10 avg300=12.00 total=18446744073709551615\n"),
		&pressure, &e));
	assert_true(pressure.given);
	assert_int_equal(pressure.some.avg10, 125);
	assert_int_equal(pressure.some.avg60, 10000);
	assert_int_equal(pressure.some.avg300, 7);
	assert_int_equal(pressure.full.avg60, 10);
	assert_true(pressure.full.total == UINT64_MAX);
	for (size_t i = 0; i < array_len(wrong); i++)
		if (stats_parse_pressure(text(wrong[i]), &pressure, &e) != -1)
			fail_msg("%s", wrong[i]);
}

static void devices_of_version_1_have_operations_or_none(void **state)
{
	static const char *const wrong[] = {"8 Read 1",   "8:0 Read x", "8:0",
					    "8:x Read 1", "8:0 Read",   "total 5"};
	struct stats_io list = {0};

	(void)state;
	assert_false(stats_parse_blkio(text("8:0 Read 17\n8:0 Total 18\n259:3 5\nTotal 40\n"),
				       &scratch_arena, &list, &e));
	assert_int_equal(list.count, 3);
	assert_string_equal(list.item[1].op, "Total");
	assert_int_equal(list.item[2].major, 259);
	assert_int_equal(list.item[2].minor, 3);
	assert_string_equal(list.item[2].op, "");
	assert_int_equal(list.item[2].value, 5);
	for (size_t i = 0; i < array_len(wrong); i++)
		if (stats_parse_blkio(text(wrong[i]), &scratch_arena, &list, &e) != -1)
			fail_msg("%s", wrong[i]);
}

static void devices_of_version_2_are_parted(void **state)
{
	static const char *const wrong[] = {"8 rbytes=1", "8:0 rbytes=x", "8:0 rbytes"};
	struct stats_io list[STATS_IO_KINDS] = {0};

	(void)state;
	assert_false(stats_parse_io(
		text("8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.vrate=1.5\n8:16 \n"),
		&scratch_arena, list, &e));
	assert_int_equal(list[STATS_IO_BYTES].count, 2);
	assert_string_equal(list[STATS_IO_BYTES].item[0].op, "Read");
	assert_int_equal(list[STATS_IO_BYTES].item[0].value, 1);
	assert_int_equal(list[STATS_IO_SERVICED].count, 2);
	assert_string_equal(list[STATS_IO_SERVICED].item[1].op, "Write");
	assert_int_equal(list[STATS_IO_SERVICED].item[1].value, 4);
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_int_equal(stats_parse_io(text(wrong[i]), &scratch_arena, list, &e), -1);
}

/* ---- whole cgroups --------------------------------------------------------------------------- */

static struct cgroup_stats stats;

static int read_as(const char *const *names, size_t count)
{
	struct cgroup_path items[8];

	for (size_t i = 0; i < count; i++)
		items[i] = (struct cgroup_path){names[i], scratch_path};
	return cgroup_stats(&(struct cgroup_paths){items, count}, &scratch_arena, &stats, &e);
}

static int read_v1(void)
{
	static const char *const names[] = {"cpu",  "cpuacct", "cpuset", "memory",
					    "pids", "blkio",   "hugetlb"};

	return read_as(names, array_len(names));
}

static int read_v2(void)
{
	static const char *const names[] = {""};

	return read_as(names, 1);
}

static const char *json(void)
{
	struct json_writer w;
	struct str out;

	str_init(&out, &scratch_arena);
	json_write_init(&w, &out, NULL);
	stats_write(&w, NULL, &stats);
	return str_end(&out, &e);
}

/* What is there whatever a cgroup has. */
#define EMPTY_CPU "\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},\"throttling\":{}}"
#define CPUSET_FLAGS \
	"\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,\"memory_spread_page\":0," \
	"\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":"
#define NO_USAGE "{\"limit\":0,\"failcnt\":0}"

static void an_empty_cgroup_has_what_runc_always_shows(void **state)
{
	static const char wanted[] =
		"{" EMPTY_CPU ",\"cpuset\":{\"cpu_exclusive\":0," CPUSET_FLAGS
		"0,\"sched_relax_domain_level\":0},\"memory\":{\"usage\":" NO_USAGE
		",\"swap\":" NO_USAGE ",\"kernel\":" NO_USAGE ",\"kernelTCP\":" NO_USAGE
		"},\"pids\":{},\"blkio\":{},\"hugetlb\":{},\"intel_rdt\":{},"
		"\"network_interfaces\":null}";

	(void)state;
	assert_false(read_v1());
	assert_string_equal(json(), wanted);
	assert_false(read_v2());
	assert_string_equal(json(), wanted);
	assert_false(read_as(NULL, 0));
	assert_string_equal(json(), wanted);
}

static void version_1_as_json(void **state)
{
	(void)state;
	scratch_file("cpuacct.usage", "1000\n");
	scratch_file("cpuacct.stat", "user 2\nsystem 3\n");
	scratch_file("cpuacct.usage_percpu", "600 400 \n");
	scratch_file("cpuacct.usage_all", "cpu user system\n0 1 2\n1 3 4\n");
	scratch_file("cpu.stat", "nr_periods 5\nnr_throttled 1\nthrottled_time 77\nnr_bursts 0\n");
	scratch_file("cpuset.cpus", "0-1\n");
	scratch_file("cpuset.mems", "0\n");
	scratch_file("cpuset.sched_load_balance", "1\n");
	scratch_file("cpuset.sched_relax_domain_level", "-1\n");
	scratch_file("memory.limit_in_bytes", "9223372036854771712\n");
	scratch_file("memory.usage_in_bytes", "4096\n");
	scratch_file("memory.max_usage_in_bytes", "8192\n");
	scratch_file("memory.failcnt", "3\n");
	scratch_file("memory.memsw.limit_in_bytes", "100\n");
	scratch_file("memory.stat", "rss 1\ncache 55\n");
	scratch_file("pids.current", "2\n");
	scratch_file("pids.max", "10\n");
	scratch_file("blkio.bfq.io_serviced_recursive", "Total 0\n");
	scratch_file("blkio.throttle.io_serviced_recursive", "8:0 Read 1\nTotal 1\n");
	scratch_file("blkio.throttle.io_service_bytes_recursive", "8:0 Read 512\nTotal 512\n");
	scratch_file("hugetlb.2MB.usage_in_bytes", "2097152\n");
	scratch_file("hugetlb.2MB.max_usage_in_bytes", "4194304\n");
	scratch_file("hugetlb.2MB.failcnt", "1\n");
	scratch_file("hugetlb.2MB.rsvd.usage_in_bytes", "9\n");
	scratch_file("hugetlb.1GB.usage_in_bytes", "0\n");
	assert_false(read_v1());
	assert_string_equal(
		json(),
		"{\"cpu\":{\"usage\":{\"total\":1000,\"percpu\":[600,400],\"percpu_kernel\":[2,4],"
		"\"percpu_user\":[1,3],\"kernel\":30000000,\"user\":20000000},\"throttling\":{"
		"\"periods\":5,\"throttledPeriods\":1,\"throttledTime\":77}},\"cpuset\":{"
		"\"cpus\":[0,1],\"cpu_exclusive\":0,\"mems\":[0]," CPUSET_FLAGS
		"1,\"sched_relax_domain_level\":-1},\"memory\":{\"cache\":55,\"usage\":{"
		"\"limit\":9223372036854771712,\"usage\":4096,\"max\":8192,\"failcnt\":3},\"swap\":"
		"{\"limit\":100,\"failcnt\":0},\"kernel\":" NO_USAGE ",\"kernelTCP\":" NO_USAGE
		",\"raw\":{\"cache\":55,\"rss\":1}},\"pids\":{\"current\":2,\"limit\":10},"
		"\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\","
		"\"value\":512}],\"ioServicedRecursive\":[{\"major\":8,\"op\":\"Read\","
		"\"value\":1}]},\"hugetlb\":{\"1GB\":{\"failcnt\":0},\"2MB\":{\"usage\":2097152,"
		"\"max\":4194304,\"failcnt\":1}},\"intel_rdt\":{},\"network_interfaces\":null}");
}

static void version_2_as_json(void **state)
{
	(void)state;
	scratch_file("cpu.stat", "usage_usec 7\nuser_usec 4\nsystem_usec 3\nnr_periods 0\n"
				 "nr_throttled 0\nthrottled_usec 2\n");
	scratch_file("cpu.pressure", "some avg10=1.50 avg60=0.05 avg300=10.00 total=9\n"
				     "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	scratch_file("cpuset.cpus.effective", "1\n");
	scratch_file("memory.max", "max\n");
	scratch_file("memory.current", "4096\n");
	scratch_file("memory.peak", "8192\n");
	scratch_file("memory.swap.max", "0\n");
	scratch_file("memory.swap.current", "100\n");
	scratch_file("memory.stat", "file 66\nanon 1\n");
	scratch_file("pids.current", "2\n");
	scratch_file("pids.max", "max\n");
	scratch_file("io.stat", "8:16 rbytes=512 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n");
	scratch_file("hugetlb.2MB.current", "2097152\n");
	scratch_file("hugetlb.2MB.events", "max 4\n");
	scratch_file("hugetlb.2MB.rsvd.current", "9\n");
	assert_false(read_v2());
	assert_string_equal(
		json(),
		"{\"cpu\":{\"usage\":{\"total\":7000,\"kernel\":3000,\"user\":4000},\"throttling\":"
		"{\"throttledTime\":2000},\"psi\":{\"some\":{\"avg10\":1.5,\"avg60\":0.05,"
		"\"avg300\":10,\"total\":9},\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,"
		"\"total\":0}}},\"cpuset\":{\"cpus\":[1],\"cpu_exclusive\":0," CPUSET_FLAGS
		"0,\"sched_relax_domain_level\":0},\"memory\":{\"cache\":66,\"usage\":{"
		"\"limit\":18446744073709551615,\"usage\":4096,\"max\":8192,\"failcnt\":0},"
		"\"swap\":{\"limit\":18446744073709551615,\"usage\":4196,\"failcnt\":0},"
		"\"kernel\":" NO_USAGE ",\"kernelTCP\":" NO_USAGE ",\"raw\":{\"anon\":1,"
		"\"file\":66}},\"pids\":{\"current\":2},\"blkio\":{\"ioServiceBytesRecursive\":[{"
		"\"major\":8,\"minor\":16,\"op\":\"Read\",\"value\":512},{\"major\":8,"
		"\"minor\":16,\"op\":\"Write\"}],\"ioServicedRecursive\":[{\"major\":8,"
		"\"minor\":16,\"op\":\"Read\",\"value\":1},{\"major\":8,\"minor\":16,"
		"\"op\":\"Write\"}]},\"hugetlb\":{\"2MB\":{\"usage\":2097152,\"failcnt\":4}},"
		"\"intel_rdt\":{},\"network_interfaces\":null}");
}

static void a_damaged_file_is_named(void **state)
{
	static const struct {
		const char *file, *content;
	} cases[] = {
		{"cpu.stat", "usage_usec many\n"},
		{"cpu.pressure", "\xff\xfe"},
		{"memory.max", "17 apples\n"},
		{"memory.stat", "anon\n"},
		{"pids.current", "-1\n"},
		{"pids.max", "\n"},
		{"io.stat", "disk rbytes=1\n"},
		{"cpuset.cpus.effective", "0-99999999\n"},
		{"hugetlb.2MB.current", "99999999999999999999999999999999999\n"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(cases); i++) {
		const char *path = scratch_name(cases[i].file);

		scratch_file("hugetlb.2MB.current", "0\n");
		scratch_file(cases[i].file, cases[i].content);
		assert_int_equal(read_v2(), -1);
		assert_int_equal(e.code, ERR_INVALID);
		if (!strstr(e.text, path))
			fail_msg("%s is not in: %s", path, e.text);
		scratch_file(cases[i].file, "");
		unlink(path);
	}
}

static void a_file_without_end_is_refused(void **state)
{
	size_t size = (2 << 20) + 1;
	char *endless = arena_get(&scratch_arena, size, &e);

	(void)state;
	memset(endless, '1', size - 1);
	scratch_file("memory.stat", endless);
	assert_int_equal(read_v2(), -1);
	assert_non_null(strstr(e.text, "memory.stat is larger than"));
}

#define each(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		each(numbers_are_strict),
		each(lists_become_their_numbers),
		each(pairs_have_a_key_and_a_number),
		each(processors_have_two_columns),
		each(pressure_is_in_hundredths),
		each(devices_of_version_1_have_operations_or_none),
		each(devices_of_version_2_are_parted),
		each(an_empty_cgroup_has_what_runc_always_shows),
		each(version_1_as_json),
		each(version_2_as_json),
		each(a_damaged_file_is_named),
		each(a_file_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
