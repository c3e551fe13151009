/*
 * The features object: what engines look for in it before they use a runtime.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "container/features.h"

static struct arena arena;
static const char *text;

static int write_features(void **state)
{
	struct err e;

	(void)state;
	return arena_init(&arena, 1u << 20, &e) || container_features(&arena, &text, &e) ? -1 : 0;
}

static int drop_features(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

#define tells(part) assert_non_null(strstr(text, part))

static void the_versions_come_first(void **state)
{
	static const char start[] = "{\n"
				    "    \"ociVersionMin\": \"1.0.0\",\n"
				    "    \"ociVersionMax\": \"1.3.0\",\n"
				    "    \"hooks\": [\n"
				    "        \"prestart\",\n"
				    "        \"createRuntime\",\n";

	(void)state;
	assert_memory_equal(text, start, sizeof(start) - 1);
	assert_string_equal(text + strlen(text) - 3, "\n}\n");
}

static void what_containerd_and_cri_o_ask_for_is_there(void **state)
{
	(void)state;
	tells("\n        \"rro\",\n");
	tells("\n            \"user\",\n");
	tells("\"mountExtensions\": {\n"
	      "            \"idmap\": {\n"
	      "                \"enabled\": true\n");
	tells("\"cgroup\": {\n            \"v1\": true,\n            \"v2\": true,\n"
	      "            \"systemd\": true,\n            \"systemdUser\": true,\n");
}

static void every_list_has_its_names(void **state)
{
	(void)state;
	tells("\"CAP_CHECKPOINT_RESTORE\"");
	tells("\"SCMP_ACT_NOTIFY\"");
	tells("\"SCMP_CMP_MASKED_EQ\"");
	tells("\"SCMP_ARCH_X86_64\"");
	tells("\"MPOL_F_STATIC_NODES\"");
	tells("\"tmpcopyup\"");
	assert_null(strstr(text, "\"idmap\","));
}

static void supported_seccomp_flags_are_known_ones(void **state)
{
	const char *known = strstr(text, "\"knownFlags\""),
		   *supported = strstr(text, "\"supportedFlags\"");

	(void)state;
	assert_true(known && supported && known < supported);
	assert_non_null(strstr(known, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"));
	/* Every kernel that creel runs on has this one (4.14). */
	assert_non_null(strstr(supported, "SECCOMP_FILTER_FLAG_LOG"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_versions_come_first),
		cmocka_unit_test(what_containerd_and_cri_o_ask_for_is_there),
		cmocka_unit_test(every_list_has_its_names),
		cmocka_unit_test(supported_seccomp_flags_are_known_ones),
	};

	return cmocka_run_group_tests(tests, write_features, drop_features);
}
