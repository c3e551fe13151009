/*
 * What a seccomp profile means, in the plainest form: for one system call, go through the rules.
 * Slow, and written from the documented rules rather than from the compiler, whose only shared part
 * is the table of numbers (which test_seccomp_libseccomp.c compares by itself). For tests and the
 * fuzzer.
 */
#pragma once

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "security/seccomp.h"

static const char *const naive_socket_calls[] = {
	NULL,          "socket",     "bind",    "connect", "listen",  "accept",   "getsockname",
	"getpeername", "socketpair", "send",    "recv",    "sendto",  "recvfrom", "shutdown",
	"setsockopt",  "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
};

static const char *const naive_ipc_calls[] = {
	[1] = "semop",   [2] = "semget",  [3] = "semctl",  [4] = "semtimedop",
	[11] = "msgsnd", [12] = "msgrcv", [13] = "msgget", [14] = "msgctl",
	[21] = "shmat",  [22] = "shmdt",  [23] = "shmget", [24] = "shmctl",
};

static inline bool naive_is_wide(uint32_t abi)
{
	return abi & __AUDIT_ARCH_64BIT && abi != AUDIT_ARCH_MIPS64N32 &&
	       abi != AUDIT_ARCH_MIPSEL64N32;
}

static inline bool naive_multiplexes(uint32_t abi)
{
	static const uint32_t all[] = {AUDIT_ARCH_I386, AUDIT_ARCH_S390,  AUDIT_ARCH_S390X,
				       AUDIT_ARCH_PPC,  AUDIT_ARCH_PPC64, AUDIT_ARCH_PPC64LE,
				       AUDIT_ARCH_MIPS, AUDIT_ARCH_MIPSEL};

	for (size_t i = 0; i < array_len(all); i++)
		if (all[i] == abi)
			return true;
	return false;
}

static inline bool naive_listed(const struct spec_seccomp *p, uint32_t native, uint32_t abi)
{
	bool listed = native == abi;

	for (size_t i = 0; i < p->architecture_count; i++)
		listed |= p->architectures[i] == abi;
	return listed;
}

static inline uint32_t naive_action(enum seccomp_action action, struct opt_u32 number)
{
	uint32_t data = number.set ? number.value : EPERM;

	return action == ACT_KILL_THREAD    ? SECCOMP_RET_KILL_THREAD
	       : action == ACT_KILL_PROCESS ? SECCOMP_RET_KILL_PROCESS
	       : action == ACT_TRAP         ? SECCOMP_RET_TRAP
	       : action == ACT_ERRNO        ? SECCOMP_RET_ERRNO | data
	       : action == ACT_TRACE        ? SECCOMP_RET_TRACE | data
	       : action == ACT_LOG          ? SECCOMP_RET_LOG
	       : action == ACT_NOTIFY       ? SECCOMP_RET_USER_NOTIF
					    : SECCOMP_RET_ALLOW;
}

/* The number of the multiplexer of a call, and as which call it comes there; −1 for none. */
static inline int naive_multiplexer(uint32_t abi, const char *name, unsigned *ret_call)
{
	for (unsigned i = 0; naive_multiplexes(abi) && i < array_len(naive_socket_calls); i++) {
		if (naive_socket_calls[i] && !strcmp(naive_socket_calls[i], name)) {
			*ret_call = i;
			return seccomp_syscall_number(abi, "socketcall");
		}
	}
	for (unsigned i = 0; naive_multiplexes(abi) && i < array_len(naive_ipc_calls); i++) {
		if (naive_ipc_calls[i] && !strcmp(naive_ipc_calls[i], name)) {
			*ret_call = i;
			return seccomp_syscall_number(abi, "ipc");
		}
	}
	return -1;
}

/*
 * Whether a profile that names this call speaks of number nr; *ret_call: as which call of a
 * multiplexer, 0 if none.
 */
static inline bool naive_names(uint32_t abi, const char *name, uint32_t nr, unsigned *ret_call)
{
	int direct = seccomp_syscall_number(abi, name),
	    multiplexer = naive_multiplexer(abi, name, ret_call);

	if (multiplexer >= 0 && (uint32_t)multiplexer == nr)
		return true;
	*ret_call = 0;
	return direct >= 0 && (uint32_t)direct == nr;
}

static inline bool naive_holds(const struct spec_seccomp_arg *c, bool wide, uint64_t a)
{
	uint64_t cut = wide ? UINT64_MAX : UINT32_MAX;
	uint64_t v = c->value & cut;

	a &= cut;
	switch (c->op) {
	case OP_NE:
		return a != v;
	case OP_LT:
		return a < v;
	case OP_LE:
		return a <= v;
	case OP_EQ:
		return a == v;
	case OP_GE:
		return a >= v;
	case OP_GT:
		return a > v;
	case OP_MASKED_EQ:
		return (a & v) == (c->value_two & v);
	}
	return false;
}

/* One alternative of a rule: conditions by argument, those that are absent have op −1. */
struct naive_match {
	struct {
		int op;
		uint64_t value;
	} by_arg[6];
	bool holds, conditional;
};

