/*
 * The seccomp compiler: what a profile means, at the edges of numbers, arguments and sizes, and
 * what it refuses. test_seccomp_libseccomp.c compares it with libseccomp.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <linux/seccomp.h>

#include "arena_fixture.h"
#include "bpf_machine.h"
#include "seccomp_naive.h"
#include "seccomp_profiles.h"
#include "security/seccomp.h"

/* ---- helpers --------------------------------------------------------------------------------- */

static struct seccomp_program compiled(const struct spec_seccomp *p, uint32_t native)
{
	struct seccomp_program program;

	if (seccomp_compile(p, native, NULL, &arena, &program, &e))
		fail_msg("%s", e.text);
	assert_true(bpf_machine_valid(program.code, program.length));
	return program;
}

static uint32_t outcome(const struct seccomp_program *program, uint32_t native, uint32_t arch,
			uint32_t nr, const uint64_t *args)
{
	struct bpf_machine_data data =
		bpf_machine_data(nr, arch, args, !(native & __AUDIT_ARCH_LE));

	return bpf_machine_run(program->code, program->length, &data, NULL);
}

/* What the program of a profile says of a call on x86_64 whose arguments are all a. */
static uint32_t asked(const struct spec_seccomp *p, uint32_t nr, uint64_t a)
{
	struct seccomp_program program = compiled(p, AUDIT_ARCH_X86_64);

	return outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, nr,
		       (uint64_t[6]){a, a, a, a, a, a});
}

enum {
	X86_64_READ = 0,
	X86_64_WRITE = 1,
	X86_64_MMAP = 9,
	X86_64_SOCKET = 41,
	X86_64_CLONE = 56,
	X86_64_FORK = 57
};

#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

/* ---- what profiles mean ---------------------------------------------------------------------- */

static void test_actions_have_the_kernels_values(void **state)
{
	static const struct {
		enum seccomp_action action;
		struct opt_u32 number;
		uint32_t value;
	} rows[] = {
		{ACT_KILL_THREAD, {0}, SECCOMP_RET_KILL_THREAD},
		{ACT_KILL_PROCESS, {0}, SECCOMP_RET_KILL_PROCESS},
		{ACT_TRAP, {9, true}, SECCOMP_RET_TRAP},
		{ACT_ERRNO, {0}, ERRNO(EPERM)},
		{ACT_ERRNO, {0, true}, ERRNO(0)},
		{ACT_ERRNO, {4095, true}, ERRNO(4095)},
		{ACT_TRACE, {0}, SECCOMP_RET_TRACE | EPERM},
		{ACT_TRACE, {0xffff, true}, SECCOMP_RET_TRACE | 0xffff},
		{ACT_LOG, {0}, SECCOMP_RET_LOG},
		{ACT_ALLOW, {0}, SECCOMP_RET_ALLOW},
		{ACT_NOTIFY, {0}, SECCOMP_RET_USER_NOTIF},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct spec_seccomp p = {.default_action = ACT_ALLOW,
					 RULES({.names = NAMES("mmap"),
						.action = rows[i].action,
						.errno_ret = rows[i].number})};

		assert_int_equal(asked(&p, X86_64_MMAP, 0), rows[i].value);
		assert_int_equal(asked(&p, X86_64_MMAP + 1, 0), SECCOMP_RET_ALLOW);
	}
}

