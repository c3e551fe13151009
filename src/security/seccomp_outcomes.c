/*
 * Outcomes and the code of their chains: see seccomp_outcomes.h.
 *
 * Classic BPF has 32-bit words, so a wide argument is compared in two halves. Narrow architectures
 * compare the low half alone, and only the low half of the value that config.json gives, as
 * libseccomp does: profiles write −1 as 18446744073709551615 for them too.
 */
#include "security/seccomp_outcomes.h"

#include <linux/seccomp.h>
#include <stddef.h>

#define OUTCOMES_MAX 4096 /* each is at least an instruction, and no program has more */
#define CONDITIONS_MAX 6

int seccomp_outcomes_init(struct seccomp_outcomes *o, uint32_t default_ret, struct arena *a,
			  struct err *e)
{
	*o = (struct seccomp_outcomes){.arena = a};
	o->item = arena_grow(a, NULL, 0, &o->capacity, sizeof(o->item[0]), e);
	if (!o->item)
		return -1;
	o->item[o->count++] = (struct seccomp_outcome){.ret = default_ret};
	return 0;
}

int seccomp_outcomes_match(struct seccomp_outcomes *o, struct seccomp_match match,
			   uint16_t *ret_match, struct err *e)
{
	if (o->match_count > UINT16_MAX)
		return err_set(
			e, ERR_INVALID,
			"the seccomp profile is too large: it has too many conditional rules");
	o->match = arena_grow(o->arena, o->match, o->match_count, &o->match_capacity,
			      sizeof(o->match[0]), e);
	if (!o->match)
		return -1;
	*ret_match = (uint16_t)o->match_count;
	o->match[o->match_count++] = match;
	return 0;
}

/* The number of the outcome that is equal to wanted, made if there is none. */
static int intern(struct seccomp_outcomes *o, struct seccomp_outcome wanted, uint16_t *ret_outcome,
		  struct err *e)
{
	size_t i = 0;

	while (i < o->count &&
	       (o->item[i].ret != wanted.ret || o->item[i].before != wanted.before ||
		o->item[i].match != wanted.match || o->item[i].depth != wanted.depth))
		i++;
	if (i == OUTCOMES_MAX)
		return err_set(
			e, ERR_INVALID,
			"the seccomp profile is too large: it has too many conditional rules");
	if (i == o->count) {
		o->item = arena_grow(o->arena, o->item, o->count, &o->capacity, sizeof(o->item[0]),
				     e);
		if (!o->item)
			return -1;
		o->item[o->count++] = wanted;
	}
	*ret_outcome = (uint16_t)i;
	return 0;
}

/* The default action stands until a rule says otherwise, so it does not count as settled. */
static bool is_settled(const struct seccomp_outcomes *o, uint16_t outcome)
{
	return outcome != OUTCOME_DEFAULT && o->item[outcome].depth == 0;
}

int seccomp_outcome_settle(struct seccomp_outcomes *o, uint32_t ret, uint16_t *outcome,
			   struct err *e)
{
	if (is_settled(o, *outcome))
		return 0;
	return intern(o, (struct seccomp_outcome){.ret = ret}, outcome, e);
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* A comparison with a mask of zero holds for every argument. */
static bool is_always(const struct spec_seccomp_arg *c, bool wide)
{
	return c->op == OP_MASKED_EQ && !(wide ? c->value : (uint32_t)c->value);
}

/*
 * The conditions of a match in the order of their arguments, without those that always hold.
 * Returns how many.
 */
static size_t conditions(const struct seccomp_match *m, bool wide, struct spec_seccomp_arg *out)
{
	size_t count = 0;

	if (m->call)
		out[count++] = (struct spec_seccomp_arg){.op = OP_EQ, .value = m->call};
	for (uint32_t index = m->call ? 1 : 0; index < CONDITIONS_MAX; index++)
		for (size_t i = 0; i < m->arg_count; i++)
			if (m->args[i].index == index && !is_always(&m->args[i], wide))
				out[count++] = m->args[i];
	return count;
}

int seccomp_outcome_extend(struct seccomp_outcomes *o, uint16_t match, bool wide, uint16_t *outcome,
			   struct err *e)
{
	struct spec_seccomp_arg unused[CONDITIONS_MAX];
	uint32_t ret = o->match[match].ret;
	uint16_t depth = o->item[*outcome].depth;

	if (is_settled(o, *outcome))
		return 0;
	if (!conditions(&o->match[match], wide, unused))
		return seccomp_outcome_settle(o, ret, outcome, e);
	return intern(o,
		      (struct seccomp_outcome){
			      .before = *outcome, .match = match, .depth = (uint16_t)(depth + 1)},
		      outcome, e);
}

/* ---- code ------------------------------------------------------------------------------------ */

struct halves {
	uint32_t low, high;
}; /* offsets in struct seccomp_data */

static struct halves argument(const struct seccomp_outcomes *o, uint32_t index)
{
	uint32_t first = (uint32_t)offsetof(struct seccomp_data, args) + 8 * index;

