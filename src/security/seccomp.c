/*
 * The seccomp compiler: see seccomp.h.
 *
 *   rules ──► outcomes by system call ──► ranges of numbers ──► a tree of comparisons
 *   (seccomp_rules)   (seccomp_outcomes)       (here)             (here, with seccomp_bpf)
 *
 * For each architecture every system call gets an outcome, in an array by slot, so nothing has to
 * be sorted. Neighbours of equal outcome become one range, and a balanced tree over the ranges
 * finds the outcome in few steps. That counts twice: the kernel runs the program for every number
 * when it is installed, and later for every call whose outcome depends on arguments.
 */
#include "security/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

#include "security/seccomp_bpf.h"
#include "security/seccomp_rules.h"
#include "spec/words.h"

#define X32_BIT 0x40000000u
#define SIGN_BIT 0x80000000u
#define ARCHS_MAX 24
#define SINGLES_MAX 3                       /* see struct leaf */
#define RANGES_MAX (2 * SECCOMP_SLOTS + 16) /* x86_64 has its own slots and those of x32 */

/* One value of seccomp_data.arch. x86_64 and x32 share theirs. */
struct machine {
	uint32_t audit;
	const struct seccomp_arch *arch, *x32;
};

struct range {
	uint32_t first;
	uint16_t outcome;
};

/*
 * A range that is interrupted by single numbers: range, single, rest, single, rest, … in the list
 * of ranges.
 */
struct leaf {
	uint16_t range, singles;
};

struct compiler {
	struct seccomp_rules rules;
	struct bpf_writer code;
	bool refuses; /* the default action does not let calls through */
	/* outcomes: of a foreign architecture, of calls of the future */
	uint16_t foreign, enosys;
	const struct machine *machine;   /* the one that is being written, */
	uint16_t slots[SECCOMP_SLOTS];   /* and of it: outcomes, */
	struct range ranges[RANGES_MAX]; /* ranges, sorted, the first begins at 0, */
	size_t range_count;
	struct leaf leaves[RANGES_MAX]; /* and what the tree is made over */
};

/* ---- ranges ---------------------------------------------------------------------------------- */

/* From number first on the outcome is this one. Calls come in rising order of first. */
static void add_range(struct compiler *c, uint32_t first, uint16_t outcome)
{
	struct range *last = c->range_count ? &c->ranges[c->range_count - 1] : NULL;

	if (last && last->outcome == outcome)
		return;
	if (last && last->first == first)
		last->outcome = outcome;
	else
		c->ranges[c->range_count++] = (struct range){first, outcome};
}

/*
 * Adds the ranges of an architecture from number first on. *ret_ends: whether the ENOSYS rule holds
 * behind the last.
 *
 * The ENOSYS rule, runc's: where the default action is to refuse, a system call newer than the
 * newest one that the profile names gives ENOSYS, so that C libraries fall back to what they used
 * before that call was known. On s390 the kernel shows a number that it does not know as 0, so 0
 * must give it too. runc takes the number 0 for no name at all; only a profile that names nothing
 * but the very first call can tell.
 */
static int add_arch_ranges(struct compiler *c, const struct seccomp_arch *arch, uint32_t first,
			   bool *ret_ends, struct err *e)
{
	bool s390 = arch->audit == AUDIT_ARCH_S390 || arch->audit == AUDIT_ARCH_S390X;
	bool ends;
	int newest;

	if (seccomp_rules_apply(&c->rules, arch, c->slots, &newest, e))
		return -1;
	ends = c->refuses && newest >= 0 && seccomp_slot_number(arch, (unsigned)newest) != 0;
	if (s390 && ends)
		c->slots[0] = c->enosys;
	add_range(c, first, OUTCOME_DEFAULT);
	for (unsigned slot = 0; (int)slot <= newest; slot++)
		add_range(c, seccomp_slot_number(arch, slot), c->slots[slot]);
	if (newest >= 0)
		add_range(c, seccomp_slot_number(arch, (unsigned)newest) + 1,
			  ends ? c->enosys : OUTCOME_DEFAULT);
	*ret_ends = ends;
	return 0;
}

/*
 * x86_64 and x32 differ by bit 30, above 2³¹ too, where no calls are. What belongs to the one that
 * is not among the profile's architectures is foreign, with an exception for −1, which a tracer
 * sets to skip a call. All this is as libseccomp and runc have it.
 */
