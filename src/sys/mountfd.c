/*
 * Mounts as descriptors: see mountfd.h. The only file that calls the mount API of Linux 5.2 by
 * number; sys/mount.h is kept out because its struct mount_attr and the kernel's clash.
 */
#include "sys/mountfd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/*
 * fsconfig(2) takes keys and values of at most this many bytes, with the NUL; mount(2) data of so
 * many, whatever the size of a page.
 */
#define FSCONFIG_STRING_MAX 256
#define MOUNT_DATA_MAX 4096

/*
 * The kernel's own words about a failed fsopen mount ("e tmpfs: Bad value for 'size'"), without the
 * level letter.
 */
static void add_kernel_message(int context, struct err *e)
{
	char message[256];
	ssize_t n = read(context, message, sizeof(message) - 1);
	size_t used = strlen(e->text);

	if (n <= 2)
		return;
	message[n] = '\0';
	message[strcspn(message, "\n")] = '\0';
	(void)snprintf(e->text + used, sizeof(e->text) - used, " (%s)", message + 2);
}

static int configure(int context, unsigned command, const char *key, const char *value,
		     struct err *e)
{
	if (!syscall(SYS_fsconfig, context, command, key, value, 0))
		return 0;
	if (!key)
		err_sys(e, "create the file system");
	else
		err_sys(e, "file system option %s%s%s", key, value ? "=" : "", value ? value : "");
	add_kernel_message(context, e);
	return -1;
}

/* The labels of SELinux have commas, and are quoted for that: context="u:r:t:s0:c1,c2". */
static bool is_quoted(const char *option)
{
	static const char *const keys[] = {"context=\"", "fscontext=\"", "defcontext=\"",
					   "rootcontext=\""};

	for (size_t i = 0; i < array_len(keys); i++)
		if (str_starts(option, keys[i]))
			return true;
	return false;
}

/* One option of the data string, "key" or "key=value". */
static int configure_option(int context, const char *option, size_t length, struct err *e)
{
	char key[FSCONFIG_STRING_MAX * 2];
	bool quoted = is_quoted(option);
	char *value;

	if (length >= sizeof(key))
		return err_set(e, ERR_UNSUPPORTED,
			       "file system option %.40s…: longer than %zu bytes", option,
			       sizeof(key) - 1);
	memcpy(key, option, length);
	key[length] = '\0';
	value = strchr(key, '=');
	if (value)
		*value++ = '\0';
	if (value && quoted) { /* fsconfig(2) takes the label alone */
		value++;
		value[strcspn(value, "\"")] = '\0';
	}
	return configure(context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, e);
}

/* A comma in quotes does not end an option, nor one behind a backslash (the paths of overlay). */
static size_t option_length(const char *option)
{
	const char *quote = is_quoted(option) ? strchr(strchr(option, '"') + 1, '"') : NULL;
	const char *end = quote ? quote : option;

	while (*end && *end != ',')
		end += *end == '\\' && end[1] ? 2 : 1;
	return (size_t)(end - option);
}

static int configure_data(int context, const char *data, struct err *e)
{
	while (data && *data) {
		size_t length = option_length(data);

		if (length && configure_option(context, data, length, e))
			return -1;
		data += length + (data[length] == ',');
	}
	return 0;
}

bool mountfd_is_long(const char *source, const char *data)
{
	if (source && strlen(source) >= FSCONFIG_STRING_MAX)
		return true;
	while (data && *data) {
		size_t length = option_length(data), key = strcspn(data, "=");

		if (length - (key < length ? key + 1 : 0) >= FSCONFIG_STRING_MAX)
			return true;
		data += length + (data[length] == ',');
	}
	return false;
}

int mountfd_mount_on(int target, int procfs, const char *type, const char *source, const char *data,
		     unsigned long flags, struct err *e)
{
	_close_ int before = fd_open(".", O_PATH | O_DIRECTORY);
	char path[32];
	int failed;

	if (data && strlen(data) >= MOUNT_DATA_MAX)
		return err_set(e, ERR_UNSUPPORTED,
			       "file system options %.40s…: longer than %d bytes in all", data,
			       MOUNT_DATA_MAX - 1);
	(void)snprintf(path, sizeof(path), "self/fd/%d", target);
	if (before < 0 || fchdir(procfs))
		return err_sys(e, "enter procfs");
	failed = (int)syscall(SYS_mount, source, path, type, flags, data);
	if (failed)
		err_sys(e, "mount file system type \"%s\"", type);
	if (fchdir(before))
		return err_sys(e, "leave procfs");
	return failed;
}

static int configure_flags(int context, unsigned long set, unsigned long cleared, struct err *e)
{
	static const struct {
		unsigned long flag;
		char set[10], clear[12];
	} keys[] = {
		{MS_RDONLY, "ro", "rw"},
		{MS_SYNCHRONOUS, "sync", "async"},
		{MS_DIRSYNC, "dirsync", ""}, /* nothing takes that back */
		{MS_LAZYTIME, "lazytime", "nolazytime"},
		{MS_MANDLOCK, "mand", "nomand"},
	};

	for (size_t i = 0; i < array_len(keys); i++) {
		const char *key = set & keys[i].flag       ? keys[i].set
				  : cleared & keys[i].flag ? keys[i].clear
							   : "";

		if (*key && configure(context, FSCONFIG_SET_FLAG, key, NULL, e))
			return -1;
	}
	return 0;
}

