/*
 * The seccomp compiler against libseccomp: the same profile goes to both, both filters run in one
 * machine, for every system call number and arguments around the values that the profile compares
 * with.
 *
 * What is known to differ, of libseccomp 2.5.4, is kept apart:
 * - The ENOSYS rule is runc's addition, so it is put before what libseccomp says (as runc puts code
 * before it).
 * - Random profiles go to it one architecture at a time, without the calls that the architecture
 * lacks: otherwise it can forget to load the system call number, and compares the architecture with
 * it.
 * - Random profiles compare with EQ, NE and MASKED_EQ: several 64-bit limits on one argument
 * confuse its tree.
 * - Rules of several conditions on one call can hide one another in its tree. Where the filters
 * differ there, the plain reading (seccomp_naive.h) must agree with ours, and it may not be often.
 * - Conditional rules of one call have one action: with several it refuses some profiles and loops
 * for ever on others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <json-c/json.h>
/* The library has a function of the same name. */
#define seccomp_load libseccomp_load
#include <seccomp.h>
#undef seccomp_load
#include <sys/mman.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "bpf_machine.h"
#include "seccomp_naive.h"
#include "seccomp_profiles.h"

/* The library loses nodes of its tree when it joins rules of one call. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libseccomp.so";
}

#define PROFILE "/usr/share/containers/seccomp.json"

/* ---- tables ---------------------------------------------------------------------------------- */

/* MIPS and x32 count from elsewhere. */
static int first_number(uint32_t abi)
{
	return abi == SPEC_ARCH_X32
		       ? 0x40000000
		       : seccomp_syscall_resolve_name_arch(abi, "openat") / 1000 * 1000;
}

static void check_names(uint32_t abi, int first, int last)
{
	for (int number = first; number <= last; number++) {
		char *name = seccomp_syscall_resolve_num_arch(abi, number);

		if (name)
			assert_int_equal(seccomp_syscall_number(abi, name), number);
		free(name);
	}
}

static void test_tables_are_libseccomps(void **state)
{
	static const char *const archs[] = {
		"x86_64",    "x86",     "x32",      "arm",         "aarch64", "mips",     "mips64",
		"mips64n32", "mipsel",  "mipsel64", "mipsel64n32", "parisc",  "parisc64", "ppc",
		"ppc64",     "ppc64le", "s390",     "s390x",       "riscv64"};

	(void)state;
	for (size_t i = 0; i < array_len(archs); i++) {
		uint32_t abi = seccomp_arch_resolve_name(archs[i]);

		assert_int_not_equal(seccomp_syscall_number(abi, "openat"), -1);
		assert_int_equal(seccomp_syscall_number(abi, "openat"),
				 seccomp_syscall_resolve_name_arch(abi, "openat"));
		assert_int_equal(seccomp_syscall_number(abi, "no_such_call"), -1);
		check_names(abi, first_number(abi), first_number(abi) + 700);
		check_names(abi, 0xf0000, 0xf0010);
	}
}

/* ---- the library's filter -------------------------------------------------------------------- */

struct filter {
	struct sock_filter code[BPF_MAXINSNS];
	size_t length;
};

static bool add_rule(scmp_filter_ctx context, const struct spec_seccomp_rule *rule,
		     const char *name, uint32_t ret)
{
	static const enum scmp_compare ops[] = {
		[OP_NE] = SCMP_CMP_NE,
		[OP_LT] = SCMP_CMP_LT,
		[OP_LE] = SCMP_CMP_LE,
		[OP_EQ] = SCMP_CMP_EQ,
		[OP_GE] = SCMP_CMP_GE,
		[OP_GT] = SCMP_CMP_GT,
		[OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};
	int number = seccomp_syscall_resolve_name(name);
	struct scmp_arg_cmp args[6];
	unsigned seen[6] = {0};
	bool repeated = false;

	if (number == __NR_SCMP_ERROR)
		return true;
	for (size_t i = 0; i < rule->arg_count; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];

		repeated |= seen[arg->index]++ > 0;
		args[i] =
			(struct scmp_arg_cmp){arg->index, ops[arg->op], arg->value, arg->value_two};
	}
	if (!repeated)
		return !seccomp_rule_add_array(context, ret, number, (unsigned)rule->arg_count,
					       args);
	for (size_t i = 0; i < rule->arg_count; i++)
		if (seccomp_rule_add_array(context, ret, number, 1, &args[i]))
			return false;
	return true;
}

