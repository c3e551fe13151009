/*
 * What the rules of a profile come to for one system call: an outcome, known by a small number.
 *
 * An outcome is either settled (one return value whatever the arguments) or a chain: a list of
 * matches, each with its own return value, and the default action behind them. Equal outcomes have
 * equal numbers, so ranges of system calls can be merged by comparing numbers, and a chain that
 * many calls share is written once. Used by the seccomp compiler alone; knows nothing of
 * architectures but the width of arguments.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "security/seccomp_bpf.h"
#include "spec/spec.h"

#define OUTCOME_DEFAULT 0 /* the default action */

/* Conditions that must all hold, as a rule of config.json lists them. */
struct seccomp_match {
	const struct spec_seccomp_arg *args;
	size_t arg_count;
	uint32_t ret;
	/* not 0: argument 0 must be this call of a multiplexer, whatever args say of it */
	unsigned call;
};

struct seccomp_outcome {
	uint32_t ret; /* settled: SECCOMP_RET_… */
	/* a chain: the chain it goes on from, one more match, their count */
	uint16_t before, match, depth;
	unsigned label[2]; /* where a chain is written, by width; 0: not yet */
};

struct seccomp_outcomes {
	struct arena *arena;
	struct seccomp_outcome *item;
	size_t count, capacity;
	struct seccomp_match *match;
	size_t match_count, match_capacity;
	bool big_endian;
};

/* Starts with one outcome, the default action's. */
int seccomp_outcomes_init(struct seccomp_outcomes *o, uint32_t default_ret, struct arena *a,
			  struct err *e) must_check;

/* Adds a match for later use; *ret_match gets its number. */
int seccomp_outcomes_match(struct seccomp_outcomes *o, struct seccomp_match match,
			   uint16_t *ret_match, struct err *e) must_check;

/*
 * Applies a rule without conditions to an outcome. As in libseccomp it wins over all conditional
 * ones, earlier or later, and the first such rule wins over the others.
 */
int seccomp_outcome_settle(struct seccomp_outcomes *o, uint32_t ret, uint16_t *outcome,
			   struct err *e) must_check;

/* Applies a match. One that always holds at this width (a mask of zero) settles the outcome. */
int seccomp_outcome_extend(struct seccomp_outcomes *o, uint16_t match, bool wide, uint16_t *outcome,
			   struct err *e) must_check;

/* The label of an outcome, written first where needed. wide: compare arguments as 64 bits. */
int seccomp_outcome_write(struct seccomp_outcomes *o, uint16_t outcome, bool wide,
			  struct bpf_writer *w, unsigned *ret_label, struct err *e) must_check;
