/*
 * Listing a directory: see folder.h.
 */
#include "sys/folder.h"

#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

int folder_list(int fd, folder_visitor *visit, void *user, struct err *e)
{
	_Alignas(struct folder_entry) char buf[4096];
	long n;

	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0)
		for (long at = 0; at < n;) {
			const struct folder_entry *entry = (const struct folder_entry *)(buf + at);

			if (!is_dots(entry->name) && visit(user, entry, e))
				return -1;
			at += entry->size;
		}
	return n < 0 ? err_sys(e, "list a directory") : 0;
}
