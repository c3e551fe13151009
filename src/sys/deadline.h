/*
 * How long something may take: a deadline is a point of CLOCK_MONOTONIC in milliseconds. For all
 * who wait for what others do (cgroup/, sys/dbus).
 */
#pragma once

#include <stdint.h>

int64_t deadline_in(int seconds);

/* Milliseconds until then, 0 when it is over: what poll(2) takes. */
int deadline_left(int64_t deadline);
