/*
 * floor: what a container costs when nobody has to read a configuration.
 *
 * It asks the kernel for what `run` of the default configuration asks for, and for the kernel's
 * share of exec, state, kill and list. bench/bench, its only caller, has made every decision. The
 * difference to a runtime is what that spends on JSON, options, checks, error paths, generality and
 * the protection of its own program file.
 *
 *	floor nothing
 *	floor run   STATE ROOTFS BINDS SOURCE CGROUP… -- PROGRAM [ARGUMENT…]
 *	floor exec  STATE CGROUP… -- PROGRAM [ARGUMENT…]
 *	floor state STATE
 *	floor kill  STATE SIGNAL
 *	floor list  DIRECTORY
 *
 * STATE is a directory to be made, BINDS how often SOURCE is bound read-only at /mnt/dN, CGROUP a
 * directory to be made: one for version 2, else one in each hierarchy.
 *
 * It must not become a runtime: no error is undone, and nothing given to it is checked.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#define AT_WHOLE_TREE 0x8000 /* AT_RECURSIVE, which not every libc has */
#define DETACH 2          /* MNT_DETACH: <sys/mount.h> and <linux/mount.h> can't be had together */
#define PRIVATE (1 << 18) /* MS_PRIVATE, MS_SLAVE */
#define SLAVE (1 << 19)
#define HARDENED (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int check(long result, const char *what)
{
	if (result < 0) {
		dprintf(STDERR_FILENO, "floor: %s: %s\n", what, strerror(errno));
		_exit(1);
	}
	return (int)result;
}

char *put_number(char *at, unsigned long number)
{
	char digits[24];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n > 0)
		*at++ = digits[--n];
	*at = 0;
	return at;
}

char *put_path(char *at, const char *dir, const char *name)
{
	return stpcpy(stpcpy(stpcpy(at, dir), "/"), name);
}

bool read_at(int dir, const char *path, char *buf, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n >= 0;
}

void write_at(int dir, const char *path, const char *text)
{
	int fd = check(openat(dir, path, O_WRONLY | O_CLOEXEC), path);

	check(write(fd, text, strlen(text)), path);
	close(fd);
}

/* ---- mounts ---------------------------------------------------------------------------------- */

/* A mount point below root, made when it is missing; the path begins with a slash. */
static int open_target(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	char parent[256];
	char *slash;
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how)), dir;

	if (fd >= 0)
		return fd;
	strcpy(parent, path);
	slash = strrchr(parent, '/');
	*slash = 0;
	dir = check(syscall(SYS_openat2, root, slash == parent ? "/" : parent, &how, sizeof(how)),
		    parent);
	check(mkdirat(dir, slash + 1, 0755), path);
	close(dir);
	return check(syscall(SYS_openat2, root, path, &how, sizeof(how)), path);
}

static void attach(int mount, int target)
{
	check(syscall(SYS_move_mount, mount, "", target, "",
		      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH),
	      "move_mount");
	close(mount);
	close(target);
}

static int clone_tree(const char *path, uint64_t attributes)
{
	struct mount_attr attr = {.attr_set = attributes, .propagation = PRIVATE};
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_WHOLE_TREE);

	if (fd >= 0 && attributes)
		check(syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_WHOLE_TREE, &attr,
			      sizeof(attr)),
		      path);
	return fd;
}

/* options: key, value, key, value … NULL; a value of NULL makes the key a flag. */
static int make_mount(const char *type, uint64_t attributes, const char *const *options)
{
	int fs = check(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), type), fd;

	check(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", type, 0), type);
	for (; options && *options; options += 2)
		check(syscall(SYS_fsconfig, fs,
			      options[1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, options[0],
			      options[1], 0),
		      options[0]);
	check(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0), type);
	fd = check(syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), type);
	close(fs);
	return fd;
}

