/*
 * The backward BPF writer: see seccomp_bpf.h.
 */
#include "security/seccomp_bpf.h"

#include <stddef.h>

#define JUMP_REACH 255u /* a conditional jump has 8 bits for its distance */
#define RETURN_REACH \
	200u /* past this a second copy of a return is cheaper than long jumps to the first */

void bpf_init(struct bpf_writer *w, struct sock_filter *code)
{
	*w = (struct bpf_writer){.code = code};
}

struct sock_filter *bpf_start(const struct bpf_writer *w)
{
	return w->code + (BPF_MAXINSNS - w->count);
}

static unsigned put(struct bpf_writer *w, struct sock_filter instruction)
{
	if (w->count == BPF_MAXINSNS) {
		w->full = true;
		return w->count;
	}
	w->count++;
	*bpf_start(w) = instruction;
	return w->count;
}

unsigned bpf_return(struct bpf_writer *w, uint32_t value)
{
	struct bpf_return *kept = NULL;

	for (unsigned i = 0; i < BPF_RETURNS_KEPT && !kept; i++)
		if (w->kept[i].label && w->kept[i].value == value)
			kept = &w->kept[i];
	if (kept && w->count - kept->label <= RETURN_REACH)
		return kept->label;
	if (!kept)
		kept = &w->kept[w->kept_next++ % BPF_RETURNS_KEPT];
	*kept = (struct bpf_return){value,
				    put(w, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value))};
	return kept->label;
}

unsigned bpf_load(struct bpf_writer *w, uint32_t offset)
{
	return put(w, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

unsigned bpf_and(struct bpf_writer *w, uint32_t mask)
{
	return put(w, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

/*
 * A stepping stone behind a conditional jump that cannot reach its target; an unconditional jump
 * has 32 bits.
 */
static unsigned stepping_stone(struct bpf_writer *w, unsigned target)
{
	return put(w, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, w->count - target));
}

unsigned bpf_jump(struct bpf_writer *w, uint16_t test, uint32_t k, unsigned yes, unsigned no)
{
	/* One less for yes: a stone for no would come in between. */
	if (w->count - yes > JUMP_REACH - 1)
		yes = stepping_stone(w, yes);
	if (w->count - no > JUMP_REACH)
		no = stepping_stone(w, no);
	return put(w, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | BPF_K | test), k,
						   (uint8_t)(w->count - yes),
						   (uint8_t)(w->count - no)));
}