static void test_operators_compare_64_bits(void **state)
{
	const uint64_t value = 0x500000007;
	static const struct {
		enum seccomp_op op;
		bool below, low, equal, high, above;
	} rows[] = {
		/*
		 * below: smaller high half, larger low half; low and high: the low half differs
		 * alone
		 */
		{OP_NE, true, true, false, true, true},  {OP_LT, true, true, false, false, false},
		{OP_LE, true, true, true, false, false}, {OP_EQ, false, false, true, false, false},
		{OP_GE, false, false, true, true, true}, {OP_GT, false, false, false, true, true},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		struct spec_seccomp p = {
			.default_action = ACT_ALLOW,
			RULES({.names = NAMES("clone"),
			       .action = ACT_ERRNO,
			       ARGS({.index = 5, .op = rows[i].op, .value = value})})};

		assert_int_equal(asked(&p, X86_64_CLONE, 0x4ffffffff) == ERRNO(EPERM),
				 rows[i].below);
		assert_int_equal(asked(&p, X86_64_CLONE, value - 1) == ERRNO(EPERM), rows[i].low);
		assert_int_equal(asked(&p, X86_64_CLONE, value) == ERRNO(EPERM), rows[i].equal);
		assert_int_equal(asked(&p, X86_64_CLONE, value + 1) == ERRNO(EPERM), rows[i].high);
		assert_int_equal(asked(&p, X86_64_CLONE, 0x600000000) == ERRNO(EPERM),
				 rows[i].above);
	}
}

static void test_masked_equality_compares_under_the_mask(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 RULES({.names = NAMES("clone"),
					.action = ACT_ERRNO,
					ARGS({.index = 0,
					      .op = OP_MASKED_EQ,
					      .value = 0x700000070,
					      .value_two = 0x500000fff})})};

	(void)state;
	assert_int_equal(asked(&p, X86_64_CLONE, 0x500000070), ERRNO(EPERM));
	assert_int_equal(asked(&p, X86_64_CLONE, 0xfffffff500000f0f), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&p, X86_64_CLONE, 0xfffffff500000ff5), ERRNO(EPERM));
	assert_int_equal(asked(&p, X86_64_CLONE, 0x500000030), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&p, X86_64_CLONE, 0x70), SECCOMP_RET_ALLOW);
}