static bool has_call(uint32_t abi, const char *name)
{
	unsigned unused;

	return seccomp_syscall_number(abi, name) >= 0 || naive_multiplexer(abi, name, &unused) >= 0;
}

static bool is_action(uint32_t ret)
{
	static const uint32_t all[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_TRAP,
				       SECCOMP_RET_ERRNO,        SECCOMP_RET_TRACE,
				       SECCOMP_RET_LOG,          SECCOMP_RET_ALLOW};

	if (ret == SECCOMP_RET_KILL_THREAD)
		return true;
	for (size_t i = 0; i < array_len(all); i++)
		if (all[i] == (ret & SECCOMP_RET_ACTION_FULL))
			return true;
	return false;
}

/*
 * The library writes the byte order of the architecture, except for returns that it adds in large
 * filters.
 */
static void swap_bytes(struct filter *filter)
{
	for (size_t i = 0; i < filter->length; i++) {
		struct sock_filter *at = &filter->code[i];

		at->code = __builtin_bswap16(at->code);
		at->k = __builtin_bswap32(at->k);
		if (at->code == (BPF_RET | BPF_K) && !is_action(at->k))
			at->k = __builtin_bswap32(at->k);
	}
}

/* Makes the library's filter in the way that runc does; false when it refuses a rule. */
static bool library_filter(const struct spec_seccomp *p, const uint32_t *archs, size_t arch_count,
			   unsigned optimize, struct filter *ret)
{
	uint32_t usual = naive_action(p->default_action, p->default_errno_ret);
	scmp_filter_ctx context = seccomp_init(usual);
	int fd = memfd_create("filter", MFD_CLOEXEC);
	bool good = true;

	assert_non_null(context);
	assert_int_equal(seccomp_arch_remove(context, SCMP_ARCH_NATIVE), 0);
	for (size_t i = 0; i < arch_count; i++)
		assert_int_equal(seccomp_arch_add(context, archs[i]), 0);
	assert_int_equal(seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, optimize), 0);
	for (size_t i = 0; good && i < p->rule_count; i++) {
		uint32_t ret_value = naive_action(p->rules[i].action, p->rules[i].errno_ret);

		for (size_t n = 0; good && ret_value != usual && n < p->rules[i].names.count; n++)
			if (arch_count > 1 || has_call(archs[0], p->rules[i].names.item[n]))
				good = add_rule(context, &p->rules[i], p->rules[i].names.item[n],
						ret_value);
	}
	if (good) {
		assert_int_equal(seccomp_export_bpf(context, fd), 0);
		ret->length =
			(size_t)pread(fd, ret->code, sizeof(ret->code), 0) / sizeof(ret->code[0]);
	}
	if (good && !(archs[0] & __AUDIT_ARCH_LE))
		swap_bytes(ret);
	(void)close(fd);
	seccomp_release(context);
	return good;
}

/* ---- comparing ------------------------------------------------------------------------------- */

struct comparison {
	const struct spec_seccomp *p;
	uint32_t native;
	struct seccomp_program ours;
	struct filter theirs;
	struct choices *choices;
	/* the architecture asked about last, and its newest named call */
	uint32_t newest_abi, newest;
	unsigned long calls, steps, their_steps;
	/* where the filters differ, the plain reading of the profile decides */
	bool excusable;
	unsigned long excused; /* calls in which it was libseccomp that was wrong */
};

