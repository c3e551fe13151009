/*
 * Device rules: whatever the list, the program and the writes of version 1 mean what the rules
 * mean. A rule is four bytes; the rest of the input, behind a rule of the type 0xff, is read as a
 * devices.list.
 */
#include "cgroup/devices.h"
#include "device_oracle.h" /* in tests/unit */
#include "frame.h"

#define RULES_MAX 60

/* Small numbers meet each other; the others are at the edges. */
static int64_t number_of(uint8_t byte)
{
	static const int64_t edges[] = {-1, 4095, 1048575, 0x7fffffff, 0x80000000ll, UINT32_MAX};

	return byte < 250 ? byte / 16 : edges[byte - 250];
}

static struct spec_device_rule rule_of(const uint8_t bytes[4])
{
	static const char access[][4] = {"r", "w", "rw", "m", "rm", "wm", "rwm", "mwr"};

	return (struct spec_device_rule){
		.allow = bytes[0] & 1,
		.type = "abbbccc"[bytes[0] / 2 % 7],
		.major = number_of(bytes[1]),
		.minor = number_of(bytes[2]),
		.access = access[bytes[3] % 8],
	};
}

static void check_program(const struct device_list *list, const struct spec_device_rules *rules,
			  const struct bpf_insn *program, size_t count)
{
	static bool seen[6 * RULES_MAX + 16];

	if (count > sizeof(seen) || !device_machine_all_reached(program, count, seen))
		fuzz_broken("the verifier would refuse the program");
	for (size_t i = 0; i < rules->count * rules->count * 16; i++) {
		/* Numbers that rules speak of and, by the wildcard's -1, one that none does. */
		struct device_request request = {
			.type = i % 2 ? 'b' : 'c',
			.access = (unsigned)(i / 2 % 8),
			.major = (uint32_t)rules->item[i / 16 / rules->count].major,
			.minor = (uint32_t)rules->item[i / 16 % rules->count].minor,
		};

		if (device_machine_run(program, count, &request) !=
		    device_oracle_allows(list, &request))
			fuzz_broken("the program and the rules differ");
	}
}

static bool same_policy(const struct device_policy *a, const struct device_policy *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->item[i].type != b->item[i].type || a->item[i].access != b->item[i].access ||
		    a->item[i].major != b->item[i].major || a->item[i].minor != b->item[i].minor)
			return false;
	return true;
}

/*
 * The writes that make the policy in a new cgroup, read back as the kernel would list them, are the
 * policy.
 */
static void check_writes(const struct device_policy *policy, struct arena *a, struct err *e)
{
	const struct device_policy fresh = {.allow = !policy->allow};
	struct device_policy again;
	struct device_writes writes;
	struct str list;

	if (devices_transition(&fresh, policy, a, &writes, e))
		fuzz_broken("%s", e->text);
	str_init(&list, a);
	for (size_t i = 1; i < writes.count; i++) {
		str_add(&list, writes.item[i].text);
		str_add_char(&list, '\n');
	}
	if (devices_parse_list(list.text, a, &again, e) || !same_policy(&again, policy))
		fuzz_broken("the writes are not the policy");
}

static void check_rules(const struct spec_device_rules *rules, struct arena *a, struct err *e)
{
	struct device_list list = {0};
	struct device_policy policy;
	struct bpf_insn *program;
	size_t count;

	for (size_t i = 0; i < rules->count; i++)
		device_oracle_apply(&list, &rules->item[i]);
	if (!devices_normalise(rules, a, &policy, e) == list.unknown)
		fuzz_broken(
			"the rules were taken and should not have been, or the other way round");
	if (list.unknown)
		return;
	if (devices_compile(&policy, a, &program, &count, e))
		fuzz_broken("%s", e->text);
	check_program(&list, rules, program, count);
	check_writes(&policy, a, e);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	const uint8_t *data = (const uint8_t *)text;
	struct spec_device_rule item[RULES_MAX];
	struct spec_device_rules rules = {.item = item};
	struct device_policy policy;
	struct err e;

	for (; length >= 4 && *data != 0xff && rules.count < RULES_MAX; data += 4, length -= 4)
		item[rules.count++] = rule_of(data);
	check_rules(&rules, a, &e);
	(void)!devices_parse_list((const char *)data, a, &policy, &e);
}
