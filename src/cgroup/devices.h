/*
 * Device rules on their way to the kernel: normalised once into what version 1's devices controller
 * keeps, a default and a list of exceptions, which both versions then carry out. Inside of cgroup
 * only (and its tests).
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup/cgroup.h"

#define DEVICE_ANY (-1)            /* any major or minor number */
#define DEVICE_EXCEPTIONS_MAX 4000 /* keeps every jump of the program within its 16 bits */

/* Bits of access, those of linux/bpf.h: BPF_DEVCG_ACC_MKNOD, _READ, _WRITE. */
#define DEVICE_ACCESS_ALL 7u

struct device_exception {
	char type;            /* 'b' or 'c' */
	uint8_t access;       /* bits */
	int64_t major, minor; /* or DEVICE_ANY */
};

/*
 * allow false: denied is what no single exception covers in full. allow true: denied is what
 * touches any exception. No exception is covered by another one.
 */
struct device_policy {
	bool allow;
	struct device_exception *item;
	size_t count;
};

/*
 * What the rules, applied in their order to "deny all", amount to. As in version 1 a rule of type
 * 'a' starts anew whatever its numbers; a rule against the default is an exception; one with the
 * default takes exceptions back. Pure.
 *
 * Taking back a part of an exception is ERR_INVALID, as in runc: "requested rule [c 1:3 w] not
 * supported by devices cgroupv1 (cannot punch hole in existing wildcard rule [c *:* rwm])". A deny
 * rule takes back all narrower exceptions too, where version 1 would silently leave them.
 */
int devices_normalise(const struct spec_device_rules *rules, struct arena *a,
		      struct device_policy *ret, struct err *e) must_check;

/* Reads the text of devices.list. Pure. */
int devices_parse_list(const char *text, struct arena *a, struct device_policy *ret,
		       struct err *e) must_check;

/* Adds an exception: one for the same device gets more access. Pure. */
int devices_add(struct device_policy *policy, const struct device_exception *exception,
		struct arena *a, size_t *capacity, struct err *e) must_check;

/* One write into devices.allow (allow) or devices.deny. */
struct device_write {
	bool allow;
	const char *text;
};
struct device_writes {
	struct device_write *item;
	size_t count;
};

/*
 * The writes that lead from what a version 1 cgroup has to what is wanted, none that changes
 * nothing. Pure.
 */
int devices_transition(const struct device_policy *now, const struct device_policy *wanted,
		       struct arena *a, struct device_writes *ret, struct err *e) must_check;

/*
 * The shortest program of type BPF_PROG_TYPE_CGROUP_DEVICE that this compiler knows for the policy:
 * 21 instructions for the rules that every container has. Pure.
 */
int devices_compile(const struct device_policy *policy, struct arena *a, struct bpf_insn **ret,
		    size_t *ret_count, struct err *e) must_check;

/* Puts the policy in force in the cgroup dir. */
int devices_apply_v1(const char *dir, const struct device_policy *policy, struct arena *a,
		     struct err *e) must_check;
int devices_apply_v2(const char *dir, const struct device_policy *policy, struct arena *a,
		     struct err *e) must_check;