/* Whether the ENOSYS rule answers, before any filter. */
static bool is_of_the_future(struct comparison *c, uint32_t abi, uint32_t nr)
{
	enum seccomp_action action = c->p->default_action;

	if (action == ACT_ALLOW || action == ACT_LOG || action == ACT_TRACE)
		return false;
	if (abi != c->newest_abi || !abi) {
		c->newest_abi = abi;
		c->newest = naive_listed(c->p, c->native, abi) ? naive_newest(c->p, abi) : 0;
	}
	return c->newest &&
	       (nr > c->newest || (!nr && (abi == AUDIT_ARCH_S390 || abi == AUDIT_ARCH_S390X)));
}

static void compare_call(struct comparison *c, uint32_t abi, uint32_t nr)
{
	uint32_t arch = abi == SPEC_ARCH_X32 ? AUDIT_ARCH_X86_64 : abi, got, wanted;
	struct bpf_machine_data data;
	unsigned steps, their_steps = 0;
	uint64_t args[6];

	choose_call_args(c->choices, c->p, args);
	data = bpf_machine_data(nr, arch, args, !(c->native & __AUDIT_ARCH_LE));
	got = bpf_machine_run(c->ours.code, c->ours.length, &data, &steps);
	wanted = bpf_machine_run(c->theirs.code, c->theirs.length, &data, &their_steps);
	if (is_of_the_future(c, arch == AUDIT_ARCH_X86_64 && nr & 0x40000000 ? SPEC_ARCH_X32 : arch,
			     nr))
		wanted = SECCOMP_RET_ERRNO | ENOSYS;
	if (got != wanted && c->excusable && got == naive_outcome(c->p, c->native, arch, nr, args))
		c->excused++;
	else if (got != wanted)
		fail_msg("arch %08x call %u (%#llx, %#llx, %#llx): creel %08x, libseccomp %08x",
			 abi, nr, (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], got, wanted);
	c->calls++;
	c->steps += steps;
	c->their_steps += their_steps;
}

/* Numbers of an architecture: all of its table, and each call with conditions many times. */
static void compare_numbers(struct comparison *c, uint32_t abi, unsigned repeats)
{
	for (uint32_t nr = 0; nr < 600; nr++)
		compare_call(c, abi, (uint32_t)first_number(abi) + nr);
	for (size_t i = 0; i < c->p->rule_count; i++) {
		const struct spec_seccomp_rule *rule = &c->p->rules[i];

		for (unsigned n = 0; n < repeats && rule->arg_count; n++) {
			int nr = seccomp_syscall_number(abi,
							rule->names.item[n % rule->names.count]);

			if (nr >= 0)
				compare_call(c, abi, (uint32_t)nr);
		}
	}
	for (unsigned n = 0; n < repeats && naive_multiplexes(abi); n++) {
		compare_call(c, abi, (uint32_t)seccomp_syscall_number(abi, "socketcall"));
		compare_call(c, abi, (uint32_t)seccomp_syscall_number(abi, "ipc"));
	}
}

static void compile_ours(struct comparison *c)
{
	if (seccomp_compile(c->p, c->native, NULL, &arena, &c->ours, &e))
		fail_msg("%s", e.text);
	assert_true(bpf_machine_valid(c->ours.code, c->ours.length));
}

struct tally {
	unsigned profiles, refused, excused;
};

static struct tally compare_random(uint32_t seeds, uint32_t args, bool excusable)
{
	static const uint32_t archs[] = {
		AUDIT_ARCH_X86_64, AUDIT_ARCH_I386,   AUDIT_ARCH_AARCH64,     AUDIT_ARCH_ARM,
		AUDIT_ARCH_S390X,  AUDIT_ARCH_S390,   AUDIT_ARCH_PPC64LE,     AUDIT_ARCH_PPC,
		AUDIT_ARCH_MIPSEL, AUDIT_ARCH_MIPS64, AUDIT_ARCH_MIPSEL64N32, AUDIT_ARCH_RISCV64,
		AUDIT_ARCH_PARISC};
	static struct comparison c;
	struct tally tally = {.profiles = seeds};

