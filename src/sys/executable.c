/*
 * Why the kernel does not execute a program: see executable.h. Nothing is refused here that some
 * kernel would execute: what cannot be read, and formats that only a module could know, are left to
 * execve.
 */
#include "sys/executable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "sys/elf.h"

#define READ_SIZE 1024            /* holds the ELF headers of most programs */
#define LINE_SIZE EXECUTABLE_HEAD /* how much of a script the kernel looks at */
#define DEPTH_MAX 5               /* how often a script's interpreter may be a script */

bool executable_on_noexec(const char *path)
{
	struct statvfs fs;

	return !statvfs(path, &fs) && fs.f_flag & ST_NOEXEC;
}

static bool refuse(struct err *why, int number, const char *format, ...) printf_like(3, 4);
static bool refuse(struct err *why, int number, const char *format, ...)
{
	char cause[400];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(cause, sizeof(cause), format, args);
	va_end(args);
	for (char *c = cause; *c; c++) /* names come from the file */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	err_set(why, ERR_SYSTEM, "%s: %s", err_errno_text(number), cause);
	why->sys = number;
	return true;
}

static bool hint(struct err *why, const char *text)
{
	err_hint(why, "%s", text);
	return true;
}

static bool check_interpreter(const char *name, struct err *why)
{
	struct stat st;

	if (stat(name, &st))
		return refuse(why, errno, "its interpreter \"%s\" %s", name,
			      errno == ENOENT ? "is missing" : "cannot be reached");
	if (S_ISREG(st.st_mode) &&
	    (!faccessat(AT_FDCWD, name, X_OK, AT_EACCESS) || errno != EACCES))
		return false;
	return refuse(why, EACCES, "its interpreter \"%s\" is not executable", name);
}

/* number: the errno of the failed execve, 0: none was tried. */
static bool check_elf(int fd, const char *head, size_t length, int number, struct err *why)
{
	struct elf elf;

	elf_read(fd, head, length, &elf);
	if (elf.runs == ELF_NEVER)
		return refuse(why, ENOEXEC, "%s", elf.fault);
	if (elf.runs == ELF_FOREIGN) {
		refuse(why, ENOEXEC, "it is for %s, this machine is %s", elf.machine,
		       elf_own_machine);
		return hint(why, "use an image for this machine, or register an emulator "
				 "(binfmt_misc)");
	}
	if (elf.runs == ELF_MAY_RUN && number == ENOEXEC)
		return refuse(why, ENOEXEC, "it is for %s, which this kernel does not run",
			      elf.machine);
	if (!elf.interpreter[0] || !check_interpreter(elf.interpreter, why))
		return false;
	return hint(why, "it is linked with a C library that the root file system lacks: add that, "
			 "or link it statically");
}

/* Finds the interpreter of a script as the kernel does; "" when it finds none. */
static void parse_line(const char *head, size_t length, char ret[LINE_SIZE])
{
	size_t room = length < LINE_SIZE ? length : LINE_SIZE - 1;
	const char *newline = memchr(head, '\n', room);
	const char *end = newline ? newline : head + room, *from = head + 2;
	size_t size = 0;

	ret[0] = '\0';
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (from + size < end && from[size] != ' ' && from[size] != '\t' && from[size])
		size++;
	if (from + size == end && !newline && length >= LINE_SIZE)
		return; /* it goes on where the kernel does not look */
	memcpy(ret, from, size);
	ret[size] = '\0';
}

static bool check_script(const char *head, size_t length, char interpreter[LINE_SIZE],
			 struct err *why)
{
	parse_line(head, length, interpreter);
	if (!interpreter[0])
		return refuse(why, ENOEXEC, "its #! line does not name an interpreter");
	if (!check_interpreter(interpreter, why))
		return false;
	if (why->sys == ENOENT && str_ends(interpreter, "\r"))
		hint(why, "the line ends with a carriage return, which counts as part of the name: "
			  "save the script with Unix line ends");
	return true;
}

/* The kernel may load a module for a format that does not begin with text. */
static bool is_text(const char *head, size_t length)
{
	for (size_t i = 0; i < 4 && i < length; i++)
		if ((head[i] < ' ' || head[i] > '~') && head[i] != '\t' && head[i] != '\n')
			return false;
	return length < 4 || memcmp(head, "bFLT", 4) != 0;
}

static bool check_other(const char *head, size_t length, int number, struct err *why)
{
	if (length == 0)
		return refuse(why, ENOEXEC, "the file is empty");
	if (is_text(head, length)) {
		refuse(why, ENOEXEC, "it has no #! line to name an interpreter");
		return hint(why, "let it begin with #!/bin/sh, or give it to sh as an argument");
	}
	if (length >= 5 && !memcmp(head, "\xef\xbb\xbf#!", 5))
		return refuse(why, ENOEXEC, "a byte order mark stands before its #! line");
	return number == ENOEXEC &&
	       refuse(why, ENOEXEC, "it is neither an ELF program nor a script with a #! line");
}

/* interpreter gets the file that the kernel goes on with, "" when this is the last one. */
static bool check_file(const char *path, int number, char interpreter[LINE_SIZE],
		       struct executable_fault *f)
{
	_close_ int fd = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char data[READ_SIZE];
	ssize_t n = fd < 0 ? -1 : pread(fd, data, sizeof(data), 0);
	size_t length = n < 0 ? 0 : (size_t)n;

	interpreter[0] = '\0';
	if (n < 0)
		return false;
	if (!f->nested)
		memcpy(f->head, data, length < sizeof(f->head) ? length : sizeof(f->head));
	if (elf_is(data, length))
		return check_elf(fd, data, length, number, &f->why);
	if (length >= 2 && data[0] == '#' && data[1] == '!')
		return check_script(data, length, interpreter, &f->why);
	return check_other(data, length, number, &f->why);
}

bool executable_refused(const char *path, int number, struct executable_fault *ret)
{
	char names[2][LINE_SIZE];

	ret->nested = false;
	memset(ret->head, 0, sizeof(ret->head));
	for (int depth = 0; depth <= DEPTH_MAX; depth++) {
		char *next = names[depth % 2];

		if (check_file(path, number, next, ret))
			return true;
		if (!next[0])
			return false;
		path = next;
		ret->nested = true;
	}
	return refuse(&ret->why, ELOOP,
		      "its interpreter is a script, and so is that one's, and so on");
}