static void test_conditions_are_joined_by_and_unless_an_argument_repeats(void **state)
{
	struct spec_seccomp both = {.default_action = ACT_ALLOW,
				    RULES({.names = NAMES("mmap"),
					   .action = ACT_ERRNO,
					   ARGS({.index = 0, .op = OP_GE, .value = 5},
						{.index = 1, .op = OP_LE, .value = 7})})};
	struct spec_seccomp either = {.default_action = ACT_ALLOW,
				      RULES({.names = NAMES("mmap"),
					     .action = ACT_ERRNO,
					     ARGS({.index = 0, .op = OP_LT, .value = 5},
						  {.index = 0, .op = OP_GT, .value = 7})})};

	(void)state;
	for (uint64_t a = 0; a < 12; a++) {
		assert_int_equal(asked(&both, X86_64_MMAP, a),
				 a >= 5 && a <= 7 ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
		assert_int_equal(asked(&either, X86_64_MMAP, a),
				 a < 5 || a > 7 ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
	}
}

/* Such rules share loads and tests of their high half, where it is the same. */
static void test_equality_with_many_values(void **state)
{
	static const uint64_t values[] = {5, 0x100000005, 7, 0x100000007, 0x200000005, 8};
	struct str_list names = NAMES("mmap");
	struct spec_seccomp_rule rules[array_len(values)] = {0};
	struct spec_seccomp_arg args[array_len(values)] = {0};
	struct spec_seccomp p = {
		.default_action = ACT_ALLOW, .rules = rules, .rule_count = array_len(rules)};

	(void)state;
	for (size_t i = 0; i < array_len(values); i++) {
		args[i] = (struct spec_seccomp_arg){.op = OP_EQ, .value = values[i]};
		rules[i] = (struct spec_seccomp_rule){.names = names,
						      .action = ACT_ERRNO,
						      .errno_ret = {(uint32_t)(10 + i), true},
						      .args = &args[i],
						      .arg_count = 1};
	}
	for (uint64_t high = 0; high < 4; high++) {
		for (uint64_t low = 0; low < 10; low++) {
			uint32_t wanted = SECCOMP_RET_ALLOW;

			for (uint32_t i = 0; i < array_len(values); i++)
				if (values[i] == (high << 32 | low))
					wanted = ERRNO(10 + i);
			assert_int_equal(asked(&p, X86_64_MMAP, high << 32 | low), wanted);
		}
	}
}

static void test_a_rule_without_conditions_wins(void **state)
{
	struct spec_seccomp p = {
		.default_action = ACT_ALLOW,
		RULES({.names = NAMES("mmap"),
		       .action = ACT_TRAP,
		       ARGS({.index = 0, .op = OP_EQ, .value = 1})},
		      {.names = NAMES("mmap"), .action = ACT_ERRNO, .errno_ret = {7, true}},
		      {.names = NAMES("mmap"), .action = ACT_ERRNO, .errno_ret = {8, true}},
		      {.names = NAMES("mmap"),
		       .action = ACT_LOG,
		       ARGS({.index = 0, .op = OP_EQ, .value = 2})})};

	(void)state;
	for (uint64_t a = 0; a < 4; a++)
		assert_int_equal(asked(&p, X86_64_MMAP, a), ERRNO(7));
}

static void test_rules_equal_to_the_default_are_dropped(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ERRNO,
				 RULES({.names = NAMES("mmap", "clone3"),
					.action = ACT_ERRNO,
					.errno_ret = {EPERM, true}},
				       {.names = NAMES("mmap"),
					.action = ACT_ALLOW,
					ARGS({.index = 0, .op = OP_EQ, .value = 3})})};

	(void)state;
	assert_int_equal(asked(&p, X86_64_MMAP, 3), SECCOMP_RET_ALLOW);
	assert_int_equal(asked(&p, X86_64_MMAP, 4), ERRNO(EPERM));
}

static void test_newer_calls_give_enosys_where_the_default_refuses(void **state)
{
	struct spec_seccomp p = {
		ARCHS(SPEC_ARCH_X32, AUDIT_ARCH_I386),
		RULES({.names = NAMES("read", "fork", "unheard_of"), .action = ACT_ALLOW})};
	static const enum seccomp_action refusing[] = {ACT_ERRNO, ACT_KILL_THREAD, ACT_KILL_PROCESS,
						       ACT_TRAP};
	static const enum seccomp_action letting[] = {ACT_LOG, ACT_TRACE};

	(void)state;
	for (size_t i = 0; i < array_len(refusing); i++) {
		p.default_action = refusing[i];
		assert_int_equal(asked(&p, X86_64_FORK, 0), SECCOMP_RET_ALLOW);
		assert_int_equal(asked(&p, X86_64_FORK - 1, 0),
				 naive_action(refusing[i], (struct opt_u32){0}));
		assert_int_equal(asked(&p, X86_64_FORK + 1, 0), ERRNO(ENOSYS));
		assert_int_equal(asked(&p, 0x40000000 + X86_64_FORK + 1, 0), ERRNO(ENOSYS));
		assert_int_equal(asked(&p, 0x40000000 + X86_64_FORK, 0), SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < array_len(letting); i++) {
		p.default_action = letting[i];
		assert_int_equal(asked(&p, X86_64_FORK + 1, 0),
				 naive_action(letting[i], (struct opt_u32){0}));
	}
}

static void test_foreign_architectures_are_killed(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW, ARCHS(AUDIT_ARCH_I386)};
	struct seccomp_program program = compiled(&p, AUDIT_ARCH_X86_64);
	const uint64_t none[6] = {0};

	(void)state;
	assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, 1, none),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 1, none),
			 SECCOMP_RET_ALLOW);
	assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64, 1, none),
			 SECCOMP_RET_KILL_THREAD);
	assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, 0x40000001, none),
			 SECCOMP_RET_KILL_THREAD);
	assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, UINT32_MAX, none),
			 SECCOMP_RET_ALLOW);
}

