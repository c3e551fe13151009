/*
 * The forms of a message in the log: text as logrus writes it, JSON, and what the journal and
 * syslog take. Nothing is written here.
 */
#pragma once

#include <creel.h>

#include "base/str.h"

enum log_form {
	LOG_FORM_TEXT,     /* time="…" level=error msg="…" */
	LOG_FORM_TERMINAL, /* ERRO[0000] …, coloured */
	LOG_FORM_JSON,     /* {"level":"error","msg":"…","time":"…"} */
	LOG_FORM_JOURNAL,  /* systemd's native journal protocol (JOURNAL_NATIVE_PROTOCOL) */
	LOG_FORM_SYSLOG,   /* RFC 3164 */
};

/* The level of that name; false when there is none. */
bool log_level_number(const char *name, enum creel_log_level *ret);

struct log_line {
	enum log_form form;
	enum creel_log_level level;
	const char *message;
	long seconds;   /* TERMINAL: since the program began */
	const char *id; /* JOURNAL: the field ID; SYSLOG: the tag */
};

/* Adds the whole record, a newline at its end where the form has one. */
void log_line_add(struct str *text, const struct log_line *line);

/* Adds words for people: as they are, but for what could steer a terminal. */
void log_line_add_words(struct str *text, const char *words);
