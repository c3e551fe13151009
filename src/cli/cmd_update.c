/*
 * creel update: changes the limits of a container. The library takes them as JSON; those that were
 * typed one by one are written as such here.
 */
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_write.h"
#include "cli/commands.h"
#include "cli/error.h"
#include "cli/size.h"

enum limit_kind { LIMIT_TEXT, LIMIT_NUMBER, LIMIT_SIGNED, LIMIT_SIZE };

/* An option, and the member of linux.resources that it is. Those of one object stand together. */
static const struct limit {
	char option[20], object[8], member[20];
	uint8_t kind;
	uint16_t place;
	uint64_t max;
} limits[] = {
#define row(option, object, member, kind, field, max) \
	{ \
		option, object, member, kind, offsetof(struct call, limits.field), max \
	}
	row("blkio-weight", "blockIO", "weight", LIMIT_NUMBER, blkio_weight, UINT16_MAX),
	row("cpu-burst", "cpu", "burst", LIMIT_NUMBER, cpu_burst, UINT64_MAX),
	row("cpu-idle", "cpu", "idle", LIMIT_SIGNED, cpu_idle, 0),
	row("cpu-period", "cpu", "period", LIMIT_NUMBER, cpu_period, UINT64_MAX),
	row("cpu-quota", "cpu", "quota", LIMIT_SIGNED, cpu_quota, 0),
	row("cpu-rt-period", "cpu", "realtimePeriod", LIMIT_NUMBER, cpu_rt_period, UINT64_MAX),
	row("cpu-rt-runtime", "cpu", "realtimeRuntime", LIMIT_SIGNED, cpu_rt_runtime, 0),
	row("cpu-share", "cpu", "shares", LIMIT_NUMBER, cpu_share, UINT64_MAX),
	row("cpuset-cpus", "cpu", "cpus", LIMIT_TEXT, cpuset_cpus, 0),
	row("cpuset-mems", "cpu", "mems", LIMIT_TEXT, cpuset_mems, 0),
	row("memory", "memory", "limit", LIMIT_SIZE, memory, 0),
	row("memory-reservation", "memory", "reservation", LIMIT_SIZE, memory_reservation, 0),
	row("memory-swap", "memory", "swap", LIMIT_SIZE, memory_swap, 0),
	row("kernel-memory", "memory", "kernel", LIMIT_SIZE, kernel_memory, 0),
	row("kernel-memory-tcp", "memory", "kernelTCP", LIMIT_SIZE, kernel_memory_tcp, 0),
	row("pids-limit", "pids", "limit", LIMIT_SIGNED, pids_limit, 0),
#undef row
};

static int bad_number(const struct limit *limit, const char *text, struct creel_error *e)
{
	return cli_fail(e, CREEL_USAGE, "invalid value for %s: \"%s\" is no number in its range",
			limit->option, text);
}

static int write_limit(struct json_writer *w, const struct limit *limit, const char *text,
		       struct creel_error *e)
{
	uint64_t number;
	int64_t value;

	switch ((enum limit_kind)limit->kind) {
	case LIMIT_TEXT:
		json_write_string(w, limit->member, text);
		break;
	case LIMIT_NUMBER:
		if (!str_to_u64(text, &number) || number > limit->max)
			return bad_number(limit, text, e);
		json_write_u64(w, limit->member, number);
		break;
	case LIMIT_SIGNED:
		if (!str_to_i64(text, &value))
			return bad_number(limit, text, e);
		json_write_i64(w, limit->member, value);
		break;
	case LIMIT_SIZE:
		if (str_equal(text, "-1"))
			value = -1;
		else if (!size_parse(text, &value))
			return cli_fail(e, CREEL_USAGE, "invalid value for %s: invalid size: '%s'",
					limit->option, text);
		json_write_i64(w, limit->member, value);
		break;
	}
	return 0;
}

static int write_limits(const struct call *call, struct str *text, struct creel_error *e)
{
	const char *object = "";
	struct json_writer w;

	json_write_init(&w, text, NULL);
	json_write_object(&w, NULL);
	for (size_t i = 0; i < array_len(limits); i++) {
		const char *typed = *(const char *const *)((const char *)call + limits[i].place);

		if (!typed)
			continue;
		if (!str_equal(object, limits[i].object)) {
			if (*object)
				json_write_end(&w);
			object = limits[i].object;
			json_write_object(&w, object);
		}
		if (write_limit(&w, &limits[i], typed, e))
			return -1;
	}
	if (*object)
		json_write_end(&w);
	json_write_end(&w);
	return 0;
}

static int from_options(struct call *call, struct creel_error *e)
{
	struct str text;
	struct err err;

	str_init(&text, call->arena);
	if (write_limits(call, &text, e))
		return -1;
	call->update.resources = str_end(&text, &err);
	return call->update.resources ? 0 : cli_fail_base(e, &err);
}

static int from_file(struct call *call, struct creel_error *e)
{
	bool piped = str_equal(call->resources, "-");
	const char *name = piped ? "stdin" : call->resources;
	size_t length;
	struct err err;
	char *text;

	if (piped ? fd_read(STDIN_FILENO, JSON_LIMIT, call->arena, name, &text, &length, &err)
		  : file_read(AT_FDCWD, name, JSON_LIMIT, call->arena, &text, &length, &err))
		return cli_fail_base(e, &err);
	call->update.name = name;
	call->update.resources = text;
	return 0;
}

int cmd_update(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	if (call->resources ? from_file(call, ret_error) : from_options(call, ret_error))
		return -1;
	return creel_update(creel, call->operand[0], &call->update, ret_error);
}
