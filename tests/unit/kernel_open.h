/*
 * What the kernel finds at a path in a root: the word that sys/inroot is held to, by the unit tests
 * and the fuzzers.
 */
#pragma once

#include <stdint.h>

/* Gives a descriptor, or −1 and errno. flags: of open(2). */
int kernel_open(int root, const char *path, uint64_t flags);
