/*
 * What json-c makes of a document: the oracle of test_json_peer.c. A file of its own, because
 * json-c and base/json.h use the same names.
 */
#pragma once

#include "base/arena.h"

/*
 * The values as compact JSON, in the arena; NULL when json-c refuses the text. length: without its
 * NUL.
 */
const char *json_c_text(const char *text, size_t length, struct arena *a);
