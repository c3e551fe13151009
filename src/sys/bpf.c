/*
 * bpf(2) wrappers: see bpf.h. The C libraries have none, so the calls are made by number.
 */
#include "sys/bpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"

_Static_assert(BPF_DEVICE_NAME_MAX == BPF_OBJ_NAME_LEN, "length of a program name");

static int call(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int bpf_load_device(const struct bpf_insn *insns, size_t count, const char *name, struct err *e)
{
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
		.expected_attach_type = BPF_CGROUP_DEVICE,
		.insns = (uintptr_t)insns,
		.insn_cnt = (uint32_t)count,
		.license = (uintptr_t) "", /* the program calls nothing that asks for one */
	};
	int fd;

	memcpy(attr.prog_name, name, strnlen(name, sizeof(attr.prog_name) - 1));
	do
		fd = call(BPF_PROG_LOAD, &attr);
	while (fd < 0 && errno == EAGAIN); /* the verifier was interrupted by a signal */
	if (fd < 0)
		return err_sys(e, "load the device program (%zu instructions)", count);
	return fd;
}

int bpf_attach_device(int cgroup, int program, int old, struct err *e)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
		.attach_flags = BPF_F_ALLOW_MULTI,
	};

	if (old >= 0) {
		attr.attach_flags |= BPF_F_REPLACE;
		attr.replace_bpf_fd = (uint32_t)old;
	}
	if (call(BPF_PROG_ATTACH, &attr))
		return err_sys(e, "attach the device program to the cgroup");
	return 0;
}

int bpf_detach_device(int cgroup, int program, struct err *e)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)program,
		.attach_type = BPF_CGROUP_DEVICE,
	};

	if (call(BPF_PROG_DETACH, &attr))
		return err_sys(e, "detach the old device program from the cgroup");
	return 0;
}

int bpf_query_devices(int cgroup, uint32_t *ret_ids, uint32_t max, struct err *e)
{
	union bpf_attr attr = {
		.query =
			{
				.target_fd = (uint32_t)cgroup,
				.attach_type = BPF_CGROUP_DEVICE,
				.prog_ids = (uintptr_t)ret_ids,
				.prog_cnt = max,
			},
	};

	if (call(BPF_PROG_QUERY, &attr))
		return err_sys(e, "list the device programs of the cgroup");
	return (int)attr.query.prog_cnt;
}

int bpf_open_program(uint32_t id, char ret_name[BPF_DEVICE_NAME_MAX], struct err *e)
{
	union bpf_attr attr = {.prog_id = id};
	struct bpf_prog_info info = {0};
	_close_ int fd = call(BPF_PROG_GET_FD_BY_ID, &attr);

	if (fd < 0)
		return err_sys(e, "open BPF program %u", id);
	attr = (union bpf_attr){
		.info =
			{
				.bpf_fd = (uint32_t)fd,
				.info_len = sizeof(info),
				.info = (uintptr_t)&info,
			},
	};
	if (call(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return err_sys(e, "read the name of BPF program %u", id);
	memcpy(ret_name, info.name, BPF_DEVICE_NAME_MAX);
	ret_name[BPF_DEVICE_NAME_MAX - 1] = '\0';
	return fd_take(&fd);
}