static const struct {
	const char *target, *type;
	uint64_t attributes;
	const char *options[9];
} filesystems[] = {
	{"/proc", "proc", 0, {NULL}},
	{"/dev",
	 "tmpfs",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME,
	 {"mode", "755", "size", "65536k", NULL}},
	{"/dev/pts",
	 "devpts",
	 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
	 {"newinstance", NULL, "ptmxmode", "0666", "mode", "0620", "gid", "5", NULL}},
	{"/dev/shm", "tmpfs", HARDENED, {"mode", "1777", "size", "65536k", NULL}},
	{"/dev/mqueue", "mqueue", HARDENED, {NULL}},
	{"/sys", "sysfs", HARDENED | MOUNT_ATTR_RDONLY, {NULL}},
};

/* For version 1 a tmpfs with one read-only bind for each hierarchy. */
static void mount_cgroups(const struct container *c, int root)
{
	static const char *const options[] = {"mode", "755", NULL};
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	char target[256];
	int dir;

	if (c->v2) {
		attach(make_mount("cgroup2", HARDENED | MOUNT_ATTR_RDONLY, NULL),
		       open_target(root, "/sys/fs/cgroup"));
		return;
	}
	attach(make_mount("tmpfs", HARDENED, options), open_target(root, "/sys/fs/cgroup"));
	for (char **cgroup = c->cgroups; *cgroup; cgroup++) {
		const char *hierarchy = *cgroup + strlen("/sys/fs/cgroup/");
		size_t length = strcspn(hierarchy, "/");

		stpcpy(target, "/sys/fs/cgroup/");
		*stpncpy(target + strlen(target), hierarchy, length) = 0;
		attach(check(clone_tree(*cgroup, HARDENED | MOUNT_ATTR_RDONLY), *cgroup),
		       open_target(root, target));
	}
	dir = open_target(root, "/sys/fs/cgroup");
	check(syscall(SYS_mount_setattr, dir, "", AT_EMPTY_PATH, &readonly, sizeof(readonly)),
	      "/sys/fs/cgroup");
	close(dir);
}

static void mount_all(const struct container *c, int root)
{
	char target[32];

	for (size_t i = 0; i < array_len(filesystems); i++)
		attach(make_mount(filesystems[i].type, filesystems[i].attributes,
				  filesystems[i].options),
		       open_target(root, filesystems[i].target));
	mount_cgroups(c, root);
	for (unsigned i = 0; i < c->binds; i++) {
		put_number(stpcpy(target, "/mnt/d"), i);
		attach(check(clone_tree(c->bind_source, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID),
			     c->bind_source),
		       open_target(root, target));
	}
}

