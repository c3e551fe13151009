/*
 * Making a container up to its gate: the larger part of create and run.
 */
#pragma once

#include "container/bundle.h"
#include "container/status.h"
#include "run/walk.h"

/* A container in the making: zero, then make_container, then make_done. */
struct making {
	struct bundle bundle;
	struct plan *plan;
	struct walk walk;
	struct container ct; /* as it is given back when something fails */
	bool gone;           /* another command deleted it while its program ran */
};

/*
 * Claims the id, records the container, makes it and lets init come to its gate (wait_start: it
 * waits there for start; otherwise it goes on to execute the program). On failure everything that
 * was made is given back.
 */
int make_container(struct creel *c, const char *id, const struct creel_create *o, bool wait_start,
		   struct making *m, struct err *e) must_check;

/*
 * The parts of it, which restore has in common with create: reading the bundle; claiming the id and
 * recording the container, when there is a plan; recording init (m->walk.pid).
 */
int make_load(struct creel *c, const char *id, const struct creel_create *o, bool detached,
	      struct making *m, struct err *e) must_check;
int make_claim(struct creel *c, const struct creel_create *o, struct making *m,
	       struct err *e) must_check;
int make_record(struct creel *c, struct making *m, struct err *e) must_check;

/* What was typed as a path, as others find it. NULL stays NULL. */
const char *make_absolute(const char *path, struct arena *a, struct err *e) must_check;

/* Adds the place in config.json, and what it was all about, to an error of the making. */
void make_explain(const struct making *m, struct err *e);

/*
 * Ends a container that was made, when something failed after that: kills it and gives everything
 * back.
 */
void make_undo(struct creel *c, struct making *m, struct err *e);

void make_done(struct making *m);
