/*
 * What ps(1) may have written, in whatever language and with whatever columns: the first byte says
 * how many processes the container has, each of the next is one of them. The header and the lines
 * of these processes are kept, or it is told what is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/ps_table.h"
#include "frame.h"

#define PIDS_MAX 8

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* Each line of out is one of text, in the same order, and the first is the first. */
static void check_lines(const char *text, size_t length, struct str *out)
{
	const char *at = text, *end = text + length;
	char *rest = out->text, *line;

	while ((line = strsep(&rest, "\n")) && (rest || *line)) {
		size_t size = strlen(line);

		while (at < end) {
			const char *newline = memchr(at, '\n', (size_t)(end - at));
			size_t found = (size_t)((newline ? newline : end) - at);
			const char *start = at;

			at += found + (newline != NULL);
			if (found == size && !memcmp(start, line, size))
				break;
			fuzz_hold(line != out->text, "another header");
			fuzz_hold(at < end, "a line that ps did not write: %s", line);
		}
	}
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	size_t count = fuzz_choose(&rest, PIDS_MAX + 1);
	struct ps_processes of = {.count = count};
	pid_t pids[PIDS_MAX];
	struct creel_error e = {0};
	struct str out;

	for (size_t i = 0; i < count; i++)
		pids[i] = fuzz_byte(&rest);
	qsort(pids, count, sizeof(*pids), compare);
	of.pid = pids;
	str_init(&out, a);
	length = (size_t)(rest.end - rest.at);
	if (ps_table_filter((struct ps_text){rest.at, length}, &of, &out, &e))
		fuzz_hold(e.code == CREEL_INVALID && e.text[0], "an error without a text");
	else if (!out.failed && !memchr(rest.at, '\0', length))
		check_lines(rest.at, length, &out);
}
