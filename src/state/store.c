/*
 * The state directory: see store.h.
 */
#include "state/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/folder.h"
#include "sys/inroot.h"
#include "sys/pidfd.h"
#include "sys/process.h"

#define LOCK_PATIENCE 10000 /* ms */

static bool id_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-' || c == '.';
}

int store_check_id(const char *id, struct err *e)
{
	if (!*id)
		return err_set(e, ERR_USAGE, "container id cannot be empty");
	for (const char *c = id; *c; c++)
		if (!id_character(*c))
			id = ".";
	if (str_equal(id, ".") || str_equal(id, "..") || strlen(id) > NAME_MAX) {
		err_set(e, ERR_USAGE, "invalid container ID format");
		return err_hint(e,
				"an id is made of letters, digits and \"_\", \"+\", \"-\", \".\"");
	}
	return 0;
}

/* A user who came by su(1) or cron(8) has no XDG_RUNTIME_DIR, and so the directory of root. */
static int fail(const char *doing, const char *path, struct err *e)
{
	err_sys(e, "%s %s", doing, path);
	if (e->sys != EACCES && e->sys != ENOENT && e->sys != EROFS)
		return -1;
	return err_hint(e, "choose another directory with --root, or set XDG_RUNTIME_DIR");
}

/* mkdir -p for the state directory itself. */
static int make_root(const char *root, struct err *e)
{
	char path[PATH_MAX];
	size_t length = strlen(root);

	if (length >= sizeof(path))
		return err_set(e, ERR_USAGE, "state directory: file name too long");
	memcpy(path, root, length + 1);
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		path[i] = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			return fail("mkdir", path, e);
		path[i] = root[i];
	}
	return 0;
}

static int open_directory(int dirfd, const char *name)
{
	return openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/*
 * flock(2) knows no time limit, and a command that hangs in a hook would make all others hang with
 * it. So a process of its own waits: the lock that it gets belongs to whoever shares the
 * descriptor.
 */
static int wait_lock(int fd, const char *id, struct err *e)
{
	_close_ int pidfd = -1;
	struct process_clone clone = {
		.cgroup = -1, .ret_pidfd = &pidfd, .ret_in_cgroup = &(bool){false}};
	pid_t pid = process_clone(&clone, e);
	int left, status = 0;

	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(flock(fd, LOCK_EX) != 0);
	}
	if (pid < 0)
		return -1;
	left = pidfd_wait_all(&pidfd, 1, LOCK_PATIENCE, e);
	if (left)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (left < 0 || (!left && !status))
		return left;
	err_set(e, ERR_STATE, "container %s is in use by another command", id);
	return err_hint(e, "it did not end within %d seconds: it may wait for a hook",
			LOCK_PATIENCE / 1000);
}

static int lock(int fd, const char *id, struct err *e)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno == EWOULDBLOCK)
		return wait_lock(fd, id, e);
	return err_sys(e, "lock the state of container %s", id);
}

int store_lock(int dir, const char *id, bool *ret_there, struct err *e)
{
	struct stat st;

	if (lock(dir, id, e))
		return -1;
	if (fstat(dir, &st))
		return err_sys(e, "stat the state of container %s", id);
	*ret_there = st.st_nlink > 0;
	return 0;
}

void store_unlock(int dir)
{
	(void)flock(dir, LOCK_UN);
}

static int fail_exists(struct err *e)
{
	return err_set(e, ERR_EXISTS, "container with given ID already exists");
}

static int make_directory(const char *root, const char *path, struct err *e)
{
	int failed = mkdir(path, 0700);

	if (failed && errno == ENOENT) {
		if (make_root(root, e))
			return -1;
		failed = mkdir(path, 0700);
	}
	if (failed)
		return errno == EEXIST ? fail_exists(e) : fail("mkdir", path, e);
	return 0;
}

