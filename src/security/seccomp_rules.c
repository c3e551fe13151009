/*
 * Reading and applying the rules of a profile: see seccomp_rules.h.
 */
#include "security/seccomp_rules.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/str.h"

#define ARGUMENTS 6
#define ERRNO_MAX \
	4095 /* the kernel's MAX_ERRNO: a larger one would reach the program as another value */
#define NAME_UNKNOWN UINT16_MAX

/* ---- reading --------------------------------------------------------------------------------- */

/* An action that carries a number; EPERM where none is given. */
static int with_data(uint32_t action, struct opt_u32 data, uint32_t max, uint32_t *ret,
		     struct err *e)
{
	if (data.set && data.value > max)
		return err_set(e, ERR_INVALID, "seccomp errno %u is too large, the most is %u",
			       data.value, max);
	*ret = action | (data.set ? data.value : EPERM);
	return 0;
}

/*
 * What a filter returns for an action. An errno given with another action than the two that use it
 * is passed over, as runc does: config-linux.md wants an error, but profiles with it are about.
 */
static int action_value(enum seccomp_action action, struct opt_u32 errno_ret, uint32_t *ret,
			struct err *e)
{
	switch (action) {
	case ACT_KILL_THREAD:
		*ret = SECCOMP_RET_KILL_THREAD;
		return 0;
	case ACT_KILL_PROCESS:
		*ret = SECCOMP_RET_KILL_PROCESS;
		return 0;
	case ACT_TRAP:
		*ret = SECCOMP_RET_TRAP;
		return 0;
	case ACT_ALLOW:
		*ret = SECCOMP_RET_ALLOW;
		return 0;
	case ACT_LOG:
		*ret = SECCOMP_RET_LOG;
		return 0;
	case ACT_NOTIFY:
		*ret = SECCOMP_RET_USER_NOTIF;
		return 0;
	case ACT_ERRNO:
		return with_data(SECCOMP_RET_ERRNO, errno_ret, ERRNO_MAX, ret, e);
	case ACT_TRACE:
		return with_data(SECCOMP_RET_TRACE, errno_ret, SECCOMP_RET_DATA, ret, e);
	}
	return err_set(e, ERR_INVALID, "invalid action, cannot use in rule");
}

static int check_args(const struct spec_seccomp_rule *spec, bool *ret_repeated, struct err *e)
{
	bool repeated = false;
	unsigned seen = 0;

	for (size_t i = 0; i < spec->arg_count; i++) {
		if (spec->args[i].index >= ARGUMENTS) {
			(void)err_set(e, ERR_INVALID,
				      "system calls have %d arguments, there is none of index %u",
				      ARGUMENTS, spec->args[i].index);
			return err_in(e, "/args/%zu/index", i);
		}
		repeated |= seen >> spec->args[i].index & 1;
		seen |= 1u << spec->args[i].index;
	}
	*ret_repeated = repeated;
	return 0;
}

/*
 * Conditions are joined by "and", unless an argument is named twice: then each is a rule of its
 * own, as in runc.
 */
static int add_matches(struct seccomp_rules *r, struct seccomp_rule *rule, struct err *e)
{
	const struct spec_seccomp_rule *spec = rule->spec;
	struct seccomp_match match = {.arg_count = spec->arg_count, .ret = rule->ret};
	bool repeated = false;
	uint16_t number;

	if (check_args(spec, &repeated, e))
		return -1;
	if (repeated)
		match.arg_count = 1;
	rule->first_match = (uint16_t)r->outcomes.match_count;
	for (size_t i = 0; i < spec->arg_count; i += match.arg_count) {
		match.args = spec->args + i;
		if (seccomp_outcomes_match(&r->outcomes, match, &number, e))
			return -1;
		rule->match_count++;
	}
	return 0;
}

static int find_name(const struct seccomp_rule *rule, const char *name, const struct log *log,
		     uint16_t *ret, struct err *e)
{
	int found = seccomp_name_find(name);

	if (!name[0])
		return err_set(e, ERR_INVALID, "empty string is not a valid syscall");
	/* Refused by custom: a profile shall not depend on how its listener is handed over. */
	if (rule->spec->action == ACT_NOTIFY && str_equal(name, "write"))
		return err_set(e, ERR_INVALID,
			       "SCMP_ACT_NOTIFY cannot be used for the write syscall");
	if (found < 0)
		log_add(log, LOG_LEVEL_DEBUG, "unknown seccomp syscall \"%s\" ignored", name);
	*ret = found < 0 ? NAME_UNKNOWN : (uint16_t)found;
	return 0;
}

static int read_rule(struct seccomp_rules *r, struct seccomp_rule *rule, const struct log *log,
		     struct err *e)
{
	const struct str_list *names = &rule->spec->names;
	uint16_t *index = arena_get_array(r->arena, names->count, sizeof(index[0]), e);

