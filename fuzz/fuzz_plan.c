/*
 * config.json of any bytes on any machine: what passes validation becomes a plan that can be
 * carried out, or is refused. The seeds are those of fuzz_config.c; the length of the input chooses
 * machine and caller.
 */
#include "../tests/plan/interleave.h"
#include "../tests/plan/machine.h"
#include "frame.h"
#include "spec/decode.h"
#include "spec/validate.h"

static const char *const machines[] = {
	"v1", "v2", "hybrid", "systemd-v1", "systemd-hybrid", "systemd", "users-systemd", "none",
};

static struct plan_facts choose_facts(size_t number)
{
	struct plan_facts facts;

	fuzz_hold(machine_find(machines[number % array_len(machines)], &facts), "no such machine");
	number /= array_len(machines);
	facts.euid = facts.egid = number % 3 == 1 ? 1000 : 0;
	facts.in_user_namespace = number % 3 == 2;
	facts.no_cgroup = number % 5 == 4;
	facts.apparmor = number % 7 == 6;
	facts.selinux = number % 7 == 5;
	return facts;
}

/* It prints, each step has what it needs, and two processes can carry it out. */
static void check_plan(const struct plan *plan, struct arena *a)
{
	const char *printed;
	struct err e;

	if (plan_print(plan, a, &printed, &e)) {
		fuzz_hold(e.code == ERR_NO_MEMORY, "%s", e.text);
		return;
	}
	fuzz_hold(!plan_check(plan, &e), "%s\n%s", e.text, printed);
	for (int eager = SIDE_RUNTIME; eager <= SIDE_INIT; eager++)
		fuzz_hold(!interleave_check(plan, (enum plan_side)eager, a, &e) ||
				  e.code == ERR_NO_MEMORY,
			  "%s\n%s", e.text, printed);
}

static void plan_exec(const struct spec *spec, const struct plan_facts *facts, struct arena *a)
{
	struct plan_exec_request request = {.id = "box", .spec = spec, .process = spec->process};
	struct plan *plan;
	struct err e;

	if (plan_build_exec(&request, facts, a, &plan, &e))
		fuzz_hold_error(&e);
	else
		check_plan(plan, a);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct json_input input = {
		.name = "config.json", .text = text, .length = length, .arena = a};
	const struct plan_facts facts = choose_facts(length);
	struct plan_request request = {.id = "box",
				       .bundle = "/bundle",
				       .rootfs = "/bundle/rootfs",
				       .state_root = "/run/creel",
				       .wait_start = length / 2 % 2};
	struct spec *spec;
	struct plan *plan;
	struct err e;

	if (spec_decode(&input, &spec, &e) || spec_validate(spec, facts.euid != 0, a, NULL, &e))
		return; /* fuzz_config.c's business */
	if (plan_build(spec, &facts, &request, a, &plan, &e))
		fuzz_hold_error_in(&input, &e);
	else
		check_plan(plan, a);
	if (spec->process)
		plan_exec(spec, &facts, a);
}
