/*
 * What holds for every plan, whatever the configuration: its checks find what is wrong with a plan,
 * and no combination of namespaces gives one that cannot be carried out. What a plan is for a given
 * configuration is told by the goldens in tests/plan.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sched.h>
#include <string.h>

#include "../plan/interleave.h"
#include "../plan/machine.h"
#include "plan/kinds.h"
#include "plan/steps.h"
#include "scratch.h"
#include "spec/decode.h"
#include "spec/template.h"

static struct plan_facts facts;
static const struct plan_request request = {.id = "box",
					    .bundle = "/bundle",
					    .rootfs = "/bundle/rootfs",
					    .wait_start = true};

static int setup(void **state)
{
	return scratch_setup(state) || !machine_find("v2", &facts);
}

#define fails_with(call, part) \
	do { \
		assert_int_equal(call, -1); \
		assert_int_equal(scratch_err.code, ERR_INVALID); \
		assert_non_null(strstr(scratch_err.text, part)); \
	} while (0)

/* ---- plans made by hand
 * -------------------------------------------------------------------------- */

/* A plan of these kinds, in this order within each stage. */
static struct plan *plan_of(const enum step_kind *kinds, size_t count)
{
	struct plan *plan = arena_get(&scratch_arena, sizeof(*plan), &scratch_err);
	struct steps s = {.plan = plan, .arena = &scratch_arena};

	assert_non_null(plan);
	for (size_t i = 0; i < count; i++)
		assert_non_null(steps_add(&s, kinds[i], NULL, &scratch_err));
	assert_int_equal(steps_finish(&s, &plan, &scratch_err), 0);
	return plan;
}

#define PLAN_OF(...) \
	plan_of((const enum step_kind[]){__VA_ARGS__}, \
		array_len(((const enum step_kind[]){__VA_ARGS__})))

static int check(const struct plan *plan)
{
	return plan_check(plan, &scratch_err);
}

static int interleave(const struct plan *plan)
{
	if (interleave_check(plan, SIDE_RUNTIME, &scratch_arena, &scratch_err))
		return -1;
	return interleave_check(plan, SIDE_INIT, &scratch_arena, &scratch_err);
}

static struct step *find(struct plan *plan, enum step_kind kind)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].kind == kind)
			return &plan->step[i];
	fail();
	return NULL;
}

static void steps_are_sorted_by_stage_and_keep_their_order(void **state)
{
	struct plan *plan =
		PLAN_OF(STEP_EXEC, STEP_MOUNT, STEP_CGROUP_MAKE, STEP_ROOT, STEP_DEVICE);

	(void)state;
	assert_int_equal(plan->step[0].kind, STEP_CGROUP_MAKE);
	assert_int_equal(plan->step[1].kind, STEP_MOUNT);
	assert_int_equal(plan->step[2].kind, STEP_ROOT);
	assert_int_equal(plan->step[3].kind, STEP_DEVICE);
	assert_int_equal(plan->step[4].kind, STEP_EXEC);
}

static void a_step_before_what_it_needs_is_found(void **state)
{
	struct plan *plan = PLAN_OF(STEP_MOUNT, STEP_ROOT);

	(void)state;
	fails_with(check(plan), "(mount) lacks");
	fails_with(interleave(plan), "mount lacks");
	plan = PLAN_OF(STEP_ROOT, STEP_MOUNT);
	assert_int_equal(check(plan), 0);
	assert_int_equal(interleave(plan), 0);
}

static void what_nobody_makes_nobody_lacks(void **state)
{
	struct plan *plan = PLAN_OF(STEP_MOUNT, STEP_BECOME_ROOT, STEP_EXEC);

	(void)state;
	assert_int_equal(check(plan), 0);
	assert_int_equal(interleave(plan), 0);
}

static void a_stage_out_of_order_is_found(void **state)
{
	struct plan *plan = PLAN_OF(STEP_SESSION, STEP_PIVOT);
	struct step first = plan->step[0];

	(void)state;
	plan->step[0] = plan->step[1];
	plan->step[1] = first;
	fails_with(check(plan), "(session): stage enter comes too late");
}

/* Within a stage nobody waits: what the other column gives there may not have been given yet. */
static void a_need_of_the_same_stage_is_found(void **state)
{
	struct plan *plan = PLAN_OF(STEP_ID_MAPS, STEP_BECOME_ROOT);

	(void)state;
	find(plan, STEP_BECOME_ROOT)->stage = STAGE_MAPS;
	fails_with(check(plan), "(become-root) lacks");
	fails_with(interleave(plan), "become-root lacks");
}

static void a_step_that_nobody_does_is_found(void **state)
{
	struct plan *plan = PLAN_OF(STEP_WAIT_START, STEP_EXEC);

	(void)state;
	find(plan, STEP_WAIT_START)->side = SIDE_RUNTIME; /* whose column ends before the gate */
	fails_with(interleave(plan), "wait-start of gate");
	plan = PLAN_OF(STEP_OPEN_TREE, STEP_EXEC);
	find(plan, STEP_OPEN_TREE)->side = SIDE_INIT; /* who is not there yet */
	fails_with(interleave(plan), "open-tree of prepare");
}

