/*
 * Device rules: from the configuration to a policy, and from a policy to the version that carries
 * it out. All but cgroup_devices is pure. Source: the kernel's admin-guide/cgroup-v1/devices.rst
 * and its security/device_cgroup.c.
 */
#include "cgroup/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup/paths.h"
#include "sys/procfs.h"

/* ---- rules ----------------------------------------------------------------------------------- */

/* What every container may do, whatever its configuration says: the same list as runc's. */
static const struct {
	char type;
	char access[4];
	int16_t major, minor;
} tail[] = {
	{'c', "m", DEVICE_ANY, DEVICE_ANY}, /* making a node lets nobody use it */
	{'b', "m", DEVICE_ANY, DEVICE_ANY},
	{'c', "rwm", 1, 3},            /* null */
	{'c', "rwm", 1, 8},            /* random */
	{'c', "rwm", 1, 7},            /* full */
	{'c', "rwm", 5, 0},            /* tty */
	{'c', "rwm", 1, 5},            /* zero */
	{'c', "rwm", 1, 9},            /* urandom */
	{'c', "rwm", 136, DEVICE_ANY}, /* pts/N */
	{'c', "rwm", 5, 2},            /* ptmx */
	{'c', "rwm", 10, 200},         /* net/tun */
};

static uint8_t access_bits(const char *access)
{
	uint8_t bits = 0;

	for (; *access; access++)
		if (*access == 'm')
			bits |= BPF_DEVCG_ACC_MKNOD;
		else if (*access == 'r')
			bits |= BPF_DEVCG_ACC_READ;
		else if (*access == 'w')
			bits |= BPF_DEVCG_ACC_WRITE;
		else
			return 0;
	return bits;
}

static bool is_number(int64_t number)
{
	return number >= DEVICE_ANY && number <= UINT32_MAX;
}

static int check_rule(const struct spec_device_rule *rule, size_t i, struct err *e)
{
	const char *member;

	if (!rule->access || !*rule->access) {
		member = "access";
		err_set(e, ERR_INVALID, "device access at %zu field cannot be empty", i);
	} else if (!access_bits(rule->access)) {
		member = "access";
		err_set(e, ERR_INVALID, "invalid device access \"%s\": r, w and m are possible",
			rule->access);
	} else if (!strchr("abc", rule->type)) {
		member = "type";
		err_set(e, ERR_INVALID, "invalid cgroup device type \"%c\"", rule->type);
	} else if (!is_number(rule->major) || !is_number(rule->minor)) {
		member = is_number(rule->major) ? "minor" : "major";
		err_set(e, ERR_INVALID, "device %s number %" PRId64 " is out of range", member,
			is_number(rule->major) ? rule->minor : rule->major);
	} else {
		return 0;
	}
	return err_in(e, "/linux/resources/devices/%zu/%s", i, member);
}

int cgroup_device_rules(const struct spec_resources *resources, struct arena *a,
			struct spec_device_rules *ret, struct err *e)
{
	size_t own = resources ? resources->devices.count : 0;
	struct spec_device_rule *item = arena_get_array(a, own + array_len(tail), sizeof(*item), e);

	if (!item)
		return -1;
	for (size_t i = 0; i < own; i++) {
		item[i] = resources->devices.item[i];
		if (!item[i].type)
			item[i].type = 'a';
		if (check_rule(&item[i], i, e))
			return -1;
	}
	for (size_t i = 0; i < array_len(tail); i++)
		item[own + i] = (struct spec_device_rule){
			.allow = true,
			.type = tail[i].type,
			.major = tail[i].major,
			.minor = tail[i].minor,
			.access = tail[i].access,
		};
	*ret = (struct spec_device_rules){.item = item, .count = own + array_len(tail)};
	return 0;
}

/* ---- policy ---------------------------------------------------------------------------------- */

static bool covers_number(int64_t wide, int64_t narrow)
{
	return wide == DEVICE_ANY || wide == narrow;
}

/* Whether every device of narrow is one of wide. */
static bool covers(const struct device_exception *wide, const struct device_exception *narrow)
{
	return wide->type == narrow->type && covers_number(wide->major, narrow->major) &&
	       covers_number(wide->minor, narrow->minor);
}

/* Whether there is a device in both. */
static bool meets(const struct device_exception *a, const struct device_exception *b)
{
	return a->type == b->type &&
	       (covers_number(a->major, b->major) || covers_number(b->major, a->major)) &&
	       (covers_number(a->minor, b->minor) || covers_number(b->minor, a->minor));
}

static bool same_device(const struct device_exception *a, const struct device_exception *b)
{
	return a->type == b->type && a->major == b->major && a->minor == b->minor;
}

int devices_add(struct device_policy *policy, const struct device_exception *exception,
		struct arena *a, size_t *capacity, struct err *e)
{
	for (size_t i = 0; i < policy->count; i++)
		if (same_device(&policy->item[i], exception)) {
			policy->item[i].access |= exception->access;
			return 0;
		}
	if (policy->count == DEVICE_EXCEPTIONS_MAX)
		return err_set(e, ERR_UNSUPPORTED, "more than %d device rules",
			       DEVICE_EXCEPTIONS_MAX);
	policy->item =
		arena_grow(a, policy->item, policy->count, capacity, sizeof(*policy->item), e);
	if (!policy->item)
		return -1;
	policy->item[policy->count++] = *exception;
	return 0;
}

