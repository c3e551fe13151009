/*
 * Self-protection: see selfexe.h.
 *
 * A process knows that it is the second one by two facts that only the kernel sets: it was executed
 * through a descriptor (AT_EXECFN is "/dev/fd/N"), and its own file is on a read-only mount or
 * sealed. The environment and the arguments, which others can forge, are not asked.
 */
#include "sys/selfexe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/mountfd.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u /* Linux 6.3 */
#endif

#define OWN_PROGRAM "/proc/self/exe"
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

static bool sealed(void)
{
	_close_ int fd = fd_open(OWN_PROGRAM, O_RDONLY);

	return fd >= 0 && fcntl(fd, F_GET_SEALS) == ALL_SEALS;
}

bool selfexe_was_protected(void)
{
	const char *name = (const char *)(uintptr_t)getauxval(AT_EXECFN);

	return name && str_starts(name, "/dev/fd/");
}

static bool protected_already(void)
{
	struct statvfs fs;

	if (!selfexe_was_protected())
		return false;
	if (!statvfs(OWN_PROGRAM, &fs) && fs.f_flag & ST_RDONLY)
		return true;
	return sealed();
}

/*
 * A clone of the mount that the program is on: nothing is copied, and nobody else can make it
 * writable again.
 */
static int readonly_clone(struct err *e)
{
	_close_ int fd = mountfd_clone(AT_FDCWD, OWN_PROGRAM, false, e);
	struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};

	if (fd < 0 || mountfd_set(fd, &readonly, false, e))
		return -1;
	return fd_take(&fd);
}

/* A kernel that does not know MFD_EXEC (EINVAL) makes them executable anyway. */
static int memory_file(struct err *e)
{
	long fd = syscall(SYS_memfd_create, "creel", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = syscall(SYS_memfd_create, "creel", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0)
		return (int)fd;
	err_sys(e, "make a file in memory for the program itself");
	return e->sys == EACCES ? err_hint(e, "vm.memfd_noexec may be 1, but not 2") : -1;
}

static int sealed_copy(struct err *e)
{
	_close_ int from = fd_open(OWN_PROGRAM, O_RDONLY);
	_close_ int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st))
		return err_sys(e, "open the program itself");
	to = memory_file(e);
	if (to < 0)
		return -1;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, "copy the program itself");
		left -= n;
	}
	if (fcntl(to, F_ADD_SEALS, ALL_SEALS))
		return err_sys(e, "seal the copy of the program itself");
	return fd_take(&to);
}

int selfexe_protect(char *const argv[], struct err *e)
{
	_close_ int copy = -1;

	if (protected_already())
		return 0;
	copy = readonly_clone(e);
	if (copy < 0)
		copy = sealed_copy(e);
	if (copy < 0)
		return -1;
	(void)syscall(SYS_execveat, copy, "", argv, environ, AT_EMPTY_PATH);
	err_sys(e, "execute a protected copy of the program itself");
	return err_hint(
		e,
		"the mount that holds the program must not be noexec, and /proc must be mounted");
}