int mountfd_new(const char *type, const char *source, const char *data, unsigned long sb_flags,
		uint64_t attr_set, struct err *e)
{
	_close_ int context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int mount;

	if (context < 0)
		return err_sys(e, "open file system type \"%s\"", type);
	if (source && *source && configure(context, FSCONFIG_SET_STRING, "source", source, e))
		return -1;
	if (configure_flags(context, sb_flags, 0, e))
		return -1;
	if (configure_data(context, data, e) ||
	    configure(context, FSCONFIG_CMD_CREATE, NULL, NULL, e))
		return -1;
	mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attr_set);
	if (mount < 0)
		return err_sys(e, "mount file system type \"%s\"", type);
	return mount;
}

int mountfd_reconfigure(int fd, const char *data, unsigned long set, unsigned long cleared,
			struct err *e)
{
	_close_ int context = (int)syscall(SYS_fspick, fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH);

	if (context < 0)
		return err_sys(e, "fspick");
	if (configure_flags(context, set, cleared, e) || configure_data(context, data, e))
		return -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0)) {
		err_sys(e, "reconfigure the file system");
		add_kernel_message(context, e);
		return -1;
	}
	return 0;
}

static int clone_tree(int dirfd, const char *path, unsigned flags, struct err *e)
{
	int mount = (int)syscall(SYS_open_tree, dirfd, path,
				 OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);

	if (mount < 0)
		return err_sys(e, "open_tree%s%s", *path ? " " : "", path);
	return mount;
}

int mountfd_clone(int dirfd, const char *path, bool recursive, struct err *e)
{
	return clone_tree(dirfd, path,
			  (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0u), e);
}

int mountfd_clone_nofollow(int dirfd, const char *path, bool recursive, struct err *e)
{
	return clone_tree(dirfd, path, AT_SYMLINK_NOFOLLOW | (recursive ? AT_RECURSIVE : 0u), e);
}

int mountfd_set_at(int dirfd, const char *path, const struct mountfd_attr *attr, bool recursive,
		   struct err *e)
{
	struct mount_attr change = {
		.attr_set = attr->set,
		.attr_clr = attr->clear,
		.propagation = attr->propagation,
	};
	unsigned flags = (*path ? 0 : AT_EMPTY_PATH) | (recursive ? AT_RECURSIVE : 0u);

	if (change.attr_set & MOUNT_ATTR__ATIME)
		change.attr_clr |= MOUNT_ATTR__ATIME; /* a number, not a bit: cleared first */
	if (syscall(SYS_mount_setattr, dirfd, path, flags, &change, sizeof(change)))
		return err_sys(e, "mount_setattr%s%s", *path ? " " : "", path);
	return 0;
}

int mountfd_set(int fd, const struct mountfd_attr *attr, bool recursive, struct err *e)
{
	return mountfd_set_at(fd, "", attr, recursive, e);
}

int mountfd_map_ids(int fd, int user_namespace, bool recursive, struct err *e)
{
	struct mount_attr change = {
		.attr_set = MOUNT_ATTR_IDMAP,
		.userns_fd = (unsigned)user_namespace,
	};
	unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0u);

	if (syscall(SYS_mount_setattr, fd, "", flags, &change, sizeof(change)))
		return err_sys(e, "mount_setattr MOUNT_ATTR_IDMAP");
	return 0;
}

int mountfd_where(int fd, uint64_t *ret_id, bool *ret_root, struct err *e)
{
	struct statx st = {0};

	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st))
		return err_sys(e, "statx");
	*ret_id = st.stx_mnt_id;
	*ret_root = st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
	return 0;
}

int mountfd_attach(int mount, int target, struct err *e)
{
	if (syscall(SYS_move_mount, mount, "", target, "",
		    MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH))
		return err_sys(e, "move_mount");
	return 0;
}

uint64_t mountfd_attr_of_flags(unsigned long ms_flags)
{
	static const struct {
		unsigned long flag;
		uint64_t attr;
	} pairs[] = {
		{MS_RDONLY, MOUNT_ATTR_RDONLY},         {MS_NOSUID, MOUNT_ATTR_NOSUID},
		{MS_NODEV, MOUNT_ATTR_NODEV},           {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
		{MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
	};
	uint64_t attr = 0;

	for (size_t i = 0; i < array_len(pairs); i++)
		if (ms_flags & pairs[i].flag)
			attr |= pairs[i].attr;
	/* mount(2): strictatime takes noatime back */
	if (ms_flags & MS_STRICTATIME)
		attr |= MOUNT_ATTR_STRICTATIME;
	else if (ms_flags & MS_NOATIME)
		attr |= MOUNT_ATTR_NOATIME;
	return attr;
}

struct mountfd_attr mountfd_change_of_flags(unsigned long set, unsigned long cleared)
{
	const uint64_t times = MS_NOATIME | MS_STRICTATIME;
	struct mountfd_attr change = {
		.set = mountfd_attr_of_flags(set),
		.clear = mountfd_attr_of_flags(cleared & ~times),
	};

	/*
	 * The access time is one field: whoever touches it replaces it, by relatime if by nothing
	 * else.
	 */
	if (set & (times | MS_RELATIME) || cleared & times)
		change.clear |= MOUNT_ATTR__ATIME;
	return change;
}
