/*
 * Speaking with criu: `criu swrk 3`, one process for one request, over a SOCK_SEQPACKET pair whose
 * one end is its descriptor 3. The verbs checkpoint and restore speak through this; restore starts
 * criu by its own walk (run/do_criu.c), since that must happen in the container's cgroup.
 *
 *     runtime                              criu
 *        │ ── request ──────────────────► │
 *        │ ◄───────── NOTIFY "network-lock" │   with CRIU_NOTIFY_SCRIPTS, at each stage;
 *        │ ── success ──────────────────► │   it waits for the answer
 *        │ ◄───────────────────────── reply │
 *        ✕                                  │   the runtime closes, criu ends
 *
 * Whoever closes the socket early makes criu undo what it did and end: so nothing of it outlives a
 * runtime that is killed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/log.h"
#include "criu/message.h"

#define CRIU_SOCKET 3 /* its number in criu */

/* The program, as it was found. */
struct criu_program {
	const char *path;
	unsigned version; /* 4.1.1 is 40101 */
};

/*
 * Looks criu up in the directories of search (as $PATH has them), asks it for its version and holds
 * that against least. Errors: `CRIU version check failed: exec: "criu": executable file not found
 * in $PATH`, `CRIU version 29900 must be 30000 or higher`.
 */
int criu_find(const char *search, unsigned least, const struct log *log, struct arena *a,
	      struct criu_program *ret, struct err *e) must_check;

/* A conversation. Zero is not valid, use CRIU_SILENT. */
struct criu_talk {
	int socket;     /* −1: none, or it is over */
	pid_t pid;      /* of criu; 0: it was not started, or was waited for */
	bool cut_short; /* criu ends with a status that tells nothing */
	bool vanished;  /* its end of the socket was closed while it was listened to */
	const struct log *log;
	struct arena *arena;
};
#define CRIU_SILENT ((struct criu_talk){.socket = -1})

/* The socket alone: criu's end of it is given. */
int criu_open(struct criu_talk *t, const struct log *log, struct arena *a, int *ret_other,
	      struct err *e) must_check;

/* Starts criu with standard streams that lead nowhere. */
int criu_start(struct criu_talk *t, const struct criu_program *program, const struct log *log,
	       struct arena *a, struct err *e) must_check;

/*
 * What is done at a stage that criu tells of; a failure ends the conversation, and criu undoes what
 * it did.
 */
typedef int criu_listener(void *user, const struct criu_reply *told, struct err *e) must_check;

struct criu_question {
	enum criu_type type;
	const struct criu_options *options;   /* NULL: none */
	const struct criu_features *features; /* CRIU_FEATURE_CHECK; otherwise NULL */
	criu_listener *listen;                /* NULL: nobody does */
	void *user;
};

/*
 * Makes one request and listens until it is replied to. Errors: `criu failed: type DUMP errno 2`,
 * also when criu ends or says what cannot be understood.
 */
int criu_converse(struct criu_talk *t, const struct criu_question *question, struct criu_reply *ret,
		  struct err *e) must_check;

/*
 * Ends the conversation, if there still is one, and waits for criu: at most half a minute, then it
 * is killed. failed and *e are what became of the conversation: it has failed, too, when criu ends
 * with a status other than 0, and where all that is known is that the socket was closed, the status
 * says why. Gives 0 or −1.
 */
int criu_end(struct criu_talk *t, int failed, struct err *e) must_check;

/*
 * Holds the machine against wanted: ERR_UNSUPPORTED `CRIU is missing features` when one of them is
 * not there.
 */
int criu_check_features(const struct criu_program *program, const struct criu_features *wanted,
			const struct log *log, struct arena *a, struct err *e) must_check;