/* Opens and locks the directory that was made; *ret_fd is −1 when it is gone by then. */
static int open_new(const char *path, const char *id, int *ret_fd, struct err *e)
{
	_close_ int fd = open_directory(AT_FDCWD, path);
	bool there = false;

	*ret_fd = -1;
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "open %s", path);
	if (store_lock(fd, id, &there, e))
		return -1;
	if (there)
		*ret_fd = fd_take(&fd);
	return 0;
}

/*
 * A directory without a record is nobody's until it is locked: a delete that comes first removes
 * it, and then another create may have made, or even locked, one of the same name.
 */
int store_create(const char *root, const char *id, struct err *e)
{
	char path[PATH_MAX];
	_close_ int fd = -1;
	struct stat st;

	if (store_check_id(id, e))
		return -1;
	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return err_set(e, ERR_USAGE, "state directory: file name too long");
	while (fd < 0) {
		if (make_directory(root, path, e))
			return -1;
		if (open_new(path, id, &fd, e)) {
			if (e->code != ERR_STATE) /* somebody else's */
				(void)unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
			return -1;
		}
	}
	if (!fstatat(fd, STORE_STATE, &st, AT_SYMLINK_NOFOLLOW))
		return fail_exists(e);
	return fd_take(&fd);
}

int store_set_made(int dir, struct err *e)
{
	if (renameat(dir, STORE_MAKING, dir, STORE_CONFIG))
		return err_sys(e, "rename " STORE_MAKING " to " STORE_CONFIG);
	return 0;
}

static bool has(int dir, const char *name)
{
	struct stat st;

	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
}

bool store_is_made(int dir)
{
	return has(dir, STORE_CONFIG);
}

const char *store_config(int dir)
{
	return has(dir, STORE_MAKING) ? STORE_MAKING : STORE_CONFIG;
}

bool store_outlives_boot(int dir)
{
	struct statfs fs;

	return fstatfs(dir, &fs) || (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC);
}

int store_open(const char *root, const char *id, bool want_lock, struct err *e)
{
	char path[PATH_MAX];
	bool there = true;
	_close_ int fd = -1;

	if (store_check_id(id, e))
		return -1;
	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return err_set(e, ERR_USAGE, "state directory: file name too long");
	/* Who had the lock may have removed it, and somebody else may own the id by now. */
	do {
		fd_close(&fd);
		fd = open_directory(AT_FDCWD, path);
		if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
			return err_set(e, ERR_NOT_FOUND, "container does not exist");
		if (fd < 0)
			return fail("open", path, e);
		if (want_lock && store_lock(fd, id, &there, e))
			return -1;
	} while (!there);
	return fd_take(&fd);
}

static DIR *list_directory(int fd, struct err *e)
{
	int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = again < 0 ? NULL : fdopendir(again);

	if (!list) {
		err_sys(e, "list a state directory");
		fd_close(&again);
	}
	return list;
}

/* The next entry but "." and ".."; NULL behind the last. */
static const char *next_name(DIR *list)
{
	struct dirent *entry;

	while ((entry = readdir(list)))
		if (!str_equal(entry->d_name, ".") && !str_equal(entry->d_name, ".."))
			return entry->d_name;
	return NULL;
}

/* Brings what is in the directory name up into fd itself, under new names, and removes it. */
static int flatten(int fd, const char *name, unsigned *number, struct err *e)
{
	_close_ int below = inroot_open_onefs(fd, name, O_RDONLY | O_DIRECTORY, e);
	DIR *list = below < 0 ? NULL : list_directory(below, e);
	const char *inner;
	char up[24];

	while (list && (inner = next_name(list))) {
		if (!unlinkat(below, inner, 0) || errno != EISDIR)
			continue;
		do
			(void)snprintf(up, sizeof(up), "removed.%u", ++*number);
		while (syscall(SYS_renameat2, below, inner, fd, up, RENAME_NOREPLACE) &&
		       errno == EEXIST);
	}
	if (!list)
		return err_wrap(e, "remove %s", name);
	(void)closedir(list);
	return unlinkat(fd, name, AT_REMOVEDIR) ? err_sys(e, "remove %s", name) : 0;
}

