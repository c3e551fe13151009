/*
 * bpf(2), as far as the device filter of a version 2 cgroup needs it. Caller: cgroup/devices_v2.c.
 * Nothing here knows what a program means. Source: bpf(2), linux/bpf.h.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bpf_insn;

#define BPF_DEVICE_NAME_MAX 16 /* bytes of a program's name, with its NUL */

/*
 * Loads a program of type BPF_PROG_TYPE_CGROUP_DEVICE under name (letters, digits, '_' and '.', at
 * most 15) and returns its descriptor.
 */
int bpf_load_device(const struct bpf_insn *insns, size_t count, const char *name,
		    struct err *e) must_check;

/*
 * Attaches a device program to the cgroup directory, beside the others that are there; replaces the
 * program old instead when old is not −1.
 */
int bpf_attach_device(int cgroup, int program, int old, struct err *e) must_check;

/* Takes a device program off the cgroup. */
int bpf_detach_device(int cgroup, int program, struct err *e) must_check;

/*
 * The ids of the device programs attached to this very cgroup, at most max of them into ret_ids;
 * returns how many. More than max is an error.
 */
int bpf_query_devices(int cgroup, uint32_t *ret_ids, uint32_t max, struct err *e) must_check;

/* A descriptor for the program with this id, and the name it was loaded with. */
int bpf_open_program(uint32_t id, char ret_name[BPF_DEVICE_NAME_MAX], struct err *e) must_check;
