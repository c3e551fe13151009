/*
 * Staying with a container in the foreground: what run and restore do when its program runs.
 */
#pragma once

#include "container/make.h"
#include "run/foreground.h"

/*
 * Stays until the program's end. Others may pause, update or delete the container meanwhile, so
 * they are let at it; m->gone tells that it was deleted.
 */
int stay_with(struct creel *c, struct making *m, struct foreground *fg, struct relay *relay,
	      int *ret_status, struct err *e) must_check;

/*
 * The container ended by itself: what it had is given back. A failing poststop hook is only told.
 */
void stay_clean_up(struct creel *c, struct making *m);
