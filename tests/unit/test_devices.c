/*
 * Device rules: what they amount to, the programs and writes that they become, and, as root, what
 * the kernel then does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "cgroup/devices.h"
#include "cgroup/knob.h"
#include "device_oracle.h"

/* "+c 1:3 rwm; -a" as rules: + allows, - denies; the numbers of an 'a' may be left out. */
static struct spec_device_rules rules_of(const char *text)
{
	struct spec_device_rule *item = arena_get_array(&arena, 64, sizeof(*item), &e);
	size_t count = 0;

	for (; *text; text += strspn(text, "; ")) {
		struct spec_device_rule *rule = &item[count++];
		char major[16] = "*", minor[16] = "*", *access = arena_get(&arena, 8, &e);

		*rule = (struct spec_device_rule){.allow = *text == '+', .type = text[1]};
		strcpy(access, "rwm");
		(void)sscanf(text + 2, " %15[^:]:%15s %7[rwm]", major, minor, access);
		if (rule->type == 'a')
			strcpy(major, "*");
		rule->major = *major == '*' ? -1 : atoll(major);
		rule->minor = rule->type == 'a' || *minor == '*' ? -1 : atoll(minor);
		rule->access = access;
		text += strcspn(text, ";");
	}
	return (struct spec_device_rules){.item = item, .count = count};
}

static struct spec_device_rules with_tail(const char *text)
{
	struct spec_resources resources = {.devices = rules_of(text)};
	struct spec_device_rules rules;

	assert_int_equal(cgroup_device_rules(&resources, &arena, &rules, &e), 0);
	return rules;
}

static struct device_policy policy_of(const struct spec_device_rules *rules)
{
	struct device_policy policy;

	if (devices_normalise(rules, &arena, &policy, &e))
		fail_msg("%s", e.text);
	return policy;
}

/*
 * The writes from what text `from` amounts to, to what text `to` amounts to: "deny a; allow c 1:3
 * rwm".
 */
