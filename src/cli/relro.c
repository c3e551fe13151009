/*
 * PT_GNU_RELRO of a program that is its own loader. musl's start code (rcrt1.o) relocates a
 * static-pie program and leaves what it wrote open to be written again: tables of functions, and
 * the addresses in every table of texts. A dynamic loader does better by itself.
 *
 * Called by cli_main before anything else. The program alone does this; libcreel is loaded by
 * others.
 */
#include "cli/relro.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* For dl_iterate_phdr, which shows the program itself first. Returns what ends that: never 0. */
static int protect(struct dl_phdr_info *program, size_t size, void *unused)
{
	uintptr_t page = getauxval(AT_PAGESZ);

	(void)size;
	(void)unused;
	for (size_t i = 0; i < program->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &program->dlpi_phdr[i];
		uintptr_t start = program->dlpi_addr + part->p_vaddr;
		uintptr_t end = (start + part->p_memsz) & ~(page - 1);

		if (part->p_type != PT_GNU_RELRO)
			continue;
		start &= ~(page - 1);
		/* The addresses are the kernel's, as numbers. */
		return mprotect((void *)start, end - start, PROT_READ) ? -1 : 1;
	}
	return 1;
}

int relro_apply(struct err *e)
{
	if (getauxval(AT_BASE)) /* where the dynamic loader is, which has done it */
		return 0;
	if (dl_iterate_phdr(protect, NULL) < 0)
		return err_sys(e, "make the constants of the program read-only");
	return 0;
}
