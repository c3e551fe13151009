/*
 * Why the kernel does not execute a program, as its file tells: another machine's, no interpreter,
 * no format at all. Errno alone says "no such file or directory" of a file that is plainly there.
 * Used by run/do_program.c, in the container and as its user: what it cannot read it says nothing
 * of. Sources: execve(2), elf(5), and the kernel's own loaders of scripts and ELF.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define EXECUTABLE_HEAD 256 /* how much of a file the kernel looks at to find its format */

struct executable_fault {
	/*
	 * errno, and a text that begins with its words: `no such file or directory: its interpreter
	 * "/bin/bash" is missing`; a hint.
	 */
	struct err why;
	char head[EXECUTABLE_HEAD]; /* of the program, with zeros behind its end */
	bool nested;                /* it is not the program itself, but an interpreter of it */
};

/*
 * Whether the kernel's own loaders refuse the file path, which is executable by its mode. number is
 * the errno of an execve(2) that failed, 0 before one: then only what is certain counts. False:
 * nothing was found, and *ret is undefined. What binfmt_misc has handlers for is executed all the
 * same: see binfmt.h.
 */
bool executable_refused(const char *path, int number, struct executable_fault *ret);

/* Whether path is on a mount that nothing is executed from (noexec). */
bool executable_on_noexec(const char *path);
