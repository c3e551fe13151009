/*
 * process.json of any bytes, as `exec --process` reads it: see fuzz_config.c.
 */
#include "frame.h"
#include "spec/decode.h"
#include "spec/validate.h"

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct json_input input = {
		.name = "process.json", .text = text, .length = length, .arena = a};
	struct spec_process *process;
	struct err e;

	if (spec_decode_process(&input, &process, &e) || spec_validate_process(process, &e))
		fuzz_hold_error_in(&input, &e);
}