	for (uint32_t seed = 0; seed < seeds; seed++) {
		struct choices choices = {.seed = seed};
		struct profile_limits limits = {
			.rules = 1 + seed % 9, .args = args, .names = 6, .actions = 1};

		c = (struct comparison){.native = archs[seed % array_len(archs)],
					.choices = &choices,
					.excusable = excusable};
		c.p = choose_profile(&choices, &arena, &limits, NULL, 0);
		if (library_filter(c.p, &c.native, 1, 1, &c.theirs)) {
			compile_ours(&c);
			compare_numbers(&c, c.native, 60);
			for (size_t i = 0; i < array_len(odd_numbers); i++)
				compare_call(&c, c.native, odd_numbers[i]);
			tally.excused += c.excused > 0;
		} else {
			tally.refused++;
		}
		arena.used = 0;
		memset(arena.start, 0, 1u << 20);
	}
	print_message(
		"%u profiles, up to %u conditions a rule: libseccomp refused %u, was wrong of %u\n",
		seeds, args, tally.refused, tally.excused);
	return tally;
}

static void test_random_profiles(void **state)
{
	struct tally tally;

	(void)state;
	(void)compare_random(600, 0, false);
	(void)compare_random(900, 1, false);
	tally = compare_random(900, 3, true);
	assert_in_range(tally.excused + tally.refused, 0, tally.profiles / 20);
}

/* ---- an engine's profile --------------------------------------------------------------------- */

static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static bool contains(struct json_object *list, const char *text)
{
	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (!strcmp(json_object_get_string(json_object_array_get_idx(list, i)), text))
			return true;
	return false;
}