	return o->big_endian ? (struct halves){first + 4, first}
			     : (struct halves){first, first + 4};
}

static uint32_t high(uint64_t value)
{
	return (uint32_t)(value >> 32);
}

/* The word at offset, under mask, against value. */
static unsigned write_masked(struct bpf_writer *w, uint32_t offset, uint32_t mask, uint32_t value,
			     unsigned yes, unsigned no)
{
	value &= mask;
	if (!mask)
		return yes;
	if (!value && mask != UINT32_MAX) {
		(void)bpf_jump(w, BPF_JSET, mask, no, yes);
	} else if (value == mask && !(mask & (mask - 1))) {
		(void)bpf_jump(w, BPF_JSET, mask, yes, no);
	} else {
		(void)bpf_jump(w, BPF_JEQ, value, yes, no);
		if (mask != UINT32_MAX)
			(void)bpf_and(w, mask);
	}
	return bpf_load(w, offset);
}

/*
 * Greater than the value, or equal where test is BPF_JGE: the high words decide unless they are
 * equal.
 */
static unsigned write_order(struct bpf_writer *w, const struct halves *at, uint16_t test,
			    const struct spec_seccomp_arg *c, bool wide, unsigned yes, unsigned no)
{
	unsigned label;

	(void)bpf_jump(w, test, (uint32_t)c->value, yes, no);
	label = bpf_load(w, at->low);
	if (!wide)
		return label;
	if (!high(c->value)) {
		(void)bpf_jump(w, BPF_JEQ, 0, label, yes);
	} else {
		label = bpf_jump(w, BPF_JEQ, high(c->value), label, no);
		(void)bpf_jump(w, BPF_JGT, high(c->value), yes, label);
	}
	return bpf_load(w, at->high);
}

static unsigned write_equal(struct bpf_writer *w, const struct halves *at,
			    const struct spec_seccomp_arg *c, bool wide, unsigned yes, unsigned no)
{
	uint64_t mask = c->op == OP_MASKED_EQ ? c->value : UINT64_MAX;
	uint64_t value = c->op == OP_MASKED_EQ ? c->value_two : c->value;

	yes = write_masked(w, at->low, (uint32_t)mask, (uint32_t)value, yes, no);
	if (wide)
		yes = write_masked(w, at->high, high(mask), high(value), yes, no);
	return yes;
}

static unsigned write_condition(const struct seccomp_outcomes *o, struct bpf_writer *w,
				const struct spec_seccomp_arg *c, bool wide, unsigned yes,
				unsigned no)
{
	struct halves at = argument(o, c->index);

	switch (c->op) {
	case OP_GT:
		return write_order(w, &at, BPF_JGT, c, wide, yes, no);
	case OP_LE:
		return write_order(w, &at, BPF_JGT, c, wide, no, yes);
	case OP_GE:
		return write_order(w, &at, BPF_JGE, c, wide, yes, no);
	case OP_LT:
		return write_order(w, &at, BPF_JGE, c, wide, no, yes);
	case OP_NE:
		return write_equal(w, &at, c, wide, no, yes);
	case OP_EQ:
	case OP_MASKED_EQ:
		break;
	}
	return write_equal(w, &at, c, wide, yes, no);
}

/* All conditions of a match, from the last; when one fails, no. */
static unsigned write_match(const struct seccomp_outcomes *o, struct bpf_writer *w,
			    const struct seccomp_match *m, bool wide, unsigned no)
{
	struct spec_seccomp_arg c[CONDITIONS_MAX];
	size_t count = conditions(m, wide, c);
	unsigned label = bpf_return(w, m->ret);

	while (count)
		label = write_condition(o, w, &c[--count], wide, label, no);
	return label;
}

/* Whether a match is no more than "argument = value"; gives the condition. */
static bool is_plain(const struct seccomp_match *m, bool wide, struct spec_seccomp_arg *ret)
{
	struct spec_seccomp_arg c[CONDITIONS_MAX] = {0};

	if (conditions(m, wide, c) != 1 || c[0].op != OP_EQ)
		return false;
	*ret = c[0];
	return true;
}

/*
 * How many matches before end, itself included, are plain, of one argument, and agree in its high
 * half: they can share the load of the argument and the test of the high half.
 */
static size_t group_size(const struct seccomp_outcomes *o, const uint16_t *list, size_t end,
			 bool wide)
{
	struct spec_seccomp_arg last, c;
	size_t count = 1;

	if (!is_plain(&o->match[list[end]], wide, &last))
		return 1;
	while (count <= end && is_plain(&o->match[list[end - count]], wide, &c) &&
	       c.index == last.index && (!wide || high(c.value) == high(last.value)))
		count++;
	return count;
}

/* A group of count matches: load once, then one comparison for each. */
static unsigned write_group(const struct seccomp_outcomes *o, struct bpf_writer *w,
			    const uint16_t *list, size_t count, bool wide, unsigned no)
{
	struct spec_seccomp_arg c = {0};
	unsigned label = no;
	struct halves at;

	while (count) {
		const struct seccomp_match *m = &o->match[list[--count]];

		(void)is_plain(m, wide, &c);
		label = bpf_jump(w, BPF_JEQ, (uint32_t)c.value, bpf_return(w, m->ret), label);
	}
	at = argument(o, c.index);
	label = bpf_load(w, at.low);
	if (!wide)
		return label;
	(void)bpf_jump(w, BPF_JEQ, high(c.value), label, no);
	return bpf_load(w, at.high);
}

/* ---- the order of matches -------------------------------------------------------------------- */

static int precision(enum seccomp_op op)
{
	switch (op) {
	case OP_EQ:
	case OP_NE:
	case OP_MASKED_EQ:
		return 2;
	case OP_LT:
	case OP_LE:
		return 1;
	case OP_GT:
	case OP_GE:
		break;
	}
	return 0;
}

static uint64_t compared_value(const struct spec_seccomp_arg *c, bool wide)
{
	uint64_t value = c->op == OP_MASKED_EQ ? c->value & c->value_two : c->value;

	return wide ? value : (uint32_t)value;
}

/*
 * Whether match a is tested before b. It only matters where both hold and their actions differ; the
 * order is then libseccomp's, condition by condition: later arguments first, equality before
 * limits, of limits the one that fewer values pass, of two matches that begin alike the shorter.
 * Where all this is equal, the order of the file stands.
 */
static bool goes_before(const struct seccomp_match *a, const struct seccomp_match *b, bool wide)
{
	struct spec_seccomp_arg x[CONDITIONS_MAX], y[CONDITIONS_MAX];
	size_t count_x = conditions(a, wide, x), count_y = conditions(b, wide, y);

	for (size_t i = 0; i < count_x && i < count_y; i++) {
		uint64_t value_x = compared_value(&x[i], wide),
			 value_y = compared_value(&y[i], wide);

		if (x[i].index != y[i].index)
			return x[i].index > y[i].index;
		if (precision(x[i].op) != precision(y[i].op))
			return precision(x[i].op) > precision(y[i].op);
		if (value_x != value_y)
			return x[i].op == OP_LT || x[i].op == OP_LE ? value_x < value_y
								    : value_x > value_y;
	}
	return count_x < count_y;
}

/* By insertion: chains are short. */
static void sort(const struct seccomp_outcomes *o, uint16_t *list, size_t count, bool wide)
{
	for (size_t i = 1; i < count; i++) {
		uint16_t moved = list[i];
		size_t to = i;

		for (; to && goes_before(&o->match[moved], &o->match[list[to - 1]], wide); to--)
			list[to] = list[to - 1];
		list[to] = moved;
	}
}

/* The matches of a chain, sorted; NULL on failure. */
static uint16_t *sorted_matches(const struct seccomp_outcomes *o, uint16_t outcome, bool wide,
				struct err *e)
{
	uint16_t *list = arena_get_array(o->arena, o->item[outcome].depth, sizeof(list[0]), e);

	if (!list)
		return NULL;
	for (uint16_t at = outcome; o->item[at].depth; at = o->item[at].before)
		list[o->item[at].depth - 1] = o->item[at].match;
	sort(o, list, o->item[outcome].depth, wide);
	return list;
}

int seccomp_outcome_write(struct seccomp_outcomes *o, uint16_t outcome, bool wide,
			  struct bpf_writer *w, unsigned *ret_label, struct err *e)
{
	struct seccomp_outcome *chain = &o->item[outcome];
	size_t left = chain->depth;
	unsigned label;
	uint16_t *list;

	if (!left || chain->label[wide]) {
		*ret_label = left ? chain->label[wide] : bpf_return(w, chain->ret);
		return 0;
	}
	list = sorted_matches(o, outcome, wide, e);
	if (!list)
		return -1;
	label = bpf_return(w, o->item[OUTCOME_DEFAULT].ret);
	while (left) {
		size_t count = group_size(o, list, left - 1, wide);

		left -= count;
		if (count > 1)
			label = write_group(o, w, list + left, count, wide, label);
		else
			label = write_match(o, w, &o->match[list[left]], wide, label);
	}
	chain->label[wide] = *ret_label = label;
	return 0;
}