/* "c 1:3 rwm", the form of devices.list. */
static const char *rule_text(const struct device_exception *rule, char (*buf)[64])
{
	int n = snprintf(*buf, sizeof(*buf), rule->major < 0 ? "%c *:" : "%c %" PRId64 ":",
			 rule->type, rule->major);

	n += snprintf(*buf + n, sizeof(*buf) - (size_t)n, rule->minor < 0 ? "* " : "%" PRId64 " ",
		      rule->minor);
	(void)snprintf(*buf + n, sizeof(*buf) - (size_t)n, "%s%s%s",
		       rule->access & BPF_DEVCG_ACC_READ ? "r" : "",
		       rule->access & BPF_DEVCG_ACC_WRITE ? "w" : "",
		       rule->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
	return *buf;
}

static int refuse_hole(const struct device_exception *rule, const struct device_exception *existing,
		       struct err *e)
{
	char asked[64], there[64];

	return err_set(e, ERR_INVALID,
		       "requested rule [%s] not supported by devices cgroupv1 "
		       "(cannot punch hole in existing wildcard rule [%s])",
		       rule_text(rule, &asked), rule_text(existing, &there));
}

/*
 * Takes access back from exceptions. What is denied again (policy denies by default) is taken back
 * wherever the rule reaches, since the user must not be left with more than was asked for; what is
 * allowed again only where it was denied by the same words, as in version 1.
 */
static int take_back(struct device_policy *policy, const struct device_exception *rule,
		     struct err *e)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->count; i++) {
		struct device_exception *there = &policy->item[i];
		bool touched = there->access & rule->access && meets(there, rule);

		if (touched && !covers(rule, there) && (!policy->allow || covers(there, rule)))
			return refuse_hole(rule, there, e);
	}
	for (size_t i = 0; i < policy->count; i++) {
		struct device_exception there = policy->item[i];

		if (policy->allow ? same_device(rule, &there) : covers(rule, &there))
			there.access &= (uint8_t)~rule->access;
		if (there.access)
			policy->item[kept++] = there;
	}
	policy->count = kept;
	return 0;
}

/*
 * Drops what another exception covers; two that cover each other cannot be, for there is one a
 * device.
 */
static void reduce(struct device_policy *policy)
{
	size_t kept = 0;

	for (size_t i = 0; i < policy->count; i++) {
		const struct device_exception *it = &policy->item[i];
		bool covered = false;

		for (size_t k = 0; k < policy->count && !covered; k++)
			covered = k != i && covers(&policy->item[k], it) &&
				  !(it->access & ~policy->item[k].access) &&
				  !same_device(&policy->item[k], it);
		if (!covered)
			policy->item[kept++] = *it;
	}
	policy->count = kept;
}

static int apply_rule(struct device_policy *policy, const struct spec_device_rule *rule,
		      struct arena *a, size_t *capacity, struct err *e)
{
	struct device_exception exception = {
		.type = rule->type,
		.access = access_bits(rule->access),
		.major = rule->major,
		.minor = rule->minor,
	};

	if (rule->type == 'a') {
		policy->allow = rule->allow;
		policy->count = 0;
		return 0;
	}
	if (rule->allow == policy->allow)
		return take_back(policy, &exception, e);
	return devices_add(policy, &exception, a, capacity, e);
}

int devices_normalise(const struct spec_device_rules *rules, struct arena *a,
		      struct device_policy *ret, struct err *e)
{
	struct device_policy policy = {.allow = false};
	size_t capacity = 0;

	for (size_t i = 0; i < rules->count; i++)
		if (apply_rule(&policy, &rules->item[i], a, &capacity, e))
			return err_in(e, "/linux/resources/devices");
	reduce(&policy);
	*ret = policy;
	return 0;
}

/* ---- in force -------------------------------------------------------------------------------- */

int cgroup_devices(const struct cgroup_paths *paths, const struct spec_device_rules *rules,
		   struct arena *a, struct err *e)
{
	const char *v1 = paths_find(paths, "devices"), *v2 = paths_find(paths, "");
	struct device_policy policy;
	int failed;

	if (devices_normalise(rules, a, &policy, e))
		return -1;
	if (v1)
		failed = devices_apply_v1(v1, &policy, a, e);
	else if (v2)
		failed = devices_apply_v2(v2, &policy, a, e);
	else
		failed = err_set(
			e, ERR_UNSUPPORTED,
			"no cgroup to restrict devices with: controller \"devices\" is missing");
	if (failed && e->sys == EPERM && (geteuid() != 0 || procfs_in_user_namespace()))
		return 0; /* whoever made the namespace has restricted its devices */
	return failed ? err_in(e, "/linux/resources/devices") : 0;
}
