/*
 * Device rules in version 2: a BPF program that the kernel asks at each mknod and open of a device.
 *Called by devices.c; the compiler is pure. Sources: linux/bpf.h (struct bpf_cgroup_dev_ctx), the
 *kernel's bpf/standardization.
 *
 * Form of the program, for the rules that every container has:
 *
 *	r0 = 1; r2 = access<<16 | type; r3 = major; r4 = minor
 *	if r2 & (r|w)<<16 skip; exit                   b *:* m, c *:* m
 *	if r2 & BLOCK goto end                         section of the 'c' rules
 *	if r3 != 1 skip                                group of major 1
 *	  if r4 == 3 exit; if r4 == 5 exit; …
 *	if r3 == 136 exit
 *	end: r0 = 0; exit
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "cgroup/devices.h"
#include "sys/bpf.h"

#define PROGRAM_NAME "creel_devices"
#define ATTACHED_MAX 64 /* the kernel's own limit of programs on a cgroup */

/* ---- compiler -------------------------------------------------------------------------------- */

enum { RESULT, CONTEXT, ACCESS, MAJOR, MINOR }; /* the registers' use */

#define TO_EXIT INT16_MAX /* a jump to the last instruction, whose place is not known yet */

struct program {
	struct bpf_insn *insn;
	size_t count;
	bool allow; /* the default of the policy */
};

static void add(struct program *p, int code, unsigned dst, int16_t off, int64_t imm)
{
	p->insn[p->count++] = (struct bpf_insn){
		.code = (uint8_t)code,
		.dst_reg = dst & 15,
		.off = off,
		.imm = (int32_t)imm,
	};
}

static void add_load(struct program *p, unsigned reg, size_t offset)
{
	add(p, BPF_LDX | BPF_W | BPF_MEM, reg, (int16_t)offset, 0);
	p->insn[p->count - 1].src_reg = CONTEXT;
}

/* A conditional jump on 32 bits; its target is set by land, or is TO_EXIT. Returns its place. */
static size_t add_jump(struct program *p, int condition, unsigned reg, int64_t value, int16_t off)
{
	add(p, BPF_JMP32 | condition | BPF_K, reg, off, value);
	return p->count - 1;
}

/* Makes the jump at place come out at the next instruction. */
static void land(struct program *p, size_t place)
{
	p->insn[place].off = (int16_t)(p->count - place - 1);
}

/* Whether the rule matches whatever is done with the device. */
static bool any_access(const struct program *p, const struct device_exception *it)
{
	return !p->allow && it->access == DEVICE_ACCESS_ALL;
}

/*
 * One exception, its type and major number being right already. An allowing one must cover all that
 * is asked for, a denying one matches where it has anything in common with it.
 */
static void add_exception(struct program *p, const struct device_exception *it)
{
	unsigned mask = p->allow ? it->access : ~it->access & DEVICE_ACCESS_ALL;
	size_t minor = 0, access;

	if (any_access(p, it) && it->minor != DEVICE_ANY) {
		(void)add_jump(p, BPF_JEQ, MINOR, it->minor, TO_EXIT);
		return;
	}
	if (it->minor != DEVICE_ANY)
		minor = add_jump(p, BPF_JNE, MINOR, it->minor, 0);
	if (p->allow) {
		(void)add_jump(p, BPF_JSET, ACCESS, mask << 16, TO_EXIT);
	} else if (any_access(p, it)) {
		add(p, BPF_JMP | BPF_JA, 0, TO_EXIT, 0);
	} else {
		access = add_jump(p, BPF_JSET, ACCESS, mask << 16, 0);
		add(p, BPF_JMP | BPF_JA, 0, TO_EXIT, 0);
		land(p, access);
	}
	if (minor)
		land(p, minor);
}

/* All exceptions with the same major number. */
static void add_group(struct program *p, const struct device_exception *it, size_t count)
{
	size_t skip = 0;

	if (it->major != DEVICE_ANY && it->minor == DEVICE_ANY && any_access(p, it)) {
		(void)add_jump(p, BPF_JEQ, MAJOR, it->major, TO_EXIT);
		return; /* it covers what else there was */
	}
	if (it->major != DEVICE_ANY)
		skip = add_jump(p, BPF_JNE, MAJOR, it->major, 0);
	for (size_t i = 0; i < count; i++)
		add_exception(p, &it[i]);
	if (skip)
		land(p, skip);
}

/* All exceptions of one type; 'a' stands for both. */
static void add_section(struct program *p, const struct device_exception *it, size_t count)
{
	size_t skip = 0;

	if (it->type != 'a')
		skip = add_jump(p, BPF_JSET, ACCESS,
				it->type == 'c' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, 0);
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i; end < count && it[end].major == it[i].major;)
			end++;
		add_group(p, &it[i], end - i);
	}
	if (skip)
		land(p, skip);
}

