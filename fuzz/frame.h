/*
 * The frame that all fuzzers stand in: it takes each input from libFuzzer, gives it memory of its
 * own and takes that back. A fuzzer is one file with one function, fuzz_one, which reads its input
 * and says by fuzz_hold what must hold.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#define FUZZ_MEMORY (8u << 20) /* what one input may take from the arena */

/*
 * One input. text has a NUL at text[length], may be written to, and ends where its memory ends:
 * the sanitizer sees every overrun. The arena is empty.
 */
void fuzz_one(char *text, size_t length, struct arena *a);

/* What does not hold is a finding: tells it and ends the program. */
#define fuzz_hold(truth, ...) ((truth) ? (void)0 : fuzz_broken(__VA_ARGS__))
_Noreturn void fuzz_broken(const char *format, ...) printf_like(1, 2);

/* An error must be whole: a known code, a text, and a pointer that is one. */
void fuzz_hold_error(const struct err *e);

/* The same of an error about a document: where it has a pointer it tells line and column, too. */
void fuzz_hold_error_in(const struct json_input *input, struct err *e);

/* ---- inputs of several parts ----------------------------------------------------------------- */

/* What is left of an input; behind its end all numbers are 0 and all texts empty. */
struct fuzz_rest {
	const char *at, *end;
};

uint8_t fuzz_byte(struct fuzz_rest *rest);

/* A number below `below`, which is at most 256. */
unsigned fuzz_choose(struct fuzz_rest *rest, unsigned below);

/* The part up to the next newline, which is passed over; NULL when nothing is left. */
char *fuzz_line(struct fuzz_rest *rest, struct arena *a);

/* ---- the world ------------------------------------------------------------------------------- */

/* A directory of this process, in TMPDIR; it is removed when the process ends by itself. */
int fuzz_directory(void);

/* Writes a whole file in a directory. */
void fuzz_write(int directory, const char *name, const void *data, size_t length);

/* Sends one packet, and with it standard error, as often as passed says. */
#define FUZZ_PASSED 3 /* at most */
void fuzz_send(int fd, const void *data, size_t length, unsigned passed);

/* How many descriptors are open: what one input opens must be closed behind it. */
unsigned fuzz_descriptors(void);
