/*
 * Capabilities, against what the kernel tells in /proc/self/status. What takes some away runs in a
 * process of its own; its exit status names the check that failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/str.h"
#include "scratch.h"
#include "sys/caps.h"

#define BIT(cap) ((uint64_t)1 << (cap))

/* One in each half of the mask, and one that is neither in other. */
static const uint64_t some = BIT(CAP_CHOWN) | BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF);
static const uint64_t other = BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_CHECKPOINT_RESTORE);

/* "CapEff" as the kernel tells it. */
static uint64_t told(const char *field)
{
	const char *text = scratch_read("/proc/self/status");
	const char *line = text ? strstr(text, field) : NULL;

	return line ? strtoull(line + strlen(field) + 1, NULL, 16) : 0;
}

static void all_are_those_of_the_kernel(void **state)
{
	const char *last = scratch_read("/proc/sys/kernel/cap_last_cap");

	(void)state;
	assert_non_null(last);
	assert_true(caps_all() == BIT(strtoul(last, NULL, 10) + 1) - 1);
}

static void get_tells_the_own_sets(void **state)
{
	struct caps own;

	(void)state;
	assert_int_equal(caps_get(&own, &scratch_err), 0);
	assert_true(own.effective == told("CapEff"));
	assert_true(own.permitted == told("CapPrm"));
	assert_true(own.inheritable == told("CapInh"));
}

static int set_both_halves(void *argument)
{
	struct caps set = {.effective = some & ~BIT(CAP_BPF),
			   .permitted = some,
			   .inheritable = some & ~BIT(CAP_CHOWN)};
	struct caps got;

	(void)argument;
	if (caps_set(&set, &scratch_err) || caps_get(&got, &scratch_err))
		return 1;
	if (memcmp(&set, &got, sizeof(set)))
		return 2;
	return told("CapEff") == set.effective && told("CapPrm") == set.permitted &&
			       told("CapInh") == set.inheritable
		       ? 0
		       : 3;
}

static void set_is_exact(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(set_both_halves, NULL), 0);
}

static int take_more_than_there_is(void *argument)
{
	struct caps few = {.permitted = some}, more = {.permitted = some | other};

	(void)argument;
	if (caps_set(&few, &scratch_err))
		return 1;
	if (!caps_set(&more, &scratch_err))
		return 2;
	return scratch_err.sys == EPERM &&
			       str_equal(scratch_err.text, "unable to apply caps: capset: "
							   "operation not permitted")
		       ? 0
		       : 3;
}

static void what_is_not_permitted_is_not_given(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(take_more_than_there_is, NULL), 0);
}

static int bound_twice(void *argument)
{
	(void)argument;
	if (caps_bound(some | BIT(63), &scratch_err) || told("CapBnd") != some)
		return 1;
	if (caps_bound(other, &scratch_err) || told("CapBnd") != (some & other))
		return 2;
	if (caps_bound(0, &scratch_err) || told("CapBnd") != 0)
		return 3;
	return told("CapEff") & some ? 0 : 4; /* the other sets keep what they have */
}

static void the_bounding_set_only_shrinks(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(bound_twice, NULL), 0);
}

static int bound_without_right(void *argument)
{
	struct caps none = {0};

	(void)argument;
	if (caps_set(&none, &scratch_err) || !caps_bound(some, &scratch_err))
		return 1;
	return strstr(scratch_err.text, "drop capability 1: operation not permitted") ? 0 : 2;
}

static void bounding_takes_a_right(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(bound_without_right, NULL), 0);
}

static int raise_ambient(void *argument)
{
	struct caps set = {.permitted = some | other, .inheritable = some};

	(void)argument;
	if (caps_set(&set, &scratch_err))
		return 1;
	if (caps_ambient(some) != 0 || told("CapAmb") != some)
		return 2;
	/* Made exact: what was there before goes, and what is not inheritable is refused. */
	if (caps_ambient(other) != (other & ~some) || told("CapAmb") != (some & other))
		return 3;
	return caps_ambient(0) == 0 && told("CapAmb") == 0 ? 0 : 4;
}

static void the_ambient_set_is_exact(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(raise_ambient, NULL), 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(all_are_those_of_the_kernel),
		test(get_tells_the_own_sets),
		test(set_is_exact),
		test(what_is_not_permitted_is_not_given),
		test(the_bounding_set_only_shrinks),
		test(bounding_takes_a_right),
		test(the_ambient_set_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
