/*
 * The decoder on any bytes: it must take or refuse them, within its memory, and say where the fault
 * is.
 *
 * What is decoded is also validated and, when an error came after the decoding, looked for in the
 * text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spec/decode.h"
#include "spec/validate.h"

#define MEMORY (8u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An error must be whole: a code, a text, and line and column of whoever has read the text. */
static void check_error(const struct json_input *input, struct err *e)
{
	if (!e->code || !e->text[0])
		abort();
	spec_point(input, e);
	if (e->pointer[0] && e->code != ERR_NO_MEMORY && strncmp(e->text, "config.json:", 12))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_input input = {.name = "config.json", .length = size};
	struct arena arena = {0};
	struct spec *spec;
	struct err e = {0};

	if (arena_init(&arena, MEMORY, &e))
		return 0;
	input.arena = &arena;
	/* not in the arena, so that the sanitizer sees every overrun */
	input.text = malloc(size + 1);
	if (!input.text)
		abort();
	memcpy(input.text, data, size);
	input.text[size] = '\0';
	if (spec_decode(&input, &spec, &e) || spec_validate(spec, size % 2, &arena, NULL, &e))
		check_error(&input, &e);
	free(input.text);
	arena_done(&arena);
	return 0;
}
