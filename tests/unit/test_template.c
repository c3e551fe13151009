/*
 * The text of `spec`: what it decodes to, and the same bytes as Debian's runc writes but for what
 * runc changed since.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "document.h"
#include "spec/decode.h"
#include "spec/template.h"
#include "spec/validate.h"

static const char *template(struct spec_template options)
{
	struct str out;
	struct err e;
	const char *text;

	str_init(&out, &document_arena);
	spec_template(&options, &out);
	text = str_end(&out, &e);
	assert_non_null(text);
	return text;
}

static struct spec *decode(const char *text)
{
	struct json_input input = document(text);
	struct spec *spec = NULL;
	struct err e;

	if (spec_decode(&input, &spec, &e))
		fail_msg("%s", e.text);
	return spec;
}

static void it_is_a_valid_configuration(void **state)
{
	struct spec *s = decode(template((struct spec_template){0}));
	struct err e;

	(void)state;
	assert_int_equal(spec_validate(s, false, &document_arena, NULL, &e), 0);
	assert_string_equal(s->oci_version, "1.3.0");
	assert_int_equal(s->mounts.count, 7);
	assert_int_equal(s->linux_.namespaces.count, 5);
	assert_int_equal(s->linux_.resources->devices.count, 1);
	assert_int_equal(decode(template((struct spec_template){.cgroup_v2 = true}))
				 ->linux_.namespaces.count,
			 6);
}

static void the_rootless_one_maps_the_caller(void **state)
{
	struct spec *s =
		decode(template((struct spec_template){.rootless = true, .uid = 1000, .gid = 100}));
	struct err e;

	(void)state;
	assert_int_equal(spec_validate(s, true, &document_arena, NULL, &e), 0);
	assert_int_equal(s->linux_.uid_mappings.item[0].host_id, 1000);
	assert_int_equal(s->linux_.gid_mappings.item[0].host_id, 100);
	assert_null(s->linux_.resources);
	assert_string_equal(s->mounts.item[5].type, "none");
}

static void there_is_no_newline_at_the_end(void **state)
{
	const char *text = template((struct spec_template){0});

	(void)state;
	assert_int_equal(text[strlen(text) - 1], '}');
	assert_memory_equal(text, "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n", 38);
}

/* Until 1.1.2, and in Debian's 1.1.5, runc had ambient capabilities in it. */
static void cut_ambient(char *text)
{
	char *begin = strstr(text, ",\n\t\t\t\"ambient\": ["),
	     *end = begin ? strchr(begin, ']') : NULL;

	if (end)
		memmove(begin, end + 1, strlen(end + 1) + 1);
}

/* What the runc of the machine writes; NULL without runc. */
static char *of_runc(const char *option)
{
	static char text[16384];
	char folder[] = "/tmp/creel-template-XXXXXX", command[256];
	size_t length;
	FILE *pipe;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(command, sizeof(command),
		       "cd %s && PATH=$PATH:/usr/sbin && runc spec %s 2>/dev/null && cat "
		       "config.json; rm -r %s",
		       folder, option, folder);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	length = fread(text, 1, sizeof(text) - 1, pipe);
	(void)pclose(pipe);
	text[length] = '\0';
	cut_ambient(text);
	return length ? text : NULL;
}

static bool is_version(const char *line)
{
	return !strncmp(line, "\t\"ociVersion\"", 13);
}

/* Compares line by line; the line of the version is the one that may differ. */
static void same_lines(const char *ours, const char *theirs)
{
	while (*ours || *theirs) {
		size_t a = strcspn(ours, "\n"), b = strcspn(theirs, "\n");

		if ((a != b || strncmp(ours, theirs, a)) &&
		    !(is_version(ours) && is_version(theirs)))
			fail_msg("%.*s\nrunc: %.*s", (int)a, ours, (int)b, theirs);
		ours += a + (ours[a] == '\n');
		theirs += b + (theirs[b] == '\n');
	}
}

static void runc_writes_the_same(void **state)
{
	char *theirs = of_runc("");

	(void)state;
	if (!theirs)
		skip();
	same_lines(template((struct spec_template){.cgroup_v2 =
							   strstr(theirs, "\"cgroup\"\n\t\t\t}")}),
		   theirs);
	theirs = of_runc("--rootless");
	same_lines(template((struct spec_template){.rootless = true,
						   .uid = geteuid(),
						   .gid = getegid(),
						   .cgroup_v2 =
							   strstr(theirs, "\"cgroup\"\n\t\t\t}")}),
		   theirs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_a_valid_configuration),
		cmocka_unit_test(the_rootless_one_maps_the_caller),
		cmocka_unit_test(there_is_no_newline_at_the_end),
		cmocka_unit_test(runc_writes_the_same),
	};

	return cmocka_run_group_tests(tests, document_setup, document_teardown);
}
