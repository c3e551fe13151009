/*
 * What the files of spec/validate share; for validate*.c alone.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "spec/spec.h"

/* (uid_t)-1, which stands for no user and no group: see chown(2), setresuid(2). */
#define VALIDATE_NO_ID UINT32_MAX

/* One validation: the configuration, and what its rules need besides. */
struct validation {
	const struct spec *spec;
	bool rootless;
	struct arena *arena;
	const struct log *log;
};

/* Whether an id is in a mapping's inside. */
bool validate_mapped(const struct spec_id_maps *maps, uint64_t id);

/* Sets ERR_INVALID with its pointer. Returns −1. */
int validate_fail(struct err *e, const char *pointer, const char *format, ...) printf_like(3, 4)
	__attribute__((cold));

/* Puts a key in front of the pointer, escaped as a pointer's token. */
void validate_in_key(struct err *e, const char *key) __attribute__((cold));

/* One rule each, in the file of its name. */
int validate_process(const struct spec_process *process, struct err *e) must_check;
int validate_scheduling(const struct spec_process *process, struct err *e) must_check;
int validate_memory_policy(const struct spec_memory_policy *policy, struct err *e) must_check;
int validate_sysctl(const struct validation *v, struct err *e) must_check;
int validate_mount(const struct validation *v, size_t index, struct err *e) must_check;
int validate_mount_ids(const struct validation *v, size_t index, struct err *e) must_check;
void validate_mount_warnings(const struct validation *v);
