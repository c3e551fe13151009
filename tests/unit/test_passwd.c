/*
 * /etc/passwd of an image: whatever is in it, the answer is a home or a default.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/passwd.h"

static int root = -1;

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	scratch_directory("root");
	scratch_directory("root/etc");
	root = openat(scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&root);
	return scratch_teardown(state);
}

static const char *home(uint32_t uid)
{
	return passwd_home(root, uid, &scratch_arena);
}

static const char *name(uint32_t uid)
{
	return passwd_name(root, uid, &scratch_arena);
}

static void users_are_found_by_number(void **state)
{
	(void)state;
	scratch_file("root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"
					"jo:x:1000:1000:Jo,,,:/home/jo:/bin/sh\n"
					"last:x:4294967294:0::/last:/bin/sh"); /* no newline */
	assert_string_equal(home(0), "/root");
	assert_string_equal(name(0), "root");
	assert_string_equal(home(1000), "/home/jo");
	assert_string_equal(name(1000), "jo");
	assert_string_equal(home(4294967294u), "/last");
	assert_string_equal(home(1), "/");
	assert_null(name(1));
}

static void odd_lines(void **state)
{
	static const struct {
		const char *line, *home, *name; /* of user 7 */
	} rows[] = {
		{"", "/", NULL},
		{"\n\n\n", "/", NULL},
		{"# a:x:7:7::/comment:\n", "/comment", "# a"},
		{"a:x:7:7::/no-shell", "/no-shell", "a"},
		{"a:x:7:7:gecos", "/", NULL},
		{"a:x:7", "/", NULL},
		{"a:x:7:7:::/bin/sh", "/", "a"},
		{"a:x:7:7:::\nb:x:7:7::/second:\n", "/second", "a"},
		{"a:x:7:7::/first:\nb:x:7:7::/second:\n", "/first", "a"},
		{":x:7:7::/nameless:\n", "/nameless", NULL},
		{"a:x:7:7::/home:/bin/sh:more:fields\n", "/home", "a"},
		{"a:x:07:7::/home:\n", "/home", "a"},
		{"a:x:+7:7::/home:\n", "/", NULL},
		{"a:x:-7:7::/home:\n", "/", NULL},
		{"a:x: 7:7::/home:\n", "/", NULL},
		{"a:x:7x:7::/home:\n", "/", NULL},
		{"a:x:0x7:7::/home:\n", "/", NULL},
		{"a:x::7::/home:\n", "/", NULL},
		{"a:x:4294967303:7::/home:\n", "/", NULL}, /* 7 in 32 bits */
		{"a:x:7:7::/home:/bin/sh\r\n", "/home", "a"},
		{"a:x:7:7::/home\r\n", "/home\r", "a"},
		{":::::::::\na:x:7:7::/home:\n", "/home", "a"},
		{"+::::::\na:x:7:7::/home:\n", "/home", "a"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		scratch_file("root/etc/passwd", rows[i].line);
		assert_string_equal(home(7), rows[i].home);
		if (rows[i].name)
			assert_string_equal(name(7), rows[i].name);
		else
			assert_null(name(7));
	}
}

static void a_nul_ends_the_file(void **state)
{
	static const char text[] = "a:x:7:7::/home:\n\0b:x:8:8::/hidden:\n";

	(void)state;
	assert_int_equal(file_replace(scratch, "root/etc/passwd", 0644, text, sizeof(text) - 1,
				      &scratch_err),
			 0);
	assert_string_equal(home(7), "/home");
	assert_string_equal(home(8), "/");
}

static void what_is_missing_or_no_file(void **state)
{
	(void)state;
	assert_string_equal(home(0), "/");
	scratch_directory("root/etc/passwd");
	assert_string_equal(home(0), "/");
	assert_int_equal(unlinkat(root, "etc/passwd", AT_REMOVEDIR), 0);
	assert_int_equal(mkfifo(scratch_name("root/etc/passwd"), 0644), 0);
	assert_string_equal(home(0), "/"); /* and does not wait for a writer */
	assert_null(name(0));
	assert_int_equal(unlinkat(root, "etc/passwd", 0), 0);
	scratch_link("root/etc/passwd", "passwd");
	assert_string_equal(home(0), "/");
}

static void links_lead_within_the_root(void **state)
{
	(void)state;
	scratch_file("outside", "root:x:0:0::/outside:\n");
	scratch_link("root/etc/passwd", "../../outside");
	assert_string_equal(home(0), "/");
	assert_int_equal(unlinkat(root, "etc/passwd", 0), 0);
	scratch_link("root/etc/passwd", scratch_name("outside"));
	assert_string_equal(home(0), "/");
	assert_int_equal(unlinkat(root, "etc/passwd", 0), 0);
	scratch_link("root/etc/passwd", "/lib/passwd");
	scratch_directory("root/lib");
	scratch_file("root/lib/passwd", "root:x:0:0::/inside:\n");
	assert_string_equal(home(0), "/inside");
}

/* The line of user 7, then as many bytes of comment as make the file size bytes long. */
static void write_sized(size_t size)
{
	static const char line[] = "a:x:7:7::/home:\n";
	char *text = arena_get(&scratch_arena, size + 1, &scratch_err);

	assert_non_null(text);
	memset(text, '#', size);
	memcpy(text, line, sizeof(line) - 1);
	scratch_file("root/etc/passwd", text);
}

static void a_huge_file_is_not_read(void **state)
{
	(void)state;
	write_sized(1u << 20);
	assert_string_equal(home(7), "/home");
	write_sized((1u << 20) + 1);
	assert_string_equal(home(7), "/");
	assert_int_equal(truncate(scratch_name("root/etc/passwd"), INT64_C(1) << 40), 0);
	assert_string_equal(home(7), "/");
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(users_are_found_by_number),  test(odd_lines),
		test(a_nul_ends_the_file),        test(what_is_missing_or_no_file),
		test(links_lead_within_the_root), test(a_huge_file_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
