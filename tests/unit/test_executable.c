/*
 * Why a program is not executed: what is said of crafted files, that nothing is said of good ones,
 * and, for all of them, that execve(2) is of the same opinion.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/elf.h"
#include "sys/executable.h"

static struct executable_fault fault;

/* A file that is executable by its mode; gives its path. */
static const char *program(const char *name, const void *data, size_t length)
{
	_close_ int fd = openat(scratch, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	assert_int_equal(write(fd, data, length), length);
	assert_int_equal(fchmod(fd, 0755), 0);
	return scratch_name(name);
}

static const char *script(const char *name, const char *text)
{
	return program(name, text, strlen(text));
}

/* The errno with which the kernel refuses it, 0 when it executes it. */
static int execute(void *path)
{
	char *argv[] = {path, NULL}, *env[] = {NULL};

	(void)execve(path, argv, env);
	return errno;
}

static void refused(const char *path, int number, const char *text)
{
	assert_true(executable_refused(path, 0, &fault));
	assert_int_equal(fault.why.sys, number);
	assert_string_equal(fault.why.text, text);
	assert_int_equal(scratch_fork(execute, (void *)(uintptr_t)path), number);
}

static void accepted(const char *path)
{
	assert_false(executable_refused(path, 0, &fault));
}

static void scripts_that_run(void **state)
{
	char long_line[300] = "#!/bin/sh ";

	(void)state;
	memset(long_line + 10, 'x', sizeof(long_line) - 11); /* only the argument is cut */
	accepted(script("plain", "#!/bin/sh\n"));
	accepted(script("spaced", "#! \t/bin/sh -e\nexit 0\n"));
	accepted(script("endless", "#!/bin/sh"));
	accepted(script("long", long_line));
	accepted("/bin/sh");
}

static void an_interpreter_must_be_there(void **state)
{
	(void)state;
	refused(script("a", "#!/no/such\n"), ENOENT,
		"no such file or directory: its interpreter \"/no/such\" is missing");
	refused(script("b", "#!/no/such -x\n"), ENOENT,
		"no such file or directory: its interpreter \"/no/such\" is missing");
	refused(script("c", "#!/etc/passwd/x\n"), ENOTDIR,
		"not a directory: its interpreter \"/etc/passwd/x\" cannot be reached");
	refused(script("d", "#!/etc\n"), EACCES,
		"permission denied: its interpreter \"/etc\" is not executable");
	refused(script("e", "#!/etc/passwd\n"), EACCES,
		"permission denied: its interpreter \"/etc/passwd\" is not executable");
}

static void a_carriage_return_is_explained(void **state)
{
	(void)state;
	refused(script("dos", "#!/bin/sh\r\nexit 0\r\n"), ENOENT,
		"no such file or directory: its interpreter \"/bin/sh?\" is missing");
	assert_non_null(strstr(fault.why.hint, "carriage return"));
}

static void a_line_that_names_nobody(void **state)
{
	static const char text[] = "exec format error: its #! line does not name an interpreter";
	char long_name[300] = "#!/";

	(void)state;
	memset(long_name + 3, 'x', sizeof(long_name) - 4);
	assert_true(executable_refused(script("bare", "#!"), 0, &fault));
	refused(script("blank", "#! \t \n/bin/sh\n"), ENOEXEC, text);
	refused(script("long", long_name), ENOEXEC, text);
}

static void the_interpreter_of_an_interpreter(void **state)
{
	char line[80];

	(void)state;
	(void)snprintf(line, sizeof(line), "#!%s\n", script("inner", "#!/no/such\n"));
	refused(script("outer", line), ENOENT,
		"no such file or directory: its interpreter \"/no/such\" is missing");
	assert_true(fault.nested);
	assert_memory_equal(fault.head, line, strlen(line));
	(void)snprintf(line, sizeof(line), "#!%s\n", scratch_name("loop"));
	assert_true(executable_refused(script("loop", line), 0, &fault));
	assert_int_equal(fault.why.sys, ELOOP);
	assert_int_equal(scratch_fork(execute, (void *)(uintptr_t)scratch_name("loop")), ELOOP);
}

/* As deep as the kernel goes, and one deeper. */
static void a_chain_of_interpreters(void **state)
{
	char line[80] = "#!/bin/sh\n", name[16];

	(void)state;
	for (int i = 0; i < 6; i++) {
		bool good = i < 5;
		const char *path;

		(void)snprintf(name, sizeof(name), "s%d", i);
		path = script(name, line);
		assert_int_equal(executable_refused(path, 0, &fault), !good);
		assert_int_equal(scratch_fork(execute, (void *)(uintptr_t)path), good ? 0 : ELOOP);
		(void)snprintf(line, sizeof(line), "#!%s\n", path);
	}
}

static void files_without_a_format(void **state)
{
	(void)state;
	refused(script("empty", ""), ENOEXEC, "exec format error: the file is empty");
	refused(script("text", "echo hello\n"), ENOEXEC,
		"exec format error: it has no #! line to name an interpreter");
	refused(script("late", "\n#!/bin/sh\n"), ENOEXEC,
		"exec format error: it has no #! line to name an interpreter");
	refused(script("marked", "\xef\xbb\xbf#!/bin/sh\n"), ENOEXEC,
		"exec format error: a byte order mark stands before its #! line");
}

/* A module of the kernel might know them: only its refusal is proof. */
static void formats_that_are_not_known(void **state)
{
	(void)state;
	accepted(script("windows", "MZ\x90"));
	accepted(script("flat", "bFLT"));
	assert_true(executable_refused(scratch_name("windows"), ENOEXEC, &fault));
	assert_string_equal(fault.why.text, "exec format error: it is neither an ELF program nor a "
					    "script with a #! line");
	assert_false(executable_refused(scratch_name("windows"), EACCES, &fault));
}

static void what_cannot_be_read_is_left_alone(void **state)
{
	(void)state;
	accepted("/no/such");
	accepted("/etc");
	assert_int_equal(mkfifoat(scratch, "fifo", 0755), 0);
	accepted(scratch_name("fifo"));
}

/* ---- ELF --------------------------------------------------------------------------------------
 */

/* The smallest program there is: it would end with a signal. */
static struct image {
	Elf64_Ehdr header;
	Elf64_Phdr segment[2];
	char interpreter[64];
} image;

static const char *elf(const char *name, size_t length)
{
	return program(name, &image, length);
}

static int make_image(void **state)
{
	image = (struct image){
		.header = {.e_ident = ELFMAG,
			   .e_type = ET_DYN,
#ifdef __x86_64__
			   .e_machine = EM_X86_64,
#else
			   .e_machine = EM_AARCH64,
#endif
			   .e_version = EV_CURRENT,
			   .e_phoff = offsetof(struct image, segment),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segment = {{.p_type = PT_LOAD, .p_filesz = sizeof(image), .p_flags = PF_R},
			    {.p_type = PT_INTERP,
			     .p_offset = offsetof(struct image, interpreter),
			     .p_filesz = sizeof("/no/such/ld.so")}},
		.interpreter = "/no/such/ld.so",
	};
	image.header.e_ident[EI_CLASS] = ELFCLASS64;
	image.header.e_ident[EI_DATA] =
		__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB;
	image.header.e_ident[EI_VERSION] = EV_CURRENT;
	return scratch_setup(state);
}

static void an_elf_interpreter_must_be_there(void **state)
{
	(void)state;
	refused(elf("a", sizeof(image)), ENOENT,
		"no such file or directory: its interpreter \"/no/such/ld.so\" is missing");
	assert_non_null(strstr(fault.why.hint, "C library"));
	image.header.e_type = ET_EXEC;
	refused(elf("b", sizeof(image)), ENOENT,
		"no such file or directory: its interpreter \"/no/such/ld.so\" is missing");
}

/* Go's linker puts it behind the first page. */
static void an_elf_interpreter_may_be_far_away(void **state)
{
	char far[8192] = "";

	(void)state;
	image.segment[1].p_offset = 8000;
	memcpy(far, &image, sizeof(image));
	memcpy(far + 8000, "/no/such/ld.so", sizeof("/no/such/ld.so"));
	refused(program("far", far, sizeof(far)), ENOENT,
		"no such file or directory: its interpreter \"/no/such/ld.so\" is missing");
}

static void an_elf_interpreter_that_is_there(void **state)
{
	(void)state;
	image.segment[1].p_filesz = sizeof("/bin/sh");
	memcpy(image.interpreter, "/bin/sh", sizeof("/bin/sh"));
	accepted(elf("a", sizeof(image)));
	image.segment[1].p_type = PT_NULL;
	accepted(elf("b", sizeof(image)));
}

/* What the kernel says of these is its own matter. */
static void an_elf_interpreter_that_cannot_be_told(void **state)
{
	(void)state;
	image.segment[1].p_filesz = 1;
	accepted(elf("short", sizeof(image)));
	image.segment[1].p_filesz = 300;
	accepted(elf("long", sizeof(image)));
	image.segment[1].p_filesz = 5; /* not ended by a NUL */
	accepted(elf("endless", sizeof(image)));
	image.segment[1].p_offset = UINT64_MAX - 2;
	accepted(elf("beyond", sizeof(image)));
}

static void another_machines_program(void **state)
{
	char text[160];

	(void)state;
	image.header.e_machine = EM_S390;
	(void)snprintf(text, sizeof(text), "exec format error: it is for s390, this machine is %s",
		       elf_own_machine);
	refused(elf("s390", sizeof(image)), ENOEXEC, text);
	assert_non_null(strstr(fault.why.hint, "binfmt_misc"));
	image.header.e_machine = 0x7777;
	(void)snprintf(text, sizeof(text),
		       "exec format error: it is for another machine, this machine is %s",
		       elf_own_machine);
	refused(elf("unknown", sizeof(image)), ENOEXEC, text);
	image.header.e_machine = EM_S390;
	image.header.e_ident[EI_DATA] ^= ELFDATA2LSB ^ ELFDATA2MSB;
	assert_true(executable_refused(elf("swapped", sizeof(image)), 0, &fault));
}

/* Some kernels run them; a refusal tells which this is. */
static void the_smaller_machines_program(void **state)
{
	(void)state;
	image.header.e_ident[EI_CLASS] = ELFCLASS32;
	image.header.e_phentsize = sizeof(Elf32_Phdr);
#ifdef __x86_64__
	image.header.e_machine = EM_386;
#else
	image.header.e_machine = EM_ARM;
#endif
	/* e_phentsize and e_phnum are elsewhere in the other class. */
	((Elf32_Ehdr *)(void *)&image)->e_phentsize = sizeof(Elf32_Phdr);
	((Elf32_Ehdr *)(void *)&image)->e_phnum = 1;
	accepted(elf("small", sizeof(image)));
	assert_true(executable_refused(scratch_name("small"), ENOEXEC, &fault));
	assert_non_null(strstr(fault.why.text, "which this kernel does not run"));
}

static void elf_files_that_are_no_programs(void **state)
{
	(void)state;
	image.header.e_type = ET_REL;
	refused(elf("object", sizeof(image)), ENOEXEC,
		"exec format error: it is an ELF file, but no program");
	image.header.e_type = ET_DYN;
	image.header.e_phnum = 0;
	refused(elf("bare", sizeof(image)), ENOEXEC,
		"exec format error: its ELF header is damaged");
	image.header.e_phnum = 60;
	refused(elf("cut", sizeof(image)), ENOEXEC, "exec format error: the file is cut off");
	assert_true(executable_refused(elf("tiny", 8), 0, &fault));
}

/* Any file at all must be looked at without harm: the sanitizers are watching. */
static void garbage(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		struct image copy = image;

		for (int flips = 0; flips < 6; flips++) {
			seed = seed * 1664525 + 1013904223;
			((unsigned char *)&copy)[4 + (seed >> 8) % (sizeof(copy) - 4)] =
				(unsigned char)(seed >> 24);
		}
		(void)executable_refused(program("x", &copy, (seed >> 4) % sizeof(copy)),
					 i & 1 ? ENOEXEC : 0, &fault);
	}
}

#define in_scratch(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define with_image(name) cmocka_unit_test_setup_teardown(name, make_image, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(scripts_that_run),
		in_scratch(an_interpreter_must_be_there),
		in_scratch(a_carriage_return_is_explained),
		in_scratch(a_line_that_names_nobody),
		in_scratch(the_interpreter_of_an_interpreter),
		in_scratch(a_chain_of_interpreters),
		in_scratch(files_without_a_format),
		in_scratch(formats_that_are_not_known),
		in_scratch(what_cannot_be_read_is_left_alone),
		with_image(an_elf_interpreter_must_be_there),
		with_image(an_elf_interpreter_may_be_far_away),
		with_image(an_elf_interpreter_that_is_there),
		with_image(an_elf_interpreter_that_cannot_be_told),
		with_image(another_machines_program),
		with_image(the_smaller_machines_program),
		with_image(elf_files_that_are_no_programs),
		with_image(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
