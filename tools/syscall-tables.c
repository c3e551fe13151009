/*
 * Prints the system call tables of every architecture as C, for src/security/seccomp_syscalls.c.
 *
 * Runs at build time on the building machine. The numbers come from libseccomp, which follows the
 * kernel's tables; creel itself never links to it. A short list of newer calls follows below: since
 * Linux 5.1 a new call has one number on all architectures. Must not print pointers, which would
 * cost the program relocations at each start.
 */
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 2000 /* some 550 are different; each round adds 300 before they are sorted */
#define HASH_SIZE 1024 /* a power of two, twice the number of names */
#define ROWS_MAX 32
#define NONE 0xffffu

/*
 * The slots of a row: 0 … 767 are the numbers from the architecture's base on, the rest ARM's
 * private ones.
 */
#define SLOTS_PLAIN 768
#define PRIVATE_BASE 0xf0000
#define SLOTS_PRIVATE 16

struct arch {
	const char *name;  /* libseccomp's */
	const char *token; /* how C spells AUDIT_ARCH_… */
	uint32_t base;
	int wide; /* arguments are compared as 64 bits */
};

static const struct arch archs[] = {
	{"x86_64", "AUDIT_ARCH_X86_64", 0, 1},
	{"x86", "AUDIT_ARCH_I386", 0, 0},
	{"x32", "SPEC_ARCH_X32", 0x40000000, 0},
	{"aarch64", "AUDIT_ARCH_AARCH64", 0, 1},
	{"arm", "AUDIT_ARCH_ARM", 0, 0},
	{"loongarch64", "AUDIT_ARCH_LOONGARCH64", 0, 1},
	{"m68k", "AUDIT_ARCH_M68K", 0, 0},
	{"mips", "AUDIT_ARCH_MIPS", 4000, 0},
	{"mipsel", "AUDIT_ARCH_MIPSEL", 4000, 0},
	{"mips64", "AUDIT_ARCH_MIPS64", 5000, 1},
	{"mipsel64", "AUDIT_ARCH_MIPSEL64", 5000, 1},
	{"mips64n32", "AUDIT_ARCH_MIPS64N32", 6000, 0},
	{"mipsel64n32", "AUDIT_ARCH_MIPSEL64N32", 6000, 0},
	{"parisc", "AUDIT_ARCH_PARISC", 0, 0},
	{"parisc64", "AUDIT_ARCH_PARISC64", 0, 1},
	{"ppc", "AUDIT_ARCH_PPC", 0, 0},
	{"ppc64", "AUDIT_ARCH_PPC64", 0, 1},
	{"ppc64le", "AUDIT_ARCH_PPC64LE", 0, 1},
	{"riscv64", "AUDIT_ARCH_RISCV64", 0, 1},
	{"s390", "AUDIT_ARCH_S390", 0, 0},
	{"s390x", "AUDIT_ARCH_S390X", 0, 1},
	{"sh", "AUDIT_ARCH_SHEL", 0, 0},
	{"sheb", "AUDIT_ARCH_SH", 0, 0},
};

