/*
 * One process at one system call, through ptrace(2). What differs between machines is here: how a
 * call is left out, and which registers have its result and its third argument.
 */
#include <elf.h>
#include <errno.h>
#include <linux/magic.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "step.h"

#ifdef __x86_64__
static void leave_out(pid_t pid)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.orig_rax), -1L);
}

static void set_result(pid_t pid, long value)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), value);
}

static void set_third(pid_t pid, unsigned long value)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rdx), value);
}
#else /* arm64 */
static void leave_out(pid_t pid)
{
	int none = -1;
	struct iovec part = {.iov_base = &none, .iov_len = sizeof(none)};

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &part);
}

static void set_register(pid_t pid, int which, unsigned long value)
{
	struct user_regs_struct registers;
	struct iovec part = {.iov_base = &registers, .iov_len = sizeof(registers)};

	ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part);
	registers.regs[which] = value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &part);
}

static void set_result(pid_t pid, long value)
{
	set_register(pid, 0, (unsigned long)value);
}

static void set_third(pid_t pid, unsigned long value)
{
	set_register(pid, 2, value);
}
#endif

static void leave(struct process *p, const struct __ptrace_syscall_info *info)
{
	long result = (long)info->exit.rval;

	p->restarts = result <= -512 && result >= -516; /* ERESTARTSYS and those beside it */
	if (p->skipped)
		set_result(p->pid, -p->error);
	if (p->shortened) /* the register is the caller's, who may count on it */
		set_third(p->pid, p->args[2]);
	p->skipped = p->shortened = false;
}

static void enter(struct process *p, const struct __ptrace_syscall_info *info)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)info->entry.nr);

	p->call = (long)info->entry.nr;
	for (int i = 0; i < 6; i++)
		p->args[i] = info->entry.args[i];
	p->total++;
	p->nth = p->call >= 0 && p->call < CALLS ? ++p->seen[p->call] : 0;
	snprintf(p->call_name, sizeof(p->call_name), "%s", name ? name : "unknown");
	free(name);
}

bool process_call(struct process *p)
{
	struct __ptrace_syscall_info info;
	bool again = p->restarts;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) <= 0)
		return false;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY) {
		leave(p, &info);
		return false;
	}
	p->restarts = false;
	if (!again)
		enter(p, &info);
	return !again;
}

void process_skip(struct process *p, int error)
{
	if (p->call != SYS_close) /* the descriptor is gone whatever close(2) returns */
		leave_out(p->pid);
	p->skipped = true;
	p->error = error;
}

static bool is_of_kernel(const struct statfs *fs)
{
	return fs->f_type == PROC_SUPER_MAGIC || fs->f_type == SYSFS_MAGIC ||
	       fs->f_type == CGROUP_SUPER_MAGIC || fs->f_type == CGROUP2_SUPER_MAGIC;
}

/* Packets come whole, and so does what the kernel tells and is told by files of its own. */
bool process_may_be_short(const struct process *p)
{
	char link[64];
	struct statfs fs;
	struct stat st;

	if (p->call != SYS_read && p->call != SYS_pread64 && p->call != SYS_write &&
	    p->call != SYS_pwrite64)
		return false;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)p->pid, (int)p->args[0]);
	if (p->args[2] < 2 || stat(link, &st) || statfs(link, &fs))
		return false;
	return S_ISFIFO(st.st_mode) || (S_ISREG(st.st_mode) && !is_of_kernel(&fs));
}

void process_shorten(struct process *p)
{
	set_third(p->pid, 1);
	p->shortened = true;
}

static bool read_text(pid_t pid, unsigned long address, char *ret, size_t size)
{
	struct iovec here = {.iov_base = ret, .iov_len = size - 1};
	struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = size - 1};
	size_t length;

	if (address < 4096 || process_vm_readv(pid, &here, 1, &there, 1, 0) < 1)
		return false;
	ret[size - 1] = '\0';
	length = strlen(ret);
	for (size_t i = 0; i < length; i++)
		if (ret[i] < ' ' || ret[i] > '~')
			return false;
	return length > 0;
}

void process_text(const struct process *p, char *ret, size_t size)
{
	char text[56];

	*ret = '\0';
	for (int i = 0; i < 3; i++)
		if (read_text(p->pid, p->args[i], text, sizeof(text))) {
			snprintf(ret, size, " \"%s\"", text);
			return;
		}
}
