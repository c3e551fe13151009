/*
 * Prints every member of config.json that the decoder reads, out of its tables, one path a line:
 * "linux.resources.memory.limit", "mounts[].options", "linux.netDevices{}.name". For
 * tools/field-table.
 */
#include <stdio.h>

#include "spec/decode_tables.h"

static void print_table(const char *prefix, unsigned table)
{
	const struct json_table *t = &spec_schema.tables[table];

	for (unsigned i = 0; i < t->count; i++) {
		const struct json_field *f = &t->field[i];
		const char *many = f->kind == FIELD_LIST    ? "[]"
				   : f->kind == FIELD_NAMED ? "{}"
							    : "";
		char path[256];

		(void)printf("%s%s\n", prefix, f->key);
		(void)snprintf(path, sizeof(path), "%s%s%s.", prefix, f->key, many);
		if (f->kind >= FIELD_OBJECT && f->kind <= FIELD_NAMED)
			print_table(path, f->of);
	}
}

int main(void)
{
	print_table("", TABLE_SPEC);
	return 0;
}
