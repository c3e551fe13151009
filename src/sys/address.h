/*
 * Addresses of unix sockets by way of an open descriptor: a path may be longer than the 107 bytes
 * that an address holds, and what was opened cannot be swapped any more. Source: unix(7).
 */
#pragma once

#include <sys/un.h>

/* The address of the socket that fd is (O_PATH). */
struct sockaddr_un address_of(int fd);

/* The address of name in the directory fd. */
struct sockaddr_un address_below(int fd, const char *name);
