/*
 * Reading JSON (RFC 8259) in one pass over a text in memory, without building a tree.
 *
 * The caller says what it expects next and gets it, or an error that names file, line, column and
 * the place in the document. base/json_table.h does this for whole objects. Strict: UTF-8 is
 * checked, lone surrogates, NUL characters and anything nested deeper than JSON_DEPTH are refused,
 * integers are exact over 64 bits and are never made from 1.0 or 1e3. What follows the first value
 * is not looked at, as in runc.
 *
 *     struct json j;
 *     json_init(&j, &input, e);
 *     json_enter(&j, JSON_OBJECT, "object", e);
 *     while ((more = json_next(&j, e)) > 0)
 *             … json_key(&j) … json_string(&j, &text, e) … json_skip(&j, e) …
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"

#define JSON_LIMIT (16u << 20) /* bytes that a document may have */
#define JSON_DEPTH 128         /* arrays and objects inside one another */

enum json_type {
	JSON_NONE,
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

/*
 * A document. text has a NUL at text[length] and is written to: the closing quote of a string that
 * was read becomes its NUL, so that strings without escapes need no copy. Nothing else of it
 * changes (json_locate relies on that), and it must live as long as the strings.
 */
struct json_input {
	const char *name; /* of the file, for errors */
	char *text;
	size_t length;
	struct arena *arena; /* strings with escapes are put here */
	/* json_table tells unknown members here at debug level; NULL: nowhere */
	const struct log *log;
};

/* An array or object that was entered: where in it the reader is. */
struct json_step {
	const char *key; /* of the current member; NULL in an array, and before the first member */
	size_t count;    /* elements or members begun */
	char close;      /* ']' or '}' */
};

struct json {
	const struct json_input *input;
	char *at, *end;
	/* where the value, or the key, that was last looked at begins: errors point there */
	const char *value;
	unsigned depth;
	unsigned unknown; /* members told to the log so far */
	unsigned named;   /* members of maps read so far, for json_table */
	struct json_step path[JSON_DEPTH];
};

/* Begins reading; input is borrowed. Errors: ERR_INVALID for a text longer than JSON_LIMIT. */
int json_init(struct json *j, const struct json_input *input, struct err *e) must_check;

/*
 * What kind of value comes next, by its first character; JSON_NONE when no value begins here.
 * Consumes nothing.
 */
enum json_type json_peek(struct json *j);

/*
 * Each reads one value of its type; anything else is ERR_INVALID: `config.json:12:5: cannot use
 * string as bool for process.terminal`. wanted is the word for it in the message. json_null
 * consumes a null, if one is next, and says so.
 */
bool json_null(struct json *j);
int json_bool(struct json *j, bool *ret, struct err *e) must_check;
int json_string(struct json *j, const char **ret, struct err *e) must_check;
int json_u64(struct json *j, uint64_t max, uint64_t *ret, struct err *e) must_check;
int json_i64(struct json *j, int64_t min, int64_t max, int64_t *ret, struct err *e) must_check;
int json_enter(struct json *j, enum json_type type, const char *wanted, struct err *e) must_check;

/*
 * After json_enter: goes to the next element or member. 1: there is one, its value is to be read
 * (or skipped) next; 0: the array or object is closed and left; −1: error.
 */
int json_next(struct json *j, struct err *e) must_check;

/* The key of the current member of the innermost object, after json_next. */
const char *json_key(const struct json *j);

/* Reads over one value of any type, as strictly as the others. */
int json_skip(struct json *j, struct err *e) must_check;

/*
 * Fails because of the value last read: adds file, line and column to the text and sets the
 * pointer. Returns −1.
 */
int json_fail(const struct json *j, struct err *e, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/*
 * "no value of that type": cannot use … as wanted for …; a syntax error when no value begins here.
 * Returns −1.
 */
int json_fail_type(struct json *j, struct err *e, const char *wanted) __attribute__((cold));

struct json_place {
	unsigned line, column;
}; /* from 1; the column counts characters */

/*
 * Where the value of a JSON pointer (RFC 6901) begins in a text that was read without an error,
 * before or after the reading: for errors that are found later and know only their pointer. Keys
 * are compared as the decoder does. When the document has no such value, the place is that of the
 * nearest value around it. Cold; does not write to text.
 */
struct json_place json_locate(const char *text, size_t length, const char *pointer);

/* ---- for json*.c alone ----------------------------------------------------------------------- */

/*
 * Each sets ERR_INVALID with file, line, column and pointer, and returns −1. _syntax and _here
 * point at j->at, the others at the value that was looked at.
 */

/* "invalid character 'x' " + format, or "unexpected end of JSON input". */
int json_fail_syntax(const struct json *j, struct err *e, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));
int json_fail_here(const struct json *j, struct err *e, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/* "cannot use TYPE as WANTED for process.args[0]". */
int json_fail_wanted(const struct json *j, struct err *e, const char *type, const char *wanted)
	__attribute__((cold));

/* "number 1.5 for process.user.uid " + format; the number is the text from j->value to j->at. */
int json_fail_number(const struct json *j, struct err *e, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/* Logs at debug level that the current member is not known and is skipped; the first 50 of them. */
void json_tell_unknown(struct json *j) __attribute__((cold));

/* Where `at` is in a text; lines and columns count from 1, columns in characters. */
struct json_place json_place(const char *text, const char *at);
