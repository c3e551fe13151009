/*
 * What clang 14's MemorySanitizer does not know: which memory the kernel fills when a system call
 * is made by its number, or by those functions of newer C libraries that take a struct stat. The
 * linker puts these in their place (--wrap) in unit tests and fuzzers of a build with
 * -Dsanitizers=memory, and nowhere else.
 */
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <sanitizer/msan_interface.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
int __real_lstat64(const char *path, struct stat *st);
int __wrap_lstat64(const char *path, struct stat *st);
int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __real_fstatat64(int fd, const char *path, struct stat *st, int flags);
int __wrap_fstatat64(int fd, const char *path, struct stat *st, int flags);

static void written(long pointer, size_t size)
{
	if (pointer)
		__msan_unpoison((const void *)(uintptr_t)pointer, size);
}

/* What the kernel wrote for a call that succeeded. */
static void filled(long number, const long argument[6], long result)
{
	switch (number) {
	case SYS_getdents64:
		written(argument[1], (size_t)result);
		break;
	case SYS_getcwd:
		written(argument[0], (size_t)result);
		break;
	case SYS_statx:
		written(argument[4], sizeof(struct statx));
		break;
	case SYS_capget:
		written(argument[1],
			_LINUX_CAPABILITY_U32S_3 * sizeof(struct __user_cap_data_struct));
		break;
	case SYS_clone: /* with CLONE_PIDFD the only output */
		written(argument[2], sizeof(int));
		break;
	case SYS_clone3:
		written((long)((const struct clone_args *)argument[0])->pidfd, sizeof(int));
		break;
	default:
		break;
	}
}

long __wrap_syscall(long number, ...)
{
	long a[6], result;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (result >= 0)
		filled(number, a, result);
	return result;
}

static int known(int result, struct stat *st)
{
	if (!result)
		__msan_unpoison(st, sizeof(*st));
	return result;
}

int __wrap_stat64(const char *path, struct stat *st)
{
	return known(__real_stat64(path, st), st);
}

int __wrap_lstat64(const char *path, struct stat *st)
{
	return known(__real_lstat64(path, st), st);
}

int __wrap_fstat64(int fd, struct stat *st)
{
	return known(__real_fstat64(fd, st), st);
}

int __wrap_fstatat64(int fd, const char *path, struct stat *st, int flags)
{
	return known(__real_fstatat64(fd, path, st, flags), st);
}