static void test_a_multiplexed_call_is_found_in_both_forms(void **state)
{
	struct spec_seccomp p = {.default_action = ACT_ALLOW,
				 ARCHS(AUDIT_ARCH_I386),
				 RULES({.names = NAMES("socket", "shmget"), .action = ACT_ERRNO})};
	struct seccomp_program program = compiled(&p, AUDIT_ARCH_X86_64);

	(void)state;
	for (uint64_t call = 0; call < 30; call++) {
		const uint64_t args[6] = {call};

		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 102, args),
				 call == 1 ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 117, args),
				 call == 23 ? ERRNO(EPERM) : SECCOMP_RET_ALLOW);
		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 359, args),
				 ERRNO(EPERM));
		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 395, args),
				 ERRNO(EPERM));
	}
}

/* ---- at random ------------------------------------------------------------------------------- */

static void compare_call(const struct spec_seccomp *p, const struct seccomp_program *program,
			 uint32_t native, uint32_t arch, uint32_t nr, struct choices *c)
{
	uint64_t args[6];
	uint32_t got, wanted;

	choose_call_args(c, p, args);
	got = outcome(program, native, arch, nr, args);
	wanted = naive_outcome(p, native, arch, nr, args);
	if (got != wanted)
		fail_msg("arch %08x call %u (%#llx, %#llx, %#llx): filter %08x, profile %08x", arch,
			 nr, (unsigned long long)args[0], (unsigned long long)args[1],
			 (unsigned long long)args[2], got, wanted);
}

static void compare_arch(const struct spec_seccomp *p, const struct seccomp_program *program,
			 uint32_t native, uint32_t abi, struct choices *c)
{
	uint32_t arch = abi == SPEC_ARCH_X32 ? AUDIT_ARCH_X86_64 : abi;

	for (uint32_t nr = 0; nr < 600; nr++) {
		uint32_t base = abi == SPEC_ARCH_X32                    ? 0x40000000
				: abi & 0x60000000 && (abi & 0xff) == 8 ? 4000
									: 0;

		compare_call(p, program, native, arch, base + nr, c);
	}
	for (size_t i = 0; i < p->rule_count; i++) {
		for (unsigned n = 0; n < 40; n++) {
			int nr = seccomp_syscall_number(
				abi, p->rules[i].names.item[n % p->rules[i].names.count]);

			if (nr >= 0)
				compare_call(p, program, native, arch, (uint32_t)nr, c);
		}
	}
	for (unsigned n = 0; n < 30 && naive_multiplexes(abi); n++) {
		compare_call(p, program, native, arch,
			     (uint32_t)seccomp_syscall_number(abi, "socketcall"), c);
		compare_call(p, program, native, arch, (uint32_t)seccomp_syscall_number(abi, "ipc"),
			     c);
	}
	for (size_t i = 0; i < array_len(odd_numbers); i++)
		compare_call(p, program, native, arch, odd_numbers[i], c);
}