static int add_x86_ranges(struct compiler *c, struct err *e)
{
	const struct machine *m = c->machine;
	uint16_t above = m->x32 ? OUTCOME_DEFAULT : c->foreign;
	bool ends = false, x32_ends = false;

	if (!m->arch)
		add_range(c, 0, c->foreign);
	else if (add_arch_ranges(c, m->arch, 0, &ends, e))
		return -1;
	if (!m->x32)
		add_range(c, X32_BIT, c->foreign);
	else if (add_arch_ranges(c, m->x32, X32_BIT, &x32_ends, e))
		return -1;
	add_range(c, SIGN_BIT, ends ? c->enosys : above);
	add_range(c, SIGN_BIT | X32_BIT, x32_ends ? c->enosys : above);
	add_range(c, UINT32_MAX, x32_ends ? c->enosys : OUTCOME_DEFAULT);
	return 0;
}

/* ---- the tree -------------------------------------------------------------------------------- */

static int write_range(struct compiler *c, size_t range, unsigned *ret_label, struct err *e)
{
	const struct machine *m = c->machine;
	const struct seccomp_arch *arch =
		m->x32 && c->ranges[range].first >= X32_BIT ? m->x32 : m->arch;

	return seccomp_outcome_write(&c->rules.outcomes, c->ranges[range].outcome,
				     arch && arch->wide, &c->code, ret_label, e);
}

/*
 * The singles are compared one by one; as ranges of the tree they would take two comparisons each.
 */
static int write_leaf(struct compiler *c, const struct leaf *leaf, unsigned *ret_label,
		      struct err *e)
{
	unsigned label, single;

	if (write_range(c, leaf->range, &label, e))
		return -1;
	for (size_t i = leaf->singles; i; i--) {
		size_t range = leaf->range + 2 * i - 1;

		if (write_range(c, range, &single, e))
			return -1;
		label = bpf_jump(&c->code, BPF_JEQ, c->ranges[range].first, single, label);
	}
	*ret_label = label;
	return 0;
}

/* Recursion goes as deep as the logarithm of the number of leaves, about ten. */
static int write_tree(struct compiler *c, const struct leaf *leaves, size_t count,
		      unsigned *ret_label, struct err *e)
{
	size_t half = count / 2;
	unsigned below, above;

	if (count == 1)
		return write_leaf(c, leaves, ret_label, e);
	if (write_tree(c, leaves + half, count - half, &above, e) ||
	    write_tree(c, leaves, half, &below, e))
		return -1;
	*ret_label = bpf_jump(&c->code, BPF_JGE, c->ranges[leaves[half].range].first, above, below);
	return 0;
}

/* Whether the range is followed by a single number and then by its own outcome again. */
static bool is_interrupted(const struct compiler *c, size_t range)
{
	const struct range *r = c->ranges + range;

	return range + 2 < c->range_count && r[2].first - r[1].first == 1 &&
	       r[2].outcome == r[0].outcome;
}

static size_t make_leaves(struct compiler *c)
{
	size_t count = 0;

	for (size_t range = 0; range < c->range_count; range++) {
		struct leaf *leaf = &c->leaves[count++];

		*leaf = (struct leaf){.range = (uint16_t)range};
		for (; leaf->singles < SINGLES_MAX && is_interrupted(c, range); range += 2)
			leaf->singles++;
	}
	return count;
}

static int write_machine(struct compiler *c, const struct machine *m, unsigned *ret_label,
			 struct err *e)
{
	bool unused;

	c->machine = m;
	c->range_count = 0;
	if (m->audit == AUDIT_ARCH_X86_64 ? add_x86_ranges(c, e)
					  : add_arch_ranges(c, m->arch, 0, &unused, e))
		return -1;
	if (write_tree(c, c->leaves, make_leaves(c), ret_label, e))
		return -1;
	/*
	 * With one range the number does not matter, and its label may stand anywhere: nothing to
	 * load.
	 */
	if (c->range_count > 1)
		*ret_label = bpf_load(&c->code, offsetof(struct seccomp_data, nr));
	return 0;
}

/* ---- the program ----------------------------------------------------------------------------- */

