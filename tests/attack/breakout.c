/*
 * breakout: in a container, tries to undo what protects the machine from it. A line for each thing
 * that worked, "had HOW", and a last one, "tries COUNT".
 *
 *   breakout program SECONDS [WORD]...   gets hold of the runtime's own program while WORD… brings
 *           it in (/proc/self/exe as a program), and tries everything to write to it
 *   breakout masks [-m PATH]... [-r PATH]...   takes masks (-m) and read-only mounts (-r) away, as
 *           it is and as root of a user namespace of its own
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "newest.h"

#define MS_RDONLY_ 1ul
#define MS_REMOUNT_ 32ul
#define MS_BIND_ 4096ul
#define MS_REC_ 16384ul
#define MS_MOVE_ 8192ul

static unsigned long tries;
static char scratch[] = "/tmp/scratch";

static void had(const char *how, const char *what)
{
	printf("had %s %s\n", how, what);
	fflush(stdout);
}

/* ---- the mount calls ------------------------------------------------------------------------- */

static int mount_call(const char *source, const char *target, const char *type, unsigned long flags)
{
	tries++;
	return (int)syscall(SYS_mount, source, target, type, flags, NULL);
}

static int make_writable(int fd, unsigned flags)
{
	struct mount_attr change = {.attr_clr = MOUNT_ATTR_RDONLY};

	tries++;
	return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | flags, &change,
			    sizeof(change));
}

static int clone_mount(int fd, unsigned flags)
{
	tries++;
	return (int)syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | flags);
}

static int reconfigure_writable(int fd)
{
	int context = (int)syscall(SYS_fspick, fd, "", FSPICK_EMPTY_PATH);

	tries++;
	if (context < 0 || syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, "rw", NULL, 0) ||
	    syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0))
		return -1;
	return 0;
}

/* In a user namespace of its own, with every capability in there. */
static void as_root_of_a_namespace(void (*action)(void *), void *data)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (!unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID))
			action(data);
		fflush(stdout);
		_exit((int)(tries & 127));
	}
	waitpid(pid, &status, 0);
	tries += WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 0;
}

/* ---- the program ----------------------------------------------------------------------------- */

static bool writable(int fd, const char *how)
{
	static const int ways[] = {O_WRONLY, O_RDWR, O_WRONLY | O_APPEND, O_WRONLY | O_TRUNC};
	char path[64];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		int again = open(path, ways[i] | O_CLOEXEC);

		tries++;
		if (again >= 0)
			had(how, "open for writing");
		found |= again >= 0;
		close(again);
	}
	return found;
}

