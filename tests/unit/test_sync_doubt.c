/*
 * What init doubts of its program, on the way to the runtime: see test_sync.c for the rest of the
 * protocol.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/fd.h"
#include "plan/plan.h"
#include "run/sync.h"
#include "scratch.h"

static int pair[2];
static struct sync_incoming incoming;

static int setup(void **state)
{
	incoming = (struct sync_incoming){.terminal = -1, .agent = -1};
	return scratch_setup(state) || sync_pair(pair, &scratch_err) ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&pair[0]);
	fd_close(&pair[1]);
	return scratch_teardown(state);
}

static void send_doubt(void)
{
	struct executable_fault doubt = {.head = "#!/bin/no", .nested = true};

	err_set(&doubt.why, ERR_SYSTEM, "it has no head");
	err_hint(&doubt.why, "give it one");
	assert_int_equal(sync_send_doubt(pair[1], &doubt, &scratch_err), 0);
}

static int receive_done(int stage)
{
	return sync_receive_done(pair[0], stage, &incoming, &scratch_err);
}

static void it_comes_on_the_way_to_done(void **state)
{
	static const char head[EXECUTABLE_HEAD] = "#!/bin/no";

	(void)state;
	send_doubt();
	assert_int_equal(sync_send_done(pair[1], STAGE_SEAL, &scratch_err), 0);
	assert_int_equal(receive_done(STAGE_SEAL), 0);
	assert_string_equal(incoming.doubt.why.text, "it has no head");
	assert_string_equal(incoming.doubt.why.hint, "give it one");
	assert_true(incoming.doubt.nested);
	assert_memory_equal(incoming.doubt.head, head, sizeof(head));
}

static void without_one_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(sync_send_done(pair[1], STAGE_SEAL, &scratch_err), 0);
	assert_int_equal(receive_done(STAGE_SEAL), 0);
	assert_int_equal(incoming.doubt.why.code, 0);
}

static void a_second_one_is_not_expected(void **state)
{
	(void)state;
	send_doubt();
	send_doubt();
	assert_int_equal(receive_done(STAGE_SEAL), -1);
	assert_non_null(strstr(scratch_err.text, "expected message 1 of stage 7"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_comes_on_the_way_to_done, setup, teardown),
		cmocka_unit_test_setup_teardown(without_one_there_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(a_second_one_is_not_expected, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