static void test_random_profiles_mean_what_they_say(void **state)
{
	static const uint32_t families[][4] = {
		{AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, SPEC_ARCH_X32, AUDIT_ARCH_ARM},
		{AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, AUDIT_ARCH_RISCV64, AUDIT_ARCH_PPC64LE},
		{AUDIT_ARCH_S390X, AUDIT_ARCH_S390, AUDIT_ARCH_PPC, AUDIT_ARCH_PARISC},
		{AUDIT_ARCH_MIPSEL64, AUDIT_ARCH_MIPSEL, AUDIT_ARCH_MIPSEL64N32, AUDIT_ARCH_X86_64},
		{AUDIT_ARCH_PPC64, AUDIT_ARCH_PPC, AUDIT_ARCH_MIPS, AUDIT_ARCH_PARISC64},
	};

	(void)state;
	for (uint32_t seed = 0; seed < 400; seed++) {
		struct choices c = {.seed = seed};
		const uint32_t *family = families[seed % array_len(families)];
		struct profile_limits limits = {.rules = 1 + seed % 12,
						.args = 3,
						.names = 8,
						.actions = 1 + seed % 7,
						.order = true};
		struct spec_seccomp *p = choose_profile(&c, &arena, &limits, family, 4);
		struct seccomp_program program = compiled(p, family[0]);

		for (size_t i = 0; i < 4; i++)
			compare_arch(p, &program, family[0], family[i], &c);
		arena.used = 0; /* everything of this seed is done with */
		memset(arena.start, 0, 1u << 20);
	}
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* Enough rules on one call that jumps across them need more than 8 bits. */
static struct spec_seccomp *long_profile(size_t rules)
{
	struct spec_seccomp *p = profile_memory(&arena, 1, sizeof(*p));

	p->default_action = ACT_ALLOW;
	p->rule_count = rules;
	p->rules = profile_memory(&arena, rules, sizeof(p->rules[0]));
	for (size_t i = 0; i < rules; i++) {
		struct spec_seccomp_rule *rule = &p->rules[i];

		rule->names.count = 2;
		rule->names.item = profile_memory(&arena, 2, sizeof(char *));
		rule->names.item[0] = "mmap";
		rule->names.item[1] = "clone";
		rule->action = ACT_ERRNO;
		rule->errno_ret = (struct opt_u32){(uint32_t)(1 + i % 400), true};
		rule->args = profile_memory(&arena, 1, sizeof(rule->args[0]));
		rule->args[0] = (struct spec_seccomp_arg){
			.index = 1,
			.op = i % 3 ? OP_EQ : OP_MASKED_EQ,
			.value = i % 3 ? 0x7700000000 * (i % 2) + i : UINT64_MAX,
			.value_two = i};
		rule->arg_count = 1;
	}
	return p;
}

static void test_jumps_reach_across_long_chains(void **state)
{
	struct spec_seccomp *p = long_profile(700);
	struct seccomp_program program = compiled(p, AUDIT_ARCH_X86_64);

	(void)state;
	assert_in_range(program.length, 1000, BPF_MAXINSNS);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct spec_seccomp_arg *arg = &p->rules[i].args[0];
		uint64_t a = arg->op == OP_EQ ? arg->value : arg->value_two;

		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64,
					 X86_64_CLONE, (uint64_t[6]){0, a}),
				 ERRNO(p->rules[i].errno_ret.value));
		assert_int_equal(outcome(&program, AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64,
					 X86_64_MMAP, (uint64_t[6]){a, ~a}),
				 SECCOMP_RET_ALLOW);
	}
}

