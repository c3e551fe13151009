/*
 * Processes held by a descriptor, so that a number that was given to another process meanwhile is
 * never meant. Callers: cgroup, run, container. Source: pidfd_open(2), pidfd_send_signal(2).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

/* A descriptor for the process pid. ESRCH in e->sys: there is none. */
int pidfd_get(pid_t pid, struct err *e) must_check;

/* Sends a signal. ESRCH in e->sys: it is gone. */
int pidfd_signal(int pidfd, int signal, struct err *e) must_check;

/*
 * Waits until all count processes have ended, at most timeout milliseconds (−1: for ever). Closes
 * the descriptor of each that did and sets it to −1; returns how many are left.
 */
int pidfd_wait_all(int *pidfds, size_t count, int timeout, struct err *e) must_check;
