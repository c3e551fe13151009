/*
 * The protocol between the runtime and the container's init: one SOCK_SEQPACKET pair, one fixed
 * message, at most one descriptor with it.
 *
 *     runtime                                init (or the process in between)
 *        │                                        │
 *        │ ◄───────────── SPAWNED pid, [pidfd] ── │   only from a process in between,
 *        │                                        │   whose sibling init is
 *        │ ── DONE prepare ─────────────────────► │   … and init may speak itself; without
 *        │                                        │   one, init of a new container waits for
 *        │                                        │   this before it could outlive us
 *        │ ── DONE stage ───────────────────────► │   wherever plan_wait says that
 *        │ ◄─────────────────────── DONE stage ── │   the other must know
 *        │                                        │
 *        │ ◄─────────────── TERMINAL, [master] ── │   before a DONE, at most once: the terminal
 *        │                                        │   of a program in the foreground
 *        │ ◄──────────── LISTENER, [listener] ── │   any time, at most once: of a seccomp filter
 *        │                                        │   that notifies
 *        │ ◄──────────────────── DOUBT error ──── │   before a DONE, at most once: the program
 *        │                                        │   will not run, unless the runtime sees how
 *        │ ◄───────────────────────── LOG text ── │   any time, at debug level only
 *        │ ◄───────────────────── FAILED error ── │   any time, the last one
 *        │                                        │
 *        │ ◄──────────────────────────────── EXEC │   nothing is left but to execute
 *        │                               execve ── ✕   the socket closes: end of file
 *
 * Every receive names what it expects. End of file is always a failure, but in sync_wait_exec
 * behind EXEC, where close-on-exec means that the program runs. `start` speaks the last part with
 * init over the socket on which init waits for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "sys/executable.h"

enum sync_kind {
	SYNC_DONE = 1,
	SYNC_SPAWNED,
	SYNC_TERMINAL,
	SYNC_LISTENER,
	SYNC_EXEC,
	SYNC_LOG,
	SYNC_DOUBT,
	SYNC_FAILED,
};

struct sync_message {
	int32_t kind;               /* enum sync_kind */
	int32_t stage;              /* DONE: enum plan_stage; DOUBT: 1 when it is nested */
	int64_t value;              /* SPAWNED: the pid */
	struct err err;             /* FAILED, DOUBT: why; LOG: the text. Not sent otherwise */
	char head[EXECUTABLE_HEAD]; /* DOUBT: how the program begins */
};

/* What comes on the way to the message that is awaited, and where it goes. */
struct sync_incoming {
	const struct log *log;         /* LOG */
	int terminal;                  /* gets the descriptor of TERMINAL; −1: none came yet */
	struct executable_fault doubt; /* DOUBT; why.code 0: none came */
	/*
	 * Connection that LISTENER is passed on to at once, with agent_text, since init may be held
	 * until the agent has it; then it is closed. −1: none is expected.
	 */
	int agent;
	const char *agent_text;
};

/* A connected pair. */
int sync_pair(int ret[2], struct err *e) must_check;

/* Each sends one message; a peer that is gone is an error (no signal is raised). */
int sync_send_done(int fd, int stage, struct err *e) must_check;
int sync_send_spawned(int fd, int64_t pid, int pidfd, struct err *e) must_check;
int sync_send_terminal(int fd, int master, struct err *e) must_check;
int sync_send_doubt(int fd, const struct executable_fault *doubt, struct err *e) must_check;
int sync_send_listener(int fd, int listener, struct err *e) must_check;

int sync_send_exec(int fd, struct err *e) must_check;

/* Best effort: there is nobody left to tell when these fail. */
void sync_send_failed(int fd, const struct err *why);
void sync_send_log(int fd, const char *text);

/*
 * Waits for DONE of this stage. FAILED fills e with the peer's own error; end of file and any other
 * message are errors.
 */
int sync_receive_done(int fd, int stage, struct sync_incoming *in, struct err *e) must_check;

/* Of a peer that is gone: fills e with its last word, or says that it left none. Returns −1. */
int sync_receive_failed(int fd, struct sync_incoming *in, struct err *e) must_check;

int sync_receive_spawned(int fd, struct sync_incoming *in, int64_t *ret_pid, int *ret_pidfd,
			 struct err *e) must_check;

/*
 * Waits until the peer executes its program: end of file behind EXEC is success. Where nothing can
 * come that is urgent it sleeps until the peer is through, rather than wake up for each message.
 */
int sync_wait_exec(int fd, struct sync_incoming *in, struct err *e) must_check;
