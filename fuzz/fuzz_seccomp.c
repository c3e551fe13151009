/*
 * Bytes become a seccomp profile; its filter must be one that the kernel takes, and must return for
 * each system call what the plain reading of the profile says (tests/unit/seccomp_naive.h).
 */
#include "bpf_machine.h" /* this and seccomp_*.h are in tests/unit */
#include "frame.h"
#include "seccomp_naive.h"
#include "seccomp_profiles.h"

#define CALLS 100

/* x32 stands first, as no program's own architecture. */
static const uint32_t archs[] = {
	SPEC_ARCH_X32,       AUDIT_ARCH_X86_64,    AUDIT_ARCH_I386,        AUDIT_ARCH_AARCH64,
	AUDIT_ARCH_ARM,      AUDIT_ARCH_MIPS,      AUDIT_ARCH_MIPSEL,      AUDIT_ARCH_MIPS64,
	AUDIT_ARCH_MIPSEL64, AUDIT_ARCH_MIPS64N32, AUDIT_ARCH_PARISC,      AUDIT_ARCH_PARISC64,
	AUDIT_ARCH_PPC,      AUDIT_ARCH_PPC64,     AUDIT_ARCH_PPC64LE,     AUDIT_ARCH_S390,
	AUDIT_ARCH_S390X,    AUDIT_ARCH_RISCV64,   AUDIT_ARCH_MIPSEL64N32,
};

/* A number that some rule names, or any other near it. */
static uint32_t choose_number(struct choices *c, const struct spec_seccomp *p, uint32_t abi)
{
	const struct spec_seccomp_rule *rule =
		p->rule_count ? &p->rules[choose(c, (uint32_t)p->rule_count)] : NULL;
	int number;

	if (!rule || !choose(c, 4))
		return odd_numbers[choose(c, array_len(odd_numbers))] + choose(c, 100);
	number = seccomp_syscall_number(abi,
					rule->names.item[choose(c, (uint32_t)rule->names.count)]);
	if (number < 0 || !choose(c, 6))
		number = seccomp_syscall_number(
			abi, naive_multiplexes(abi) && choose(c, 2) ? "ipc" : "socketcall");
	if (number < 0)
		number = seccomp_syscall_number(abi, "openat");
	return (uint32_t)number + (choose(c, 4) ? 0 : choose(c, 3) - 1u);
}

static void check(const struct spec_seccomp *p, const struct seccomp_program *program,
		  uint32_t native, struct choices *c)
{
	uint32_t abi = choose(c, 5) && p->architecture_count
			       ? p->architectures[choose(c, (uint32_t)p->architecture_count)]
			       : native;
	uint32_t arch = abi == SPEC_ARCH_X32 ? AUDIT_ARCH_X86_64 : abi,
		 nr = choose_number(c, p, abi), got, wanted;
	struct bpf_machine_data machine;
	uint64_t args[6];

	choose_call_args(c, p, args);
	machine = bpf_machine_data(nr, arch, args, !(native & __AUDIT_ARCH_LE));
	got = bpf_machine_run(program->code, program->length, &machine, NULL);
	wanted = naive_outcome(p, native, arch, nr, args);
	fuzz_hold(got == wanted, "native %08x arch %08x call %u: filter %08x, profile %08x", native,
		  arch, nr, got, wanted);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct choices c = {.data = (const uint8_t *)text, .left = length},
		       calls = {.seed = length};
	struct profile_limits limits = {
		.rules = 60, .args = 6, .names = 12, .actions = 7, .order = true};
	struct seccomp_program program;
	struct spec_seccomp *p;
	uint32_t native;
	struct err e;

	native = archs[1 + choose(&c, array_len(archs) - 1)];
	p = choose_profile(&c, a, &limits, archs, array_len(archs));
	if (seccomp_compile(p, native, NULL, a, &program, &e))
		return; /* too large */
	fuzz_hold(bpf_machine_valid(program.code, program.length), "the kernel would refuse it");
	for (unsigned i = 0; i < CALLS; i++)
		check(p, &program, native, &calls);
}
