/*
 * A machine for classic BPF as seccomp uses it, with the kernel's rules of what a program may be:
 * for tests and the fuzzer. Written from the kernel's net/core/filter.c and kernel/seccomp.c as
 * they are documented in networking/filter.rst and seccomp(2); shares nothing with the compiler
 * under test.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPF_MACHINE_STUCK 0xdeadbeefu /* no SECCOMP_RET_… has this value */

/*
 * The words of struct seccomp_data by offset / 4, in the byte order of the machine that is played.
 */
struct bpf_machine_data {
	uint32_t word[sizeof(struct seccomp_data) / 4];
};

static inline struct bpf_machine_data bpf_machine_data(uint32_t nr, uint32_t arch,
						       const uint64_t args[6], bool big_endian)
{
	struct bpf_machine_data d = {.word = {nr, arch}};

	for (size_t i = 0; i < 6; i++) {
		d.word[4 + 2 * i + big_endian] = (uint32_t)args[i];
		d.word[4 + 2 * i + !big_endian] = (uint32_t)(args[i] >> 32);
	}
	return d;
}

static inline bool bpf_machine_jump_ok(const struct sock_filter *i, size_t left)
{
	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return i->k < left;
	case BPF_JEQ:
	case BPF_JGE:
	case BPF_JGT:
	case BPF_JSET:
		return (BPF_SRC(i->code) == BPF_K || BPF_SRC(i->code) == BPF_X) && i->jt < left &&
		       i->jf < left;
	default:
		return false;
	}
}

/*
 * What the kernel would take: 1 to 4096 instructions, jumps inside, aligned loads, a return at the
 * end.
 */
static inline bool bpf_machine_valid(const struct sock_filter *code, size_t length)
{
	if (!length || length > BPF_MAXINSNS || BPF_CLASS(code[length - 1].code) != BPF_RET)
		return false;
	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *i = &code[at];
		size_t left = length - at - 1;
		bool ok = false;

		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			ok = i->code == (BPF_LD | BPF_W | BPF_ABS) && i->k % 4 == 0 &&
			     i->k < sizeof(struct seccomp_data);
			break;
		case BPF_ALU:
			ok = i->code == (BPF_ALU | BPF_AND | BPF_K);
			break;
		case BPF_JMP:
			ok = bpf_machine_jump_ok(i, left);
			break;
		case BPF_RET:
			ok = i->code == (BPF_RET | BPF_K);
			break;
		}
		if (!ok)
			return false;
	}
	return true;
}

static inline bool bpf_machine_test(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGE:
		return a >= i->k;
	case BPF_JGT:
		return a > i->k;
	default:
		return a & i->k;
	}
}

/* Runs a valid program. *ret_steps (may be NULL): the instructions that were needed. */
static inline uint32_t bpf_machine_run(const struct sock_filter *code, size_t length,
				       const struct bpf_machine_data *data, unsigned *ret_steps)
{
	uint32_t a = 0;
	unsigned steps = 0;

	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *i = &code[at];

		steps++;
		switch (BPF_CLASS(i->code)) {
		case BPF_LD:
			a = data->word[i->k / 4];
			break;
		case BPF_ALU:
			a &= i->k;
			break;
		case BPF_JMP:
			at += BPF_OP(i->code) == BPF_JA ? i->k
			      : bpf_machine_test(i, a)  ? i->jt
							: i->jf;
			break;
		default:
			if (ret_steps)
				*ret_steps = steps;
			return i->k;
		}
	}
	return BPF_MACHINE_STUCK;
}
