/*
 * Paths in a hostile tree; tree and paths are made of the input. sys/inroot finds what a walk by
 * hand finds, which never leaves the root, and what openat2(2) finds; what it makes is where the
 * kernel looks for it; and nothing is ever made outside.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "kernel_open.h"
#include "sys/inroot.h"
#include "tree.h"

#define DEPTH_MAX 64
#define LINKS_MAX 40 /* as the kernel has it */
#define LEFT_MAX (4 * 4096)
#define PATHS_MAX 6

/* ---- a walk by hand -------------------------------------------------------------------------- */

/* The directories from the root to here, and what is still to be walked. */
struct walk {
	int at[DEPTH_MAX];
	size_t depth;
	unsigned links;
	char left[LEFT_MAX];
};

static void walk_up(struct walk *w, size_t depth)
{
	while (w->depth > depth)
		fd_close(&w->at[--w->depth]);
}

/* Puts the text of a link in front of what is left. */
static bool walk_link(struct walk *w, int link)
{
	char joined[LEFT_MAX];
	ssize_t n = readlinkat(link, "", joined, 4096);

	if (n < 0 || ++w->links > LINKS_MAX || (size_t)n + strlen(w->left) >= LEFT_MAX)
		return false;
	(void)snprintf(joined + n, sizeof(joined) - (size_t)n, "%s", w->left);
	memcpy(w->left, joined, sizeof(joined));
	if (joined[0] == '/')
		walk_up(w, 1);
	return true;
}

/* One part of the path: 1 when there is more to be walked, 0 when *ret_file is the end; −1. */
static int walk_part(struct walk *w, int *ret_file)
{
	size_t slashes = strspn(w->left, "/"), length = strcspn(w->left + slashes, "/");
	char name[4097];
	struct stat st;
	int fd;

	(void)snprintf(name, sizeof(name), "%.*s", (int)length, w->left + slashes);
	memmove(w->left, w->left + slashes + length, strlen(w->left + slashes + length) + 1);
	if (str_equal(name, ".."))
		walk_up(w, w->depth > 1 ? w->depth - 1 : 1);
	if (!*name || str_equal(name, ".") || str_equal(name, ".."))
		return 1;
	fd = openat(w->at[w->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || w->depth == DEPTH_MAX)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		w->at[w->depth++] = fd;
		return 1;
	}
	*ret_file = fd; /* the caller closes it */
	return S_ISLNK(st.st_mode) ? walk_link(w, fd) ? 1 : -1 : *w->left ? -1 : 0;
}

static int walk_by_hand(int root, const char *path)
{
	static struct walk w;
	_close_ int file = -1;
	int more = 1;

	w.at[0] = fcntl(root, F_DUPFD_CLOEXEC, 0);
	w.depth = 1;
	w.links = 0;
	(void)snprintf(w.left, sizeof(w.left), "%s", path);
	while (more > 0 && *w.left) {
		fd_close(&file);
		more = walk_part(&w, &file);
	}
	if (more > 0) {
		fd_close(&file);
		file = fcntl(w.at[w.depth - 1], F_DUPFD_CLOEXEC, 0);
	}
	walk_up(&w, 0);
	return more < 0 ? -1 : fd_take(&file);
}

/* ---- the three of them ----------------------------------------------------------------------- */

static void hold_same(int one, int other, const char *path)
{
	struct stat a, b;

	fuzz_hold(!fstat(one, &a) && !fstat(other, &b) && a.st_dev == b.st_dev &&
			  a.st_ino == b.st_ino,
		  "%s: two files", path);
}

static void check_open(int root, const char *path)
{
	struct err e;
	_close_ int kernel = kernel_open(root, path, O_PATH);
	int number = errno;
	_close_ int walked = walk_by_hand(root, path);
	_close_ int ours = inroot_open(root, path, O_PATH, &e);

	if (ours < 0 && e.sys == EAGAIN)
		return; /* there are too many renames on the machine: see inroot.c */
	fuzz_hold((ours < 0) == (kernel < 0), "%s: %d, the kernel %d", path, ours, kernel);
	fuzz_hold((ours < 0) == (walked < 0), "%s: %d, by hand %d", path, ours, walked);
	if (ours < 0) {
		fuzz_hold(e.sys == number, "%s: errno %d, not %d", path, e.sys, number);
		return;
	}
	hold_same(ours, kernel, path);
	hold_same(ours, walked, path);
}

