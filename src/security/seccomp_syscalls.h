/*
 * System call numbers of every architecture, by name: the tables that tools/syscall-tables.c makes
 * at build time.
 *
 * A name has an index; an architecture has a row of slots by that index. Slots are small and dense
 * where numbers are not (MIPS counts from 4000, x32 from 2³⁰, ARM has private calls at 0xf0000),
 * and grow with the numbers, so a compiler can sort by using them as array places.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECCOMP_SLOTS 784 /* slots are below this */

struct seccomp_arch {
	uint32_t audit; /* AUDIT_ARCH_…, or SPEC_ARCH_X32 */
	uint32_t base;  /* the number of slot 0 */
	/* into the table of slots; architectures that differ in byte order alone share one */
	uint8_t row;
	/* arguments are compared as 64 bits; the others pass 32 (x32 too, as in libseccomp) */
	bool wide;
	bool multiplexes; /* socket calls also come as socketcall(2), System V IPC as ipc(2) */
};

/*
 * The architecture of an AUDIT_ARCH_… or SPEC_ARCH_X32; NULL when this build has no table for it.
 */
const struct seccomp_arch *seccomp_arch_find(uint32_t audit);

/* The index of a name; −1 when no architecture has such a system call. */
int seccomp_name_find(const char *name);

/* The slot of a name on an architecture; −1 when it has no such call of its own. */
int seccomp_name_slot(const struct seccomp_arch *arch, unsigned index);

/* The number that a slot stands for. */
uint32_t seccomp_slot_number(const struct seccomp_arch *arch, unsigned slot);

/*
 * Whether the name is a call of socketcall(2) or ipc(2), on architectures that multiplex: the first
 * argument that selects it, and the name's index of the multiplexer. 0 for all other names.
 */
unsigned seccomp_name_call(unsigned index, unsigned *ret_multiplexer);
