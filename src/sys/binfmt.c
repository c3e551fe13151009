/*
 * Handlers of binfmt_misc: see binfmt.h.
 */
#include "sys/binfmt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/folder.h"
#include "sys/mountfd.h"

#define PLACE "/proc/sys/fs/binfmt_misc"

/* A line "KEY VALUE" of a handler's file; NULL when there is none. */
static const char *value_of(const char *text, const char *key)
{
	for (size_t length = strlen(key); *text; text += strcspn(text, "\n"), text += *text == '\n')
		if (!strncmp(text, key, length) && text[length] == ' ')
			return text + length + 1;
	return NULL;
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* The byte that begins at this hexadecimal digit. */
static unsigned hex_byte(const char *at)
{
	return hex_digit(at[0]) << 4 | hex_digit(at[1]);
}

/* magic and mask are hexadecimal; a handler without a mask has none to show. */
static bool magic_matches(const char *magic, const char *mask, const char *head, size_t room)
{
	size_t digits = strspn(magic, "0123456789abcdef");

	if (digits % 2 || digits / 2 > room || (mask && strspn(mask, "0123456789abcdef") != digits))
		return true; /* nothing that is known of it */
	for (size_t i = 0; i < digits; i += 2) {
		unsigned differs = (unsigned char)head[i / 2] ^ hex_byte(magic + i);

		if (differs & (mask ? hex_byte(mask + i) : 0xff))
			return false;
	}
	return true;
}

static bool extension_matches(const char *extension, const char *name)
{
	size_t length = strcspn(extension, "\n");
	const char *own = strrchr(name, '.');

	return own && strlen(own) == length && !strncmp(own, extension, length);
}

static bool takes(const char *text, const char *name, const struct executable_fault *fault)
{
	const char *extension = value_of(text, "extension"), *magic = value_of(text, "magic");
	const char *offset = value_of(text, "offset");
	uint32_t at = 0;

	if (!str_starts(text, "enabled"))
		return false;
	if (fault->nested) /* how the files between begin is not known here */
		return true;
	if (extension)
		return extension_matches(extension, name);
	for (; offset && *offset >= '0' && *offset <= '9' && at < EXECUTABLE_HEAD; offset++)
		at = at * 10 + (uint32_t)(*offset - '0');
	return !magic || at >= EXECUTABLE_HEAD ||
	       magic_matches(magic, value_of(text, "mask"), fault->head + at, EXECUTABLE_HEAD - at);
}

/* "register" and "status" are no handlers. */
static bool handler_takes(int directory, const char *file, const char *name,
			  const struct executable_fault *fault)
{
	_close_ int fd = -1;
	char text[4096];
	ssize_t n;

	if (str_equal(file, "register") || str_equal(file, "status"))
		return false;
	fd = openat(directory, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return true;
	text[n] = '\0';
	return takes(text, name, fault);
}

/* Whether one of the handlers listed so far takes the program. */
struct search {
	int directory;
	const char *name;
	const struct executable_fault *fault;
	bool found;
};

static int visit(void *user, const struct folder_entry *entry, struct err *e)
{
	struct search *s = user;

	(void)e;
	s->found = s->found || handler_takes(s->directory, entry->name, s->name, s->fault);
	return 0;
}

bool binfmt_listed(int directory, const char *name, const struct executable_fault *fault)
{
	struct search s = {.directory = directory, .name = name, .fault = fault};
	struct err unknown;

	return folder_list(directory, visit, &s, &unknown) || s.found;
}

/*
 * Handlers work whether or not their file system is mounted where it belongs. A mount of our own
 * shows them; in a user namespace it would make an empty set of that namespace's own.
 */
static int mount_aside(void)
{
	struct err e;
	_close_ int mount = mountfd_new("binfmt_misc", "binfmt_misc", NULL, 0, 0, &e);

	return mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

bool binfmt_may_take(const char *name, const struct executable_fault *fault, bool in_user_namespace)
{
	_close_ int fd = fd_open(PLACE, O_RDONLY | O_DIRECTORY);
	struct statfs fs;

	if (fd < 0)
		return errno != ENOENT; /* a kernel without it */
	if (fstatfs(fd, &fs))
		return true;
	if (fs.f_type != BINFMTFS_MAGIC) {
		fd_close(&fd);
		fd = in_user_namespace ? -1 : mount_aside();
	}
	return fd < 0 || binfmt_listed(fd, name, fault);
}