static inline struct naive_match naive_match(const struct spec_seccomp_arg *args, size_t count,
					     unsigned call, bool wide, const uint64_t *values)
{
	uint64_t cut = wide ? UINT64_MAX : UINT32_MAX;
	struct naive_match m = {.holds = true};

	for (size_t i = 0; i < 6; i++)
		m.by_arg[i].op = -1;
	if (call) {
		m.by_arg[0].op = OP_EQ;
		m.by_arg[0].value = call;
		m.holds = (values[0] & cut) == call;
		m.conditional = true;
	}
	for (size_t i = 0; i < count; i++) {
		const struct spec_seccomp_arg *c = &args[i];

		if ((call && c->index == 0) || (c->op == OP_MASKED_EQ && !(c->value & cut)))
			continue;
		m.by_arg[c->index].op = (int)c->op;
		m.by_arg[c->index].value =
			cut & (c->op == OP_MASKED_EQ ? c->value & c->value_two : c->value);
		m.holds &= naive_holds(c, wide, values[c->index]);
		m.conditional = true;
	}
	return m;
}

static inline int naive_rank(int op)
{
	return op == OP_GT || op == OP_GE ? 0 : op == OP_LT || op == OP_LE ? 1 : 2;
}

/*
 * Whether a stands before b: compare the first condition of each, then the second, …; the shorter
 * stands before.
 */
static inline bool naive_before(const struct naive_match *a, const struct naive_match *b)
{
	int i = 0, k = 0;

	for (;; i++, k++) {
		while (i < 6 && a->by_arg[i].op < 0)
			i++;
		while (k < 6 && b->by_arg[k].op < 0)
			k++;
		if (i >= 6 || k >= 6)
			return i >= 6 && k < 6;
		if (i != k)
			return i > k;
		if (naive_rank(a->by_arg[i].op) != naive_rank(b->by_arg[k].op))
			return naive_rank(a->by_arg[i].op) > naive_rank(b->by_arg[k].op);
		if (a->by_arg[i].value != b->by_arg[k].value)
			return (a->by_arg[i].value < b->by_arg[k].value) ==
			       (naive_rank(a->by_arg[i].op) == 1);
	}
}

struct naive_best {
	bool settled, found;
	struct naive_match match;
	uint32_t ret;
};

static inline void naive_offer(struct naive_best *best, const struct naive_match *m, uint32_t ret)
{
	if (best->settled)
		return;
	if (!m->conditional) {
		*best = (struct naive_best){.settled = true, .ret = ret};
	} else if (m->holds && (!best->found || naive_before(m, &best->match))) {
		*best = (struct naive_best){.found = true, .match = *m, .ret = ret};
	}
}

static inline void naive_rule(struct naive_best *best, const struct spec_seccomp_rule *rule,
			      unsigned call, bool wide, const uint64_t *values)
{
	uint32_t ret = naive_action(rule->action, rule->errno_ret);
	unsigned seen[6] = {0};
	bool repeated = false;

	for (size_t i = 0; i < rule->arg_count; i++)
		repeated |= seen[rule->args[i].index]++ > 0;
	for (size_t i = 0; i < (repeated ? rule->arg_count : 1); i++) {
		struct naive_match m = naive_match(rule->args + i, repeated ? 1 : rule->arg_count,
						   call, wide, values);

		naive_offer(best, &m, ret);
	}
}

/* The highest number that the profile names on an architecture; 0 when there is none. */
static inline uint32_t naive_newest(const struct spec_seccomp *p, uint32_t abi)
{
	unsigned unused;
	int newest = 0;

	for (size_t i = 0; i < p->rule_count; i++) {
		for (size_t n = 0; n < p->rules[i].names.count; n++) {
			const char *name = p->rules[i].names.item[n];
			int direct = seccomp_syscall_number(abi, name),
			    other = naive_multiplexer(abi, name, &unused);

			newest = direct > newest ? direct : newest;
			newest = other > newest ? other : newest;
		}
	}
	return (uint32_t)newest;
}

/* What the filter of profile p must return. */
static inline uint32_t naive_outcome(const struct spec_seccomp *p, uint32_t native, uint32_t audit,
				     uint32_t nr, const uint64_t *args)
{
	bool refuses = p->default_action != ACT_ALLOW && p->default_action != ACT_LOG &&
		       p->default_action != ACT_TRACE;
	uint32_t usual = naive_action(p->default_action, p->default_errno_ret);
	bool x86 = audit == AUDIT_ARCH_X86_64, x32 = naive_listed(p, native, SPEC_ARCH_X32);
	uint32_t abi = x86 && nr & 0x40000000 ? SPEC_ARCH_X32 : audit;
	struct naive_best best = {.ret = usual};
	uint32_t newest = naive_newest(p, abi);
	unsigned call;

	if (!naive_listed(p, native, audit) && !(x86 && x32))
		return SECCOMP_RET_KILL_THREAD;
	if (refuses && newest && naive_listed(p, native, abi) &&
	    (nr > newest || (!nr && (abi == AUDIT_ARCH_S390 || abi == AUDIT_ARCH_S390X))))
		return SECCOMP_RET_ERRNO | ENOSYS;
	if (x86 && (nr >= 0x40000000 ? !x32 : !naive_listed(p, native, audit)))
		return nr == UINT32_MAX ? usual : SECCOMP_RET_KILL_THREAD;
	for (size_t i = 0; i < p->rule_count; i++) {
		if (naive_action(p->rules[i].action, p->rules[i].errno_ret) == usual)
			continue;
		for (size_t n = 0; n < p->rules[i].names.count; n++)
			if (naive_names(abi, p->rules[i].names.item[n], nr, &call))
				naive_rule(&best, &p->rules[i], call, naive_is_wide(abi), args);
	}
	return best.ret;
}
