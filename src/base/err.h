/*
 * Errors are values: one struct err on the caller's stack, passed as the last parameter and filled
 * on failure.
 *
 * A function that can fail returns 0 or −1 (or a count or descriptor that is never negative) and is
 * marked must_check. It fills *e only when it fails. Nothing here allocates or logs, so errors work
 * in a cloned child and cross a socket as they are. How the parts are joined for a user is
 * err_message's business alone.
 */
#pragma once

#include <stddef.h>

#define must_check __attribute__((warn_unused_result))
#define printf_like(at, first) __attribute__((format(printf, at, first)))

/* What kind of failure it is; the values are part of the public API (creel.h, enum creel_code). */
enum err_code {
	ERR_SYSTEM = 1,      /* a system call failed; sys holds the errno */
	ERR_INVALID = 2,     /* config.json or another input file is wrong; pointer says where */
	ERR_USAGE = 3,       /* the caller's arguments are wrong */
	ERR_NOT_FOUND = 4,   /* no such container */
	ERR_EXISTS = 5,      /* the container id is taken */
	ERR_STATE = 6,       /* the container is in the wrong state for this */
	ERR_UNSUPPORTED = 7, /* asked for something that this build or this machine cannot do */
	ERR_NO_MEMORY = 8,   /* the command's memory limit was reached */
};

#define ERR_POINTER_MAX 160
#define ERR_TEXT_MAX 1280
#define ERR_HINT_MAX 320

struct err {
	int code;                      /* enum err_code */
	int sys;                       /* errno, 0 when none */
	char pointer[ERR_POINTER_MAX]; /* JSON pointer into config.json (RFC 6901), "" when none */
	char text[ERR_TEXT_MAX];       /* what was tried, on what, and why it failed */
	char hint[ERR_HINT_MAX];       /* how to mend it, "" when not known */
};

/* Sets the error. Returns −1, so that `return err_set(e, …)` reads well. */
int err_set(struct err *e, enum err_code code, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/*
 * Like err_set with ERR_SYSTEM: appends ": " and the text of errno, which it keeps in e->sys.
 * Returns −1.
 */
int err_sys(struct err *e, const char *format, ...) printf_like(2, 3) __attribute__((cold));

/* Puts text in front: "format: old text". Returns −1. */
int err_wrap(struct err *e, const char *format, ...) printf_like(2, 3) __attribute__((cold));

/* Puts a piece in front of the JSON pointer: err_in(e, "/mounts/%zu", i). Returns −1. */
int err_in(struct err *e, const char *format, ...) printf_like(2, 3) __attribute__((cold));

/* Sets the hint, unless one is there already: the inner function knows more. Returns −1. */
int err_hint(struct err *e, const char *format, ...) printf_like(2, 3) __attribute__((cold));

/*
 * The text of an errno in lower case ("no such file or directory"), the same on every libc: engines
 * match it. Never NULL.
 */
const char *err_errno_text(int number);

/*
 * Writes the whole message for a user, "text (config.json: pointer); hint: hint", into buf, always
 * ended with NUL and cut at size. Returns the length written.
 */
size_t err_message(const struct err *e, char *buf, size_t size);