static void test_a_profile_that_does_not_fit_is_refused(void **state)
{
	struct seccomp_program program;

	(void)state;
	assert_int_equal(
		seccomp_compile(long_profile(2000), AUDIT_ARCH_X86_64, NULL, &arena, &program, &e),
		-1);
	assert_int_equal(e.code, ERR_INVALID);
	assert_string_equal(
		e.text, "the seccomp profile is too large: it takes more than 4096 instructions");
	assert_int_equal(
		seccomp_compile(long_profile(70000), AUDIT_ARCH_X86_64, NULL, &arena, &program, &e),
		-1);
	assert_string_equal(e.text,
			    "the seccomp profile is too large: it has too many conditional rules");
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void assert_refused(const struct spec_seccomp *p, enum err_code code, const char *pointer,
			   const char *text)
{
	struct seccomp_program program;

	assert_int_equal(seccomp_compile(p, AUDIT_ARCH_X86_64, NULL, &arena, &program, &e), -1);
	assert_int_equal(e.code, code);
	assert_string_equal(e.pointer, pointer);
	assert_string_equal(e.text, text);
}

static void test_mistakes_are_named_with_their_place(void **state)
{
	struct spec_seccomp index = {.default_action = ACT_ERRNO,
				     RULES({.names = NAMES("read"), .action = ACT_ALLOW},
					   {.names = NAMES("read"),
					    .action = ACT_ALLOW,
					    ARGS({.index = 0}, {.index = 6})})};
	struct spec_seccomp number = {
		.default_action = ACT_ERRNO,
		RULES({.names = NAMES("read"), .action = ACT_ERRNO, .errno_ret = {4096, true}})};
	struct spec_seccomp usual = {.default_action = ACT_TRACE,
				     .default_errno_ret = {0x10000, true}};
	struct spec_seccomp empty = {RULES({.names = NAMES("read", ""), .action = ACT_ALLOW})};
	struct spec_seccomp write = {
		RULES({.names = NAMES("read", "write"), .action = ACT_NOTIFY})};
	struct spec_seccomp notify = {.default_action = ACT_NOTIFY};
	struct spec_seccomp arch = {ARCHS(AUDIT_ARCH_I386, AUDIT_ARCH_ALPHA)};

	(void)state;
	assert_refused(&index, ERR_INVALID, "/linux/seccomp/syscalls/1/args/1/index",
		       "system calls have 6 arguments, there is none of index 6");
	assert_refused(&number, ERR_INVALID, "/linux/seccomp/syscalls/0",
		       "seccomp errno 4096 is too large, the most is 4095");
	assert_refused(&usual, ERR_INVALID, "/linux/seccomp/defaultErrnoRet",
		       "seccomp errno 65536 is too large, the most is 65535");
	assert_refused(&empty, ERR_INVALID, "/linux/seccomp/syscalls/0/names/1",
		       "empty string is not a valid syscall");
	assert_refused(&write, ERR_INVALID, "/linux/seccomp/syscalls/0/names/1",
		       "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	assert_refused(&notify, ERR_INVALID, "/linux/seccomp/defaultAction",
		       "SCMP_ACT_NOTIFY cannot be used as default action");
	assert_refused(
		&arch, ERR_UNSUPPORTED, "/linux/seccomp/architectures/1",
		"this build does not know the system calls of this architecture (0xc0009026)");
}

static void keep_line(void *user, enum log_level level, const char *message)
{
	assert_int_equal(level, LOG_LEVEL_DEBUG);
	str_add(user, message);
	str_add(user, "\n");
}

static void test_unknown_names_and_flags_are_told_to_the_log(void **state)
{
	struct str lines;
	struct log log = {.level = LOG_LEVEL_DEBUG, .sink = keep_line, .user = &lines};
	struct spec_seccomp p = {
		.default_action = ACT_ALLOW,
		RULES({.names = NAMES("read", "no_such_call"), .action = ACT_ERRNO})};
	static const struct {
		bool given;
		uint32_t flags, wanted;
	} rows[] = {
		{false, 0, SECCOMP_FILTER_FLAG_SPEC_ALLOW},
		{true, 0, 0},
		{true, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG,
		 SECCOMP_FILTER_FLAG_LOG},
	};
	struct seccomp_program program;
	const char *wanted;

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		p.flags_given = rows[i].given;
		p.flags = rows[i].flags;
		str_init(&lines, &arena);
		assert_int_equal(seccomp_compile(&p, AUDIT_ARCH_X86_64, &log, &arena, &program, &e),
				 0);
		assert_int_equal(program.flags, rows[i].wanted);
		wanted = arena_format(&arena, &e, "%s\nseccomp filter flags: %u\n",
				      "unknown seccomp syscall \"no_such_call\" ignored",
				      rows[i].wanted);
		assert_string_equal(str_end(&lines, &e), wanted);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_actions_have_the_kernels_values),
		TEST(test_operators_compare_64_bits),
		TEST(test_masked_equality_compares_under_the_mask),
		TEST(test_conditions_are_joined_by_and_unless_an_argument_repeats),
		TEST(test_equality_with_many_values),
		TEST(test_a_rule_without_conditions_wins),
		TEST(test_rules_equal_to_the_default_are_dropped),
		TEST(test_newer_calls_give_enosys_where_the_default_refuses),
		TEST(test_foreign_architectures_are_killed),
		TEST(test_a_multiplexed_call_is_found_in_both_forms),
		TEST(test_random_profiles_mean_what_they_say),
		TEST(test_jumps_reach_across_long_chains),
		TEST(test_a_profile_that_does_not_fit_is_refused),
		TEST(test_mistakes_are_named_with_their_place),
		TEST(test_unknown_names_and_flags_are_told_to_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
