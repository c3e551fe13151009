/*
 * Copying a tree: see copyup.h. One directory after the other, by a list of their paths, so that
 * neither the stack nor the number of descriptors depends on the depth of the tree.
 */
#include "sys/copyup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/folder.h"
#include "sys/inroot.h"

/* xattr(7): a list of names, and a value, have at most this many bytes. */
#define XATTR_MAX 65536

struct folder {
	const char *path; /* below both roots; "" is them */
	struct folder *next;
};

struct copy {
	int from, to;           /* the roots */
	int source, target;     /* the directory that is being copied */
	struct folder *current; /* its path, and those behind it that are still to be copied */
	struct folder *last;
	char *names, *value; /* XATTR_MAX bytes each, NULL until they are needed */
	struct arena *arena;
};

static int fail(struct err *e, const struct copy *c, const char *what, const char *name)
{
	const char *path = c->current->path;

	return err_sys(e, "%s %s%s%s", what, path, *path && *name ? "/" : "", name);
}

/* ---- attributes ------------------------------------------------------------------------------ */

/*
 * What the new file system does not know, or what a user namespace may not give, is left out: that
 * makes a file less, never more.
 */
static int copy_xattr(struct copy *c, int in, int out, const char *attribute, struct err *e)
{
	ssize_t size = fgetxattr(in, attribute, c->value, XATTR_MAX);

	if (size < 0 && errno == ENODATA)
		return 0; /* it is gone again */
	if (size < 0)
		return fail(e, c, "read an extended attribute in", "");
	if (!fsetxattr(out, attribute, c->value, (size_t)size, 0) || errno == EOPNOTSUPP ||
	    errno == EPERM)
		return 0;
	return fail(e, c, "write an extended attribute in", "");
}

static int copy_xattrs(struct copy *c, int in, int out, struct err *e)
{
	ssize_t size = flistxattr(in, NULL, 0);

	if (size == 0 || (size < 0 && errno == EOPNOTSUPP))
		return 0;
	if (!c->names)
		c->names = arena_get(c->arena, XATTR_MAX, e);
	if (!c->value)
		c->value = arena_get(c->arena, XATTR_MAX, e);
	if (!c->names || !c->value)
		return -1;
	size = flistxattr(in, c->names, XATTR_MAX);
	if (size < 0)
		return fail(e, c, "list extended attributes in", "");
	for (const char *at = c->names; at < c->names + size; at += strlen(at) + 1)
		if (copy_xattr(c, in, out, at, e))
			return -1;
	return 0;
}

static int fail_owner(struct err *e, const struct copy *c, const char *name)
{
	bool unmapped = errno == EINVAL;

	fail(e, c, "give its owner to", name);
	return unmapped ? err_hint(e, "its owner is not mapped in the container's user namespace")
			: -1;
}

/* Of a directory or file that is open on both sides. The mode last: a new owner takes bits away. */
static int copy_attributes(struct copy *c, int in, int out, const struct stat *st, const char *name,
			   struct err *e)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (fchown(out, st->st_uid, st->st_gid))
		return fail_owner(e, c, name);
	if (copy_xattrs(c, in, out, e))
		return -1;
	if (fchmod(out, st->st_mode & 07777) || futimens(out, times))
		return fail(e, c, "give mode and times to", name);
	return 0;
}

/* Of what cannot be opened. */
static int copy_attributes_at(struct copy *c, const char *name, const struct stat *st,
			      struct err *e)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};

	if (fchownat(c->target, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW))
		return fail_owner(e, c, name);
	if (utimensat(c->target, name, times, AT_SYMLINK_NOFOLLOW))
		return fail(e, c, "give times to", name);
	return 0;
}

/* ---- content --------------------------------------------------------------------------------- */

static int send_range(int in, int out, off_t at, off_t end)
{
	if (lseek(out, at, SEEK_SET) < 0)
		return -1;
	while (at < end) {
		ssize_t n = sendfile(out, in, &at, (size_t)(end - at));

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0)
			return 0; /* it has become shorter */
	}
	return 0;
}

static int copy_content(int in, int out, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(in, at, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break; /* nothing but a hole is left */
		if (data < 0)
			return -1;
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0 || send_range(in, out, data, hole))
			return -1;
		at = hole;
	}
	return ftruncate(out, size);
}

static int copy_file(struct copy *c, const char *name, struct err *e)
{
	/* O_NONBLOCK: whoever puts a FIFO in its place now does not stop us */
	_close_ int in = inroot_open_plain(c->source, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, e);
	_close_ int out = -1;
	struct stat st;

	if (in < 0) {
		errno = e->sys;
		return fail(e, c, "open", name);
	}
	if (fstat(in, &st))
		return fail(e, c, "stat", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is changed while it is copied", name);
	out = openat(c->target, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0 || copy_content(in, out, st.st_size))
		return fail(e, c, "copy", name);
	return copy_attributes(c, in, out, &st, name, e);
}

static int copy_link(struct copy *c, const char *name, const struct stat *st, struct err *e)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(c->source, name, text, sizeof(text) - 1);

	if (n < 0)
		return fail(e, c, "read the link", name);
	text[n] = '\0';
	if (symlinkat(text, c->target, name))
		return fail(e, c, "make the link", name);
	return copy_attributes_at(c, name, st, e);
}

/* Makes the directory; what is in it, and its attributes, come later. */
static int make_folder(struct copy *c, const char *name, struct err *e)
{
	const char *path = c->current->path;
	struct folder *next = arena_get(c->arena, sizeof(*next), e);

	if (!next)
		return -1;
	next->path = arena_format(c->arena, e, "%s%s%s", path, *path ? "/" : "", name);
	if (!next->path)
		return -1;
	if (mkdirat(c->target, name, 0700))
		return fail(e, c, "make the directory", name);
	c->last->next = next;
	c->last = next;
	return 0;
}

static int copy_entry(void *user, const struct folder_entry *entry, struct err *e)
{
	struct copy *c = user;
	struct stat st;

	if (fstatat(c->source, entry->name, &st, AT_SYMLINK_NOFOLLOW))
		return fail(e, c, "stat", entry->name);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return make_folder(c, entry->name, e);
	case S_IFREG:
		return copy_file(c, entry->name, e);
	case S_IFLNK:
		return copy_link(c, entry->name, &st, e);
	default:
		if (mknodat(c->target, entry->name, st.st_mode, st.st_rdev))
			return fail(e, c, "make", entry->name);
		return copy_attributes_at(c, entry->name, &st, e);
	}
}

static int copy_folder(struct copy *c, struct err *e)
{
	const char *path = c->current->path;
	_close_ int source = inroot_open_plain(c->from, path, O_RDONLY | O_DIRECTORY, e);
	_close_ int target = -1;
	struct stat st;

	if (source < 0)
		return -1;
	target = inroot_open_plain(c->to, path, O_RDONLY | O_DIRECTORY, e);
	if (target < 0)
		return -1;
	if (fstat(source, &st))
		return fail(e, c, "stat", "");
	c->source = source;
	c->target = target;
	if (folder_list(source, copy_entry, c, e))
		return -1;
	return *path ? copy_attributes(c, source, target, &st, "", e) : 0;
}

int copyup(int from, int to, struct arena *a, struct err *e)
{
	struct folder first = {.path = ""};
	struct copy c = {.from = from, .to = to, .current = &first, .last = &first, .arena = a};

	for (; c.current; c.current = c.current->next)
		if (copy_folder(&c, e))
			return -1;
	return 0;
}