/* What podman gives a container that asks for nothing. */
static bool is_usual_capability(const char *name)
{
	static const char *const usual[] = {
		"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
		"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
		"CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

	for (size_t i = 0; i < array_len(usual); i++)
		if (!strcmp(usual[i], name))
			return true;
	return false;
}

/*
 * The engine's own selection: a rule may be for some architectures or capabilities only, or for all
 * but some.
 */
static bool is_included(struct json_object *rule, const char *arch, bool privileged)
{
	struct json_object *in = member(rule, "includes"), *out = member(rule, "excludes");
	struct json_object *caps = member(in, "caps"), *lost = member(out, "caps");

	if ((member(in, "arches") && !contains(member(in, "arches"), arch)) ||
	    contains(member(out, "arches"), arch))
		return false;
	for (size_t i = 0; caps && i < json_object_array_length(caps); i++)
		if (!privileged && !is_usual_capability(json_object_get_string(
					   json_object_array_get_idx(caps, i))))
			return false;
	for (size_t i = 0; lost && i < json_object_array_length(lost); i++)
		if (privileged ||
		    is_usual_capability(json_object_get_string(json_object_array_get_idx(lost, i))))
			return false;
	return true;
}

static uint64_t number_of(const struct words *words, struct json_object *name)
{
	uint64_t number = 0;

	if (!word_number(words, json_object_get_string(name), &number))
		fail_msg("%s is not known", json_object_get_string(name));
	return number;
}

static void convert_rule(struct json_object *from, struct spec_seccomp_rule *to)
{
	struct json_object *names = member(from, "names"), *args = member(from, "args"),
			   *number = member(from, "errnoRet");

	to->action = (enum seccomp_action)number_of(&words_seccomp_actions, member(from, "action"));
	to->errno_ret = (struct opt_u32){number ? (uint32_t)json_object_get_int(number) : 0,
					 number != NULL};
	to->names.count = json_object_array_length(names);
	to->names.item = profile_memory(&arena, to->names.count, sizeof(char *));
	for (size_t i = 0; i < to->names.count; i++)
		to->names.item[i] = json_object_get_string(json_object_array_get_idx(names, i));
	to->arg_count = args ? json_object_array_length(args) : 0;
	to->args = profile_memory(&arena, to->arg_count, sizeof(to->args[0]));
	for (size_t i = 0; i < to->arg_count; i++) {
		struct json_object *arg = json_object_array_get_idx(args, i);

		to->args[i] = (struct spec_seccomp_arg){
			.index = (uint32_t)json_object_get_int(member(arg, "index")),
			.value = json_object_get_uint64(member(arg, "value")),
			.value_two = json_object_get_uint64(member(arg, "valueTwo")),
			.op = (enum seccomp_op)number_of(&words_seccomp_ops, member(arg, "op")),
		};
	}
}

static struct spec_seccomp convert(struct json_object *file, const char *arch, bool privileged,
				   uint32_t errno_ret)
{
	struct json_object *rules = member(file, "syscalls");
	struct spec_seccomp p = {.default_action = ACT_ERRNO,
				 .default_errno_ret = {errno_ret, true}};

	p.rules = profile_memory(&arena, json_object_array_length(rules), sizeof(p.rules[0]));
	for (size_t i = 0; i < json_object_array_length(rules); i++)
		if (is_included(json_object_array_get_idx(rules, i), arch, privileged))
			convert_rule(json_object_array_get_idx(rules, i), &p.rules[p.rule_count++]);
	assert_in_range(p.rule_count, 10, 200);
	return p;
}

static void compare_engine(struct json_object *file, const char *name, const uint32_t *archs,
			   size_t arch_count, unsigned variant)
{
	static struct comparison c;
	struct choices choices = {.seed = variant};
	struct spec_seccomp p = convert(file, name, variant & 1, variant & 2 ? EPERM : ENOSYS);

	p.architectures = profile_memory(&arena, arch_count, sizeof(archs[0]));
	p.architecture_count = arch_count;
	memcpy(p.architectures, archs, arch_count * sizeof(archs[0]));
	c = (struct comparison){.p = &p, .native = archs[0], .choices = &choices};
	/* 2 is the library's tree, which runc asks for with more than 32 rules. */
	assert_true(library_filter(&p, archs, arch_count, 1 + (variant >> 2), &c.theirs));
	compile_ours(&c);
	for (size_t i = 0; i < arch_count; i++)
		compare_numbers(&c, archs[i], 1000);
	for (size_t i = 0; i < array_len(odd_numbers); i++)
		compare_call(&c, archs[0], odd_numbers[i]);
	print_message("%s: %u instructions, %.1f a call; libseccomp %zu, %.1f\n", name,
		      c.ours.length, (double)c.steps / (double)c.calls, c.theirs.length,
		      (double)c.their_steps / (double)c.calls);
	assert_in_range(c.ours.length, 1, c.theirs.length / 2);
}

static void test_an_engines_profile(void **state)
{
	static const struct {
		const char *name;
		uint32_t archs[3];
		size_t count;
	} rows[] = {
		{"amd64", {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, SPEC_ARCH_X32}, 3},
		{"arm64", {AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM}, 2},
		{"s390x", {AUDIT_ARCH_S390X, AUDIT_ARCH_S390}, 2},
		{"ppc64le", {AUDIT_ARCH_PPC64LE}, 1},
		{"riscv64", {AUDIT_ARCH_RISCV64}, 1},
		{"mips64", {AUDIT_ARCH_MIPS64, AUDIT_ARCH_MIPS, AUDIT_ARCH_MIPS64N32}, 3},
	};
	struct json_object *file = json_object_from_file(PROFILE);

	(void)state;
	if (!file) {
		print_message("skipped: no " PROFILE
			      " (Debian's golang-github-containers-common has it)\n");
		skip();
	}
	for (size_t i = 0; i < array_len(rows); i++) {
		for (unsigned variant = 0; variant < 8; variant++) {
			compare_engine(file, rows[i].name, rows[i].archs, rows[i].count, variant);
			arena.used = 0;
			memset(arena.start, 0, 1u << 20);
		}
	}
	json_object_put(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tables_are_libseccomps),
		TEST(test_random_profiles),
		TEST(test_an_engines_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