static int compare(const void *x, const void *y)
{
	const struct device_exception *a = x, *b = y;

	if (a->type != b->type)
		return a->type < b->type ? -1 : 1;
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	return (a->minor > b->minor) - (a->minor < b->minor);
}

/*
 * Two exceptions that differ in their type alone become one for both types. Returns how many are
 * left, sorted.
 */
static size_t join_types(struct device_exception *item, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; item[i].type == 'c' && k < count; k++)
			if (item[k].type == 'b' && item[k].major == item[i].major &&
			    item[k].minor == item[i].minor && item[k].access == item[i].access) {
				item[i].type = 'a';
				item[k].type = 0;
			}
	for (size_t i = 0; i < count; i++)
		if (item[i].type)
			item[kept++] = item[i];
	qsort(item, kept, sizeof(*item), compare);
	return kept;
}

static void add_program(struct program *p, const struct device_exception *item, size_t count)
{
	bool major = false, minor = false;

	for (size_t i = 0; i < count; i++) {
		major |= item[i].major != DEVICE_ANY;
		minor |= item[i].minor != DEVICE_ANY;
	}
	add(p, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, !p->allow);
	add_load(p, ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	if (major)
		add_load(p, MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	if (minor)
		add_load(p, MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = 0, end; i < count; i = end) {
		for (end = i; end < count && item[end].type == item[i].type;)
			end++;
		add_section(p, &item[i], end - i);
	}
	add(p, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, p->allow);
}

int devices_compile(const struct device_policy *policy, struct arena *a, struct bpf_insn **ret,
		    size_t *ret_count, struct err *e)
{
	struct device_exception *item = arena_get_array(a, policy->count, sizeof(*item), e);
	struct program p = {.allow = policy->allow};
	size_t count;

	/* At most five instructions an exception with its group, and two for each section. */
	p.insn = item ? arena_get_array(a, 5 * policy->count + 16, sizeof(*p.insn), e) : NULL;
	if (!p.insn)
		return -1;
	if (policy->count)
		memcpy(item, policy->item, policy->count * sizeof(*item));
	count = join_types(item, policy->count);
	if (count == 1 && item->type == 'a' && item->major == DEVICE_ANY &&
	    item->minor == DEVICE_ANY && any_access(&p, item)) {
		p.allow = true; /* the exceptions say all */
		count = 0;
	}
	if (count)
		add_program(&p, item, count);
	else
		add(&p, BPF_ALU64 | BPF_MOV | BPF_K, RESULT, 0, p.allow);
	add(&p, BPF_JMP | BPF_EXIT, 0, 0, 0);
	for (size_t i = 0; i < p.count; i++)
		if (p.insn[i].off == TO_EXIT)
			p.insn[i].off = (int16_t)(p.count - i - 2);
	*ret = p.insn;
	*ret_count = p.count;
	return 0;
}

/* ---- in force -------------------------------------------------------------------------------- */

/*
 * The program on the cgroup that ours replaces: the one we attached earlier, or the only one
 * (another runtime's or systemd's, from whom the container was taken over). −1 in *ret: none.
 */
static int find_old(int cgroup, int *ret, struct err *e)
{
	uint32_t ids[ATTACHED_MAX];
	int count = bpf_query_devices(cgroup, ids, ATTACHED_MAX, e);

	*ret = -1;
	if (count < 0)
		return -1;
	for (int i = 0; i < count; i++) {
		char name[BPF_DEVICE_NAME_MAX];
		int fd = bpf_open_program(ids[i], name, e);

		if (fd < 0)
			return -1;
		if (count == 1 || str_equal(name, PROGRAM_NAME)) {
			*ret = fd;
			return 0;
		}
		fd_close(&fd);
	}
	return 0;
}

int devices_apply_v2(const char *dir, const struct device_policy *policy, struct arena *a,
		     struct err *e)
{
	_close_ int cgroup = openat(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		    program = -1, old = -1;
	struct bpf_insn *insn;
	size_t count;

	if (cgroup < 0)
		return err_sys(e, "open cgroup %s", dir);
	if (find_old(cgroup, &old, e))
		return err_wrap(e, "restrict devices in %s", dir);
	if (policy->allow && !policy->count) {
		if (old >= 0 && bpf_detach_device(cgroup, old, e))
			return err_wrap(e, "restrict devices in %s", dir);
		return 0;
	}
	if (devices_compile(policy, a, &insn, &count, e))
		return -1;
	program = bpf_load_device(insn, count, PROGRAM_NAME, e);
	if (program < 0 || bpf_attach_device(cgroup, program, old, e)) {
		err_wrap(e, "restrict devices in %s", dir);
		return err_hint(
			e, "it takes CAP_BPF or CAP_SYS_ADMIN and a kernel with CONFIG_CGROUP_BPF");
	}
	return 0;
}
