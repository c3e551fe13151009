/*
 * A JSON document in memory, as the tests of the reader and of what stands on it need one.
 */
#pragma once

#include "base/json.h"

/* The arena of the test that runs; made by document_setup, given back by document_teardown. */
extern struct arena document_arena;

/* For cmocka: before and after each test. */
int document_setup(void **state);
int document_teardown(void **state);

/*
 * A document named config.json with a copy of text, which ends exactly where its memory ends. Each
 * ' of text is a " in the document: so tests can be read.
 */
struct json_input document(const char *text);

/* The same, for texts with a NUL in them, byte for byte. */
struct json_input document_bytes(const char *text, size_t length);

/* Collects what is logged, one line a message, "debug: text". */
extern char document_log_text[4096];
extern const struct log document_log;
