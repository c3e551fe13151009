/*
 * Values that may be absent, and maps of strings: what a member of a JSON object can be besides a
 * plain C type.
 *
 * In every opt_ type `set` stands directly behind `value`: the table-driven reader relies on it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opt_bool {
	bool value, set;
};
struct opt_u16 {
	uint16_t value;
	bool set;
};
struct opt_u32 {
	uint32_t value;
	bool set;
};
struct opt_i32 {
	int32_t value;
	bool set;
};
struct opt_u64 {
	uint64_t value;
	bool set;
};
struct opt_i64 {
	int64_t value;
	bool set;
};

/*
 * A JSON object of strings (annotations, sysctl, unified): keys in the order of the file, a
 * repeated key once.
 */
struct str_pair {
	const char *key, *value;
};
struct str_map {
	struct str_pair *item;
	size_t count;
};
