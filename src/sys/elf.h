/*
 * What execve(2) looks at in an ELF file: the machine it is for, and the interpreter that it asks
 * for. The file is anybody's; nothing in it is believed. Source: elf(5), and the kernel's loader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ELF_INTERPRETER_MAX 256

enum elf_runs {
	ELF_RUNS,    /* a program for this machine */
	ELF_MAY_RUN, /* for its smaller brother (i386, arm): kernels can be built without that */
	ELF_FOREIGN, /* for another machine */
	ELF_NEVER,   /* for this machine, and no program: see fault */
};

struct elf {
	enum elf_runs runs;
	const char *machine;                   /* its name: "x86-64" */
	const char *fault;                     /* ELF_NEVER: why; NULL otherwise */
	char interpreter[ELF_INTERPRETER_MAX]; /* "" when it has none, or one that cannot be told */
};

/* The machine that this program is for, "" when elf_read does not tell others from it. */
extern const char elf_own_machine[];

/* Whether a file that begins with these length bytes is ELF. */
bool elf_is(const char *head, size_t length);

/* Reads the ELF file fd, which begins with head. What is not in head is read from fd. */
void elf_read(int fd, const char *head, size_t length, struct elf *ret);
