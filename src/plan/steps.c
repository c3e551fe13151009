/*
 * The list of steps under construction: see steps.h.
 */
#include "plan/steps.h"

#include "plan/kinds.h"

struct step *steps_add(struct steps *s, enum step_kind kind, const char *pointer, struct err *e)
{
	struct step *list =
		arena_grow(s->arena, s->plan->step, s->plan->count, &s->capacity, sizeof(*list), e);
	struct step *step;

	if (!list)
		return NULL;
	s->plan->step = list;
	step = &list[s->plan->count++];
	*step = (struct step){
		.kind = kind,
		.side = plan_kinds[kind].side,
		.stage = plan_kinds[kind].stage,
		.pointer = pointer,
		.item = -1,
	};
	return step;
}

/* Chapters add steps of several stages; within one stage the order in which they were added stays.
 */
static int sort_by_stage(struct steps *s, struct err *e)
{
	struct plan *plan = s->plan;
	struct step *sorted = arena_get_array(s->arena, plan->count, sizeof(*sorted), e);
	size_t at = 0;

	if (!sorted)
		return -1;
	for (int stage = 0; stage < STAGES; stage++)
		for (size_t i = 0; i < plan->count; i++)
			if ((int)plan->step[i].stage == stage)
				sorted[at++] = plan->step[i];
	plan->step = sorted;
	return 0;
}

int steps_finish(struct steps *s, struct plan **ret, struct err *e)
{
	if (sort_by_stage(s, e))
		return -1;
	for (size_t i = 0; i < s->plan->count; i++)
		s->plan->stages[s->plan->step[i].side] |= 1u << s->plan->step[i].stage;
	*ret = s->plan;
	return 0;
}
