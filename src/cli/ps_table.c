/*
 * The table that ps(1) wrote: see ps_table.h.
 */
#include "cli/ps_table.h"

#include <stdlib.h>
#include <string.h>

#include "cli/error.h"

/* Cuts the part up to the next newline off text. */
static struct ps_text cut_line(struct ps_text *text)
{
	const char *end = memchr(text->text, '\n', text->length);
	struct ps_text line = {text->text, end ? (size_t)(end - text->text) : text->length};
	size_t cut = line.length + (end != NULL);

	text->text += cut;
	text->length -= cut;
	return line;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Word number n of a line, empty when it has fewer. */
static struct ps_text find_word(struct ps_text line, size_t n)
{
	const char *end = line.text + line.length, *at = line.text, *start;

	do {
		while (at < end && is_blank(*at))
			at++;
		for (start = at; at < end && !is_blank(*at);)
			at++;
	} while (n--);
	return (struct ps_text){start, (size_t)(at - start)};
}

static int find_column(struct ps_text header, size_t *ret, struct creel_error *e)
{
	struct ps_text word;

	for (size_t n = 0; (word = find_word(header, n)).length; n++)
		if (word.length == 3 && !memcmp(word.text, "PID", 3)) {
			*ret = n;
			return 0;
		}
	return cli_fail(e, CREEL_INVALID, "couldn't find PID field in ps output");
}

static int parse_pid(struct ps_text word, pid_t *ret, struct creel_error *e)
{
	char digits[12] = "";
	uint32_t pid;

	if (word.length < sizeof(digits))
		memcpy(digits, word.text, word.length);
	if (!str_to_u32(digits, &pid))
		return cli_fail(e, CREEL_INVALID, "unable to parse pid: \"%.*s\"",
				(int)(word.length < PS_SHOWN ? word.length : PS_SHOWN), word.text);
	*ret = (pid_t)pid;
	return 0;
}

static int compare(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static void add_line(struct str *out, struct ps_text line)
{
	str_add_bytes(out, line.text, line.length);
	str_add_char(out, '\n');
}

int ps_table_filter(struct ps_text text, const struct ps_processes *of, struct str *out,
		    struct creel_error *e)
{
	struct ps_text line = cut_line(&text);
	size_t column;
	pid_t pid = 0;

	if (find_column(line, &column, e))
		return -1;
	add_line(out, line);
	while (text.length) {
		line = cut_line(&text);
		if (!line.length)
			continue;
		if (parse_pid(find_word(line, column), &pid, e))
			return -1;
		if (of->count && bsearch(&pid, of->pid, of->count, sizeof(pid), compare))
			add_line(out, line);
	}
	return 0;
}
