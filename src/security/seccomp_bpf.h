/*
 * A writer of classic BPF that goes from the last instruction to the first.
 *
 * Classic BPF only jumps forward, so everything that a jump can go to has been written already and
 * its distance is known: no second pass, no patching. A place in the program is a label: how many
 * instructions there were, counted from the end, once the instruction at that place was written.
 * Labels stay good until the end. Used by the seccomp compiler alone; knows nothing of profiles.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define BPF_RETURNS_KEPT 8

struct bpf_writer {
	struct sock_filter *code; /* BPF_MAXINSNS of them; the program ends at the last */
	unsigned count;
	bool full; /* something did not fit: nothing is written any more, labels are meaningless */
	/* the latest returns */
	struct bpf_return {
		uint32_t value;
		unsigned label;
	} kept[BPF_RETURNS_KEPT];
	unsigned kept_next;
};

/* Starts an empty program in code, which has room for BPF_MAXINSNS instructions. */
void bpf_init(struct bpf_writer *w, struct sock_filter *code);

/* The first instruction of the program so far. */
struct sock_filter *bpf_start(const struct bpf_writer *w);

/* The label of "return value", written anew only when there is none near. */
unsigned bpf_return(struct bpf_writer *w, uint32_t value);

/*
 * "load the word at offset"; goes on with the instruction that was written last, a jump on that
 * word.
 */
unsigned bpf_load(struct bpf_writer *w, uint32_t offset);

/* "and the word with mask"; goes on likewise. */
unsigned bpf_and(struct bpf_writer *w, uint32_t mask);

/* "if the word test k go to yes, else to no"; test is BPF_JEQ, BPF_JGT, BPF_JGE or BPF_JSET. */
unsigned bpf_jump(struct bpf_writer *w, uint16_t test, uint32_t k, unsigned yes, unsigned no);
