/*
 * Paths inside a container's tree: see inroot.h.
 */
#include "sys/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

/* A rename anywhere on the machine makes openat2 answer EAGAIN; so many times in a row is an
 * attack. */
#define RETRIES 128

/* As the kernel's own limit for one look-up. */
#define LINKS_MAX 40

static int open_resolved(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	for (int i = 0; i < RETRIES; i++) {
		fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			break;
	}
	return (int)fd;
}

static const char *relative(const char *path)
{
	while (*path == '/')
		path++;
	return *path ? path : ".";
}

int inroot_open(int root, const char *path, int flags, struct err *e)
{
	int fd = open_resolved(root, relative(path), flags, RESOLVE_IN_ROOT);

	if (fd < 0)
		return err_sys(e, "open \"%s\" in the container's root", path);
	return fd;
}

int inroot_open_onefs(int root, const char *path, int flags, struct err *e)
{
	int fd = open_resolved(root, relative(path), flags,
			       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);

	if (fd < 0)
		return err_sys(e, "open \"%s\"", path);
	return fd;
}

int inroot_open_plain(int root, const char *path, int flags, struct err *e)
{
	int fd = open_resolved(root, relative(path), flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return err_sys(e, "open \"%s\" in the container's root", path);
	return fd;
}

/* Splits path into the folder and the last name; false where that name is nothing that could be
 * created. */
static bool split(const char *path, char folder[PATH_MAX], char name[NAME_MAX + 1])
{
	size_t end = strlen(path), start;

	while (end && path[end - 1] == '/')
		end--;
	start = end;
	while (start && path[start - 1] != '/')
		start--;
	if (end == start || end - start > NAME_MAX || start >= PATH_MAX)
		return false;
	memcpy(name, path + start, end - start);
	name[end - start] = '\0';
	memcpy(folder, path, start);
	folder[start] = '\0';
	return !str_equal(name, ".") && !str_equal(name, "..");
}

static int open_parent(int root, const char *path, char name[NAME_MAX + 1], struct err *e)
{
	char folder[PATH_MAX];

	if (!split(path, folder, name))
		return err_set(e, ERR_INVALID,
			       "create \"%.256s\" in the container's root: not a usable name",
			       path);
	return inroot_mkdir(root, folder, 0755, e);
}

/*
 * A link to something that does not exist: images have them (/etc/resolv.conf → ../run/…), and what
 * it names is then made, still within the root. Writes the path that the link stands for, with rest
 * behind it; false when name is no link.
 */
static bool dangling_link(int folder, const char *name, const char *before, const char *rest,
			  char ret[PATH_MAX])
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(folder, name, text, sizeof(text) - 1);
	int written;

	if (n <= 0)
		return false;
	text[n] = '\0';
	written = snprintf(ret, PATH_MAX, "%s%s%s%s", text[0] == '/' ? "" : before, text,
			   *rest ? "/" : "", rest);
	return written > 0 && written < PATH_MAX;
}

/* Opens the component name of the open folder, which is missing, after making it. so_far is its
 * path, for errors. */
static int make_component(int folder, const char *name, const char *so_far, mode_t mode,
			  struct err *e)
{
	int fd;

	if (mkdirat(folder, name, mode) && errno != EEXIST)
		return err_sys(e, "create directory \"%s\" in the container's root", so_far);
	fd = open_resolved(folder, name, O_PATH | O_DIRECTORY,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd < 0)
		return err_sys(e, "open directory \"%s\" in the container's root", so_far);
	return fd;
}

/*
 * Walks path from the top: an existing component is resolved in the root (links followed), a
 * missing one is made in the directory that is open already.
 */
