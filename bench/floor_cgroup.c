/*
 * The floor program's cgroups: made, limited to the default devices, joined and removed, in the
 * version 1, hybrid and version 2 layouts. No controller is asked for but the device one, as in the
 * default configuration.
 */
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The devices that every container may use, as runc's default: null, zero, full, random, urandom,
 * tty, ptmx and the pseudo terminals, and making any node. The program gets struct
 * bpf_cgroup_dev_ctx in register 1.
 */
#define LOAD(to, offset) \
	{ \
		.code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = (to), .src_reg = 1, .off = (offset) \
	}
#define MOVE(to, from) \
	{ \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), .src_reg = (from) \
	}
#define ALU(op, to, value) \
	{ \
		.code = BPF_ALU64 | (op) | BPF_K, .dst_reg = (to), .imm = (value) \
	}
#define JUMP(op, reg, value, skip) \
	{ \
		.code = BPF_JMP | (op) | BPF_K, .dst_reg = (reg), .off = (skip), .imm = (value) \
	}
#define EXIT \
	{ \
		.code = BPF_JMP | BPF_EXIT \
	}

static const struct bpf_insn device_filter[] = {
	LOAD(2, 0), /* access in the upper half, type in the lower */
	MOVE(3, 2),
	ALU(BPF_RSH, 3, 16),
	JUMP(BPF_JEQ, 3, BPF_DEVCG_ACC_MKNOD, 11),
	ALU(BPF_AND, 2, 0xffff),
	JUMP(BPF_JNE, 2, BPF_DEVCG_DEV_CHAR, 13),
	LOAD(4, 4), /* major */
	LOAD(5, 8), /* minor */
	JUMP(BPF_JEQ, 4, 136, 6),
	JUMP(BPF_JEQ, 4, 5, 7),
	JUMP(BPF_JNE, 4, 1, 8),
	JUMP(BPF_JEQ, 5, 3, 3),
	JUMP(BPF_JEQ, 5, 5, 2),
	JUMP(BPF_JLT, 5, 7, 5),
	JUMP(BPF_JGT, 5, 9, 4),
	ALU(BPF_MOV, 0, 1), /* allow */
	EXIT,
	JUMP(BPF_JEQ, 5, 0, -3), /* tty */
	JUMP(BPF_JEQ, 5, 2, -4), /* ptmx */
	ALU(BPF_MOV, 0, 0),      /* deny */
	EXIT,
};

static void restrict_devices_v2(int cgroup)
{
	union bpf_attr load = {.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
			       .insns = (uintptr_t)device_filter,
			       .insn_cnt = array_len(device_filter),
			       .license = (uintptr_t) "GPL"};
	union bpf_attr attach_to = {.target_fd = (uint32_t)cgroup,
				    .attach_type = BPF_CGROUP_DEVICE,
				    .attach_flags = BPF_F_ALLOW_MULTI};

	attach_to.attach_bpf_fd =
		(uint32_t)check(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)), "bpf load");
	check(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach_to, sizeof(attach_to)), "bpf attach");
	close((int)attach_to.attach_bpf_fd);
}

static void restrict_devices_v1(int cgroup)
{
	static const char *const allowed[] = {"c *:* m",   "b *:* m",    "c 1:3 rwm", "c 1:5 rwm",
					      "c 1:7 rwm", "c 1:8 rwm",  "c 1:9 rwm", "c 5:0 rwm",
					      "c 5:2 rwm", "c 136:* rwm"};
	int fd;

	write_at(cgroup, "devices.deny", "a");
	fd = check(openat(cgroup, "devices.allow", O_WRONLY | O_CLOEXEC), "devices.allow");
	for (size_t i = 0; i < array_len(allowed); i++)
		check(write(fd, allowed[i], strlen(allowed[i])), allowed[i]);
	close(fd);
}

/* A new version 1 cpuset is empty, and nothing can join it. */
static void fill_cpuset(int cgroup)
{
	static const char *const files[][2] = {{"../cpuset.cpus", "cpuset.cpus"},
					       {"../cpuset.mems", "cpuset.mems"}};
	char value[512];

	for (size_t i = 0; i < array_len(files); i++) {
		read_at(cgroup, files[i][0], value, sizeof(value));
		write_at(cgroup, files[i][1], value);
	}
}

bool cgroup_is_of(const char *cgroup, const char *hierarchy)
{
	const char *name = cgroup + strlen("/sys/fs/cgroup/");
	size_t length = strlen(hierarchy);

	return strncmp(name, hierarchy, length) == 0 && name[length] == '/';
}

void cgroup_enter(struct container *c, bool make)
{
	for (char **cgroup = c->cgroups; *cgroup; cgroup++) {
		bool unified = c->v2 || cgroup_is_of(*cgroup, "unified");
		int fd;

		if (make)
			check(mkdir(*cgroup, 0755), *cgroup);
		fd = check(open(*cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC), *cgroup);
		if (make && c->v2)
			restrict_devices_v2(fd);
		else if (make && cgroup_is_of(*cgroup, "devices"))
			restrict_devices_v1(fd);
		else if (make && cgroup_is_of(*cgroup, "cpuset"))
			fill_cpuset(fd);
		if (unified)
			c->cgroup_fd = fd;
		else
			close(fd);
	}
}

/*
 * Version 1, in the child: "0" means oneself, and is cheaper than a PID, which takes a lock of the
 * whole machine.
 */
void cgroup_join(const struct container *c)
{
	char path[256];

	for (char **cgroup = c->cgroups; *cgroup && !c->v2; cgroup++) {
		if (cgroup_is_of(*cgroup, "unified"))
			continue;
		put_path(path, *cgroup, "tasks");
		write_at(AT_FDCWD, path, "0");
	}
}

void cgroup_remove(const struct container *c)
{
	for (char **cgroup = c->cgroups; *cgroup; cgroup++)
		while (rmdir(*cgroup) < 0 && errno == EBUSY)
			usleep(100);
}
