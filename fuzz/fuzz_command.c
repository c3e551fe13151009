/*
 * Command lines of any words, one a line: each ends in a call of the library or in an error that is
 * told. The library only takes notes, and what a command would do beside it (write a file, start
 * ps, read the file of --resources) is left out: nothing has an effect.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "fake_creel.h" /* in tests/unit */
#include "frame.h"

#define WORDS_MAX 100

/* Whether nothing would happen but calls of the library. Takes a copy of the words apart. */
static bool is_harmless(int argc, char **argv, struct arena *a)
{
	char *copy[WORDS_MAX + 2] = {0};
	struct call call = {.argv = copy, .argv0 = "creel", .words = (size_t)argc, .arena = a};
	struct creel_error ignored;
	enum command_id id;
	int next = 0;

	memcpy(copy, argv, (size_t)argc * sizeof(*argv));
	if (options_parse_global(&call, argc, copy, &next, &ignored))
		return true;
	id = next < argc ? command_find(copy[next]) : COMMAND_NONE;
	if (call.log || id == COMMAND_SPEC)
		return false;
	if (id == COMMAND_NONE || options_parse_command(&call, id, copy, next + 1, &ignored))
		return true;
	if (id == COMMAND_PS)
		return call.format;
	return id != COMMAND_UPDATE || !call.resources;
}

/* stdout or stderr as a file in memory, which is emptied for each input. */
struct stream {
	int number, file, saved;
};

static void open_stream(struct stream *s, int number)
{
	if (!s->file) {
		s->number = number;
		s->saved = fcntl(number, F_DUPFD_CLOEXEC, 10);
		s->file = memfd_create("stream", MFD_CLOEXEC);
	}
	fuzz_hold(!ftruncate(s->file, 0) && lseek(s->file, 0, SEEK_SET) == 0, "empty: %m");
	fuzz_hold(dup2(s->file, s->number) == s->number, "dup2: %m");
}

static off_t close_stream(const struct stream *s)
{
	fuzz_hold(dup2(s->saved, s->number) == s->number, "dup2: %m");
	return lseek(s->file, 0, SEEK_END);
}

static void run(int argc, char **argv)
{
	static const struct environment environment = {.xdg_runtime_dir = "/run/user/7"};
	static struct stream out, err;
	off_t printed, told;
	int status;

	fake_reset();
	open_stream(&out, STDOUT_FILENO);
	open_stream(&err, STDERR_FILENO);
	status = cli_main(argc, argv, &environment);
	told = close_stream(&err);
	printed = close_stream(&out);
	fuzz_hold(status >= 0 && status <= 255, "status %d", status);
	fuzz_hold(status || fake_notes[0] || printed, "nothing was called, and nothing printed");
	fuzz_hold(!status || told, "status %d, and nothing told", status);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	static char name[] = "creel";
	struct fuzz_rest rest = {text, text + length};
	char *argv[WORDS_MAX + 2] = {name}, *word;
	int argc = 1;

	while (argc < WORDS_MAX && (word = fuzz_line(&rest, a)))
		argv[argc++] = word;
	if (is_harmless(argc, argv, a))
		run(argc, argv);
}