	if (!index || action_value(rule->spec->action, rule->spec->errno_ret, &rule->ret, e))
		return -1;
	for (size_t i = 0; i < names->count; i++)
		if (find_name(rule, names->item[i], log, &index[i], e))
			return err_in(e, "/names/%zu", i);
	rule->names = index;
	return rule->spec->arg_count ? add_matches(r, rule, e) : 0;
}

int seccomp_rules_read(struct seccomp_rules *r, const struct spec_seccomp *profile,
		       const struct log *log, struct arena *a, struct err *e)
{
	*r = (struct seccomp_rules){.count = profile->rule_count, .arena = a};
	if (profile->default_action == ACT_NOTIFY) {
		(void)err_set(e, ERR_INVALID, "SCMP_ACT_NOTIFY cannot be used as default action");
		return err_in(e, "/linux/seccomp/defaultAction");
	}
	if (action_value(profile->default_action, profile->default_errno_ret, &r->default_ret, e))
		return err_in(e, "/linux/seccomp/defaultErrnoRet");
	r->item = arena_get_array(a, r->count, sizeof(r->item[0]), e);
	if (!r->item || seccomp_outcomes_init(&r->outcomes, r->default_ret, a, e))
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		r->item[i].spec = &profile->rules[i];
		if (read_rule(r, &r->item[i], log, e))
			return err_in(e, "/linux/seccomp/syscalls/%zu", i);
	}
	return 0;
}

/* ---- applying -------------------------------------------------------------------------------- */

static int apply_direct(struct seccomp_rules *r, const struct seccomp_rule *rule, bool wide,
			uint16_t *outcome, struct err *e)
{
	if (!rule->match_count)
		return seccomp_outcome_settle(&r->outcomes, rule->ret, outcome, e);
	for (uint16_t i = 0; i < rule->match_count; i++)
		if (seccomp_outcome_extend(&r->outcomes, (uint16_t)(rule->first_match + i), wide,
					   outcome, e))
			return -1;
	return 0;
}

/*
 * On i386, s390, PowerPC and MIPS o32 a socket or IPC call may also come as call number of
 * socketcall(2) or ipc(2). As in libseccomp the rule then holds for both forms. Its condition on
 * argument 0 is lost there, and those on the others see what the multiplexer was passed, a pointer
 * for sockets: a filter cannot see what it points to.
 */
static int apply_multiplexed(struct seccomp_rules *r, const struct seccomp_rule *rule,
			     unsigned call, bool wide, uint16_t *outcome, struct err *e)
{
	uint16_t i = 0, number;

	do {
		struct seccomp_match match = {.ret = rule->ret};

		if (rule->match_count)
			match = r->outcomes.match[rule->first_match + i];
		match.call = call;
		if (seccomp_outcomes_match(&r->outcomes, match, &number, e) ||
		    seccomp_outcome_extend(&r->outcomes, number, wide, outcome, e))
			return -1;
	} while (++i < rule->match_count);
	return 0;
}

/* The slots that a name speaks of, −1 where there is none. */
struct slots {
	int direct, multiplexer;
	unsigned call;
};

static struct slots find_slots(const struct seccomp_arch *arch, uint16_t name)
{
	struct slots found = {-1, -1, 0};
	unsigned multiplexer = 0;

	if (name == NAME_UNKNOWN)
		return found;
	found.direct = seccomp_name_slot(arch, name);
	found.call = arch->multiplexes ? seccomp_name_call(name, &multiplexer) : 0;
	if (found.call)
		found.multiplexer = seccomp_name_slot(arch, multiplexer);
	return found;
}

int seccomp_rules_apply(struct seccomp_rules *r, const struct seccomp_arch *arch, uint16_t *slots,
			int *ret_newest, struct err *e)
{
	int newest = -1;

	memset(slots, 0, SECCOMP_SLOTS * sizeof(slots[0])); /* OUTCOME_DEFAULT */
	for (size_t i = 0; i < r->count; i++) {
		const struct seccomp_rule *rule = &r->item[i];
		bool redundant = rule->ret == r->default_ret;

		for (size_t n = 0; n < rule->spec->names.count; n++) {
			struct slots at = find_slots(arch, rule->names[n]);

			newest = at.direct > newest ? at.direct : newest;
			newest = at.multiplexer > newest ? at.multiplexer : newest;
			if (at.direct >= 0 && !redundant &&
			    apply_direct(r, rule, arch->wide, &slots[at.direct], e))
				return -1;
			if (at.multiplexer >= 0 && !redundant &&
			    apply_multiplexed(r, rule, at.call, arch->wide, &slots[at.multiplexer],
					      e))
				return -1;
		}
	}
	*ret_newest = newest;
	return 0;
}