/* ---- waits --------------------------------------------------------------------------------------
 */

static void each_waits_for_the_last_stage_of_the_other(void **state)
{
	/* init: join, enter, rootfs, pivot, gate; runtime: prepare, maps, host-hooks */
	struct plan *plan = PLAN_OF(STEP_CGROUP_MAKE, STEP_CGROUP_JOIN, STEP_ID_MAPS, STEP_SESSION,
				    STEP_ROOT, STEP_HOOK, STEP_PIVOT, STEP_EXEC);

	(void)state;
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_JOIN), -1); /* prepare was before it */
	assert_int_equal(plan_wait(plan, SIDE_RUNTIME, STAGE_MAPS), STAGE_JOIN);
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_ENTER), STAGE_MAPS);
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_ROOTFS), -1); /* it knows that already */
	assert_int_equal(plan_wait(plan, SIDE_RUNTIME, STAGE_HOST_HOOKS), STAGE_ROOTFS);
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_PIVOT), STAGE_HOST_HOOKS);
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_SEAL), -1); /* has nothing to do there */
	assert_int_equal(plan_wait(plan, SIDE_INIT, STAGE_GATE), -1);
}

static void who_has_nothing_to_do_is_not_waited_for(void **state)
{
	struct plan *plan = PLAN_OF(STEP_CGROUP_MAKE, STEP_CGROUP_JOIN, STEP_ROOT, STEP_PIVOT,
				    STEP_LOOKUP, STEP_EXEC);

	(void)state;
	for (int stage = 0; stage < STAGES; stage++) {
		assert_int_equal(plan_wait(plan, SIDE_INIT, (enum plan_stage)stage), -1);
		assert_int_equal(plan_wait(plan, SIDE_RUNTIME, (enum plan_stage)stage), -1);
	}
}

static void a_plan_knows_its_stages(void **state)
{
	struct plan *plan = PLAN_OF(STEP_CGROUP_MAKE, STEP_ROOT);

	(void)state;
	assert_true(plan_has(plan, SIDE_RUNTIME, STAGE_PREPARE));
	assert_true(plan_has(plan, SIDE_INIT, STAGE_ROOTFS));
	assert_false(plan_has(plan, SIDE_INIT, STAGE_PREPARE));
	assert_false(plan_has(plan, SIDE_RUNTIME, STAGE_ROOTFS));
	assert_false(plan_has(plan, SIDE_INIT, STAGE_PIVOT));
}

static void everything_has_a_name(void **state)
{
	(void)state;
	for (int i = 0; i < STEP_KINDS; i++) {
		assert_non_null(plan_kind_name((enum step_kind)i));
		for (int other = 0; other < i; other++)
			assert_string_not_equal(plan_kind_name((enum step_kind)i),
						plan_kind_name((enum step_kind)other));
	}
	for (int i = 0; i < STAGES; i++)
		assert_non_null(plan_stage_name((enum plan_stage)i));
	assert_string_equal(plan_kind_name(STEP_KINDS), "none");
	assert_string_equal(plan_stage_name(STAGES), "none");
}

/* ---- every combination of namespaces
 * --------------------------------------------------------------- */

enum { NOT_LISTED, NEW, GIVEN, CHOICES };

static struct spec_namespace listed[NS_TYPES];
static struct spec_hook hook = {.path = "/bin/hook"};

/* A configuration whose namespaces are the digits of number to the base CHOICES. */
static void fill_spec(struct spec *spec, unsigned number)
{
	struct spec_namespaces *all = &spec->linux_.namespaces;

	all->item = listed;
	all->count = 0;
	for (int type = 0; type < NS_TYPES; type++, number /= CHOICES)
		if (number % CHOICES != NOT_LISTED)
			all->item[all->count++] = (struct spec_namespace){
				.type = (enum ns_type)type,
				.path = number % CHOICES == GIVEN ? "/proc/77/ns/x" : NULL,
			};
}

/* How often the plan makes, and how often it joins, namespaces of this type. */
static void count_uses(const struct plan *plan, enum ns_type type, int *ret_made, int *ret_joined)
{
	uint64_t flag = ns_clone_flag(type);

	*ret_made = (plan->clone_flags & flag) != 0;
	*ret_joined = type == NS_PID && plan->join_pid_path;
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];

		if (step->kind == STEP_NS_NEW)
			*ret_made += (step->ns_flags & flag) != 0;
		if (step->kind == STEP_NS_JOIN)
			*ret_joined += step->ns.type == type;
	}
}

static void assert_each_used_once(const struct plan *plan, unsigned number)
{
	for (int type = 0; type < NS_TYPES; type++, number /= CHOICES) {
		int made, joined;

		count_uses(plan, (enum ns_type)type, &made, &joined);
		assert_int_equal(made, number % CHOICES == NEW);
		assert_int_equal(joined, number % CHOICES == GIVEN);
	}
}