static void make_devices(int root)
{
	static const struct {
		const char *name;
		unsigned major, minor;
	} devices[] = {{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
		       {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0}};
	static const char *const links[][2] = {
		{"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
		{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
		{"/proc/kcore", "core"},       {"pts/ptmx", "ptmx"},
	};
	int dev = open_target(root, "/dev");

	for (size_t i = 0; i < array_len(devices); i++)
		check(mknodat(dev, devices[i].name, S_IFCHR | 0666,
			      makedev(devices[i].major, devices[i].minor)),
		      devices[i].name);
	for (size_t i = 0; i < array_len(links); i++)
		check(symlinkat(links[i][0], dev, links[i][1]), links[i][1]);
	close(dev);
}

static void restrict_paths(void)
{
	static const char *const readonly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
					       "/proc/sysrq-trigger"};
	static const char *const masked[] = {
		"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
		"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
		"/sys/firmware",       "/proc/scsi"};
	static const char *const empty[] = {"nr_blocks", "1", "nr_inodes", "1", NULL};
	int first_dir = -1, fd;
	struct stat st;

	for (size_t i = 0; i < array_len(readonly); i++) {
		fd = clone_tree(readonly[i], HARDENED | MOUNT_ATTR_RDONLY);
		if (fd >= 0)
			attach(fd, open(readonly[i], O_PATH | O_CLOEXEC));
	}
	for (size_t i = 0; i < array_len(masked); i++) {
		int target = open(masked[i], O_PATH | O_CLOEXEC);

		if (target < 0)
			continue;
		check(fstat(target, &st), masked[i]);
		/*
		 * One empty filesystem serves all directories: the first gets it, the others a
		 * clone of that mount.
		 */
		if (!S_ISDIR(st.st_mode))
			fd = clone_tree("/dev/null", 0);
		else if (first_dir < 0)
			fd = make_mount("tmpfs", MOUNT_ATTR_RDONLY, empty);
		else
			fd = clone_tree(masked[first_dir], 0);
		if (S_ISDIR(st.st_mode) && first_dir < 0)
			first_dir = (int)i;
		attach(check(fd, masked[i]), target);
	}
}

/* ---- the container's process ----------------------------------------------------------------- */

static void drop_rights(void)
{
	const uint64_t keep =
		1ULL << CAP_AUDIT_WRITE | 1ULL << CAP_KILL | 1ULL << CAP_NET_BIND_SERVICE;
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{(uint32_t)keep, (uint32_t)keep, 0}};
	struct rlimit files = {1024, 1024};

	check(setrlimit(RLIMIT_NOFILE, &files), "RLIMIT_NOFILE");
	umask(022);
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (!(keep >> cap & 1))
			check(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "PR_CAPBSET_DROP");
	check(syscall(SYS_setgroups, 0, NULL), "setgroups");
	check(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "PR_SET_KEEPCAPS");
	check(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
	check(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
	check(syscall(SYS_capset, &header, data), "capset");
	check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "PR_CAP_AMBIENT");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS");
	check(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
}

static void become(char **program)
{
	static char *const environment[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
		NULL};

	drop_rights();
	execve(program[0], program, environment);
	check(-1, program[0]);
}

static void start_session(void)
{
	const unsigned long searchable =
		0x3f130000; /* all for who has it, view and read for the user */
	int keyring;

	check(setsid(), "setsid");
	keyring = check(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor"), "keyring");
	check(syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, searchable), "keyring");
}

static void raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = check(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	check(ioctl(fd, SIOCSIFFLAGS, &lo), "lo");
	close(fd);
}

static void init(const struct container *c)
{
	struct mount_attr slave = {.propagation = SLAVE};
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY};
	int root;

	cgroup_join(c);
	umask(0);
	check(sethostname("floor", 5), "sethostname");
	start_session();
	raise_loopback();
	check(syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_WHOLE_TREE, &slave, sizeof(slave)), "/");
	root = check(clone_tree(c->rootfs, 0), c->rootfs);
	check(syscall(SYS_move_mount, root, "", AT_FDCWD, c->rootfs, MOVE_MOUNT_F_EMPTY_PATH),
	      c->rootfs);
	mount_all(c, root);
	make_devices(root);
	check(fchdir(root), c->rootfs);
	check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(syscall(SYS_umount2, ".", DETACH), "umount2");
	check(chdir("/"), "/");
	check(syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &readonly, sizeof(readonly)), "/");
	restrict_paths();
	become(c->program);
}

static pid_t clone_into(const struct container *c, uint64_t flags, int *ret_pidfd)
{
	struct clone_args args = {.flags = flags | CLONE_PIDFD,
				  .pidfd = (uintptr_t)ret_pidfd,
				  .exit_signal = SIGCHLD};

	if (c->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint32_t)c->cgroup_fd;
	}
	return check(syscall(SYS_clone3, &args, sizeof(args)), "clone3");
}

