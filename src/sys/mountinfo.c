/*
 * The list of mounts: see mountinfo.h.
 */
#include "sys/mountinfo.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

#define LIST_MAX (16u << 20)

/* Ends the word at *at and goes to the next one. */
static char *take_word(char **at, char stop)
{
	char *word = *at, *end = strchr(word, stop);

	if (end)
		*end++ = '\0';
	*at = end ? end : word + strlen(word);
	return word;
}

/* Blank, tab, newline and backslash are written as three octal digits. */
static const char *unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] && from[2] && from[3]) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG…] - TYPE SOURCE SUPER" */
static void take_line(char *line, struct mountinfo *ret)
{
	const char *id = take_word(&line, ' '), *parent = take_word(&line, ' ');

	if (!str_to_u64(id, &ret->id) || !str_to_u64(parent, &ret->parent))
		ret->id = 0; /* nobody's */
	(void)take_word(&line, ' ');
	ret->root = unescape(take_word(&line, ' '));
	ret->point = unescape(take_word(&line, ' '));
	ret->options = take_word(&line, ' ');
	while (*line && !str_equal(take_word(&line, ' '), "-"))
		continue;
	ret->type = take_word(&line, ' ');
}

int mountinfo_parse(char *text, struct arena *a, const struct mountinfo **ret, struct err *e)
{
	const struct mountinfo *first = NULL, **end = &first;

	while (*text) {
		struct mountinfo *mount = arena_get(a, sizeof(*mount), e);

		if (!mount)
			return -1;
		take_line(take_word(&text, '\n'), mount);
		*end = mount;
		end = &mount->next;
	}
	*ret = first;
	return 0;
}

static int read_list(const char *path, struct arena *a, const struct mountinfo **ret, struct err *e)
{
	size_t length;
	char *text;

	if (file_read(AT_FDCWD, path, LIST_MAX, a, &text, &length, e))
		return -1;
	return mountinfo_parse(text, a, ret, e);
}

int mountinfo_read(struct arena *a, const struct mountinfo **ret, struct err *e)
{
	return read_list("/proc/self/mountinfo", a, ret, e);
}

int mountinfo_read_of(pid_t pid, struct arena *a, const struct mountinfo **ret, struct err *e)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	return read_list(path, a, ret, e);
}

const struct mountinfo *mountinfo_find(const struct mountinfo *list, uint64_t id)
{
	while (list && list->id != id)
		list = list->next;
	return list;
}
