/*
 * From the text of config.json to struct spec: one table per JSON object (decode_tables.c), and the
 * few members that no table can express.
 *
 * Go's rules, because runc's users rely on them: keys match in any case, the last of a repeated key
 * wins, unknown keys are skipped (told at debug level), null leaves a value as it is. Unlike runc
 * every complaint says file, line, column and place. What concerns more than one value is
 * spec/validate.h's business.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "spec/spec.h"

/*
 * Decodes a document whose top is the object of config.json. *ret and its strings live in
 * input->arena and in input->text. `null` is ERR_INVALID "config cannot be null". spec->linux_ is
 * all zero when the file has no linux.
 */
int spec_decode(const struct json_input *input, struct spec **ret, struct err *e) must_check;

/* The same for the document of `exec --process`, and for that of `update --resources`. */
int spec_decode_process(const struct json_input *input, struct spec_process **ret,
			struct err *e) must_check;
int spec_decode_resources(const struct json_input *input, struct spec_resources **ret,
			  struct err *e) must_check;

/*
 * Reads bundle/name and decodes it. name is a file name, "config.json" but for --config. A missing
 * file is ERR_INVALID "JSON specification file config.json not found" with ENOENT in sys. When
 * ret_input is not NULL it gets the document, for spec_point.
 */
int spec_load(int bundle, const char *name, struct arena *a, const struct log *log,
	      struct spec **ret, struct json_input *ret_input, struct err *e) must_check;

/*
 * For an error that was found after the decoding (validate, plan, run): puts "config.json:12:5: "
 * before its text, found by its JSON pointer. Does nothing when it has no pointer or tells a place
 * already, and when input is all zero because the document was never read.
 */
void spec_point(const struct json_input *input, struct err *e);