/* ---- making ---------------------------------------------------------------------------------- */

/* Without slashes at its end. */
static char *stripped(const char *path, char ret[TREE_PATH])
{
	size_t length = strlen(path);

	while (length && path[length - 1] == '/')
		length--;
	(void)snprintf(ret, TREE_PATH, "%.*s", (int)length, path);
	return ret;
}

/*
 * What was there is given as it is; what is made is what the kernel finds afterwards; and where
 * nothing could be made, the kernel finds something in the way.
 */
static void check_directory(int root, const char *path)
{
	struct err e;
	_close_ int before = kernel_open(root, path, O_PATH | O_DIRECTORY);
	bool missing = before < 0 && errno == ENOENT;
	_close_ int made = inroot_mkdir(root, path, 0755, &e);
	_close_ int after = kernel_open(root, path, O_PATH | O_DIRECTORY);

	if (made < 0 && e.sys == EAGAIN)
		return;
	fuzz_hold((made < 0) == (after < 0), "mkdir %s: %d, the kernel %d", path, made, after);
	fuzz_hold(made < 0 || before >= 0 || missing, "mkdir %s was possible", path);
	if (made >= 0)
		hold_same(made, after, path);
	if (before >= 0)
		hold_same(made, before, path);
}

static void check_file(int root, const char *path)
{
	struct err e;
	_close_ int before = kernel_open(root, path, O_PATH);
	_close_ int made = inroot_mkfile(root, path, 0644, &e);
	char plain[TREE_PATH];
	_close_ int after = kernel_open(root, stripped(path, plain), O_PATH);

	/* the last slash of a link says that it leads to a directory: no file is found by it */
	fuzz_hold(made < 0 || after >= 0 || errno == ENOTDIR,
		  "mkfile %s: the kernel does not find it", path);
	if (made < 0 && e.sys == EAGAIN)
		return;
	if (made >= 0 && after >= 0)
		hold_same(made, after, path);
	if (before >= 0)
		hold_same(made, before, path);
}

static void check_node(int root, const char *path)
{
	struct err e;
	char plain[TREE_PATH];
	bool made = !inroot_mknod(root, path, S_IFIFO | 0600, 0, &e);
	_close_ int after = kernel_open(root, stripped(path, plain), O_PATH | O_NOFOLLOW);
	struct stat st;

	fuzz_hold(!made || (after >= 0 && !fstat(after, &st) && S_ISFIFO(st.st_mode)),
		  "mknod %s: the kernel does not find it", path);
}

/*
 * The new link may take the place of one that its own path went through: so what is looked at is
 * the directory that the path led to before.
 */
static void check_link(int root, const char *path, bool replace)
{
	struct err e;
	char plain[TREE_PATH], text[16] = "";
	char *last = strrchr(stripped(path, plain), '/');
	_close_ int folder = -1, after = -1;
	bool made;

	if (last) {
		*last = '\0';
		folder = kernel_open(root, *plain ? plain : ".", O_PATH | O_DIRECTORY);
		*last = '/';
	}
	made = !(replace ? inroot_symlink(root, path, "../text", &e)
			 : inroot_symlink_new(root, path, "../text", &e));
	if (folder >= 0)
		after = openat(folder, last + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	else if (!replace)
		after = kernel_open(root, plain, O_PATH | O_NOFOLLOW);
	else
		return; /* and that was not there */
	fuzz_hold(!made || (after >= 0 && readlinkat(after, "", text, sizeof(text)) == 7 &&
			    !memcmp(text, "../text", 7)),
		  "symlink %s: there is \"%.7s\"", path, text);
}

static void check(int root, struct fuzz_rest *rest)
{
	unsigned what = fuzz_choose(rest, 8);
	char path[TREE_PATH];

	tree_path(rest, path);
	if (what < 3)
		check_open(root, path);
	else if (what == 3)
		check_directory(root, path);
	else if (what == 4)
		check_file(root, path);
	else if (what == 5)
		check_node(root, path);
	else
		check_link(root, path, what == 6);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	int directory = fuzz_directory();
	_close_ int outside = tree_outside(directory);
	_close_ int root = tree_directory(directory, "root");

	(void)a;
	tree_grow(root, &rest, 3);
	for (int i = 0; i < PATHS_MAX && rest.at < rest.end; i++)
		check(root, &rest);
	tree_untouched(outside);
	(void)tree_empty(directory);
}
