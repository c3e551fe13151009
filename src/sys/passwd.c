/*
 * /etc/passwd: see passwd.h.
 */
#include "sys/passwd.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/inroot.h"

#define PASSWD_LIMIT (1u << 20)
#define FIELDS 7 /* name:password:uid:gid:gecos:home:shell, passwd(5) */

/* Splits a line in place; false when it has too few fields. */
static bool split(char *line, char *field[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		field[i] = line;
		line += strcspn(line, ":");
		if (*line)
			*line++ = '\0';
		else if (i < FIELDS - 2)
			return false;
	}
	return true;
}

/* Where in a line of passwd(5) the values are. */
enum { NAME = 0, UID = 2, HOME = 5 };

/* The wanted field of the first line with this uid; NULL when there is none. */
static const char *find(char *text, uint32_t uid, int wanted)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		char *next = text + length + (text[length] == '\n');
		char *field[FIELDS];
		uint32_t found;

		text[length] = '\0';
		if (split(text, field) && str_to_u32(field[UID], &found) && found == uid &&
		    *field[wanted])
			return field[wanted];
		text = next;
	}
	return NULL;
}

static const char *look_up(int root, uint32_t uid, int wanted, struct arena *a)
{
	struct err ignored;
	_close_ int fd =
		inroot_open(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, &ignored);
	struct stat st;
	size_t length;
	char *text;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	if (fd_read(fd, PASSWD_LIMIT, a, "/etc/passwd", &text, &length, &ignored))
		return NULL;
	return find(text, uid, wanted);
}

const char *passwd_home(int root, uint32_t uid, struct arena *a)
{
	const char *home = look_up(root, uid, HOME, a);

	return home ? home : "/";
}

const char *passwd_name(int root, uint32_t uid, struct arena *a)
{
	return look_up(root, uid, NAME, a);
}
