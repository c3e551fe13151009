/*
 * What a device filter has to say, found in another way than src/cgroup finds it: a machine for the
 * part of eBPF that a device program may use, and a plain evaluation of the rules as the kernel's
 * devices controller would do it. For the unit test and the fuzzer; shares nothing with the
 * compiler under test.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "spec/spec.h"

#define DEVICE_MACHINE_BROKEN (-1) /* the kernel's verifier would refuse the program */

struct device_request {
	char type; /* 'b' or 'c' */
	uint32_t major, minor;
	unsigned access; /* BPF_DEVCG_ACC_… */
};

/* ---- the machine ----------------------------------------------------------------------------- */

static inline bool device_machine_jumps(const struct bpf_insn *insn, uint64_t value)
{
	uint32_t x = (uint32_t)value, y = (uint32_t)insn->imm;

	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return x == y;
	case BPF_JNE:
		return x != y;
	default:
		return x & y;
	}
}

/* 0 or 1 as the program returns it, or DEVICE_MACHINE_BROKEN. */
static inline int device_machine_run(const struct bpf_insn *program, size_t count,
				     const struct device_request *request)
{
	const uint32_t context[3] = {
		request->access << 16 |
			(request->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		request->major, request->minor};
	uint64_t reg[11] = {0};
	uint16_t set = 1 << 1; /* registers with a value */

	for (size_t i = 0; i < count; i++) {
		const struct bpf_insn *insn = &program[i];

		if (insn->code == (BPF_JMP | BPF_EXIT))
			return set & 1 ? (int)reg[0] : DEVICE_MACHINE_BROKEN;
		if (insn->code == (BPF_ALU64 | BPF_MOV | BPF_K)) {
			reg[insn->dst_reg] = (uint64_t)(int64_t)insn->imm;
			set |= (uint16_t)(1 << insn->dst_reg);
		} else if (insn->code == (BPF_LDX | BPF_W | BPF_MEM) && insn->src_reg == 1 &&
			   insn->off >= 0 && insn->off <= 8 && insn->off % 4 == 0) {
			reg[insn->dst_reg] = context[insn->off / 4];
			set |= (uint16_t)(1 << insn->dst_reg);
		} else if (insn->code == (BPF_JMP | BPF_JA) && insn->off >= 0) {
			i += (size_t)insn->off;
		} else if ((insn->code == (BPF_JMP32 | BPF_JEQ | BPF_K) ||
			    insn->code == (BPF_JMP32 | BPF_JNE | BPF_K) ||
			    insn->code == (BPF_JMP32 | BPF_JSET | BPF_K)) &&
			   insn->off >= 0 && set & 1 << insn->dst_reg) {
			i += device_machine_jumps(insn, reg[insn->dst_reg]) ? (size_t)insn->off : 0;
		} else {
			return DEVICE_MACHINE_BROKEN;
		}
	}
	return DEVICE_MACHINE_BROKEN;
}

/*
 * The verifier refuses instructions that nothing leads to. Jumps only go forward, so one pass finds
 * them.
 */
static inline bool device_machine_all_reached(const struct bpf_insn *program, size_t count,
					      bool *seen)
{
	memset(seen, 0, count * sizeof(*seen));
	seen[0] = true;
	for (size_t i = 0; i < count; i++) {
		size_t next = i + 1, target = i + 1 + (size_t)program[i].off;
		bool exits = program[i].code == (BPF_JMP | BPF_EXIT);
		bool jumps = BPF_CLASS(program[i].code) == BPF_JMP32 ||
			     program[i].code == (BPF_JMP | BPF_JA);

		if (!seen[i] || (jumps && target >= count))
			return false;
		if (jumps)
			seen[target] = true;
		if (exits || program[i].code == (BPF_JMP | BPF_JA))
			continue;
		if (next >= count)
			return false;
		seen[next] = true;
	}
	return true;
}

/* ---- the rules ------------------------------------------------------------------------------- */

struct device_entry {
	char type;
	int64_t major, minor;
	unsigned access;
};

/* The list of a devices cgroup; unknown: the rules ask for what it cannot express. */
struct device_list {
	bool allow, unknown;
	size_t count;
	struct device_entry entry[128];
};

static inline unsigned device_oracle_access(const char *text)
{
	return (strchr(text, 'r') ? BPF_DEVCG_ACC_READ : 0u) |
	       (strchr(text, 'w') ? BPF_DEVCG_ACC_WRITE : 0u) |
	       (strchr(text, 'm') ? BPF_DEVCG_ACC_MKNOD : 0u);
}

static inline bool device_oracle_within(const struct device_entry *inner,
					const struct device_entry *outer)
{
	return inner->type == outer->type && (outer->major == -1 || inner->major == outer->major) &&
	       (outer->minor == -1 || inner->minor == outer->minor);
}

static inline bool device_oracle_overlap(const struct device_entry *a, const struct device_entry *b)
{
	return a->type == b->type && (a->major == -1 || b->major == -1 || a->major == b->major) &&
	       (a->minor == -1 || b->minor == -1 || a->minor == b->minor);
}

/* One rule against the default: a new entry, or more access for the entry of the same words. */
static inline void device_oracle_except(struct device_list *list, const struct device_entry *entry)
{
	for (size_t i = 0; i < list->count; i++)
		if (device_oracle_within(entry, &list->entry[i]) &&
		    device_oracle_within(&list->entry[i], entry)) {
			list->entry[i].access |= entry->access;
			return;
		}
	if (list->count == sizeof(list->entry) / sizeof(list->entry[0]))
		list->unknown = true;
	else
		list->entry[list->count++] = *entry;
}

/* One rule that says the default again. */
static inline void device_oracle_take_back(struct device_list *list,
					   const struct device_entry *rule)
{
	for (size_t i = 0; i < list->count; i++) {
		struct device_entry *it = &list->entry[i];
		bool inside = device_oracle_within(it, rule),
		     around = device_oracle_within(rule, it);

		if (!(it->access & rule->access) || !device_oracle_overlap(it, rule))
			continue;
		if (list->allow && around && !inside)
			list->unknown = true; /* a hole in a denied range */
		else if (!list->allow && !inside)
			list->unknown = true; /* a hole in an allowed range */
		else if (inside && (around || !list->allow))
			it->access &= ~rule->access;
	}
}

static inline void device_oracle_apply(struct device_list *list,
				       const struct spec_device_rule *rule)
{
	struct device_entry entry = {rule->type, rule->major, rule->minor,
				     device_oracle_access(rule->access)};

	if (list->unknown)
		return;
	if (rule->type == 'a') {
		list->allow = rule->allow;
		list->count = 0;
	} else if (rule->allow == list->allow) {
		device_oracle_take_back(list, &entry);
	} else {
		device_oracle_except(list, &entry);
	}
}

/*
 * As __devcgroup_check_permission: a deny list refuses any overlap, an allow list wants one entry
 * for all of it.
 */
static inline bool device_oracle_allows(const struct device_list *list,
					const struct device_request *request)
{
	const struct device_entry asked = {request->type, request->major, request->minor,
					   request->access};

	for (size_t i = 0; i < list->count; i++) {
		const struct device_entry *it = &list->entry[i];

		if (!it->access || !device_oracle_within(&asked, it))
			continue;
		if (list->allow && asked.access & it->access)
			return false;
		if (!list->allow && !(asked.access & ~it->access))
			return true;
	}
	return list->allow;
}
