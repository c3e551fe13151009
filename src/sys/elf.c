/*
 * What execve(2) looks at in an ELF file: see elf.h.
 */
#include "sys/elf.h"

#include <elf.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* On other machines no program is told to be foreign. */
#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#define BROTHER EM_386
#define OWN_NAME "x86-64"
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#define BROTHER EM_ARM
#define OWN_NAME "arm64"
#else
#define OWN_MACHINE EM_NONE
#define BROTHER EM_NONE
#define OWN_NAME ""
#endif

const char elf_own_machine[] = OWN_NAME;

#define OWN_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)
#define HEADERS_MAX 65536 /* bytes of program headers that the kernel takes */

/* Where the two classes have what is needed; the rest of the code knows but one. */
struct headers {
	uint64_t offset;
	size_t size, count;
};
struct segment {
	uint32_t type;
	uint64_t offset, size;
};

bool elf_is(const char *head, size_t length)
{
	return length >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG);
}

static const char *machine_name(unsigned machine)
{
	static const struct {
		uint16_t machine;
		char name[12];
	} names[] = {
		{EM_X86_64, "x86-64"}, {EM_AARCH64, "arm64"}, {EM_386, "i386"},   {EM_ARM, "arm"},
		{EM_RISCV, "riscv"},   {EM_PPC64, "ppc64"},   {EM_S390, "s390"},  {EM_MIPS, "mips"},
		{EM_PPC, "ppc"},       {EM_SPARCV9, "sparc"}, {258, "loongarch"},
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (names[i].machine == machine)
			return names[i].name;
	return "another machine";
}

static void find_machine(const unsigned char *head, struct elf *ret)
{
	bool own_order = head[EI_DATA] == OWN_DATA;
	unsigned low = head[18], high = head[19]; /* e_machine, in both classes */
	unsigned machine = head[EI_DATA] == ELFDATA2MSB ? low << 8 | high : high << 8 | low;

	bool own = own_order && (machine == OWN_MACHINE || machine == BROTHER);

	ret->machine = machine_name(machine);
	ret->runs = own || OWN_MACHINE == EM_NONE ? ELF_MAY_RUN : ELF_FOREIGN;
	if (own && machine == OWN_MACHINE && head[EI_CLASS] == ELFCLASS64 && OWN_MACHINE != EM_NONE)
		ret->runs = ELF_RUNS;
}

/* Bytes of the file at an offset, from head where they are there. */
static bool read_at(int fd, const char *head, size_t length, uint64_t offset, void *to, size_t size)
{
	if (offset <= length && size <= length - offset) {
		memcpy(to, head + offset, size);
		return true;
	}
	return offset <= INT64_MAX && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool find_headers(const char *head, size_t length, bool wide, struct headers *ret)
{
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;

	if (length < (wide ? sizeof(e64) : sizeof(e32)))
		return false;
	memcpy(&e64, head, wide ? sizeof(e64) : 0);
	memcpy(&e32, head, wide ? 0 : sizeof(e32));
	*ret = wide ? (struct headers){e64.e_phoff, e64.e_phentsize, e64.e_phnum}
		    : (struct headers){e32.e_phoff, e32.e_phentsize, e32.e_phnum};
	return ret->size == (wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) && ret->count &&
	       ret->size * ret->count <= HEADERS_MAX;
}

static struct segment segment_of(const void *header, bool wide)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;

	if (wide) {
		memcpy(&p64, header, sizeof(p64));
		return (struct segment){p64.p_type, p64.p_offset, p64.p_filesz};
	}
	memcpy(&p32, header, sizeof(p32));
	return (struct segment){p32.p_type, p32.p_offset, p32.p_filesz};
}

/* The kernel takes the first PT_INTERP there is. */
static void find_interpreter(int fd, const char *head, size_t length, const struct headers *all,
			     struct elf *ret)
{
	bool wide = head[EI_CLASS] == ELFCLASS64;
	char header[sizeof(Elf64_Phdr)];
	struct segment s = {.type = PT_NULL};

	for (size_t i = 0; i < all->count && s.type != PT_INTERP; i++) {
		if (!read_at(fd, head, length, all->offset + i * all->size, header, all->size))
			return;
		s = segment_of(header, wide);
	}
	if (s.type != PT_INTERP || s.size < 2 || s.size > sizeof(ret->interpreter) ||
	    !read_at(fd, head, length, s.offset, ret->interpreter, s.size) ||
	    ret->interpreter[s.size - 1] != '\0')
		ret->interpreter[0] = '\0';
}

/* Whether the file has all of its headers. */
static bool has_headers(int fd, const char *head, size_t length, const struct headers *all)
{
	uint64_t last = all->offset + (all->count - 1) * all->size;
	char header[sizeof(Elf64_Phdr)];

	return last >= all->offset && read_at(fd, head, length, last, header, all->size);
}

/* Why a file for this machine is no program; NULL when it is one. */
static const char *find_fault(int fd, const char *head, size_t length, struct elf *ret)
{
	struct headers all;
	uint16_t type;

	memcpy(&type, head + 16, sizeof(type));
	if (type != ET_EXEC && type != ET_DYN)
		return "it is an ELF file, but no program";
	if (!find_headers(head, length, head[EI_CLASS] == ELFCLASS64, &all))
		return "its ELF header is damaged";
	if (!has_headers(fd, head, length, &all))
		return "the file is cut off";
	find_interpreter(fd, head, length, &all, ret);
	return NULL;
}

void elf_read(int fd, const char *head, size_t length, struct elf *ret)
{
	*ret = (struct elf){.runs = ELF_NEVER, .machine = "", .fault = "the file is cut off"};
	if (length < 20)
		return;
	find_machine((const unsigned char *)head, ret);
	ret->fault = NULL;
	if (ret->runs == ELF_FOREIGN || head[EI_DATA] != OWN_DATA)
		return;
	ret->fault = find_fault(fd, head, length, ret);
	if (ret->fault)
		ret->runs = ELF_NEVER;
}
