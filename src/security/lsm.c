/*
 * Linux security modules: see lsm.h.
 */
#include "security/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/procfs.h"

bool lsm_has_apparmor(void)
{
	_close_ int fd = fd_open("/sys/module/apparmor/parameters/enabled", O_RDONLY);
	char answer = 'N';

	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

bool lsm_has_selinux(void)
{
	struct statfs fs;

	return !statfs("/sys/fs/selinux", &fs) && (unsigned)fs.f_type == SELINUX_MAGIC;
}

int lsm_apparmor_on_exec(int procfs, const char *profile, struct err *e)
{
	_close_ int fd =
		procfs_open_file(procfs, "self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC, e);
	char text[4096] = "exec ";
	size_t length = strlen(profile);

	if (fd < 0)
		return -1;
	if (length >= sizeof(text) - strlen(text))
		return err_set(e, ERR_INVALID, "the name of the profile is too long");
	memcpy(text + strlen(text), profile, length + 1);
	if (write(fd, text, strlen(text)) >= 0)
		return 0;
	err_sys(e, "apparmor failed to apply profile: write %s", text);
	return e->sys == ENOENT ? err_hint(e, "load the profile first: apparmor_parser(8)") : -1;
}

int lsm_selinux_on_exec(int procfs, const char *label, struct err *e)
{
	return procfs_write(procfs, "self/attr/exec", label, e);
}

int lsm_selinux_on_keys(int procfs, const char *label, struct err *e)
{
	return procfs_write(procfs, "self/attr/keycreate", label ? label : "", e);
}

int lsm_selinux_set_file(int fd, const char *label, struct err *e)
{
	if (fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0))
		return err_sys(e, "set the SELinux label %s", label);
	return 0;
}

const char *lsm_mount_data(const char *data, const char *label, struct arena *a, struct err *e)
{
	if (!label)
		return data;
	return arena_format(a, e, "%s%scontext=\"%s\"", data ? data : "", data ? "," : "", label);
}
