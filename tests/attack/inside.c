/*
 * inside: runs in the containers of the attacks, and tells what it is confined by. It needs neither
 * /proc nor /dev nor a shell, since those are what an attack replaces.
 *
 *   inside confined [-m PATH]... [-r PATH]... [stay]   prints a line for each fact
 *   inside swap A B SECONDS                            exchanges two names, prints how often
 *   inside exchange A B                                exchanges them once
 *
 * The facts are ids, capabilities, the working directory, descriptors, and whether masked paths
 * (-m) and read-only ones (-r) are what they are to be. stay: it waits for a signal then.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

static void tell_ids(void)
{
	gid_t groups[64];
	uid_t r, e, s;
	int count = getgroups(64, groups);

	getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	printf("gid %u %u %u, groups", r, e, s);
	for (int i = 0; i < count; i++)
		printf(" %u", groups[i]);
	printf("\n");
}

static void tell_privileges(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};
	unsigned long long bounding = 0, ambient = 0;

	(void)syscall(SYS_capget, &header, data);
	for (unsigned cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap) == 1)
			bounding |= 1ull << cap;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			ambient |= 1ull << cap;
	}
	printf("capabilities e %x %x p %x %x i %x %x b %llx a %llx\n", data[0].effective,
	       data[1].effective, data[0].permitted, data[1].permitted, data[0].inheritable,
	       data[1].inheritable, bounding, ambient);
	printf("no_new_privs %d seccomp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
	       prctl(PR_GET_SECCOMP));
}

/* Whether going up from the working directory ends in the root. */
static bool is_below_root(void)
{
	struct stat here, up, root;
	char path[4096] = ".";

	if (stat("/", &root))
		return false;
	for (int i = 0; i < 500; i++) {
		if (stat(path, &here))
			return false;
		if (here.st_dev == root.st_dev && here.st_ino == root.st_ino)
			return true;
		strcat(path, "/..");
		if (stat(path, &up) || (up.st_dev == here.st_dev && up.st_ino == here.st_ino))
			return false;
	}
	return false;
}

static void tell_place(void)
{
	char now[4096];
	struct stat st;

	if (syscall(SYS_getcwd, now, sizeof(now)) < 0)
		strcpy(now, "none");
	printf("cwd %s%s\n", now, is_below_root() ? "" : ": not below the root");
	printf("descriptors");
	for (int fd = 0; fd < 1024; fd++)
		if (!fstat(fd, &st))
			printf(" %d", fd);
	printf("\n");
}

static bool is_empty_directory(int fd)
{
	DIR *list = fdopendir(dup(fd));
	struct dirent *entry;
	int count = 0;

	while (list && (entry = readdir(list)))
		count++;
	if (list)
		closedir(list);
	return list && count == 2;
}

/* By one look-up: names change meanwhile. */
static const char *masked(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	bool hidden = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st))
		hidden = S_ISDIR(st.st_mode) ? is_empty_directory(fd)
					     : S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	if (fd >= 0)
		close(fd);
	return hidden ? "hidden" : "open";
}

/* What of the kernel's is to be read-only and not there cannot be written. */
static const char *readonly(const char *path)
{
	bool kernels = strncmp(path, "/proc", 5) == 0 || strncmp(path, "/sys", 4) == 0 ||
		       strncmp(path, "/evil", 5) == 0;
	struct statfs fs;

	if (statfs(path, &fs))
		return "read-only";
	if (kernels && fs.f_type != PROC_SUPER_MAGIC && fs.f_type != SYSFS_MAGIC)
		return "read-only";
	return fs.f_flags & ST_RDONLY ? "read-only" : "writable";
}

static int confined(int argc, char **argv)
{
	tell_ids();
	tell_privileges();
	tell_place();
	for (int i = 0; i + 1 < argc; i += 2)
		printf("%s %s\n", argv[i + 1],
		       strcmp(argv[i], "-m") == 0 ? masked(argv[i + 1]) : readonly(argv[i + 1]));
	printf("end\n");
	fflush(stdout);
	if (argc % 2 && strcmp(argv[argc - 1], "stay") == 0)
		pause();
	return 0;
}

static int exchange(const char *a, const char *b)
{
	return (int)syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
}

static int swap(const char *a, const char *b, int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long count = 0;

	while (time(NULL) < end)
		for (int i = 0; i < 1000; i++)
			count += !exchange(a, b);
	printf("%lu\n", count);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "confined") == 0)
		return confined(argc - 2, argv + 2);
	if (strcmp(what, "swap") == 0 && argc == 5)
		return swap(argv[2], argv[3], atoi(argv[4]));
	if (strcmp(what, "exchange") == 0 && argc == 4)
		return exchange(argv[2], argv[3]) ? 1 : 0;
	fprintf(stderr, "inside: no such question: %s\n", what);
	return 2;
}
