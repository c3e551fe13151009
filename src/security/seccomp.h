/*
 * Seccomp: from linux.seccomp to a classic BPF program, without libseccomp.
 *
 * seccomp_compile is pure: the same profile and architecture give the same program. The program
 * checks the architecture, then finds the system call by a balanced tree over sorted ranges of
 * numbers, then the arguments. Sources: seccomp(2), runtime-spec config-linux.md "Seccomp", the
 * kernel's userspace-api/seccomp_filter.rst.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "spec/spec.h"

struct seccomp_program {
	struct sock_filter *code;
	unsigned short length; /* instructions */
	uint32_t flags;        /* SECCOMP_FILTER_FLAG_… for seccomp_load */
	/* flags were not given: SPEC_ALLOW is used where the kernel has it */
	bool default_flags;
	bool notify; /* some rule has SCMP_ACT_NOTIFY: seccomp_load gives a descriptor */
};

/* The AUDIT_ARCH_… of this build. */
extern const uint32_t seccomp_native_arch;

/*
 * Compiles a profile. native is always among the architectures. Unknown system call names are
 * skipped (told to log at debug level). Errors: ERR_INVALID with the pointer of the rule,
 * ERR_UNSUPPORTED for what this build cannot express.
 */
int seccomp_compile(const struct spec_seccomp *profile, uint32_t native, const struct log *log,
		    struct arena *a, struct seccomp_program *ret, struct err *e) must_check;

/*
 * Installs it for the calling thread. *ret_listener gets the notify descriptor, −1 without notify.
 */
int seccomp_load(const struct seccomp_program *program, int *ret_listener,
		 struct err *e) must_check;

/*
 * The same for a program with notify: *send gets the notify descriptor before the caller makes any
 * system call under the filter. It runs in a thread of its own, which is not under it, and must not
 * keep the descriptor.
 */
int seccomp_load_and_send(const struct seccomp_program *program,
			  int (*send)(int to, int listener, struct err *e), int to,
			  struct err *e) must_check;

/*
 * The number of a system call on an architecture (AUDIT_ARCH_… or SPEC_ARCH_X32); −1 when it has
 * none.
 */
int seccomp_syscall_number(uint32_t arch, const char *name);

/*
 * The SECCOMP_FILTER_FLAG_… of config.json that the running kernel has; 0 without seccomp. For
 * `creel features`.
 */
uint32_t seccomp_kernel_flags(void);
