/*
 * config.json of any bytes: it is taken or refused within its memory, and an error says where the
 * fault is. What is decoded is also validated.
 */
#include "frame.h"
#include "spec/decode.h"
#include "spec/validate.h"

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct json_input input = {
		.name = "config.json", .text = text, .length = length, .arena = a};
	struct spec *spec;
	struct err e;

	if (spec_decode(&input, &spec, &e) || spec_validate(spec, length % 2, a, NULL, &e))
		fuzz_hold_error_in(&input, &e);
}
