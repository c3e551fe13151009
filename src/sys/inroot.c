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

/*
 * A rename anywhere on the machine makes openat2 answer EAGAIN; so many times in a row is an
 * attack.
 */
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

/*
 * Splits path into the folder and the last name; false where that name is nothing that could be
 * created.
 */
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

/* The directory to make path's last name in: root itself for a bare name, or *ret_opened. */
static int open_parent(int root, const char *path, char name[NAME_MAX + 1], int *ret_opened,
		       struct err *e)
{
	char folder[PATH_MAX];

	if (!split(path, folder, name))
		return err_set(e, ERR_INVALID,
			       "create \"%.256s\" in the container's root: not a usable name",
			       path);
	if (!*folder)
		return root;
	return *ret_opened = inroot_mkdir(root, folder, 0755, e);
}

/*
 * A link to something that does not exist: images have them (/etc/resolv.conf → ../run/…), and what
 * it names is then made, still within the root. The link is name in the open folder, whose path is
 * the first length bytes of path; rest is what follows it. Writes the path that all stands for;
 * false when name is no link.
 */
static bool dangling_link(int folder, const char *name, const char *path, size_t length,
			  const char *rest, char ret[PATH_MAX])
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(folder, name, text, sizeof(text) - 1);
	int written;

	if (n <= 0)
		return false;
	text[n] = '\0';
	written = snprintf(ret, PATH_MAX, "%.*s%s%s%s", text[0] == '/' ? 0 : (int)length, path,
			   text, *rest ? "/" : "", rest);
	return written > 0 && written < PATH_MAX;
}

/* Makes the directory name in the open folder and opens it. EEXIST: something is there already. */
static int make_component(int folder, const char *name, mode_t mode)
{
	if (mkdirat(folder, name, mode))
		return -1;
	return open_resolved(folder, name, O_PATH | O_DIRECTORY,
			     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/*
 * Cuts components off path, which is known to be missing, until what is left exists, and opens
 * that: "" is the root.
 */
static int open_existing(int root, char *path)
{
	size_t end = strlen(path);
	int fd;

	do {
		while (end && path[end - 1] == '/')
			end--;
		while (end && path[end - 1] != '/')
			end--;
		path[end] = '\0';
		fd = open_resolved(root, end ? path : ".", O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
	} while (fd < 0 && errno == ENOENT && end);
	return fd;
}

/*
 * Makes what is missing of path, each directory in the one above it that is open already. What is
 * there all the same ("..", or somebody else's) is resolved in the root.
 */
static int make_directory(int root, const char *path, mode_t mode, int links, struct err *e)
{
	char so_far[PATH_MAX], target[PATH_MAX];
	_close_ int at = -1;

	path = relative(path);
	if (links > LINKS_MAX || strlen(path) >= sizeof(so_far))
		return err_set(e, ERR_INVALID, "create \"%.256s\" in the container's root: %s",
			       path,
			       links > LINKS_MAX ? "too many levels of symbolic links"
						 : "file name too long");
	memcpy(so_far, path, strlen(path) + 1);
	at = open_existing(root, so_far);
	if (at < 0)
		return err_sys(e, "open directory \"%s\" in the container's root", so_far);
	for (size_t start = strlen(so_far), end; path[start];
	     start = end + strspn(path + end, "/")) {
		const char *name = so_far + start;
		int next, number;

		end = start + strcspn(path + start, "/");
		memcpy(so_far, path, end);
		so_far[end] = '\0';
		next = make_component(at, name, mode);
		if (next < 0 && errno == EEXIST)
			next = open_resolved(root, so_far, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
		number = next < 0 ? errno : 0;
		if (number == ENOENT && dangling_link(at, name, path, start,
						      path + end + strspn(path + end, "/"), target))
			return make_directory(root, target, mode, links + 1, e);
		errno = number;
		if (next < 0)
			return err_sys(e, "create directory \"%s\" in the container's root",
				       so_far);
		fd_close(&at);
		at = next;
	}
	return fd_take(&at);
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
	_close_ int opened = -1;
	int folder = open_parent(root, path, name, &opened, e);

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
	if (dangling_link(folder, name, folder_path, strlen(folder_path), "", target))
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

/* Makes the link name in the open folder; one with the same text may be there already. */
static int place_link(int folder, const char *name, const char *text)
{
	char old[PATH_MAX];
	ssize_t n;

	if (!symlinkat(text, folder, name))
		return 0;
	if (errno != EEXIST)
		return -1;
	n = readlinkat(folder, name, old, sizeof(old) - 1);
	if (n >= 0) {
		old[n] = '\0';
		if (str_equal(old, text))
			return 0;
	}
	errno = EEXIST;
	return -1;
}

int inroot_symlink_new(int root, const char *path, const char *text, struct err *e)
{
	char name[NAME_MAX + 1];
	_close_ int opened = -1;
	int folder = open_parent(root, path, name, &opened, e);

	if (folder < 0)
		return -1;
	if (place_link(folder, name, text))
		return err_sys(e, "create link \"%s\" to %s in the container's root", path, text);
	return 0;
}

int inroot_symlink(int root, const char *path, const char *text, struct err *e)
{
	char name[NAME_MAX + 1];
	_close_ int opened = -1;
	int folder = open_parent(root, path, name, &opened, e);

	if (folder < 0)
		return -1;
	if (!place_link(folder, name, text))
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "create link \"%s\" in the container's root", path);
	if (unlinkat(folder, name, 0) || symlinkat(text, folder, name))
		return err_sys(e, "replace \"%s\" in the container's root by a link to %s", path,
			       text);
	return 0;
}
