/*
 * The backward BPF writer: jumps around the distance of 255 that a conditional jump can reach, and
 * what happens at the end of the room.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bpf_machine.h"
#include "security/seccomp_bpf.h"

#define ERRNO(n) (SECCOMP_RET_ERRNO | (n))

/*
 * A jump whose targets are this many instructions away; the one that it takes is behind the other
 * or before it.
 */
static void check_jump(unsigned near, unsigned far, bool yes_is_far)
{
	struct sock_filter code[BPF_MAXINSNS];
	struct bpf_machine_data data = {.word = {7}};
	struct bpf_writer w;
	unsigned labels[2];

	bpf_init(&w, code);
	labels[1] = bpf_return(&w, ERRNO(2));
	for (unsigned i = near; i < far; i++)
		labels[0] = bpf_return(&w, ERRNO(100 + i));
	labels[0] = bpf_return(&w, ERRNO(1));
	for (unsigned i = 0; i < near; i++)
		(void)bpf_return(&w, ERRNO(1000 + i));
	(void)bpf_jump(&w, BPF_JEQ, 7, labels[yes_is_far], labels[!yes_is_far]);
	(void)bpf_load(&w, 0);
	assert_true(bpf_machine_valid(bpf_start(&w), w.count));
	assert_int_equal(bpf_machine_run(bpf_start(&w), w.count, &data, NULL),
			 ERRNO(1u + yes_is_far));
	data.word[0] = 8;
	assert_int_equal(bpf_machine_run(bpf_start(&w), w.count, &data, NULL),
			 ERRNO(1u + !yes_is_far));
}

static void test_jumps_reach_targets_at_every_distance(void **state)
{
	(void)state;
	for (unsigned near = 248; near < 262; near++) {
		for (unsigned far = near + 1; far < 300; far += far < 262 ? 1 : 37) {
			check_jump(near, far, false);
			check_jump(near, far, true);
		}
	}
}

static void test_near_returns_are_shared(void **state)
{
	struct sock_filter code[BPF_MAXINSNS];
	struct bpf_writer w;
	unsigned first;

	(void)state;
	bpf_init(&w, code);
	first = bpf_return(&w, 1);
	assert_int_equal(bpf_return(&w, 1), first);
	assert_int_not_equal(bpf_return(&w, 2), first);
	for (uint32_t i = 0; i < 255; i++)
		(void)bpf_load(&w, 0);
	assert_int_not_equal(bpf_return(&w, 1), first);
}

static void test_a_full_writer_says_so(void **state)
{
	struct sock_filter code[BPF_MAXINSNS];
	struct bpf_writer w;

	(void)state;
	bpf_init(&w, code);
	for (unsigned i = 0; i < BPF_MAXINSNS; i++)
		(void)bpf_load(&w, 0);
	assert_false(w.full);
	assert_ptr_equal(bpf_start(&w), code);
	(void)bpf_jump(&w, BPF_JEQ, 1, 1, 1);
	assert_true(w.full);
	assert_int_equal(w.count, BPF_MAXINSNS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_jumps_reach_targets_at_every_distance),
		cmocka_unit_test(test_near_returns_are_shared),
		cmocka_unit_test(test_a_full_writer_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
