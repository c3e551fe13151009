/*
 * One record of the log: see log_line.h.
 */
#include "cli/log_line.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/utf8.h"

static const char level_names[][8] = {"error", "warning", "info", "debug"};
static const char level_tags[][5] = {"ERRO", "WARN", "INFO", "DEBU"};
static const char level_colours[][3] = {"31", "33", "36", "37"};
static const char level_priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

bool log_level_number(const char *name, enum creel_log_level *ret)
{
	for (size_t i = 0; i < array_len(level_names); i++) {
		if (str_equal(name, level_names[i])) {
			*ret = (enum creel_log_level)i;
			return true;
		}
	}
	return false;
}

struct time_text {
	char text[32];
};

/* UTC: the local time zone would have to be read from files. */
static struct tm utc_now(void)
{
	time_t now = time(NULL);
	struct tm ret = {0};

	(void)gmtime_r(&now, &ret);
	return ret;
}

static struct time_text time_rfc3339(void)
{
	struct tm now = utc_now();
	struct time_text ret = {0};

	(void)strftime(ret.text, sizeof(ret.text), "%Y-%m-%dT%H:%M:%SZ", &now);
	return ret;
}

static struct time_text time_rfc3164(void)
{
	struct tm now = utc_now();
	struct time_text ret = {0};

	(void)strftime(ret.text, sizeof(ret.text), "%b %e %H:%M:%S", &now);
	return ret;
}

/* What logrus leaves without quotes. */
static bool is_plain(const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+";

	return !text[strspn(text, plain)];
}

/* Whether the character at `at`, of length bytes (0: it is none), steers nothing. */
static bool is_harmless(const char *at, size_t length)
{
	unsigned char c = (unsigned char)at[0];
	bool control = c < ' ' || c == 0x7f || (c == 0xc2 && (unsigned char)at[1] < 0xa0);

	return length && !control && c != '"' && c != '\\';
}

/* Adds value so that no character of it can end a line or steer a terminal. */
static void add_escaped(struct str *text, const char *value, const char *kept)
{
	static const char names[] = "\"\"\\\\\aa\bb\ff\nn\rr\tt\vv";

	while (*value) {
		size_t length = utf8_length(value);
		unsigned char c = (unsigned char)*value;
		const char *name = strchr(names, c);

		if (strchr(kept, c) || is_harmless(value, length))
			str_add_bytes(text, value, length);
		else if (name)
			str_addf(text, "\\%c", name[1]);
		else if (length == 2)
			str_addf(text, "\\u%04x", (unsigned int)(unsigned char)value[1]);
		else
			str_addf(text, "\\x%02x", (unsigned int)c);
		value += length ? length : 1;
	}
}

void log_line_add_words(struct str *text, const char *words)
{
	add_escaped(text, words, "\n\t\"\\");
}

static void add_logfmt(struct str *text, const struct log_line *line)
{
	str_addf(text, "time=\"%s\" level=%s msg=", time_rfc3339().text, level_names[line->level]);
	if (is_plain(line->message)) {
		str_add(text, line->message);
	} else {
		str_add_char(text, '"');
		add_escaped(text, line->message, "");
		str_add_char(text, '"');
	}
	str_add_char(text, '\n');
}

static void add_coloured(struct str *text, const struct log_line *line)
{
	size_t before, length;

	str_addf(text, "\033[%sm%s\033[0m[%04ld] ", level_colours[line->level],
		 level_tags[line->level], line->seconds);
	before = text->length;
	log_line_add_words(text, line->message);
	length = text->length - before;
	str_addf(text, "%*s\n", (int)(length < 44 ? 45 - length : 1), "");
}

static void add_json(struct str *text, const struct log_line *line)
{
	struct json_writer w;

	json_write_init(&w, text, NULL);
	json_write_object(&w, NULL);
	json_write_string(&w, "level", level_names[line->level]);
	json_write_string(&w, "msg", line->message);
	json_write_string(&w, "time", time_rfc3339().text);
	json_write_end(&w);
	str_add_char(text, '\n');
}

/* With its length before it a value may have any byte, so none can pretend to be another field. */
static void add_field(struct str *text, const char *name, const char *value)
{
	uint64_t length = htole64(strlen(value));

	str_addf(text, "%s\n", name);
	str_add_bytes(text, (const char *)&length, sizeof(length));
	str_addf(text, "%s\n", value);
}

/* A message has 2 KiB at most (base/log.h), so it always fits a datagram. */
static void add_journal(struct str *text, const struct log_line *line)
{
	const char priority[] = {(char)('0' + level_priorities[line->level]), '\0'};

	add_field(text, "PRIORITY", priority);
	add_field(text, "SYSLOG_IDENTIFIER", "creel");
	add_field(text, "ID", line->id);
	add_field(text, "MESSAGE", line->message);
}

static void add_syslog(struct str *text, const struct log_line *line)
{
	str_addf(text, "<%d>%s ", LOG_USER | level_priorities[line->level], time_rfc3164().text);
	add_escaped(text, line->id, "\"\\");
	str_addf(text, "[%d]: ", (int)getpid());
	add_escaped(text, line->message, "\"\\");
}

void log_line_add(struct str *text, const struct log_line *line)
{
	switch (line->form) {
	case LOG_FORM_TEXT:
		return add_logfmt(text, line);
	case LOG_FORM_TERMINAL:
		return add_coloured(text, line);
	case LOG_FORM_JSON:
		return add_json(text, line);
	case LOG_FORM_JOURNAL:
		return add_journal(text, line);
	case LOG_FORM_SYSLOG:
		return add_syslog(text, line);
	}
}
