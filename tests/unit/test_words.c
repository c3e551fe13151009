/*
 * Names and numbers: the search, and the tables against the headers and against libseccomp's
 * numbers.
 */
#include <linux/audit.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <seccomp.h>

#include "base/str.h"
#include "spec/words.h"

static void names_are_found_in_their_exact_spelling(void **state)
{
	uint64_t number = 77;

	(void)state;
	assert_true(word_number(&words_capabilities, "CAP_SYS_ADMIN", &number));
	assert_int_equal(number, CAP_SYS_ADMIN);
	number = 77;
	assert_false(word_number(&words_capabilities, "cap_sys_admin", &number));
	assert_false(word_number(&words_capabilities, "CAP_SYS_ADMINS", &number));
	assert_false(word_number(&words_capabilities, "CAP_SYS_ADMI", &number));
	assert_false(word_number(&words_capabilities, "", &number));
	assert_false(word_number(&words_capabilities,
				 "a name that is much longer than any name in any of the tables",
				 &number));
	assert_int_equal(number, 77);
	assert_true(word_number(&words_device_rule_types, "", &number));
	assert_int_equal(number, 'a');
}

static void numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(word_name(&words_rlimits, RLIMIT_NOFILE), "RLIMIT_NOFILE");
	assert_null(word_name(&words_rlimits, 1000));
}

static void every_capability_of_the_kernel_has_a_name(void **state)
{
	(void)state;
	assert_int_equal(words_capabilities.count, CAP_LAST_CAP + 1);
	for (uint64_t i = 0; i <= CAP_LAST_CAP; i++)
		assert_int_equal(words_capabilities.item[i].number, i);
}

static void every_rlimit_of_the_kernel_has_a_name(void **state)
{
	(void)state;
	assert_int_equal(words_rlimits.count, RLIM_NLIMITS);
	for (unsigned i = 0; i < RLIM_NLIMITS; i++)
		assert_non_null(word_name(&words_rlimits, i));
}

static void no_name_is_cut_and_none_twice(void **state)
{
	const struct words *const all[] = {
		&words_hooks,          &words_namespaces,
		&words_capabilities,   &words_rlimits,
		&words_sched_policies, &words_sched_flags,
		&words_io_classes,     &words_seccomp_actions,
		&words_seccomp_ops,    &words_seccomp_archs,
		&words_seccomp_flags,  &words_memory_modes,
		&words_memory_flags,   &words_personalities,
		&words_device_types,   &words_device_rule_types,
	};

	(void)state;
	for (size_t i = 0; i < array_len(all); i++)
		for (size_t n = 0; n < all[i]->count; n++) {
			const char *name = all[i]->item[n].name;
			uint64_t number;

			assert_non_null(memchr(name, '\0', sizeof(all[i]->item[n].name)));
			assert_true(word_number(all[i], name, &number));
			assert_int_equal(number, all[i]->item[n].number);
		}
}

/* libseccomp calls an architecture by the lower-case end of its SCMP_ARCH_ name. */
static void architectures_are_those_of_libseccomp(void **state)
{
	unsigned known = 0;

	(void)state;
	for (size_t i = 0; i < words_seccomp_archs.count; i++) {
		const struct word *w = &words_seccomp_archs.item[i];
		char name[40];
		uint32_t token;

		(void)snprintf(name, sizeof(name), "%s", w->name + strlen("SCMP_ARCH_"));
		for (char *c = name; *c; c++)
			*c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
		token = seccomp_arch_resolve_name(name);
		if (!token)
			continue; /* newer than this libseccomp */
		assert_int_equal(w->number, token);
		known++;
	}
	assert_true(known >= 17);
	/* SH is the little-endian one, which the kernel calls SHEL */
	assert_string_equal(word_name(&words_seccomp_archs, AUDIT_ARCH_SHEL), "SCMP_ARCH_SH");
	assert_string_equal(word_name(&words_seccomp_archs, AUDIT_ARCH_SH), "SCMP_ARCH_SHEB");
}

static void namespaces_have_flags_and_files(void **state)
{
	(void)state;
	assert_int_equal(ns_clone_flag(NS_MOUNT), 0x00020000);
	assert_int_equal(ns_clone_flag(NS_TIME), 0x00000080);
	for (unsigned type = 0; type < NS_TYPES; type++) {
		char path[64];
		FILE *link;

		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_proc_name(type));
		link = fopen(path, "r");
		assert_non_null(link);
		(void)fclose(link);
		assert_non_null(word_name(&words_namespaces, type));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_found_in_their_exact_spelling),
		cmocka_unit_test(numbers_have_names),
		cmocka_unit_test(every_capability_of_the_kernel_has_a_name),
		cmocka_unit_test(every_rlimit_of_the_kernel_has_a_name),
		cmocka_unit_test(no_name_is_cut_and_none_twice),
		cmocka_unit_test(architectures_are_those_of_libseccomp),
		cmocka_unit_test(namespaces_have_flags_and_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
