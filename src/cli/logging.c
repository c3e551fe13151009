/*
 * Messages: see logging.h. Each is put together whole and written at once: several commands share
 * one log file, and an engine may read no more than the first write to stderr.
 */
#include "cli/logging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json_write.h"
#include "base/str.h"
#include "cli/error.h"

static const char level_names[][8] = {"error", "warning", "info", "debug"};
static const char level_tags[][5] = {"ERRO", "WARN", "INFO", "DEBU"};
static const char level_colours[][3] = {"31", "33", "36", "37"};

static long seconds_now(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (long)now.tv_sec;
}

void logging_init(struct logging *ret_l, struct arena *a)
{
	*ret_l = (struct logging){.fd = STDERR_FILENO, .level = CREEL_LOG_WARNING, .arena = a};
	ret_l->start = seconds_now();
}

static bool level_number(const char *name, enum creel_log_level *ret)
{
	for (size_t i = 0; i < array_len(level_names); i++) {
		if (str_equal(name, level_names[i])) {
			*ret = (enum creel_log_level)i;
			return true;
		}
	}
	return false;
}

int logging_open(struct logging *l, const struct call *call, struct creel_error *e)
{
	const char *format = call->log_format ? call->log_format : "text";
	bool json = str_equal(format, "json");
	int fd;

	if (!json && !str_equal(format, "text"))
		return cli_fail(e, CREEL_USAGE, "invalid log-format: %s", format);
	if (call->log_level && !level_number(call->log_level, &l->level))
		return cli_fail(e, CREEL_USAGE, "invalid log-level: %s", call->log_level);
	if (call->debug)
		l->level = CREEL_LOG_DEBUG;
	if (call->log) {
		fd = openat(AT_FDCWD, call->log,
			    O_WRONLY | O_CREAT | O_APPEND | O_SYNC | O_CLOEXEC | O_NOCTTY, 0644);
		if (fd < 0)
			return cli_fail_errno(e, "open %s", call->log);
		l->fd = fd;
	}
	l->json = json;
	return 0;
}

/* What logrus leaves without quotes. */
static bool is_plain(const char *text)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/@^+";

	return !text[strspn(text, plain)];
}

/* Adds text so that no character of it can end a line or steer a terminal. */
static void add_escaped(struct str *line, const char *text, const char *kept)
{
	static const char names[] = "\"\"\\\\\aa\bb\ff\nn\rr\tt\vv";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		const char *name = strchr(names, c);

		if (strchr(kept, c) || (c >= ' ' && c != 0x7f && c != '"' && c != '\\'))
			str_add_char(line, *text);
		else if (name)
			str_addf(line, "\\%c", name[1]);
		else
			str_addf(line, "\\x%02x", (unsigned int)c);
	}
}

static void add_logfmt(struct str *line, const char *time, enum creel_log_level level,
		       const char *message)
{
	str_addf(line, "time=\"%s\" level=%s msg=", time, level_names[level]);
	if (is_plain(message)) {
		str_add(line, message);
	} else {
		str_add_char(line, '"');
		add_escaped(line, message, "");
		str_add_char(line, '"');
	}
	str_add_char(line, '\n');
}

static void add_coloured(struct str *line, long seconds, enum creel_log_level level,
			 const char *message)
{
	size_t before;

	str_addf(line, "\033[%sm%s\033[0m[%04ld] ", level_colours[level], level_tags[level],
		 seconds);
	before = line->length;
	add_escaped(line, message, "\n\t\"\\");
	str_addf(line, "%*s\n",
		 (int)(line->length - before < 44 ? 45 - (line->length - before) : 1), "");
}

static void add_json(struct str *line, const char *time, enum creel_log_level level,
		     const char *message)
{
	struct json_writer w;

	json_write_init(&w, line, NULL);
	json_write_object(&w, NULL);
	json_write_string(&w, "level", level_names[level]);
	json_write_string(&w, "msg", message);
	json_write_string(&w, "time", time);
	json_write_end(&w);
	str_add_char(line, '\n');
}

/* The time in RFC 3339. In UTC: the local time zone would have to be read from files. */
static void format_time(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm parts;

	buf[0] = '\0';
	if (gmtime_r(&now, &parts))
		(void)strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/*
 * Without memory for the line its message goes out alone: an engine must never be left without a
 * word.
 */
static void write_line(int fd, struct str *line, const char *message)
{
	struct err ignored; /* there is no place left to tell it */

	if (str_end(line, &ignored))
		(void)!fd_write(fd, line->text, line->length, "the log", &ignored);
	else
		(void)!fd_write(fd, message, strlen(message), "the log", &ignored);
}

void logging_message(void *user, enum creel_log_level level, const char *message)
{
	struct logging *l = user;
	int number = errno;
	char time[sizeof("2006-01-02T15:04:05Z")];
	struct str line;

	if (level > l->level)
		return;
	str_init(&line, l->arena);
	format_time(time, sizeof(time));
	if (l->json)
		add_json(&line, time, level, message);
	else if (l->fd == STDERR_FILENO && isatty(STDERR_FILENO))
		add_coloured(&line, seconds_now() - l->start, level, message);
	else
		add_logfmt(&line, time, level, message);
	write_line(l->fd, &line, message);
	errno = number;
}

void logging_failure(struct logging *l, const char *message)
{
	struct str line;

	logging_message(l, CREEL_LOG_ERROR, message);
	if (l->fd == STDERR_FILENO)
		return;
	str_init(&line, l->arena);
	str_add(&line, message);
	str_add_char(&line, '\n');
	write_line(STDERR_FILENO, &line, message);
}