static int make_directory(int root, const char *path, mode_t mode, int links, struct err *e)
{
	char so_far[PATH_MAX], name[NAME_MAX + 1], target[PATH_MAX];
	_close_ int at = -1;
	size_t length = 0, part;

	if (links > LINKS_MAX || strlen(path) >= sizeof(so_far))
		return err_set(e, ERR_INVALID, "create \"%.256s\" in the container's root: %s",
			       path,
			       links > LINKS_MAX ? "too many levels of symbolic links"
						 : "file name too long");
	for (const char *p = relative(path); *p; p += strspn(p, "/")) {
		int folder = at < 0 ? root : at, next;
		size_t before = length;

		part = strcspn(p, "/");
		if (part > NAME_MAX)
			return err_set(
				e, ERR_INVALID,
				"create \"%.256s\" in the container's root: file name too long",
				path);
		memcpy(name, p, part);
		name[part] = '\0';
		memcpy(so_far + length, name, part + 1);
		length += part;
		p += part;
		next = open_resolved(root, so_far, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
		if (next < 0 && errno != ENOENT)
			return err_sys(e, "open directory \"%s\" in the container's root", so_far);
		if (next < 0) {
			so_far[before] = '\0';
			if (dangling_link(folder, name, so_far, p + strspn(p, "/"), target))
				return make_directory(root, target, mode, links + 1, e);
			memcpy(so_far + before, name, part + 1);
			next = make_component(folder, name, so_far, mode, e);
			if (next < 0)
				return -1;
		}
		fd_close(&at);
		at = next;
		so_far[length++] = '/';
	}
	return at < 0 ? inroot_open(root, path, O_PATH | O_DIRECTORY, e) : fd_take(&at);
}

int inroot_mkdir(int root, const char *path, mode_t mode, struct err *e)
{
	int fd = open_resolved(root, relative(path), O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);

	if (fd < 0 && errno == ENOENT)
		return make_directory(root, path, mode, 0, e);
	if (fd < 0)
		return err_sys(e, "open directory \"%s\" in the container's root", path);
	return fd;
}

int inroot_mknod(int root, const char *path, mode_t mode, dev_t device, struct err *e)
{
	char name[NAME_MAX + 1];
	_close_ int folder = open_parent(root, path, name, e);

	if (folder < 0)
		return -1;
	if (mknodat(folder, name, mode, device))
		return err_sys(e, "create \"%s\" in the container's root", path);
	return 0;
}

static int make_file(int root, const char *path, mode_t mode, int links, struct err *e)
{
	char folder_path[PATH_MAX], name[NAME_MAX + 1], target[PATH_MAX];
	_close_ int folder = -1;

	if (links > LINKS_MAX || !split(path, folder_path, name))
		return err_set(e, ERR_INVALID,
			       "create \"%.256s\" in the container's root: not a usable name",
			       path);
	folder = inroot_mkdir(root, folder_path, 0755, e);
	if (folder < 0)
		return -1;
	if (!mknodat(folder, name, S_IFREG | mode, 0))
		return inroot_open(folder, name, O_PATH | O_NOFOLLOW, e);
	if (errno != EEXIST)
		return err_sys(e, "create \"%s\" in the container's root", path);
	if (dangling_link(folder, name, folder_path, "", target))
		return make_file(root, target, mode, links + 1, e);
	return inroot_open(root, path, O_PATH, e); /* it is there after all */
}

int inroot_mkfile(int root, const char *path, mode_t mode, struct err *e)
{
	int fd = open_resolved(root, relative(path), O_PATH, RESOLVE_IN_ROOT);

	if (fd < 0 && errno == ENOENT)
		return make_file(root, path, mode, 0, e);
	if (fd < 0)
		return err_sys(e, "open \"%s\" in the container's root", path);
	return fd;
}

int inroot_symlink(int root, const char *path, const char *text, struct err *e)
{
	char name[NAME_MAX + 1], old[256];
	_close_ int folder = open_parent(root, path, name, e);
	ssize_t n;

	if (folder < 0)
		return -1;
	if (!symlinkat(text, folder, name))
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "create link \"%s\" in the container's root", path);
	n = readlinkat(folder, name, old, sizeof(old) - 1);
	if (n >= 0) {
		old[n] = '\0';
		if (str_equal(old, text))
			return 0;
	}
	if (unlinkat(folder, name, 0) || symlinkat(text, folder, name))
		return err_sys(e, "replace \"%s\" in the container's root by a link to %s", path,
			       text);
	return 0;
}