static void change_attributes(int fd, const char *how)
{
	struct timespec now[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
	char path[64];
	int flags = FS_IMMUTABLE_FL;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	tries += 8;
	if (!chmod(path, 04777) || !fchmod(fd, 04777))
		had(how, "chmod");
	if (!chown(path, 1, 1) || !fchownat(fd, "", 1, 1, AT_EMPTY_PATH))
		had(how, "chown");
	if (!truncate(path, 0))
		had(how, "truncate");
	if (!setxattr(path, "user.mine", "x", 1, 0) || !fsetxattr(fd, "user.mine", "x", 1, 0))
		had(how, "setxattr");
	if (!utimensat(AT_FDCWD, path, now, 0))
		had(how, "utimens");
	if (!ioctl(fd, FS_IOC_SETFLAGS, &flags))
		had(how, "flags");
	if (!linkat(fd, "", AT_FDCWD, "/tmp/linked", AT_EMPTY_PATH) ||
	    !linkat(AT_FDCWD, path, AT_FDCWD, "/tmp/linked", AT_SYMLINK_FOLLOW))
		had(how, "link");
}

static void bind_and_remount(int fd, const char *how)
{
	char path[64];
	int target;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	close(open(scratch, O_CREAT | O_CLOEXEC, 0600));
	if (mount_call(path, scratch, NULL, MS_BIND_))
		return;
	(void)mount_call(NULL, scratch, NULL, MS_BIND_ | MS_REMOUNT_);
	target = open(scratch, O_WRONLY | O_CLOEXEC);
	if (target >= 0)
		had(how, "bind and remount");
	close(target);
	(void)syscall(SYS_umount2, scratch, 2);
}

static void attack_mount(int fd, const char *how)
{
	int clone;

	(void)make_writable(fd, 0);
	(void)make_writable(fd, 0x8000 /* AT_RECURSIVE */);
	(void)reconfigure_writable(fd);
	writable(fd, how);
	clone = clone_mount(fd, 0);
	if (clone >= 0) {
		had(how, "clone of the mount");
		(void)make_writable(clone, 0);
		writable(clone, how);
	}
	close(clone);
	bind_and_remount(fd, how);
}

static void attack_from_namespace(void *data)
{
	attack_mount(*(int *)data, "in a user namespace:");
	change_attributes(*(int *)data, "in a user namespace:");
}

static void attack_program(int fd, const char *how)
{
	writable(fd, how);
	change_attributes(fd, how);
	attack_mount(fd, how);
	as_root_of_a_namespace(attack_from_namespace, &fd);
}

/* The runtime's program while it is executed: the root of a mount that is nowhere. */
static int open_exe(int pid, int flags)
{
	char path[64], target[4096];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	n = readlink(path, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	if (strcmp(target, "/") != 0 && !strstr(target, "creel"))
		return -1;
	return open(path, flags | O_CLOEXEC);
}

static pid_t start(char **words)
{
	pid_t pid = words[0] ? fork() : 0;

	if (pid == 0 && words[0]) {
		execv(words[0], words);
		_exit(127);
	}
	return pid;
}

static int attack_programs(int seconds, char **words)
{
	time_t end = time(NULL) + seconds;
	int held = 0, last = getpid();

	printf("ready\n");
	fflush(stdout);
	while (time(NULL) < end && held < 20) {
		pid_t own = start(words);

		for (int pid = last + 1; pid < last + 20; pid++) {
			int path = open_exe(pid, O_PATH), fd = open_exe(pid, O_RDONLY);

			if (fd < 0 && path < 0)
				continue;
			held++;
			last = pid;
			attack_program(path >= 0 ? path : fd, "while it runs:");
			while (own <= 0 && open_exe(pid, O_PATH) >= 0)
				usleep(1000); /* nobody writes to a program that runs */
			if (own > 0)
				waitpid(own, NULL, 0);
			attack_program(fd, "when it has ended:");
			attack_program(path, "by its path:");
			close(fd);
			close(path);
		}
		last = newest(last) - 1;
		while (waitpid(-1, NULL, WNOHANG) > 0)
			continue;
	}
	printf("held %d tries %lu\n", held, tries);
	return 0;
}

/* ---- masks ----------------------------------------------------------------------------------- */

struct protection {
	const char *path;
	bool mask;
};

static bool is_hidden(const char *path)
{
	struct dirent *entry;
	struct stat st;
	int count = 0;
	DIR *list;

	if (stat(path, &st))
		return true;
	if (!S_ISDIR(st.st_mode))
		return S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	list = opendir(path);
	while (list && (entry = readdir(list)))
		count++;
	if (list)
		closedir(list);
	return count <= 2;
}

static bool holds(const struct protection *p)
{
	struct statfs fs;

	tries++;
	if (p->mask)
		return is_hidden(p->path);
	return statfs(p->path, &fs) || fs.f_flags & MS_RDONLY_;
}

static void check(const struct protection *p, const char *how)
{
	if (!holds(p))
		had(how, p->path);
}

static void take_away(const struct protection *p)
{
	static const int flags[] = {0, 1 /* force */, 2 /* detach */, 8 /* no follow */};
	char parent[4096];
	int fd = open(p->path, O_PATH | O_CLOEXEC);

	for (size_t i = 0; i < 4; i++) {
		tries++;
		if (!syscall(SYS_umount2, p->path, flags[i]))
			check(p, "umount");
	}
	(void)mount_call(NULL, p->path, NULL, MS_REMOUNT_);
	(void)mount_call(NULL, p->path, NULL, MS_REMOUNT_ | MS_BIND_);
	(void)make_writable(fd, 0);
	(void)make_writable(fd, 0x8000);
	(void)reconfigure_writable(fd);
	check(p, "remount");
	mkdir("/tmp/aside", 0700);
	(void)mount_call(p->path, "/tmp/aside", NULL, MS_MOVE_);
	check(p, "move");
	snprintf(parent, sizeof(parent), "%s.before", p->path);
	(void)rename(p->path, parent);
	check(p, "rename");
	close(fd);
}

/* What lies below a mask, by a copy of the tree without what is mounted in it. */
static void look_below(const struct protection *p, const char *top)
{
	struct protection below = {.mask = p->mask};
	char path[4200];
	int fd = open(top, O_PATH | O_CLOEXEC), clone;

	mkdir("/tmp/copy", 0700);
	if (!mount_call(top, "/tmp/copy", NULL, MS_BIND_)) {
		snprintf(path, sizeof(path), "/tmp/copy%s", p->path + strlen(top));
		below.path = path;
		(void)mount_call(NULL, "/tmp/copy", NULL, MS_BIND_ | MS_REMOUNT_);
		check(&below, "bind of what is above");
		(void)syscall(SYS_umount2, "/tmp/copy", 2);
	}
	clone = clone_mount(fd, 0);
	if (clone >= 0) {
		(void)make_writable(clone, 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d%s", clone, p->path + strlen(top));
		below.path = path;
		check(&below, "open_tree of what is above");
	}
	close(clone);
	close(fd);
}

static void mount_anew(const struct protection *p, const char *type, const char *top)
{
	struct protection fresh = {.mask = p->mask};
	char path[4200];

	if (strncmp(p->path, top, strlen(top)) != 0)
		return;
	look_below(p, top);
	mkdir("/tmp/anew", 0700);
	if (mount_call(type, "/tmp/anew", type, 0))
		return;
	snprintf(path, sizeof(path), "/tmp/anew%s", p->path + strlen(top));
	fresh.path = path;
	check(&fresh, "new mount");
	(void)syscall(SYS_umount2, "/tmp/anew", 2);
}

static void attack_protection(void *data)
{
	const struct protection *p = data;
	int status;
	pid_t pid;

	check(p, "as it is");
	take_away(p);
	mount_anew(p, "sysfs", "/sys");
	fflush(stdout);
	pid = fork(); /* the first child is in the new pid namespace, if there is one */
	if (pid == 0) {
		mount_anew(p, "proc", "/proc");
		fflush(stdout);
		_exit((int)(tries & 127));
	}
	waitpid(pid, &status, 0);
	tries += 4;
}

static int attack_masks(int argc, char **argv)
{
	for (int i = 0; i + 1 < argc; i += 2) {
		struct protection p = {argv[i + 1], strcmp(argv[i], "-m") == 0};

		attack_protection(&p);
		as_root_of_a_namespace(attack_protection, &p);
		check(&p, "afterwards:");
	}
	printf("tries %lu\n", tries);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (strcmp(what, "program") == 0)
		return attack_programs(atoi(argv[2]), argv + 3);
	if (strcmp(what, "masks") == 0)
		return attack_masks(argc - 2, argv + 2);
	fprintf(stderr, "breakout: what? %s\n", what);
	return 2;
}
