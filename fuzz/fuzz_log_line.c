/*
 * Log lines: whatever a message says, its record is one line that steers no terminal, and the JSON
 * form gives the message back. The first byte chooses form and level; the first line is the id.
 */
#include <string.h>

#include "base/utf8.h"
#include "cli/log_line.h"
#include "frame.h"
#include "json_grammar.h" /* in tests/unit */

/* Control characters, as ASCII and Latin 1 have them, and what is not UTF-8. */
static bool is_harmless(const char *at)
{
	unsigned char c = (unsigned char)*at;
	size_t length = utf8_length(at);

	if (c < ' ' || c == 0x7f || !length)
		return false;
	return !(c == 0xc2 && (unsigned char)at[1] < 0xa0);
}

static void check_harmless(const char *text, const char *kept)
{
	for (; *text; text += utf8_length(text))
		if (!strchr(kept, *text))
			fuzz_hold(is_harmless(text), "a byte %02x is left", (unsigned char)*text);
		else if (!utf8_length(text))
			return;
}

/* The message of {"level":…,"msg":…,"time":…}, with U+FFFD for what is not UTF-8. */
static void check_json(const struct str *record, const char *message, struct arena *a)
{
	struct json_input input = {
		.name = "record", .text = record->text, .length = record->length, .arena = a};
	const char *found = NULL;
	struct json j;
	struct err e;

	fuzz_hold(grammar_takes(record->text, record->length, 2), "not JSON: %s", record->text);
	fuzz_hold(!json_init(&j, &input, &e) && !json_enter(&j, JSON_OBJECT, "object", &e), "%s",
		  e.text);
	while (json_next(&j, &e) > 0)
		if (str_equal(json_key(&j), "msg"))
			fuzz_hold(!json_string(&j, &found, &e), "%s", e.text);
		else
			fuzz_hold(!json_skip(&j, &e), "%s", e.text);
	fuzz_hold(found, "no message");
	while (*message) {
		size_t length = utf8_length(message);

		fuzz_hold(!strncmp(found, length ? message : "\uFFFD", length ? length : 3),
			  "another message");
		found += length ? length : 3;
		message += length ? length : 1;
	}
	fuzz_hold(!*found, "a longer message");
}

static void check(const struct log_line *line, const struct str *record, struct arena *a)
{
	char *end = record->text + record->length - 1;

	fuzz_hold(record->length && strlen(record->text) == record->length,
		  "a NUL is in the record");
	switch (line->form) {
	case LOG_FORM_TEXT:
		fuzz_hold(*end == '\n', "no newline");
		*end = '\0';
		check_harmless(record->text, "");
		break;
	case LOG_FORM_TERMINAL:
		fuzz_hold(str_starts(record->text, "\033[3"), "no colour");
		check_harmless(strstr(record->text, "\033[0m") + strlen("\033[0m"), "\n\t");
		break;
	case LOG_FORM_JSON:
		check_json(record, line->message, a);
		break;
	case LOG_FORM_SYSLOG:
		check_harmless(record->text, "");
		break;
	case LOG_FORM_JOURNAL:
		break; /* binary: its lengths are what count */
	}
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	uint8_t choice = fuzz_byte(&rest);
	const char *id = fuzz_line(&rest, a);
	struct log_line line = {
		.form = (enum log_form)(choice % 5),
		.level = (enum creel_log_level)(choice / 5 % 4),
		.message = rest.at,
		.seconds = choice,
		.id = id ? id : "",
	};
	struct str record;

	str_init(&record, a);
	log_line_add(&record, &line);
	if (!record.failed && line.form != LOG_FORM_JOURNAL)
		check(&line, &record, a);
}
