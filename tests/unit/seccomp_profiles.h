/*
 * Random seccomp profiles, and the system calls worth asking about: from a stream of bytes, be it a
 * seeded generator (unit tests) or a fuzzer's input. Everything is in the caller's arena.
 */
#pragma once

#include <linux/audit.h>
#include <stdlib.h>

#include "base/arena.h"
#include "security/seccomp.h"

/* A profile written down: {.default_action = …, RULES({.names = NAMES("read"), ARGS({…})})}. */
#define NAMES(...) \
	{ \
		.item = (const char *[]){__VA_ARGS__}, \
		.count = array_len(((const char *[]){__VA_ARGS__})) \
	}
#define ARGS(...) \
	.args = (struct spec_seccomp_arg[]){__VA_ARGS__}, \
	.arg_count = array_len(((struct spec_seccomp_arg[]){__VA_ARGS__}))
#define RULES(...) \
	.rules = (struct spec_seccomp_rule[]){__VA_ARGS__}, \
	.rule_count = array_len(((struct spec_seccomp_rule[]){__VA_ARGS__}))
#define ARCHS(...) \
	.architectures = (uint32_t[]){__VA_ARGS__}, \
	.architecture_count = array_len(((uint32_t[]){__VA_ARGS__}))

/* A source of choices. data NULL: a generator; else bytes, then zeros. */
struct choices {
	uint64_t seed;
	const uint8_t *data;
	size_t left;
};

static inline uint32_t choose(struct choices *c, uint32_t below)
{
	if (!c->data) {
		c->seed = c->seed * 6364136223846793005u + 1442695040888963407u;
		return (uint32_t)(c->seed >> 33) % below;
	}
	if (!c->left)
		return 0;
	c->left--;
	return *c->data++ % below;
}

static inline void *profile_memory(struct arena *a, size_t count, size_t size)
{
	struct err why;
	void *got = arena_get_array(a, count, size, &why);

	if (!got)
		abort();
	return got;
}

static inline uint64_t choose_value(struct choices *c)
{
	static const uint64_t values[] = {0,
					  1,
					  2,
					  3,
					  5,
					  9,
					  16,
					  40,
					  0x100,
					  0x20008,
					  0x7e020000,
					  0x7fffffff,
					  0x80000000,
					  0xffffffff,
					  0x100000000,
					  0x100000005,
					  0x8000000000000000,
					  0xffffffff00000000,
					  UINT64_MAX};

	return values[choose(c, array_len(values))];
}

/*
 * Names that make trouble: the first, the newest, multiplexed ones, ARM's private ones, ones of few
 * machines.
 */
static inline const char *choose_name(struct choices *c)
{
	static const char *const names[] = {
		"read",
		"write",
		"open",
		"close",
		"mmap",
		"ioctl",
		"clone",
		"personality",
		"socket",
		"connect",
		"accept4",
		"send",
		"shmget",
		"semtimedop",
		"msgctl",
		"socketcall",
		"ipc",
		"set_tls",
		"arm_fadvise64_64",
		"setup",
		"restart_syscall",
		"ptrace",
		"arch_prctl",
		"openat2",
		"futex_waitv",
		"cachestat",
		"riscv_flush_icache",
		"clock_gettime64",
		"s390_pci_mmio_read",
		"no_such_call",
		"getpid",
		"getppid",
		"kexec_load",
		"recvmmsg",
	};

	return names[choose(c, array_len(names))];
}

/* What a random profile may contain. */
struct profile_limits {
	uint32_t rules, args, names, actions;
	bool order;
};

static inline void choose_args(struct choices *c, struct arena *a, const struct profile_limits *l,
			       struct spec_seccomp_rule *rule)
{
	rule->arg_count = choose(c, l->args + 1);
	rule->args = profile_memory(a, rule->arg_count, sizeof(rule->args[0]));
	for (size_t i = 0; i < rule->arg_count; i++) {
		static const enum seccomp_op equal[] = {OP_EQ, OP_NE, OP_MASKED_EQ};

		rule->args[i].index = choose(c, choose(c, 4) ? 3 : 6);
		rule->args[i].op = l->order ? (enum seccomp_op)choose(c, 7) : equal[choose(c, 3)];
		rule->args[i].value = choose_value(c);
		rule->args[i].value_two = choose_value(c);
	}
}

static inline struct spec_seccomp *choose_profile(struct choices *c, struct arena *a,
						  const struct profile_limits *l,
						  const uint32_t *archs, size_t arch_count)
{
	static const enum seccomp_action actions[] = {ACT_ALLOW,      ACT_ERRNO,        ACT_TRAP,
						      ACT_LOG,        ACT_KILL_PROCESS, ACT_TRACE,
						      ACT_KILL_THREAD};
	struct spec_seccomp *p = profile_memory(a, 1, sizeof(*p));

	p->default_action = actions[choose(c, 2 + choose(c, 6))];
	p->default_errno_ret = (struct opt_u32){choose(c, 40), choose(c, 2)};
	p->architectures = profile_memory(a, arch_count, sizeof(p->architectures[0]));
	for (size_t i = 0; i < arch_count; i++)
		if (choose(c, 2))
			p->architectures[p->architecture_count++] = archs[i];
	p->rule_count = choose(c, l->rules + 1);
	p->rules = profile_memory(a, p->rule_count, sizeof(p->rules[0]));
	for (size_t i = 0; i < p->rule_count; i++) {
		struct spec_seccomp_rule *rule = &p->rules[i];

		rule->action = actions[choose(c, l->actions)];
		if (l->actions == 1)
			rule->action = p->default_action == ACT_ALLOW ? ACT_ERRNO : ACT_ALLOW;
		rule->errno_ret =
			(struct opt_u32){choose(c, 3) + 3, l->actions > 1 && choose(c, 2)};
		rule->names.count = 1 + choose(c, l->names);
		rule->names.item = profile_memory(a, rule->names.count, sizeof(char *));
		for (size_t n = 0; n < rule->names.count; n++)
			rule->names.item[n] = choose_name(c);
		choose_args(c, a, l, rule);
	}
	return p;
}

/*
 * Arguments near what the profile compares with: a value of some rule, off by one, or with a high
 * bit flipped.
 */
static inline void choose_call_args(struct choices *c, const struct spec_seccomp *p,
				    uint64_t args[6])
{
	for (size_t i = 0; i < 6; i++) {
		const struct spec_seccomp_rule *rule =
			p->rule_count ? &p->rules[choose(c, (uint32_t)p->rule_count)] : NULL;

		args[i] = choose(c, 3) || i ? choose_value(c) : choose(c, 25);
		if (rule && rule->arg_count && choose(c, 3)) {
			const struct spec_seccomp_arg *arg =
				&rule->args[choose(c, (uint32_t)rule->arg_count)];

			args[i] = arg->op == OP_MASKED_EQ && choose(c, 2) ? arg->value_two
									  : arg->value;
		}
		args[i] += choose(c, 4) ? 0 : choose(c, 3) - 1ull;
		args[i] ^= choose(c, 8) ? 0 : 1ull << choose(c, 64);
	}
}

/* Numbers at the edges of what architectures have. */
static const uint32_t odd_numbers[] = {
	0x3fffffff, 0x40000000, 0x40000001, 0x40000fff, 0x7fffffff, 0x80000000,
	0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff, 0xeffff,    0xf0000,
	0xf0001,    0xf0005,    0xf0010,    1024,       4000,       4001,
	4999,       5000,       5999,       6000,       10000,
};