/*
 * A privileged container may have made what it likes in its notify directory, as deep as it likes:
 * so nothing here recurses, no link is followed, and no mount is gone into.
 */
static int empty_directory(int fd, struct err *e)
{
	unsigned number = 0, seen;
	int failed = 0;

	do {
		DIR *list = list_directory(fd, e);
		const char *name;

		if (!list)
			return -1;
		for (seen = 0; !failed && (name = next_name(list)); seen++) {
			if (!unlinkat(fd, name, 0) || errno == ENOENT)
				continue;
			failed = errno == EISDIR ? flatten(fd, name, &number, e)
						 : err_sys(e, "remove %s", name);
		}
		(void)closedir(list);
	} while (!failed && seen);
	return failed;
}

int store_remove(const char *root, const char *id, struct err *e)
{
	_close_ int parent = fd_open(root, O_RDONLY | O_DIRECTORY);
	_close_ int fd = parent < 0 ? -1 : open_directory(parent, id);

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "open %s/%s", root, id);
	/* The usual files by name first: the directory is empty then and need not be read. */
	(void)unlinkat(fd, STORE_START, 0);
	(void)unlinkat(fd, STORE_CONFIG, 0);
	(void)unlinkat(fd, STORE_STATE, 0);
	if (!unlinkat(parent, id, AT_REMOVEDIR) || errno == ENOENT)
		return 0;
	if (empty_directory(fd, e))
		return -1;
	if (unlinkat(parent, id, AT_REMOVEDIR) && errno != ENOENT)
		return err_sys(e, "remove %s/%s", root, id);
	return 0;
}

/* The files of above, and what a write leaves of them that was killed: see file_replace. */
static bool is_ours(const char *name)
{
	static const char *const names[] = {STORE_STATE, STORE_CONFIG, STORE_MAKING, STORE_START,
					    STORE_NOTIFY};

	for (size_t i = 0; i < array_len(names); i++)
		if (str_equal(name, names[i]))
			return true;
	return str_starts(name, "." STORE_STATE ".") || str_starts(name, "." STORE_MAKING ".");
}

static int refuse_others(void *user, const struct folder_entry *entry, struct err *e)
{
	const char *path = user;

	if (is_ours(entry->name))
		return 0;
	err_set(e, ERR_STATE, "%s: \"%s\" in it is not a container's", path, entry->name);
	return err_hint(e, "is it the directory of containers that --root names?");
}

int store_remove_ruin(const char *root, const char *id, struct err *e)
{
	char path[PATH_MAX];
	_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "%s/%s", root, id); /* store_open has opened it */
	fd = open_directory(AT_FDCWD, path);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	if (folder_list(fd, refuse_others, path, e))
		return -1;
	return store_remove(root, id, e);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct listing {
	struct str_list ids;
	size_t capacity;
	struct arena *arena;
};

/* What cannot be an id is no container. */
static int keep_id(void *user, const struct folder_entry *entry, struct err *e)
{
	struct listing *l = user;

	if ((entry->type != DT_DIR && entry->type != DT_UNKNOWN) || store_check_id(entry->name, e))
		return 0;
	l->ids.item = arena_grow(l->arena, l->ids.item, l->ids.count, &l->capacity,
				 sizeof(*l->ids.item), e);
	if (!l->ids.item)
		return -1;
	l->ids.item[l->ids.count] = arena_copy(l->arena, entry->name, strlen(entry->name), e);
	return l->ids.item[l->ids.count++] ? 0 : -1;
}

int store_list(const char *root, bool must_exist, struct arena *a, struct str_list *ret,
	       struct err *e)
{
	struct listing l = {.arena = a};
	_close_ int dir = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && (errno != ENOENT || must_exist))
		return fail("open", root, e);
	if (dir >= 0 && folder_list(dir, keep_id, &l, e))
		return err_wrap(e, "%s", root);
	if (l.ids.count)
		qsort(l.ids.item, l.ids.count, sizeof(*l.ids.item), compare);
	*ret = l.ids;
	return 0;
}
