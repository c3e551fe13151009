/*
 * A program of any bytes, as an image may bring it: why the kernel would not execute it is told in
 * one line, or it is let pass. The first byte is what execve(2) is to have said.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frame.h"
#include "sys/elf.h"
#include "sys/executable.h"

static void check_elf(int fd, const char *head, size_t length)
{
	struct elf elf;

	elf_read(fd, head, length, &elf);
	fuzz_hold(elf.machine, "no machine");
	fuzz_hold(!elf.fault == (elf.runs != ELF_NEVER), "a fault, or none, where it runs %d",
		  (int)elf.runs);
	fuzz_hold(memchr(elf.interpreter, '\0', sizeof(elf.interpreter)), "a name without an end");
	fuzz_hold(!elf.interpreter[0] || elf.runs != ELF_FOREIGN, "an interpreter for nobody");
}

static void check_refusal(const struct executable_fault *fault)
{
	const char *words = err_errno_text(fault->why.sys);

	fuzz_hold_error(&fault->why);
	fuzz_hold(str_starts(fault->why.text, words), "\"%s\" and \"%s\"", fault->why.text, words);
	for (const char *c = fault->why.text; *c; c++)
		fuzz_hold((unsigned char)*c >= ' ' && *c != 0x7f, "a control character");
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	static const int numbers[] = {0, ENOEXEC, ENOENT, EACCES, ELOOP};
	static int fd = -1;
	struct fuzz_rest rest = {text, text + length};
	int number = numbers[fuzz_choose(&rest, array_len(numbers))];
	struct executable_fault fault;
	char path[32];

	(void)a;
	if (fd < 0)
		fd = memfd_create("program", MFD_CLOEXEC);
	length = (size_t)(rest.end - rest.at);
	fuzz_hold(!ftruncate(fd, 0) && pwrite(fd, rest.at, length, 0) == (ssize_t)length,
		  "write the program: %m");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (executable_refused(path, number, &fault))
		check_refusal(&fault);
	if (elf_is(rest.at, length))
		check_elf(fd, rest.at, length < 1024 ? length : 1024);
}
