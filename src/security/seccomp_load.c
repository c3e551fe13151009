/*
 * Seccomp and the running kernel: loading a compiled program, and which flags the kernel has. See
 * seccomp.h.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "security/seccomp.h"

#if defined(__x86_64__) && defined(__ILP32__)
const uint32_t seccomp_native_arch = SPEC_ARCH_X32;
#elif defined(__x86_64__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_X86_64;
#elif defined(__i386__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_I386;
#elif defined(__aarch64__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_AARCH64;
#elif defined(__arm__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_ARM;
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
const uint32_t seccomp_native_arch = AUDIT_ARCH_PPC64LE;
#elif defined(__powerpc64__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_PPC64;
#elif defined(__s390x__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_S390X;
#elif defined(__riscv) && __riscv_xlen == 64
const uint32_t seccomp_native_arch = AUDIT_ARCH_RISCV64;
#elif defined(__loongarch64)
const uint32_t seccomp_native_arch = AUDIT_ARCH_LOONGARCH64;
#elif defined(__mips64) && _MIPS_SIM == _ABI64 && defined(__MIPSEL__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_MIPSEL64;
#elif defined(__mips__) && _MIPS_SIM == _ABIO32 && defined(__MIPSEL__)
const uint32_t seccomp_native_arch = AUDIT_ARCH_MIPSEL;
#else
#error "seccomp: name this architecture here and in tools/syscall-tables.c"
#endif

/* libc has no wrapper. */
static long seccomp(unsigned operation, unsigned long flags, const void *args)
{
	return syscall(SYS_seccomp, operation, flags, args);
}

int seccomp_load(const struct seccomp_program *program, int *ret_listener, struct err *e)
{
	struct sock_fprog prog = {.len = program->length, .filter = program->code};
	long got = seccomp(SECCOMP_SET_MODE_FILTER, program->flags, &prog);

	if (got < 0 && errno == EINVAL && program->default_flags)
		got = seccomp(SECCOMP_SET_MODE_FILTER,
			      program->flags & ~SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog);
	if (got < 0) {
		(void)err_sys(e, "error loading seccomp filter into kernel");
		if (e->sys == EINVAL && program->flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)
			(void)err_hint(
				e, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV takes Linux 5.19 and "
				   "a rule with SCMP_ACT_NOTIFY");
		return -1;
	}
	*ret_listener = program->notify ? (int)got : -1;
	return 0;
}

uint32_t seccomp_kernel_flags(void)
{
	static const uint32_t flags[] = {
		SECCOMP_FILTER_FLAG_TSYNC,
		SECCOMP_FILTER_FLAG_LOG,
		SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV | SECCOMP_FILTER_FLAG_NEW_LISTENER,
	};
	uint32_t known = 0;

	/* The flags are checked before the program, which is not there. */
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (seccomp(SECCOMP_SET_MODE_FILTER, flags[i], NULL) < 0 && errno == EFAULT)
			known |= flags[i];
	return known & ~(uint32_t)SECCOMP_FILTER_FLAG_NEW_LISTENER;
}