static const char *transition(const char *from, const char *to)
{
	struct spec_device_rules a = rules_of(from), b = rules_of(to);
	struct device_policy now = policy_of(&a), wanted = policy_of(&b);
	struct device_writes writes;
	struct str text;

	assert_int_equal(devices_transition(&now, &wanted, &arena, &writes, &e), 0);
	str_init(&text, &arena);
	for (size_t i = 0; i < writes.count; i++)
		str_addf(&text, "%s%s %s", i ? "; " : "", writes.item[i].allow ? "allow" : "deny",
			 writes.item[i].text);
	return str_end(&text, &e);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void appends_the_fixed_tail(void **state)
{
	struct spec_device_rules rules;

	(void)state;
	assert_int_equal(cgroup_device_rules(NULL, &arena, &rules, &e), 0);
	assert_int_equal(rules.count, 11);
	rules = with_tail("-a; +c 10:229 rw");
	assert_int_equal(rules.count, 13);
	assert_int_equal(rules.item[1].minor, 229);
	assert_int_equal(rules.item[12].major, 10);
	assert_int_equal(rules.item[12].minor, 200);
}

static void refuses_rules_that_no_kernel_takes(void **state)
{
	static const struct {
		struct spec_device_rule rule;
		const char *text, *pointer;
	} rows[] = {
		{{.type = 'c', .major = -1, .minor = -1, .access = ""},
		 "device access at 0 field cannot be empty",
		 "/linux/resources/devices/0/access"},
		{{.type = 'c', .major = -1, .minor = -1},
		 "device access at 0 field cannot be empty",
		 "/linux/resources/devices/0/access"},
		{{.type = 'c', .major = -1, .minor = -1, .access = "rx"},
		 "invalid device access \"rx\": r, w and m are possible",
		 "/linux/resources/devices/0/access"},
		{{.type = 'x', .major = -1, .minor = -1, .access = "r"},
		 "invalid cgroup device type \"x\"",
		 "/linux/resources/devices/0/type"},
		{{.type = 'c', .major = 1ll << 32, .minor = -1, .access = "r"},
		 "device major number 4294967296 is out of range",
		 "/linux/resources/devices/0/major"},
		{{.type = 'c', .major = 1, .minor = -2, .access = "r"},
		 "device minor number -2 is out of range",
		 "/linux/resources/devices/0/minor"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct spec_device_rule rule = rows[i].rule;
		struct spec_resources resources = {.devices = {.item = &rule, .count = 1}};
		struct spec_device_rules rules;

		assert_int_equal(cgroup_device_rules(&resources, &arena, &rules, &e), -1);
		assert_int_equal(e.code, ERR_INVALID);
		assert_string_equal(e.text, rows[i].text);
		assert_string_equal(e.pointer, rows[i].pointer);
	}
}

static void refuses_holes_in_wildcards(void **state)
{
	static const struct {
		const char *rules, *text;
	} rows[] = {
		{"-a; +c *:* rwm; -c 1:3 w",
		 "requested rule [c 1:3 w] not supported by devices cgroupv1 "
		 "(cannot punch hole in existing wildcard rule [c *:* rwm])"},
		{"+a; -b 8:* rw; +b 8:1 r",
		 "requested rule [b 8:1 r] not supported by devices cgroupv1 "
		 "(cannot punch hole in existing wildcard rule [b 8:* rw])"},
		{"+c 1:* r; -c *:3 r", "requested rule [c *:3 r] not supported by devices cgroupv1 "
				       "(cannot punch hole in existing wildcard rule [c 1:* r])"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct spec_device_rules rules = rules_of(rows[i].rules);
		struct device_policy policy;

		assert_int_equal(devices_normalise(&rules, &arena, &policy, &e), -1);
		assert_string_equal(e.text, rows[i].text);
	}
}

static void denying_takes_narrower_rules_back(void **state)
{
	struct spec_device_rules rules = rules_of("+c 1:3 rwm; +c 1:5 rw; +b 1:3 r; -c *:* wm");
	struct device_policy policy = policy_of(&rules);

	(void)state;
	assert_false(policy.allow);
	assert_int_equal(policy.count, 3);
	assert_int_equal(policy.item[0].access, BPF_DEVCG_ACC_READ);
	assert_int_equal(policy.item[1].access, BPF_DEVCG_ACC_READ);
	assert_int_equal(policy.item[2].type, 'b');
}

static void drops_what_is_covered(void **state)
{
	struct spec_device_rules rules =
		rules_of("+c 1:3 rw; +c 1:5 rwm; +c 1:* rw; +c *:7 r; +c 1:7 r; +b 1:3 r");
	struct device_policy policy = policy_of(&rules);

	(void)state;
	assert_int_equal(policy.count, 4); /* 1:5 rwm, 1:*, *:7, b 1:3 */
}

/* ---- version 1 ------------------------------------------------------------------------------- */

static void writes_only_what_changes(void **state)
{
	static const struct {
		const char *from, *to, *writes;
	} rows[] = {
		{"+a", "+a", ""},
		{"-a", "-a", ""},
		{"+a", "-a", "deny a"},
		{"-a; +c 1:3 r", "+a", "allow a"},
		{"+a", "-a; +c 1:3 rw; +b *:* m", "deny a; allow c 1:3 rw; allow b *:* m"},
		{"-a; +c 1:3 r", "-a; +c 1:3 rw", "allow c 1:3 w"},
		{"-a; +c 1:3 rwm; +c 4:* r", "-a; +c 1:3 r", "deny c 1:3 wm; deny c 4:* r"},
		{"-a; +c 1:3 r", "-a; +c 1:5 r", "allow c 1:5 r; deny c 1:3 r"},
		{"-a", "+a; -b 8:0 w", "allow a; deny b 8:0 w"},
		{"+a", "+a; -b 8:0 w", "deny b 8:0 w"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(transition(rows[i].from, rows[i].to), rows[i].writes);
}

static void reads_the_kernels_list(void **state)
{
	struct device_policy policy;

	(void)state;
	assert_int_equal(devices_parse_list("a *:* rwm\n", &arena, &policy, &e), 0);
	assert_true(policy.allow);
	assert_int_equal(
		devices_parse_list("c 1:3 rwm\nb *:* m\nc 136:* rw\n", &arena, &policy, &e), 0);
	assert_false(policy.allow);
	assert_int_equal(policy.count, 3);
	assert_int_equal(policy.item[1].major, -1);
	assert_int_equal(policy.item[2].access, BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE);
	assert_int_equal(devices_parse_list("", &arena, &policy, &e), 0);
	assert_false(policy.allow);
	assert_int_equal(devices_parse_list("c 1:x rwm\n", &arena, &policy, &e), -1);
	assert_string_equal(e.text, "devices.list has a line that is none: \"c 1:x rwm\n\"");
}

/* ---- version 2 ------------------------------------------------------------------------------- */

static const uint32_t edge_numbers[] = {0,   1,    2,       3,          4,          5,         136,
					137, 4095, 1048575, 0x7fffffff, 0x80000000, UINT32_MAX};

/* Every request at the edges of the rules gets the same answer from program and rules. */
static void check_program(const struct spec_device_rules *rules, const struct bpf_insn *program,
			  size_t count)
{
	struct device_list list = {0};

	for (size_t i = 0; i < rules->count; i++)
		device_oracle_apply(&list, &rules->item[i]);
	assert_false(list.unknown);
	for (size_t i = 0; i < 2 * array_len(edge_numbers) * array_len(edge_numbers) * 8; i++) {
		size_t minor = i / 16 % array_len(edge_numbers),
		       major = i / 16 / array_len(edge_numbers);
		struct device_request request = {
			.type = i % 2 ? 'b' : 'c',
			.access = (unsigned)(i / 2 % 8),
			.major = edge_numbers[major],
			.minor = edge_numbers[minor],
		};
		int answer = device_machine_run(program, count, &request);

		if (answer != device_oracle_allows(&list, &request))
			fail_msg("%c %u:%u access %u: %d", request.type, request.major,
				 request.minor, request.access, answer);
	}
}

/* Compiles and checks; returns the number of instructions. */
static size_t compile(const struct spec_device_rules *rules)
{
	struct device_policy policy = policy_of(rules);
	struct bpf_insn *program;
	bool seen[1024];
	size_t count;

	assert_int_equal(devices_compile(&policy, &arena, &program, &count, &e), 0);
	assert_in_range(count, 2, array_len(seen));
	assert_true(device_machine_all_reached(program, count, seen));
	check_program(rules, program, count);
	return count;
}

static void compiles_to_short_programs(void **state)
{
	static const struct {
		const char *rules;
		size_t count;
	} rows[] = {
		{"-a", 2},
		{"+a", 2},
		{"+c *:* rwm; +b *:* rwm", 2},
		{"+c *:* rwm", 6},
		{"+a; -c *:* rwm", 6},
		{"+c 1:3 rwm", 9},
		{"+c 136:* rwm", 7},
		{"+c *:3 r", 9},
	};
	struct spec_device_rules rules = with_tail("-a");

	(void)state;
	assert_int_equal(compile(&rules), 21);
	for (size_t i = 0; i < array_len(rows); i++) {
		rules = rules_of(rows[i].rules);
		assert_int_equal(compile(&rules), rows[i].count);
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	return *seed ^= *seed << 5;
}

static struct spec_device_rules random_rules(uint32_t *seed)
{
	static const char access[][4] = {"r", "w", "m", "rw", "rm", "wm", "rwm", "rwm"};
	static const int64_t numbers[] = {-1,   -1,           0,         1, 1, 3, 5, 136,
					  4095, 0x80000000ll, UINT32_MAX};
	size_t count = next_random(seed) % 12;
	struct spec_device_rule *item = arena_get_array(&arena, 12, sizeof(*item), &e);

	for (size_t i = 0; i < count; i++)
		item[i] = (struct spec_device_rule){
			.allow = next_random(seed) % 3,
			.type = "aabbbbbbccccccc"[next_random(seed) % 15],
			.major = numbers[next_random(seed) % array_len(numbers)],
			.minor = numbers[next_random(seed) % array_len(numbers)],
			.access = access[next_random(seed) % array_len(access)],
		};
	return (struct spec_device_rules){.item = item, .count = count};
}

static void random_rules_compile_to_what_they_say(void **state)
{
	uint32_t seed = 2463534242u;
	int checked = 0;

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct spec_device_rules rules = random_rules(&seed);
		struct device_policy policy;

		if (devices_normalise(&rules, &arena, &policy, &e)) {
			assert_non_null(strstr(e.text, "cannot punch hole"));
			continue;
		}
		(void)compile(&rules);
		checked++;
	}
	assert_true(checked > 200);
}

static void many_rules_stay_within_the_range_of_jumps(void **state)
{
	struct spec_device_rule *item =
		arena_get_array(&arena, DEVICE_EXCEPTIONS_MAX + 1, sizeof(*item), &e);
	struct spec_device_rules rules = {.item = item, .count = DEVICE_EXCEPTIONS_MAX};
	bool *seen = arena_get(&arena, 6 * DEVICE_EXCEPTIONS_MAX, &e);
	struct device_policy policy;
	struct bpf_insn *program;
	size_t count;

	(void)state;
	for (int i = 0; i <= DEVICE_EXCEPTIONS_MAX; i++)
		item[i] = (struct spec_device_rule){
			.allow = true, .type = 'c', .major = i, .minor = i, .access = "r"};
	policy = policy_of(&rules);
	assert_int_equal(devices_compile(&policy, &arena, &program, &count, &e), 0);
	assert_true(count < INT16_MAX);
	assert_true(device_machine_all_reached(program, count, seen));
	rules.count++;
	assert_int_equal(devices_normalise(&rules, &arena, &policy, &e), -1);
	assert_string_equal(e.text, "more than 4000 device rules");
}

/* ---- the kernel ------------------------------------------------------------------------------ */

static char group[256];

/* A cgroup of our own below hierarchy; skips the test where there is none. */
static void make_group(const char *hierarchy, const char *must_have)
{
	if (geteuid() || access(must_have, F_OK)) {
		print_message("skipped: needs root and %s\n", must_have);
		skip();
	}
	(void)snprintf(group, sizeof(group), "%s/creel-test-%d-devices", hierarchy, getpid());
	assert_int_equal(mkdir(group, 0755), 0);
}

static int remove_group(void **state)
{
	(void)state;
	(void)rmdir(group);
	return 0;
}

/*
 * What a process in the group may do, as "null:rw zero:- mknod:ok": run in a child that joins by
 * writing 0.
 */
static const char *tries(const char *knob)
{
	static char text[128];
	char node[64];
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	(void)snprintf(node, sizeof(node), "/tmp/creel-test-%d-node", getpid());
	pid = fork();
	if (!pid) {
		int null, full, node_rc;

		if (knob_write(group, knob, "0"))
			_exit(1);
		null = open("/dev/null", O_RDWR);
		full = open("/dev/full", O_WRONLY);
		if (open("/dev/full", O_RDONLY) < 0)
			full = -2;
		node_rc = mknod(node, S_IFCHR | 0600, makedev(1, 7));
		(void)unlink(node);
		(void)dprintf(fds[1], "null:%s full:%s mknod:%s", null < 0 ? "no" : "rw",
			      full == -2 ? "no"
			      : full < 0 ? "r"
					 : "rw",
			      node_rc ? "no" : "ok");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	text[read(fds[0], text, sizeof(text) - 1)] = '\0';
	(void)close(fds[0]);
	(void)close(fds[1]);
	return text;
}

static const char *in_force(const char *hierarchy, const char *rules_text, const char *knob)
{
	struct cgroup_path place = {hierarchy, group};
	struct cgroup_paths paths = {.item = &place, .count = 1};
	struct spec_device_rules rules = rules_of(rules_text);

	if (cgroup_devices(&paths, &rules, &arena, &e))
		fail_msg("%s", e.text);
	return tries(knob);
}

/* The same rules one after the other on one cgroup, as updates do it. */
static void check_in_force(const char *hierarchy, const char *knob)
{
	static const struct {
		const char *rules, *result;
	} rows[] = {
		{"-a; +c 1:3 rwm", "null:rw full:no mknod:no"},
		{"-a; +c 1:3 rwm; +c 1:7 r", "null:rw full:r mknod:no"},
		{"-a; +c *:* m; +c 1:7 rw", "null:no full:rw mknod:ok"},
		{"-a", "null:no full:no mknod:no"},
		{"+a", "null:rw full:rw mknod:ok"},
		{"+a; -c 1:7 w", "null:rw full:r mknod:ok"},
		{"-a; +c 1:3 rwm", "null:rw full:no mknod:no"},
	};

	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(in_force(hierarchy, rows[i].rules, knob), rows[i].result);
}

static void version_1_does_it(void **state)
{
	(void)state;
	make_group(CGROUP_ROOT "/devices", CGROUP_ROOT "/devices/tasks");
	check_in_force("devices", "tasks");
}

static void version_2_does_it(void **state)
{
	bool hybrid = !access(CGROUP_ROOT "/unified/cgroup.procs", F_OK);

	(void)state;
	make_group(hybrid ? CGROUP_ROOT "/unified" : CGROUP_ROOT,
		   hybrid ? CGROUP_ROOT "/unified" : CGROUP_ROOT "/cgroup.procs");
	check_in_force("", "cgroup.procs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_the_fixed_tail),
		cmocka_unit_test(refuses_rules_that_no_kernel_takes),
		cmocka_unit_test(refuses_holes_in_wildcards),
		cmocka_unit_test(denying_takes_narrower_rules_back),
		cmocka_unit_test(drops_what_is_covered),
		cmocka_unit_test(writes_only_what_changes),
		cmocka_unit_test(reads_the_kernels_list),
		cmocka_unit_test(compiles_to_short_programs),
		cmocka_unit_test(random_rules_compile_to_what_they_say),
		cmocka_unit_test(many_rules_stay_within_the_range_of_jumps),
		cmocka_unit_test_teardown(version_1_does_it, remove_group),
		cmocka_unit_test_teardown(version_2_does_it, remove_group),
	};

	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
