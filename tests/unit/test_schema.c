/*
 * The decoder's tables against the JSON schema of the runtime specification: no member is missing,
 * and none was invented.
 *
 * Debian's package golang-github-opencontainers-specs-dev has the schema, of an older version:
 * members that it lacks are fine. CREEL_SCHEMA names the folder of another one; then none may be
 * lacking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema_paths.h"
#include "spec/decode_tables.h"

#define DEBIAN "/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema"

struct paths {
	char path[1024][96];
	size_t count;
};

static struct paths of_tables, of_schema;

static bool has(const struct paths *p, const char *path)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->path[i], path))
			return true;
	return false;
}

static void add(struct paths *p, const char *path)
{
	assert_true(p->count < sizeof(p->path) / sizeof(p->path[0]));
	assert_true(strlen(path) < sizeof(p->path[0]));
	if (!has(p, path))
		strcpy(p->path[p->count++], path);
}

/* What the runtime does not have on Linux, or had only in versions before 1.3. */
static bool is_foreign(const char *path)
{
	static const char *const foreign[] = {
		"windows",
		"solaris",
		"vm",
		"zos",
		"freebsd",
		"process.commandLine",
		"process.user.username",
		"linux.intelRdt.enableCMT",
		"linux.intelRdt.enableMBM",
	};

	for (size_t i = 0; i < array_len(foreign); i++) {
		size_t length = strlen(foreign[i]);

		if (!strncmp(path, foreign[i], length) && (!path[length] || path[length] == '.'))
			return true;
	}
	return false;
}

static void found(const char *path)
{
	size_t length = strlen(path);

	/* plain values of a list or map have no members of their own */
	if (length > 2 && (!strcmp(path + length - 2, "[]") || !strcmp(path + length - 2, "{}")))
		return;
	if (!is_foreign(path))
		add(&of_schema, path);
}

static void add_table(const char *prefix, unsigned table)
{
	const struct json_table *t = &spec_schema.tables[table];

	for (unsigned i = 0; i < t->count; i++) {
		const struct json_field *f = &t->field[i];
		char path[256];

		(void)snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", f->key);
		add(&of_tables, path);
		if (f->kind == FIELD_LIST)
			strcat(path, "[]");
		if (f->kind == FIELD_NAMED)
			strcat(path, "{}");
		if (f->kind >= FIELD_OBJECT && f->kind <= FIELD_NAMED)
			add_table(path, f->of);
	}
}

static int collect(void **state)
{
	const char *folder = getenv("CREEL_SCHEMA");

	(void)state;
	add_table("", TABLE_SPEC);
	(void)schema_paths(folder ? folder : DEBIAN, "config-schema.json", found);
	return 0;
}

/* Prints what is in one of the lists and not in the other; how many there are. */
static size_t print_missing(const struct paths *all, const struct paths *in, const char *what)
{
	size_t missing = 0;

	for (size_t i = 0; i < all->count; i++)
		if (!has(in, all->path[i])) {
			print_error("%s: %s\n", what, all->path[i]);
			missing++;
		}
	return missing;
}

static void no_member_of_the_specification_is_missing(void **state)
{
	(void)state;
	if (!of_schema.count)
		skip();
	assert_true(of_schema.count > 150);
	assert_true(has(&of_schema, "linux.seccomp.syscalls[].args[].valueTwo"));
	assert_int_equal(print_missing(&of_schema, &of_tables, "missing"), 0);
}

static void no_member_is_invented(void **state)
{
	(void)state;
	if (!getenv("CREEL_SCHEMA"))
		skip();
	assert_int_equal(print_missing(&of_tables, &of_schema, "invented"), 0);
}

static void every_table_can_be_read_by(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TABLE_COUNT; i++) {
		const struct json_table *t = &spec_schema.tables[i];

		assert_true(t->count > 0 && t->count <= 64); /* json_read keeps a bit for each */
		for (unsigned n = 0; n < t->count; n++) {
			assert_true(t->field[n].kind >= FIELD_BOOL &&
				    t->field[n].kind <= FIELD_ODD);
			assert_true(t->field[n].offset < t->size);
			assert_true(memchr(t->field[n].key, '\0', sizeof(t->field[n].key)));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_member_of_the_specification_is_missing),
		cmocka_unit_test(no_member_is_invented),
		cmocka_unit_test(every_table_can_be_read_by),
	};

	return cmocka_run_group_tests(tests, collect, NULL);
}
