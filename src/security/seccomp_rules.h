/*
 * The rules of a profile, read once, and what they come to for each system call of an architecture.
 *
 * The meaning is runc's, which is libseccomp's with three additions: a rule that names an argument
 * twice is as many rules as it has conditions, rules equal to the default action are dropped, and
 * unknown names are skipped. Used by the seccomp compiler alone; writes no code.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "security/seccomp_outcomes.h"
#include "security/seccomp_syscalls.h"
#include "spec/spec.h"

struct seccomp_rule {
	const struct spec_seccomp_rule *spec;
	uint32_t ret;                      /* SECCOMP_RET_… of its action */
	uint16_t first_match, match_count; /* none: the rule has no conditions */
	/* by spec->names: their indices in the tables, or none of them */
	const uint16_t *names;
};

struct seccomp_rules {
	struct seccomp_rule *item;
	size_t count;
	uint32_t default_ret;
	struct arena *arena;
	struct seccomp_outcomes outcomes;
};

/* Reads a profile; borrows it. Errors: ERR_INVALID with the pointer of what is wrong. */
int seccomp_rules_read(struct seccomp_rules *r, const struct spec_seccomp *profile,
		       const struct log *log, struct arena *a, struct err *e) must_check;

/*
 * Fills slots (SECCOMP_SLOTS of them) with the outcomes on an architecture. *ret_newest: the
 * highest slot that any rule speaks of, −1 for none. Unlike runc this counts multiplexed calls as
 * well, direct numbers and multiplexers: what the profile names is never taken for a call of the
 * future.
 */
int seccomp_rules_apply(struct seccomp_rules *r, const struct seccomp_arch *arch, uint16_t *slots,
			int *ret_newest, struct err *e) must_check;
