/*
 * procfs: see procfs.h.
 */
#include "sys/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

int procfs_open(struct err *e)
{
	struct err not_permitted;
	_close_ int fd = mountfd_new("proc", "proc", NULL, 0, 0, &not_permitted);
	struct statfs fs;
	struct stat st;

	if (fd >= 0)
		return fd_take(&fd);
	fd = fd_open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (fd < 0)
		return err_sys(e, "open /proc");
	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return err_sys(e, "stat /proc");
	if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROCFS_ROOT_INODE)
		return err_set(e, ERR_UNSUPPORTED, "open /proc: it is not the root of a procfs");
	return fd_take(&fd);
}

int procfs_open_file(int procfs, const char *path, int flags, struct err *e)
{
	char self[32];
	int fd;

	/* "self" is the one link that is needed; its text is the pid as this procfs sees it. */
	if (str_starts(path, "self/")) {
		ssize_t n = readlinkat(procfs, "self", self, sizeof(self) - 1);
		_close_ int folder = -1;

		if (n <= 0)
			return err_sys(e, "read /proc/self");
		self[n] = '\0';
		folder = inroot_open_onefs(procfs, self, O_PATH | O_DIRECTORY, e);
		if (folder < 0)
			return -1;
		fd = inroot_open_onefs(folder, path + 5, flags, e);
	} else {
		fd = inroot_open_onefs(procfs, path, flags, e);
	}
	if (fd < 0)
		err_wrap(e, "procfs");
	return fd;
}

/* The link is one of the kernel's own: its text says nothing, it is followed. */
int procfs_open_of(pid_t pid, const char *name, int flags, struct err *e)
{
	char path[PATH_MAX];
	int fd = -1;

	errno = ENAMETOOLONG;
	if (snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name) < (int)sizeof(path))
		fd = fd_open(path, flags);
	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

int procfs_open_ns(int procfs, const char *name, struct err *e)
{
	_close_ int folder = procfs_open_file(procfs, "self/ns", O_PATH | O_DIRECTORY, e);
	int fd = folder < 0 ? -1 : openat(folder, name, O_RDONLY | O_CLOEXEC);

	if (folder >= 0 && fd < 0)
		return err_sys(e, "open /proc/self/ns/%s", name);
	return fd;
}

int procfs_write(int procfs, const char *path, const char *text, struct err *e)
{
	_close_ int fd = procfs_open_file(procfs, path, O_WRONLY | O_CLOEXEC, e);

	if (fd < 0)
		return -1;
	if (write(fd, text, strlen(text)) < 0)
		return err_sys(e, "write \"%s\" to /proc/%s", text, path);
	return 0;
}

/* Reads a small file of /proc into buf, ended with NUL. */
static ssize_t read_small(const char *path, char *buf, size_t size)
{
	_close_ int fd = fd_open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

int procfs_start_time(pid_t pid, uint64_t *ret_start, char *ret_state, struct err *e)
{
	char path[32], text[1024], *field, *end;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_small(path, text, sizeof(text)) < 0)
		return err_sys(e, "read %s", path);
	field = strrchr(text, ')'); /* the name of the program may hold anything, a ')' too */
	if (!field || field[1] != ' ')
		return err_set(e, ERR_SYSTEM, "read %s: unexpected content", path);
	field += 2;
	*ret_state = *field;
	for (int i = 3; i < 22; i++) {
		field = strchr(field, ' ');
		if (!field)
			return err_set(e, ERR_SYSTEM, "read %s: unexpected content", path);
		field++;
	}
	end = strchr(field, ' ');
	if (end)
		*end = '\0';
	if (!str_to_u64(field, ret_start))
		return err_set(e, ERR_SYSTEM, "read %s: unexpected content", path);
	return 0;
}

const char *procfs_boot(struct arena *a)
{
	struct err ignored;
	char text[64];
	ssize_t n = read_small("/proc/sys/kernel/random/boot_id", text, sizeof(text));

	return n <= 0 ? NULL : arena_copy(a, text, strcspn(text, "\n"), &ignored);
}

int procfs_children(pid_t *ret, int max)
{
	char path[64], text[4096], self[16], own[16];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);
	char *at = text, *end;
	int count = 0;

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	self[n > 0 ? n : 0] = '\0';
	if (!str_equal(self, own))
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%s/task/%s/children", own, own);
	if (read_small(path, text, sizeof(text)) < 0)
		return -1;
	/* each number has a space behind it: one without was cut off */
	for (; count < max && (end = strchr(at, ' ')); at = end + 1) {
		uint32_t pid;

		*end = '\0';
		if (str_to_u32(at, &pid))
			ret[count++] = (pid_t)pid;
	}
	return count;
}

bool procfs_setgroups_denied(void)
{
	char text[16];

	return read_small("/proc/self/setgroups", text, sizeof(text)) > 0 &&
	       str_starts(text, "deny");
}

bool procfs_in_user_namespace(void)
{
	char text[128];

	if (read_small("/proc/self/uid_map", text, sizeof(text)) <= 0)
		return false;
	return !str_equal(text, "         0          0 4294967295\n");
}

bool procfs_number(const char *path, uint64_t *ret)
{
	char text[32];

	if (read_small(path, text, sizeof(text)) <= 0)
		return false;
	text[strcspn(text, "\n")] = '\0';
	return str_to_u64(text, ret);
}

bool procfs_owns_mounts(void)
{
	_close_ int mounts = fd_open("/proc/self/ns/mnt", O_RDONLY);
	_close_ int owner = mounts < 0 ? -1 : ioctl(mounts, NS_GET_USERNS);

	return owner >= 0;
}
