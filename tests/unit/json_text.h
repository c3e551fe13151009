/*
 * What base/json.h makes of a document, whatever is in it: for comparing with others, and with
 * itself.
 */
#pragma once

#include "base/json.h"

/*
 * The values as compact JSON, in the arena of the document; a number that is no integer of 64 bits
 * is "another number". NULL when the document is refused, or something follows its value.
 */
const char *json_text(const struct json_input *input, struct err *e);