static int wait_for(int pidfd)
{
	siginfo_t info = {0};

	while (waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
		check(errno == EINTR ? 0 : -1, "waitid");
	return info.si_status;
}

/* ---- commands -------------------------------------------------------------------------------- */

static int do_run(struct container *c)
{
	uint64_t flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
	char path[256];
	int pidfd, status;
	pid_t pid;

	check(mkdir(c->state, 0711), c->state);
	cgroup_enter(c, true);
	pid = clone_into(c, c->v2 ? flags | CLONE_NEWCGROUP : flags, &pidfd);
	if (pid == 0)
		init(c);
	record_write(c, pid);
	status = wait_for(pidfd);
	cgroup_remove(c);
	put_path(path, c->state, "state");
	check(unlink(path), path);
	check(rmdir(c->state), c->state);
	return status;
}

static int do_exec(struct container *c)
{
	struct record record;
	char path[256];
	int target, pidfd;

	put_path(path, c->state, "state");
	record_read(AT_FDCWD, path, &record);
	target = check(syscall(SYS_pidfd_open, record.pid, 0), "pidfd_open");
	check(record_is_alive(&record) && !record_is_frozen(&record) ? 0 : -1, path);
	cgroup_enter(c, false);
	check(syscall(SYS_setns, target, CLONE_NEWPID), "setns");
	if (clone_into(c, 0, &pidfd) == 0) {
		cgroup_join(c);
		check(setsid(), "setsid");
		check(syscall(SYS_setns, target,
			      CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS |
				      (c->v2 ? CLONE_NEWCGROUP : 0)),
		      "setns");
		become(c->program);
	}
	return wait_for(pidfd);
}

static void print_state(int dir, const char *path)
{
	struct record record;
	char text[64];
	char *at;

	record_read(dir, path, &record);
	at = stpcpy(put_number(stpcpy(text, "{ \"pid\": "), (unsigned long)record.pid),
		    ", \"status\": \"");
	if (!record_is_alive(&record))
		at = stpcpy(at, "stopped");
	else
		at = stpcpy(at, record_is_frozen(&record) ? "paused" : "running");
	at = stpcpy(at, "\" }\n");
	check(write(STDOUT_FILENO, text, (size_t)(at - text)), "standard output");
}

static int do_state(const char *state)
{
	char path[256];

	put_path(path, state, "state");
	print_state(AT_FDCWD, path);
	return 0;
}

static int do_kill(const char *state, int signal)
{
	struct record record;
	char path[256];
	int pidfd;

	put_path(path, state, "state");
	record_read(AT_FDCWD, path, &record);
	/*
	 * First hold the process, then see whether it is the right one: the PID may be another's by
	 * now.
	 */
	pidfd = check(syscall(SYS_pidfd_open, record.pid, 0), "pidfd_open");
	check(record_is_alive(&record) ? 0 : -1, path);
	check(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0), "pidfd_send_signal");
	return 0;
}

static int do_list(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char state[512];

	check(dir ? 0 : -1, path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		put_path(state, entry->d_name, "state");
		print_state(dirfd(dir), state);
	}
	return closedir(dir);
}

/* Splits CGROUP… -- PROGRAM…, and looks which layout it is. */
static void split(struct container *c, char **words)
{
	struct statfs fs;

	c->cgroups = words;
	while (*words && strcmp(*words, "--") != 0)
		words++;
	*words = NULL;
	c->program = words + 1;
	c->cgroup_fd = -1;
	check(statfs("/sys/fs/cgroup", &fs), "/sys/fs/cgroup");
	c->v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
}

int main(int argc, char *argv[])
{
	struct container c = {.state = argc > 2 ? argv[2] : NULL};
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "nothing") == 0)
		return 0;
	if (strcmp(verb, "run") == 0 && argc > 7) {
		c.rootfs = argv[3];
		c.binds = (unsigned)atoi(argv[4]);
		c.bind_source = argv[5];
		split(&c, argv + 6);
		return do_run(&c);
	}
	if (strcmp(verb, "exec") == 0 && argc > 5) {
		split(&c, argv + 3);
		return do_exec(&c);
	}
	if (strcmp(verb, "state") == 0 && argc == 3)
		return do_state(c.state);
	if (strcmp(verb, "kill") == 0 && argc == 4)
		return do_kill(c.state, atoi(argv[3]));
	if (strcmp(verb, "list") == 0 && argc == 3)
		return do_list(c.state);
	errno = EINVAL;
	return check(
		-1,
		"usage: floor nothing|run|exec|state|kill|list … (see the top of bench/floor.c)");
}
