/*
 * Messages: see logging.h. Each is put together whole and written at once: several commands share
 * one log file, and an engine may read no more than the first write to stderr.
 */
#include "cli/logging.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/times.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "cli/error.h"

void logging_init(struct logging *ret_l, struct arena *a)
{
	*ret_l = (struct logging){.fd = STDERR_FILENO, .level = CREEL_LOG_WARNING, .arena = a};
	/* Not clock_gettime: to find the kernel's page for it costs a command three page faults. */
	ret_l->start = times(NULL);
}

static int open_file(const char *path, struct creel_error *e)
{
	int fd = openat(AT_FDCWD, path,
			O_WRONLY | O_CREAT | O_APPEND | O_SYNC | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? cli_fail_errno(e, "open %s", path) : fd;
}

static int connect_service(const char *path, struct creel_error *e)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(un.sun_path, path, strlen(path) + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return cli_fail_errno(e, "connect to the log %s", path);
	return fd_take(&fd);
}

/* What stands behind prefix in text; NULL when that does not begin so. */
static const char *behind(const char *text, const char *prefix)
{
	return str_starts(text, prefix) ? text + strlen(prefix) : NULL;
}

/* Opens what --log names, and sets *l up for it. */
static int open_target(struct logging *l, const char *target, struct creel_error *e)
{
	const char *id, *path = behind(target, "file:");
	enum log_form form = LOG_FORM_TEXT;
	int fd;

	if ((id = behind(target, "journald:"))) {
		form = LOG_FORM_JOURNAL;
		fd = connect_service("/run/systemd/journal/socket", e);
	} else if ((id = behind(target, "syslog:"))) {
		form = LOG_FORM_SYSLOG;
		fd = connect_service("/dev/log", e);
	} else {
		fd = open_file(path ? path : target, e);
	}
	if (fd < 0)
		return -1;
	l->fd = fd;
	l->form = form;
	l->id = id;
	return 0;
}

int logging_open(struct logging *l, const struct call *call, struct creel_error *e)
{
	const char *format = call->log_format ? call->log_format : "text";
	bool json = str_equal(format, "json");

	if (!json && !str_equal(format, "text"))
		return cli_fail(e, CREEL_USAGE, "invalid log-format: %s", format);
	if (call->log_level && !log_level_number(call->log_level, &l->level))
		return cli_fail(e, CREEL_USAGE, "invalid log-level: %s", call->log_level);
	if (call->debug)
		l->level = CREEL_LOG_DEBUG;
	if (call->log && open_target(l, call->log, e))
		return -1;
	if (json && l->form == LOG_FORM_TEXT)
		l->form = LOG_FORM_JSON;
	return 0;
}

/*
 * Without memory for the line its message goes out alone: an engine must never be left without a
 * word.
 */
static void write_text(int fd, struct str *text, const char *message)
{
	struct err ignored; /* there is no place left to tell it */

	if (str_end(text, &ignored))
		(void)!fd_write(fd, text->text, text->length, "the log", &ignored);
	else
		(void)!fd_write(fd, message, strlen(message), "the log", &ignored);
}

/* Text on a terminal is for people. */
static enum log_form choose_form(const struct logging *l)
{
	bool terminal = l->form == LOG_FORM_TEXT && l->fd == STDERR_FILENO && isatty(STDERR_FILENO);

	return terminal ? LOG_FORM_TERMINAL : l->form;
}

void logging_message(void *user, enum creel_log_level level, const char *message)
{
	struct logging *l = user;
	int number = errno;
	struct log_line line = {.level = level, .message = message, .id = l->id};
	struct str text;

	if (level > l->level)
		return;
	line.form = choose_form(l);
	line.seconds = (times(NULL) - l->start) / sysconf(_SC_CLK_TCK);
	str_init(&text, l->arena);
	log_line_add(&text, &line);
	write_text(l->fd, &text, message);
	errno = number;
}

void logging_failure(struct logging *l, const char *message)
{
	struct str text;

	logging_message(l, CREEL_LOG_ERROR, message);
	if (l->fd == STDERR_FILENO)
		return;
	str_init(&text, l->arena);
	log_line_add_words(&text, message);
	if (!str_ends(message, "\n"))
		str_add_char(&text, '\n');
	write_text(STDERR_FILENO, &text, message);
}
