/*
 * A plan carried out without doing anything: see interleave.h.
 */
#include "interleave.h"

#include "plan/kinds.h"

/* What a process in between says when init is there; all other messages are numbers of stages. */
#define SPAWNED (-1)

/* Where init is between the join stage, which that process did, and speaking for itself. */
#define TAKES_OVER (-2)

enum outcome { FAILED = -1, MOVED, WAITS, ENDED };

/* Messages on their way to one side. */
struct channel {
	int message[STAGES + 1];
	size_t sent, taken;
};

struct column {
	enum plan_side side;
	int stage, last;
	bool begun;  /* what the stage waits for has come */
	size_t step; /* where in the list the stage goes on */
	struct channel inbox;
};

struct both {
	const struct plan *plan;
	struct column column[2];
	bool *done;     /* by step */
	unsigned known; /* enum plan_fact: what all steps so far gave */
	unsigned made;  /* what the whole plan gives: the rest nobody can lack */
};

static const char *side_name(enum plan_side side)
{
	return side == SIDE_RUNTIME ? "runtime" : "init";
}

static const char *message_name(int message)
{
	return message == SPAWNED      ? "spawned"
	       : message == TAKES_OVER ? "taking over"
				       : plan_stage_name((enum plan_stage)message);
}

static enum plan_side other_side(enum plan_side side)
{
	return side == SIDE_RUNTIME ? SIDE_INIT : SIDE_RUNTIME;
}

static int do_step(struct both *b, size_t index, struct err *e)
{
	const struct step *step = &b->plan->step[index];
	const struct plan_kind *kind = &plan_kinds[step->kind];
	unsigned lacks = kind->needs & b->made & ~b->known;

	for (size_t i = 0; i < b->plan->count; i++)
		if (b->plan->step[i].stage < step->stage && !b->done[i])
			return err_set(e, ERR_INVALID, "%s of %s comes before %s of %s", kind->name,
				       plan_stage_name(step->stage),
				       plan_kind_name(b->plan->step[i].kind),
				       plan_stage_name(b->plan->step[i].stage));
	if (lacks)
		return err_set(e, ERR_INVALID, "%s lacks what 0x%x gives", kind->name, lacks);
	b->known |= kind->gives;
	b->done[index] = true;
	return 0;
}

static void send_message(struct both *b, enum plan_side from, int message)
{
	struct channel *to = &b->column[other_side(from)].inbox;

	to->message[to->sent++] = message;
}

static enum outcome take(struct column *c, int expected, struct err *e)
{
	struct channel *from = &c->inbox;
	int got;

	if (from->taken == from->sent)
		return WAITS;
	got = from->message[from->taken++];
	if (got == expected)
		return MOVED;
	err_set(e, ERR_INVALID, "%s expects %s and gets %s", side_name(c->side),
		message_name(expected), message_name(got));
	return FAILED;
}

/* Whether a stage begins with a message, and which. */
static bool stage_waits(const struct both *b, const struct column *c, int *ret_message)
{
	if (c->stage == SPAWNED) {
		*ret_message = SPAWNED;
		return true;
	}
	*ret_message = c->stage == TAKES_OVER
			       ? STAGE_PREPARE
			       : plan_wait(b->plan, c->side, (enum plan_stage)c->stage);
	return *ret_message >= 0;
}

static enum outcome begin_stage(struct both *b, struct column *c, struct err *e)
{
	int message;
	enum outcome outcome = stage_waits(b, c, &message) ? take(c, message, e) : MOVED;

	c->begun = outcome == MOVED;
	c->step = 0;
	return outcome;
}

static void announce(struct both *b, const struct column *c, int stage)
{
	for (int later = stage + 1; later < STAGES; later++)
		if (plan_wait(b->plan, other_side(c->side), (enum plan_stage)later) == stage) {
			send_message(b, c->side, stage);
			return;
		}
}

static void end_stage(struct both *b, struct column *c)
{
	c->begun = false;
	if (c->stage == SPAWNED) { /* init may speak for itself now */
		send_message(b, c->side, STAGE_PREPARE);
		c->stage = STAGE_JOIN;
	} else if (c->stage == TAKES_OVER) {
		c->stage = STAGE_JOIN + 1;
	} else if (c->side == SIDE_INIT && c->stage == STAGE_JOIN && b->plan->by_intermediate) {
		send_message(b, c->side, SPAWNED);
		c->stage = TAKES_OVER;
	} else {
		announce(b, c, c->stage);
		c->stage++;
	}
}

/* One thing that a process does: takes a message, does a step, or ends a stage. */
static enum outcome move(struct both *b, struct column *c, struct err *e)
{
	const struct plan *plan = b->plan;

	if (c->stage > c->last)
		return ENDED;
	if (!c->begun)
		return begin_stage(b, c, e);
	for (; c->step < plan->count; c->step++)
		if ((int)plan->step[c->step].stage == c->stage &&
		    plan->step[c->step].side == c->side)
			return do_step(b, c->step++, e) ? FAILED : MOVED;
	end_stage(b, c);
	return MOVED;
}

static int run(struct both *b, enum plan_side eager, struct err *e)
{
	enum outcome first, second;

	for (;;) {
		do
			first = move(b, &b->column[eager], e);
		while (first == MOVED);
		if (first == FAILED)
			return -1;
		second = move(b, &b->column[other_side(eager)], e);
		if (second == FAILED)
			return -1;
		if (second == MOVED)
			continue;
		if (first == ENDED && second == ENDED)
			return 0;
		return err_set(e, ERR_INVALID, "runtime in %s and init in %s wait for each other",
			       message_name(b->column[SIDE_RUNTIME].stage),
			       message_name(b->column[SIDE_INIT].stage));
	}
}

int interleave_check(const struct plan *plan, enum plan_side eager, struct arena *a, struct err *e)
{
	struct both b = {
		.plan = plan,
		.column = {{.side = SIDE_RUNTIME, .stage = STAGE_JOIN, .last = STAGE_REPORT},
			   {.side = SIDE_INIT, .stage = STAGE_JOIN, .last = STAGE_GATE}},
		.done = arena_get_array(a, plan->count, sizeof(*b.done), e),
	};

	if (!b.done)
		return -1;
	for (size_t i = 0; i < plan->count; i++)
		b.made |= plan_kinds[plan->step[i].kind].gives;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->step[i].stage == STAGE_PREPARE && plan->step[i].side == SIDE_RUNTIME &&
		    do_step(&b, i, e))
			return -1;
	if (plan->by_intermediate)
		b.column[SIDE_RUNTIME].stage = SPAWNED;
	if (run(&b, eager, e))
		return -1;
	for (size_t i = 0; i < plan->count; i++)
		if (!b.done[i])
			return err_set(e, ERR_INVALID, "nobody does %s of %s",
				       plan_kind_name(plan->step[i].kind),
				       plan_stage_name(plan->step[i].stage));
	for (int side = 0; side < 2; side++)
		if (b.column[side].inbox.taken != b.column[side].inbox.sent)
			return err_set(e, ERR_INVALID, "%s leaves a message",
				       side_name((enum plan_side)side));
	return 0;
}
