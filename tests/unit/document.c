/*
 * See document.h.
 */
#include "document.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena document_arena;
char document_log_text[4096];

/* freed at the end of each test, so that the sanitizer sees every overrun */
static char *texts[64];
static size_t text_count;

int document_setup(void **state)
{
	struct err e;

	(void)state;
	document_log_text[0] = '\0';
	return arena_init(&document_arena, ARENA_LIMIT, &e);
}

int document_teardown(void **state)
{
	(void)state;
	arena_done(&document_arena);
	while (text_count)
		free(texts[--text_count]);
	return 0;
}

struct json_input document_bytes(const char *text, size_t length)
{
	char *copy = malloc(length + 1);

	if (!copy)
		abort();
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (text_count == sizeof(texts) / sizeof(texts[0]))
		free(texts[--text_count]);
	texts[text_count++] = copy;
	return (struct json_input){"config.json", copy, length, &document_arena, NULL};
}

struct json_input document(const char *text)
{
	struct json_input input = document_bytes(text, strlen(text));

	for (char *c = input.text; *c; c++)
		if (*c == '\'')
			*c = '"';
	return input;
}

static void keep_message(void *user, enum log_level level, const char *message)
{
	static const char *const names[] = {"error", "warning", "info", "debug"};
	size_t used = strlen(document_log_text);

	(void)user;
	(void)snprintf(document_log_text + used, sizeof(document_log_text) - used, "%s: %s\n",
		       names[level], message);
}

const struct log document_log = {.level = LOG_LEVEL_DEBUG, .sink = keep_message};
