/*
 * Mount options: what each name does, and what is left to the file system.
 */
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "document.h"
#include "spec/mount_options.h"

static struct mount_options parse(const char *first, ...)
{
	const char *item[16];
	struct str_list list = {item, 0};
	struct mount_options m;
	struct err e;
	va_list args;

	va_start(args, first);
	for (const char *name = first; name; name = va_arg(args, const char *))
		item[list.count++] = name;
	va_end(args);
	assert_int_equal(mount_options_parse(&list, &document_arena, &m, &e), 0);
	return m;
}

static void flags_are_set_and_taken_back(void **state)
{
	struct mount_options m = parse("ro", "nosuid", "rbind", "relatime", NULL);

	(void)state;
	assert_int_equal(m.set, MS_RDONLY | MS_NOSUID | MS_BIND | MS_REC | MS_RELATIME);
	assert_int_equal(m.cleared, 0);
	assert_null(m.data);
	m = parse("ro", "rw", "exec", "noexec", "defaults", NULL);
	assert_int_equal(m.set, MS_NOEXEC);
	assert_int_equal(m.cleared, MS_RDONLY);
}

static void the_rest_is_left_to_the_file_system(void **state)
{
	struct mount_options m = parse("mode=755", "ro", "acl", "size=65536k", NULL);

	(void)state;
	assert_string_equal(m.data, "mode=755,acl,size=65536k");
	assert_int_equal(m.set, MS_RDONLY);
	assert_string_equal(parse("", "x", "", "y", "", NULL).data, "x,y");
	assert_null(parse(NULL).data);
}

/* A slave that is then shared is both: no later one takes an earlier one back. */
static void propagations_are_kept_in_their_order(void **state)
{
	struct mount_options m = parse("rslave", "ro", "shared", "slave", NULL);
	uint32_t flags;

	(void)state;
	assert_int_equal(m.propagation_count, 3);
	assert_int_equal(m.propagation[0], MS_SLAVE | MS_REC);
	assert_int_equal(m.propagation[1], MS_SHARED);
	assert_int_equal(m.propagation[2], MS_SLAVE);
	assert_int_equal(m.set, MS_RDONLY);
	assert_int_equal(parse("ro", NULL).propagation_count, 0);
	assert_true(mount_options_propagation("runbindable", &flags));
	assert_int_equal(flags, MS_UNBINDABLE | MS_REC);
	assert_false(mount_options_propagation("rbind", &flags));
	assert_false(mount_options_propagation("", &flags));
}

static void recursive_attributes_are_kept_apart(void **state)
{
	struct mount_options m = parse("rro", "rnosuid", "rexec", NULL);

	(void)state;
	assert_int_equal(m.recursive_set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID);
	assert_int_equal(m.recursive_clear, MOUNT_ATTR_NOEXEC);
	assert_int_equal(m.set | m.cleared, 0);
	m = parse("rro", "rrw", NULL);
	assert_int_equal(m.recursive_set, 0);
	assert_int_equal(m.recursive_clear, MOUNT_ATTR_RDONLY);
	m = parse("rrw", "rro", NULL);
	assert_int_equal(m.recursive_set, MOUNT_ATTR_RDONLY);
	assert_int_equal(m.recursive_clear, 0);
}

/* mount_setattr(2): whoever touches the access time must clear the whole field. */
static void access_time_is_one_field(void **state)
{
	struct mount_options m = parse("rnoatime", NULL);

	(void)state;
	assert_int_equal(m.recursive_set, MOUNT_ATTR_NOATIME);
	assert_int_equal(m.recursive_clear, MOUNT_ATTR__ATIME);
	m = parse("rnoatime", "rstrictatime", NULL);
	assert_int_equal(m.recursive_set, MOUNT_ATTR_STRICTATIME);
	assert_int_equal(m.recursive_clear, MOUNT_ATTR__ATIME);
	m = parse("rnoatime", "ratime", NULL);
	assert_int_equal(m.recursive_set, 0);
	assert_int_equal(m.recursive_clear, MOUNT_ATTR__ATIME);
	m = parse("rnorelatime", NULL);
	assert_int_equal(m.recursive_set | m.recursive_clear, 0);
}

static void extensions_are_told(void **state)
{
	(void)state;
	assert_int_equal(parse("tmpcopyup", "idmap", NULL).extensions,
			 MOUNT_EXT_TMPCOPYUP | MOUNT_EXT_IDMAP);
	assert_int_equal(parse("ridmap", NULL).extensions, MOUNT_EXT_RIDMAP);
	assert_int_equal(parse("copy-symlink", "src-nofollow", "dest-nofollow", NULL).extensions,
			 MOUNT_EXT_COPY_SYMLINK | MOUNT_EXT_SRC_NOFOLLOW | MOUNT_EXT_DEST_NOFOLLOW);
}

static void the_names_are_sorted_and_do_something(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; mount_options_name(i); i++) {
		struct mount_options m = parse(mount_options_name(i), NULL);

		assert_null(m.data);
		if (i)
			assert_true(strcmp(mount_options_name(i - 1), mount_options_name(i)) < 0);
		assert_true(strcmp(mount_options_name(i), "idmap") &&
			    strcmp(mount_options_name(i), "ridmap"));
	}
	assert_int_equal(i, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flags_are_set_and_taken_back),
		cmocka_unit_test(the_rest_is_left_to_the_file_system),
		cmocka_unit_test(propagations_are_kept_in_their_order),
		cmocka_unit_test(recursive_attributes_are_kept_apart),
		cmocka_unit_test(access_time_is_one_field),
		cmocka_unit_test(extensions_are_told),
		cmocka_unit_test(the_names_are_sorted_and_do_something),
	};

	return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
