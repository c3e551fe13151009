/*
 * Handlers of binfmt_misc, as their files describe them: which of them take a program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "sys/binfmt.h"

/* As the kernel prints them. */
static const char arm64[] = "enabled\n"
			    "interpreter /usr/bin/qemu-aarch64\n"
			    "flags: OCF\n"
			    "offset 0\n"
			    "magic 7f454c460201010000000000000000000200b700\n"
			    "mask ffffffffffffff00fffffffffffffffffeffffff\n";
static const char java[] = "enabled\ninterpreter /usr/bin/jexec\nflags:\nextension .jar\n";
static const char late[] = "enabled\ninterpreter /x\nflags: \noffset 4\nmagic 6f6f\n";

/* The head of a program for arm64, of another kind and with another OS byte. */
static const unsigned char head[] = {0x7f, 'E', 'L', 'F', 2, 1, 1, 3, 0,    0,
				     0,    0,   0,   0,   0, 0, 3, 0, 0xb7, 0};

static struct executable_fault fault;

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	memset(&fault, 0, sizeof(fault));
	scratch_file("status", "enabled\n");
	scratch_file("register", "");
	return fchmodat(scratch, "register", 0200, 0);
}

static bool taken(const char *name)
{
	assert_int_equal(lseek(scratch, 0, SEEK_SET), 0); /* listed anew */
	return binfmt_listed(scratch, name, &fault);
}

static void without_handlers_nothing_is_taken(void **state)
{
	(void)state;
	assert_false(taken("/bin/tool"));
	fault.nested = true;
	assert_false(taken("/bin/tool"));
}

static void a_magic_is_compared_under_its_mask(void **state)
{
	(void)state;
	scratch_file("qemu-aarch64", arm64);
	assert_false(taken("/bin/tool"));
	memcpy(fault.head, head, sizeof(head));
	assert_true(taken("/bin/tool"));
	fault.head[18] = 0x3e;
	assert_false(taken("/bin/tool"));
}

static void a_magic_may_lie_behind_an_offset(void **state)
{
	(void)state;
	scratch_file("late", late);
	memcpy(fault.head, "1234oo", 6);
	assert_true(taken("x"));
	memcpy(fault.head, "oo3456", 6);
	assert_false(taken("x"));
}

static void an_extension_is_that_of_the_name(void **state)
{
	(void)state;
	scratch_file("java", java);
	assert_true(taken("/opt/tool.jar"));
	assert_false(taken("/opt/tool.jar2"));
	assert_false(taken("/opt/tool.x.ja"));
	assert_false(taken("/opt/jar"));
}

static void a_disabled_handler_takes_nothing(void **state)
{
	(void)state;
	scratch_file("java", "disabled\ninterpreter /usr/bin/jexec\nflags:\nextension .jar\n");
	assert_false(taken("/opt/tool.jar"));
}

/* Which files the kernel comes by on the way to an interpreter is not known. */
static void any_handler_may_take_what_is_nested(void **state)
{
	(void)state;
	scratch_file("java", java);
	fault.nested = true;
	assert_true(taken("/bin/tool"));
}

static void what_is_not_understood_may_take_everything(void **state)
{
	static const char *const odd[] = {
		"enabled\n",
		"enabled\noffset 999999999999\nmagic 00\n",
		"enabled\noffset 255\nmagic 0000\n",
		"enabled\noffset 0\nmagic 0\n",
		"enabled\noffset 0\nmagic 1111\nmask ff\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		scratch_file("odd", odd[i]);
		assert_true(taken("/bin/tool"));
	}
	assert_true(binfmt_listed(-1, "/bin/tool", &fault));
}

#define in_scratch(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_scratch(without_handlers_nothing_is_taken),
		in_scratch(a_magic_is_compared_under_its_mask),
		in_scratch(a_magic_may_lie_behind_an_offset),
		in_scratch(an_extension_is_that_of_the_name),
		in_scratch(a_disabled_handler_takes_nothing),
		in_scratch(any_handler_may_take_what_is_nested),
		in_scratch(what_is_not_understood_may_take_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
