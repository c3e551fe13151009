/*
 * JSON of any bytes. The reader takes what the grammar takes, and nothing else; and what it took,
 * written and read again, is the same.
 */
#include <string.h>

#include "frame.h"
#include "json_grammar.h" /* these two are in tests/unit */
#include "json_text.h"

static bool is_taken(const struct json_input *input, struct err *e)
{
	struct json j;

	if (json_init(&j, input, e) || json_skip(&j, e))
		return false;
	if (json_peek(&j) == JSON_NONE && j.at == j.end)
		return true;
	err_set(e, ERR_INVALID, "something follows the value");
	return false;
}

/* The text as it is written, NULL when it is nested too deep for the writer. */
static const char *write_anew(const char *text, size_t length, struct arena *a)
{
	struct json_input input = {.name = "text", .length = length, .arena = a};
	const char *written;
	struct err e;

	input.text = arena_copy(a, text, length, &e);
	written = input.text ? json_text(&input, &e) : NULL;
	fuzz_hold(written || e.code == ERR_NO_MEMORY, "valid, but refused: %s", e.text);
	return written;
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct json_input input = {.name = "text", .text = text, .length = length, .arena = a};
	bool valid = grammar_takes(text, length, JSON_DEPTH), taken;
	const char *first, *second;
	struct err e = {0};

	first = valid ? write_anew(text, length, a) : NULL; /* reading writes to the text */
	second = first ? write_anew(first, strlen(first), a) : NULL;
	fuzz_hold(!second || str_equal(first, second), "%s\nis written anew as\n%s", first, second);
	taken = is_taken(&input, &e);
	fuzz_hold(taken == valid, "taken: %d, valid: %d %s", taken, valid, e.text);
	if (!taken)
		fuzz_hold_error(&e);
}
