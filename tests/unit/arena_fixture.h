/*
 * Memory and an error for tests that need nothing else: what they call takes both.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

extern struct arena arena;
extern struct err e;

/* For cmocka: before and after a test, or a group of tests that share the memory. */
int arena_setup(void **state);
int arena_teardown(void **state);