static void carry_out(const struct plan *plan, unsigned number)
{
	if (!check(plan) && !interleave(plan))
		return;
	print_message("namespaces %u: %s\n", number, scratch_err.text);
	fail();
}

static void in_every_combination(const struct spec *base,
				 void (*plan_and_check)(struct spec *spec, unsigned number))
{
	unsigned combinations = 1;

	for (int type = 0; type < NS_TYPES; type++)
		combinations *= CHOICES;
	for (unsigned i = 0; i < combinations; i++) {
		struct spec spec = *base;
		size_t used = scratch_arena.used;

		fill_spec(&spec, i);
		if (spec_namespace_find(&spec, NS_MOUNT))
			plan_and_check(&spec, i);
		memset(scratch_arena.start + used, 0, scratch_arena.used - used);
		scratch_arena.used = used;
	}
}

static void plan_create(struct spec *spec, unsigned number)
{
	struct plan *plan = NULL;

	assert_int_equal(plan_build(spec, &facts, &request, &scratch_arena, &plan, &scratch_err),
			 0);
	carry_out(plan, number);
	assert_each_used_once(plan, number);
}

static void plan_exec(struct spec *spec, unsigned number)
{
	struct plan_exec_request exec = {.id = "box", .spec = spec, .process = spec->process};
	struct plan *plan = NULL;

	assert_int_equal(plan_build_exec(&exec, &facts, &scratch_arena, &plan, &scratch_err), 0);
	carry_out(plan, number);
}

static struct spec *small_spec(void)
{
	static char text[] = "{\"root\": {\"path\": \"rootfs\"}, \"process\": {\"cwd\": \"/\","
			     " \"args\": [\"sh\"], \"oomScoreAdj\": 5, \"rlimits\": [{\"type\":"
			     " \"RLIMIT_CORE\", \"soft\": 0, \"hard\": 0}]}}";
	char *copy = arena_copy(&scratch_arena, text, sizeof(text) - 1, &scratch_err);
	struct json_input input = {.name = "config.json",
				   .text = copy,
				   .length = sizeof(text) - 1,
				   .arena = &scratch_arena};
	struct spec *spec = NULL;

	assert_int_equal(spec_decode(&input, &spec, &scratch_err), 0);
	return spec;
}

static void every_combination_of_namespaces_can_be_created(void **state)
{
	struct spec *spec = small_spec();

	(void)state;
	in_every_combination(spec, plan_create);
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		spec->hooks.kind[kind] = (struct spec_hook_list){&hook, 1};
	in_every_combination(spec, plan_create);
}

static void every_combination_can_be_created_without_privilege(void **state)
{
	(void)state;
	facts.euid = facts.egid = 1000;
	in_every_combination(small_spec(), plan_create);
	facts.euid = facts.egid = 0;
	facts.in_user_namespace = true;
	in_every_combination(small_spec(), plan_create);
}

static void every_combination_can_be_entered_by_exec(void **state)
{
	(void)state;
	in_every_combination(small_spec(), plan_exec);
	facts.euid = facts.egid = 1000;
	in_every_combination(small_spec(), plan_exec);
}

/* ---- memory -------------------------------------------------------------------------------------
 */

static struct spec *template_spec(void)
{
	struct spec_template options = {.cgroup_v2 = true};
	struct json_input input = {.name = "config.json", .arena = &scratch_arena};
	struct spec *spec = NULL;
	struct str text;

	str_init(&text, &scratch_arena);
	spec_template(&options, &text);
	input.text = text.text;
	input.length = text.length;
	assert_int_equal(spec_decode(&input, &spec, &scratch_err), 0);
	return spec;
}

static void too_little_memory_is_an_error(void **state)
{
	const struct spec *spec = template_spec();
	struct plan *plan = NULL;
	struct arena small;
	size_t enough = 0, refused = 0;

	(void)state;
	for (size_t limit = 16; !enough; limit += 48) {
		assert_int_equal(arena_init(&small, limit, &scratch_err), 0);
		if (!plan_build(spec, &facts, &request, &small, &plan, &scratch_err)) {
			enough = limit;
		} else {
			refused++;
			assert_int_equal(scratch_err.code, ERR_NO_MEMORY);
			assert_null(plan);
		}
		arena_done(&small);
	}
	assert_true(refused > 100);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(steps_are_sorted_by_stage_and_keep_their_order),
		test(a_step_before_what_it_needs_is_found),
		test(what_nobody_makes_nobody_lacks),
		test(a_stage_out_of_order_is_found),
		test(a_need_of_the_same_stage_is_found),
		test(a_step_that_nobody_does_is_found),
		test(each_waits_for_the_last_stage_of_the_other),
		test(who_has_nothing_to_do_is_not_waited_for),
		test(a_plan_knows_its_stages),
		test(everything_has_a_name),
		test(every_combination_of_namespaces_can_be_created),
		test(every_combination_can_be_created_without_privilege),
		test(every_combination_can_be_entered_by_exec),
		test(too_little_memory_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
