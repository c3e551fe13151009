/*
 * Passing a descriptor to whoever listens at a unix socket: the terminal of a container
 * (--console-socket) and its process (--pidfd-socket). One connection, one message, no answer.
 * Sources: unix(7), and what engines do at their end: one recvmsg(2) with one SCM_RIGHTS.
 */
#pragma once

#include "base/err.h"

struct msghdr;

/*
 * Connects to the stream socket path, which may be longer than a socket's address. A listener that
 * is only just being made is waited for, a fifth of a second at most. Errors read as Go's: `dial
 * unix PATH: connect: no such file or directory`.
 */
int fdpass_connect(const char *path, struct err *e) must_check;

/* Sends text, and passed with it. */
int fdpass_send(int connection, const char *text, int passed, struct err *e) must_check;

/*
 * The descriptor that came with what recvmsg(2) received, −1: none. Room for one, CMSG_LEN(sizeof
 * (int)) and not its padding, makes the kernel close any others.
 */
int fdpass_taken(const struct msghdr *packet);