/* Newer than the libseccomp of some distributions; <asm-generic/unistd.h> of Linux 6.17. */
static const struct {
	const char *name;
	unsigned number;
} newer[] = {
	{"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
	{"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
	{"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
	{"file_setattr", 469},
};

static char *names[NAMES_MAX];
static unsigned name_count;
static uint16_t rows[ROWS_MAX][NAMES_MAX];
static unsigned row_count;
static unsigned calls[NAMES_MAX]; /* the call number within socketcall(2) or ipc(2), see call_of */

static void fail(const char *what, const char *name)
{
	(void)fprintf(stderr, "syscall-tables: %s: %s\n", name, what);
	exit(1);
}

static void add_name(const char *name)
{
	if (name_count == NAMES_MAX)
		fail("too many system calls", name);
	names[name_count] = strdup(name);
	if (!names[name_count++])
		fail("out of memory", name);
}

static void add_numbers(uint32_t token, int first, int last)
{
	for (int number = first; number <= last; number++) {
		char *name = seccomp_syscall_resolve_num_arch(token, number);

		if (name)
			add_name(name);
		free(name);
	}
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_names(void)
{
	unsigned kept = 0;

	qsort(names, name_count, sizeof(names[0]), compare_names);
	for (unsigned i = 0; i < name_count; i++)
		if (!kept || strcmp(names[kept - 1], names[i]))
			names[kept++] = names[i];
	name_count = kept;
}

/*
 * Numbers below zero are libseccomp's own, for the names that an architecture lacks or multiplexes.
 */
static void collect_names(void)
{
	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		uint32_t token = seccomp_arch_resolve_name(archs[i].name);

		if (!token)
			continue;
		add_numbers(token, -300, -100);
		sort_names();
		add_numbers(token, -10300, -10000);
		sort_names();
		for (int at = 0; at < SLOTS_PLAIN; at += 256) {
			add_numbers(token, (int)archs[i].base + at, (int)archs[i].base + at + 255);
			sort_names();
		}
		add_numbers(token, PRIVATE_BASE, PRIVATE_BASE + SLOTS_PRIVATE - 1);
		sort_names();
	}
	for (unsigned i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		add_name(newer[i].name);
	sort_names();
}

static unsigned newer_number(const char *name)
{
	for (unsigned i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		if (!strcmp(newer[i].name, name))
			return newer[i].number;
	return NONE;
}

static unsigned slot_of(const struct arch *arch, const char *name, int number)
{
	if (number >= (int)arch->base && number < (int)arch->base + SLOTS_PLAIN - 1)
		return (unsigned)number - arch->base;
	if (number >= PRIVATE_BASE && number < PRIVATE_BASE + SLOTS_PRIVATE)
		return (unsigned)(number - PRIVATE_BASE + SLOTS_PLAIN);
	fail("a number that fits no slot", name);
	return NONE;
}

/* −101 … −120 are calls of socketcall(2), −201 … −224 of ipc(2); told apart by the high bit. */
static unsigned call_of(int number)
{
	if (number <= -101 && number >= -120)
		return (unsigned)-number - 100;
	if (number <= -201 && number >= -224)
		return ((unsigned)-number - 200) | 0x80;
	return 0;
}

/*
 * Where a call is multiplexed, its direct number, if any, is only found by looking through the
 * numbers.
 */
static unsigned direct_slot(const struct arch *arch, uint32_t token, const char *wanted)
{
	for (unsigned slot = 0; slot < SLOTS_PLAIN; slot++) {
		char *name = seccomp_syscall_resolve_num_arch(token, (int)(arch->base + slot));
		int same = name && !strcmp(name, wanted);

		free(name);
		if (same)
			return slot;
	}
	return NONE;
}

/*
 * Fills the next row; returns whether the architecture multiplexes. Where it does not, a call is
 * just missing.
 */
static int fill_row(const struct arch *arch, uint32_t token)
{
	uint16_t *row = rows[row_count];
	int multiplexes = seccomp_syscall_resolve_name_arch(token, "socketcall") >= 0;

	for (unsigned i = 0; i < name_count; i++) {
		int number = seccomp_syscall_resolve_name_arch(token, names[i]);
		unsigned call = call_of(number);

		row[i] = NONE;
		if (call && multiplexes) {
			if (calls[i] && calls[i] != call)
				fail("multiplexed in two ways", names[i]);
			calls[i] = call;
			row[i] = (uint16_t)direct_slot(arch, token, names[i]);
		} else if (number >= 0) {
			row[i] = (uint16_t)slot_of(arch, names[i], number);
		} else if (newer_number(names[i]) != NONE) {
			row[i] = (uint16_t)newer_number(names[i]);
		}
	}
	return multiplexes;
}

/* The same hash as in seccomp_syscalls.c. */
static unsigned hash(const char *name)
{
	unsigned h = 0;

	for (; *name; name++)
		h = h * 31 + (unsigned char)*name;
	return (h ^ h >> 10) & (HASH_SIZE - 1);
}

static unsigned index_of(const char *name)
{
	for (unsigned i = 0; i < name_count; i++)
		if (!strcmp(names[i], name))
			return i;
	fail("no such system call", name);
	return 0;
}

static void print_names(void)
{
	static unsigned table[HASH_SIZE];
	size_t at = 0;

	printf("#define SYSCALL_NAMES %u\n#define SYSCALL_HASH_SIZE %u\n", name_count, HASH_SIZE);
	printf("#define SYSCALL_SLOTS_PLAIN %u\n#define SYSCALL_PRIVATE_BASE %#x\n", SLOTS_PLAIN,
	       PRIVATE_BASE);
	printf("#define SYSCALL_NAME_SOCKETCALL %u\n#define SYSCALL_NAME_IPC %u\n",
	       index_of("socketcall"), index_of("ipc"));
	printf("static const char syscall_pool[] =\n");
	for (unsigned i = 0; i < name_count; i++)
		printf("\t\"%s\\0\"\n", names[i]);
	printf(";\nstatic const uint16_t syscall_name_at[] = {");
	for (unsigned i = 0; i < name_count; i++) {
		printf("%s%zu,", i % 16 ? " " : "\n\t", at);
		at += strlen(names[i]) + 1;
	}
	for (unsigned i = 0; i < name_count; i++) {
		unsigned place = hash(names[i]);

		while (table[place])
			place = (place + 1) % HASH_SIZE;
		table[place] = i + 1;
	}
	printf("\n};\nstatic const uint16_t syscall_hash[] = {");
	for (unsigned i = 0; i < HASH_SIZE; i++)
		printf("%s%u,", i % 16 ? " " : "\n\t", table[i]);
	printf("\n};\n");
}

static void print_row(unsigned row)
{
	printf("\t{");
	for (unsigned i = 0; i < name_count; i++)
		printf("%s%u,", i % 16 ? " " : "\n\t\t", rows[row][i]);
	printf("\n\t},\n");
}

static void print_archs(void)
{
	char list[64][160];
	unsigned count = 0;

	for (unsigned i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		const struct arch *arch = &archs[i];
		uint32_t token = seccomp_arch_resolve_name(arch->name);
		unsigned row = 0;
		int multiplexes;

		if (!token)
			continue;
		multiplexes = fill_row(arch, token);
		while (memcmp(rows[row], rows[row_count], sizeof(rows[0])))
			row++;
		row_count += row == row_count;
		(void)snprintf(list[count++], sizeof(list[0]), "{%s, %#x, %u, %d, %d}", arch->token,
			       arch->base, row, arch->wide, multiplexes);
	}
	printf("static const uint16_t syscall_slots[][SYSCALL_NAMES] = {\n");
	for (unsigned row = 0; row < row_count; row++)
		print_row(row);
	printf("};\nstatic const struct seccomp_arch syscall_archs[] = {\n");
	for (unsigned i = 0; i < count; i++)
		printf("\t%s,\n", list[i]);
	printf("};\nstatic const uint8_t syscall_calls[] = {");
	for (unsigned i = 0; i < name_count; i++)
		printf("%s%u,", i % 24 ? " " : "\n\t", calls[i]);
	printf("\n};\n");
}

int main(void)
{
	const struct scmp_version *version = seccomp_version();

	collect_names();
	printf("/* Made by tools/syscall-tables.c with libseccomp %u.%u.%u. */\n", version->major,
	       version->minor, version->micro);
	printf("#pragma once\n\n#include <linux/audit.h>\n#include <stdint.h>\n\n"
	       "#include \"security/seccomp_syscalls.h\"\n#include \"spec/words.h\"\n\n");
	print_names();
	print_archs();
	return fflush(stdout) ? 1 : 0;
}
