/*
 * Error values: how they are made, nested, cut and shown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static struct err e;

static void an_error_says_what_it_was_given(void **state)
{
	(void)state;
	memset(&e, 'x', sizeof(e));
	assert_int_equal(err_set(&e, ERR_STATE, "container %s is %d", "c", 5), -1);
	assert_int_equal(e.code, ERR_STATE);
	assert_int_equal(e.sys, 0);
	assert_string_equal(e.text, "container c is 5");
	assert_string_equal(e.pointer, "");
	assert_string_equal(e.hint, "");
}

static void errno_is_told_and_kept(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "/x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(e.code, ERR_SYSTEM);
	assert_int_equal(e.sys, ENOENT);
	assert_string_equal(e.text, "open /x: no such file or directory");
}

static void the_words_of_errno_are_lower_case(void **state)
{
	(void)state;
	assert_string_equal(err_errno_text(EPERM), "operation not permitted");
	assert_string_equal(err_errno_text(EBUSY), "device or resource busy");
	for (int number = -1; number < 200; number++)
		assert_true(*err_errno_text(number));
}

static void outer_functions_put_their_part_in_front(void **state)
{
	(void)state;
	err_set(&e, ERR_INVALID, "inner");
	err_in(&e, "/%d", 3);
	assert_int_equal(err_in(&e, "/mounts"), -1);
	assert_int_equal(err_wrap(&e, "outer %d", 1), -1);
	assert_string_equal(e.text, "outer 1: inner");
	assert_string_equal(e.pointer, "/mounts/3");
}

static void the_inner_hint_is_kept(void **state)
{
	(void)state;
	err_set(&e, ERR_INVALID, "text");
	assert_int_equal(err_hint(&e, "first %d", 1), -1);
	err_hint(&e, "second");
	assert_string_equal(e.hint, "first 1");
}

static void the_message_joins_the_parts(void **state)
{
	char message[64];
	size_t length;

	(void)state;
	err_set(&e, ERR_INVALID, "text");
	assert_int_equal(err_message(&e, message, sizeof(message)), 4);
	assert_string_equal(message, "text");
	err_in(&e, "/a");
	err_hint(&e, "mend it");
	length = err_message(&e, message, sizeof(message));
	assert_int_equal(length, strlen(message));
	assert_string_equal(message, "text (config.json: /a); hint: mend it");
	assert_int_equal(err_message(&e, message, 8), 7);
	assert_string_equal(message, "text (c");
}

static void what_is_too_long_is_cut(void **state)
{
	char wide[2 * ERR_TEXT_MAX];

	(void)state;
	memset(wide, 'w', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	err_set(&e, ERR_INVALID, "%s", wide);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	errno = EPERM;
	err_sys(&e, "%s", wide);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	err_wrap(&e, "in front");
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	assert_memory_equal(e.text, "in front: www", 13);
	err_wrap(&e, "%s", wide);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
	for (int i = 0; i < 100; i++)
		err_in(&e, "/part%d", i);
	assert_int_equal(strlen(e.pointer), ERR_POINTER_MAX - 1);
	assert_memory_equal(e.pointer, "/part99/part98", 14);
	err_hint(&e, "%s", wide);
	assert_int_equal(strlen(e.hint), ERR_HINT_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_error_says_what_it_was_given),
		cmocka_unit_test(errno_is_told_and_kept),
		cmocka_unit_test(the_words_of_errno_are_lower_case),
		cmocka_unit_test(outer_functions_put_their_part_in_front),
		cmocka_unit_test(the_inner_hint_is_kept),
		cmocka_unit_test(the_message_joins_the_parts),
		cmocka_unit_test(what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