static int add_machine(struct machine *machines, size_t *count, uint32_t audit, struct err *e)
{
	const struct seccomp_arch *arch = seccomp_arch_find(audit);
	const char *name = word_name(&words_seccomp_archs, audit);
	struct machine *m;
	size_t i = 0;

	if (!arch)
		return err_set(e, ERR_UNSUPPORTED,
			       "this build does not know the system calls of %s (0x%08x)",
			       name ? name : "this architecture", audit);
	if (audit == SPEC_ARCH_X32)
		audit = AUDIT_ARCH_X86_64;
	while (i < *count && machines[i].audit != audit)
		i++;
	if (i == *count)
		machines[(*count)++] = (struct machine){.audit = audit};
	m = &machines[i];
	if (arch->audit == SPEC_ARCH_X32)
		m->x32 = arch;
	else
		m->arch = arch;
	return 0;
}

static int write_program(struct compiler *c, const struct spec_seccomp *profile, uint32_t native,
			 struct err *e)
{
	struct machine machines[ARCHS_MAX];
	unsigned label, body[ARCHS_MAX];
	size_t count = 0;

	if (add_machine(machines, &count, native, e))
		return -1;
	for (size_t i = 0; i < profile->architecture_count; i++)
		if (add_machine(machines, &count, profile->architectures[i], e))
			return err_in(e, "/linux/seccomp/architectures/%zu", i);
	/* From the last to the first: the native one comes to stand next to the start. */
	for (size_t i = count; i--;)
		if (write_machine(c, &machines[i], &body[i], e))
			return -1;
	label = bpf_return(&c->code, SECCOMP_RET_KILL_THREAD);
	for (size_t i = count; i--;)
		label = bpf_jump(&c->code, BPF_JEQ, machines[i].audit, body[i], label);
	(void)bpf_load(&c->code, offsetof(struct seccomp_data, arch));
	if (c->code.full)
		return err_set(
			e, ERR_INVALID,
			"the seccomp profile is too large: it takes more than %d instructions",
			BPF_MAXINSNS);
	return 0;
}

static int add_fixed_outcomes(struct compiler *c, struct err *e)
{
	if (seccomp_outcome_settle(&c->rules.outcomes, SECCOMP_RET_KILL_THREAD, &c->foreign, e))
		return -1;
	return seccomp_outcome_settle(&c->rules.outcomes, SECCOMP_RET_ERRNO | ENOSYS, &c->enosys,
				      e);
}

static void set_flags(const struct spec_seccomp *profile, struct seccomp_program *p)
{
	for (size_t i = 0; i < profile->rule_count; i++)
		p->notify |= profile->rules[i].action == ACT_NOTIFY;
	p->default_flags = !profile->flags_given;
	/*
	 * TSYNC asks for nothing: the filter is loaded while there is one thread, and execve
	 * follows.
	 */
	p->flags = profile->flags_given ? profile->flags & ~(uint32_t)SECCOMP_FILTER_FLAG_TSYNC
					: SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	if (p->notify)
		p->flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
}

int seccomp_compile(const struct spec_seccomp *profile, uint32_t native, const struct log *log,
		    struct arena *a, struct seccomp_program *ret, struct err *e)
{
	struct compiler *c = arena_get(a, sizeof(*c), e);
	struct sock_filter *code = arena_get_array(a, BPF_MAXINSNS, sizeof(code[0]), e);
	enum seccomp_action action = profile->default_action;
	struct seccomp_program program = {0};

	if (!c || !code)
		return -1;
	bpf_init(&c->code, code);
	/* TRACE counts as letting through: a tracer handles new system calls itself. */
	c->refuses = action != ACT_ALLOW && action != ACT_LOG && action != ACT_TRACE;
	if (seccomp_rules_read(&c->rules, profile, log, a, e))
		return -1;
	c->rules.outcomes.big_endian = !(native & __AUDIT_ARCH_LE);
	if (add_fixed_outcomes(c, e) || write_program(c, profile, native, e))
		return -1;
	program.code = bpf_start(&c->code);
	program.length = (unsigned short)c->code.count;
	set_flags(profile, &program);
	/* Users and runc's own tests look for this line. */
	log_add(log, LOG_LEVEL_DEBUG, "seccomp filter flags: %u", program.flags);
	*ret = program;
	return 0;
}

int seccomp_syscall_number(uint32_t arch, const char *name)
{
	const struct seccomp_arch *found = seccomp_arch_find(arch);
	int index = found ? seccomp_name_find(name) : -1;
	int slot = index < 0 ? -1 : seccomp_name_slot(found, (unsigned)index);

	return slot < 0 ? -1 : (int)seccomp_slot_number(found, (unsigned)slot);
}
