/*
 * Look-ups in the generated tables: see seccomp_syscalls.h. The tables have no pointers, so that
 * the static program has no relocations for them, and a page of them is read only when it is used.
 */
#include "security/seccomp_syscalls.h"

#include <string.h>

#include "base/str.h"
#include "security/syscall_tables.h" /* made at build time */
#define SLOT_NONE 0xffff
#define CALL_IPC 0x80 /* in syscall_calls: a call of ipc(2), not of socketcall(2) */

_Static_assert(SECCOMP_SLOTS >= SYSCALL_SLOTS_PLAIN + 16, "room for every slot");

const struct seccomp_arch *seccomp_arch_find(uint32_t audit)
{
	for (size_t i = 0; i < array_len(syscall_archs); i++)
		if (syscall_archs[i].audit == audit)
			return &syscall_archs[i];
	return NULL;
}

/* The same hash as in tools/syscall-tables.c. */
static unsigned hash(const char *name)
{
	unsigned h = 0;

	for (; *name; name++)
		h = h * 31 + (unsigned char)*name;
	return (h ^ h >> 10) % SYSCALL_HASH_SIZE;
}

int seccomp_name_find(const char *name)
{
	unsigned at = hash(name);

	for (; syscall_hash[at]; at = (at + 1) % SYSCALL_HASH_SIZE) {
		int index = syscall_hash[at] - 1;

		if (!strcmp(syscall_pool + syscall_name_at[index], name))
			return index;
	}
	return -1;
}

int seccomp_name_slot(const struct seccomp_arch *arch, unsigned index)
{
	uint16_t slot = syscall_slots[arch->row][index];

	return slot == SLOT_NONE ? -1 : slot;
}

uint32_t seccomp_slot_number(const struct seccomp_arch *arch, unsigned slot)
{
	if (slot < SYSCALL_SLOTS_PLAIN)
		return arch->base + slot;
	return SYSCALL_PRIVATE_BASE + slot - SYSCALL_SLOTS_PLAIN;
}

unsigned seccomp_name_call(unsigned index, unsigned *ret_multiplexer)
{
	unsigned call = syscall_calls[index];

	if (call)
		*ret_multiplexer = call & CALL_IPC ? SYSCALL_NAME_IPC : SYSCALL_NAME_SOCKETCALL;
	return call & ~(unsigned)CALL_IPC;
}
