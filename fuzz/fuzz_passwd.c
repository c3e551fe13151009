/*
 * /etc/passwd of any bytes, as an image may bring it. The first line of the input is the user id,
 * the rest is the file; what is found is held against a plain reading of passwd(5).
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "sys/passwd.h"

enum { NAME = 0, UID = 2, HOME = 5, SHELL = 6 };

/* The field of the first line with this id that is not empty; NULL: there is none. */
static const char *plain(const char *text, uint32_t uid, int wanted, struct arena *a)
{
	struct err e;
	char *rest = arena_copy(a, text, strlen(text), &e), *line;

	while (rest && (line = strsep(&rest, "\n"))) {
		char *field[SHELL + 1] = {0};
		uint32_t number;

		for (int i = 0; i <= SHELL; i++)
			field[i] = strsep(&line, ":");
		if (field[HOME] && str_to_u32(field[UID], &number) && number == uid &&
		    *field[wanted])
			return field[wanted];
	}
	return NULL;
}

static void check(int root, const char *text, uint32_t uid, struct arena *a)
{
	const char *name = passwd_name(root, uid, a), *home = passwd_home(root, uid, a);
	const char *wanted_name = plain(text, uid, NAME, a), *wanted = plain(text, uid, HOME, a);

	fuzz_hold(!name == !wanted_name && (!name || str_equal(name, wanted_name)),
		  "name of %u: %s, not %s", uid, name, wanted_name);
	fuzz_hold(str_equal(home, wanted ? wanted : "/"), "home of %u: %s, not %s", uid, home,
		  wanted);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	int root = fuzz_directory();
	const char *number = fuzz_line(&rest, a);
	uint32_t uid;

	if (!number || !str_to_u32(number, &uid))
		uid = 0;
	if (mkdirat(root, "etc", 0755))
		fuzz_broken("mkdir etc: %m");
	fuzz_write(root, "etc/passwd", rest.at, (size_t)(rest.end - rest.at));
	check(root, rest.at, uid, a);
	(void)unlinkat(root, "etc/passwd", 0);
	(void)unlinkat(root, "etc", AT_REMOVEDIR);
}
