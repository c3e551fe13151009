/*
 * Trees for the fuzzers of sys/inroot: see tree.h.
 */
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void tree_path(struct fuzz_rest *rest, char ret[TREE_PATH])
{
	static const char *const parts[] = {"a", "b", "c", "d", "e", "..", ".", "outside"};
	unsigned shape = fuzz_byte(rest), count = 1 + shape % 5;
	size_t used = 0;

	ret[0] = '\0';
	for (unsigned i = 0; i < shape / 5 % 3; i++)
		ret[used++] = '/';
	for (unsigned i = 0; i < count; i++) {
		unsigned part = fuzz_byte(rest);

		used += (size_t)snprintf(ret + used, TREE_PATH - used, "%s%s",
					 parts[part % array_len(parts)],
					 i + 1 == count ? (part & 0x40 ? "/" : "")
					 : part & 0x80  ? "//"
							: "/");
	}
}

void tree_grow(int directory, struct fuzz_rest *rest, unsigned levels)
{
	char text[TREE_PATH];
	int below;

	for (const char *c = "abcd"; *c; c++) {
		const char name[] = {*c, '\0'};

		switch (fuzz_choose(rest, 6)) {
		case 0:
			break;
		case 1:
			fuzz_hold(!mknodat(directory, name, S_IFREG | 0644, 0), "make a file: %m");
			break;
		case 2:
		case 3:
			tree_path(rest, text);
			fuzz_hold(!symlinkat(text, directory, name), "make a link: %m");
			break;
		default:
			fuzz_hold(!mkdirat(directory, name, 0755), "make a directory: %m");
			below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			fuzz_hold(below >= 0, "open a directory: %m");
			if (levels > 1)
				tree_grow(below, rest, levels - 1);
			(void)close(below);
		}
	}
}

int tree_directory(int at, const char *name)
{
	int fd;

	fuzz_hold(!mkdirat(at, name, 0755), "make %s: %m", name);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fuzz_hold(fd >= 0, "open %s: %m", name);
	return fd;
}

int tree_outside(int at)
{
	int outside = tree_directory(at, "outside");

	fuzz_write(outside, "d", "secret", strlen("secret"));
	return outside;
}

void tree_untouched(int outside)
{
	struct stat st;

	fuzz_hold(!fstatat(outside, "d", &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
			  st.st_size == (off_t)strlen("secret"),
		  "the file outside was changed");
	(void)unlinkat(outside, "d", 0);
	fuzz_hold(!tree_empty(outside), "something was made outside");
}

bool tree_empty(int directory)
{
	int again = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fdopendir(again);
	struct dirent *entry;
	bool found = false;

	fuzz_hold(list, "list a directory: %m");
	while ((entry = readdir(list))) {
		int below;

		if (str_equal(entry->d_name, ".") || str_equal(entry->d_name, ".."))
			continue;
		found = true;
		if (!unlinkat(directory, entry->d_name, 0) || errno != EISDIR)
			continue;
		below = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		fuzz_hold(below >= 0, "open a directory: %m");
		(void)tree_empty(below);
		(void)close(below);
		(void)unlinkat(directory, entry->d_name, AT_REMOVEDIR);
	}
	(void)closedir(list);
	return found;
}
