/*
 * One golden of the plan: a file NAME.golden beside this one. Lines of it:
 *
 *     # what the case shows
 *     on v2 uid=1000 no-pivot      the machine (machine.h), the caller, and options: golden_case.c
 *     config                       what is put behind the base configuration
 *     { … }
 *     process                      for exec: its process
 *     { … }
 *     plan                         what must come out: all that follows
 *     …
 *
 * The configuration is one document, the base with the members of "config" behind its own: of a
 * repeated member the last one counts and objects are filled further, as in Go. So what a case is
 * about stands in it, and nothing else.
 */
#pragma once

#include "plan/plan.h"

struct golden_case {
	struct plan_facts facts;
	struct plan_request request;
	const char *base, *config, *process; /* JSON; config and process NULL: not given */
	bool restore;                        /* the plan of restore */
	const char *expected;                /* in text: all in front of it is the question */
	const char *text;
	uint64_t kinds; /* of the steps in the plan, by golden_answer: 1 << STEP_… */
};

/* Reads a golden. text is written to and must live as long as the case. */
int golden_parse(char *text, struct arena *a, struct golden_case *ret, struct err *e) must_check;

/*
 * Makes the plan and checks what holds for every plan: its declared needs, and the order in which
 * two processes carry it out. Gives the plan's text, or "refused: " and the message for the user
 * where there is no plan; in front of it, "warning: " and what was told. An error is a broken plan
 * or a broken golden.
 */
int golden_answer(struct golden_case *c, struct arena *a, const char **ret,
		  struct err *e) must_check;
