/*
 * state.json: what is written is read again, outsiders find their keys, and a damaged file is an
 * error whatever the damage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "scratch.h"
#include "state/record.h"
#include "state/store.h"

/* Maps are written in the order of their keys. */
static struct str_pair annotations[] = {{"empty", ""}, {"org.example", "a \"quoted\"\nvalue é"}};
static struct str_pair cgroups[] = {{"", "/box"}, {"memory", "/sys/fs/cgroup/memory/box"}};
static struct str_pair namespaces[] = {{"NEWPID", "/proc/77/ns/pid"}};

static const struct state_record full = {
	.id = "box",
	.oci_version = "1.3.0",
	.created = "2024-02-29T23:59:59.000000001Z",
	.bundle = "/bundle",
	.rootfs = "/bundle/rootfs",
	.pid = 4194304,
	.start = UINT64_MAX,
	.boot = "0cbb31a6-7a31-4a69-8e36-2a1a8d6f0a0e",
	.cgroup_inode = 281474976710657,
	.annotations = {annotations, array_len(annotations)},
	.cgroup_paths = {cgroups, array_len(cgroups)},
	.namespace_paths = {namespaces, array_len(namespaces)},
	.rootless = true,
	.private_pids = true,
	.poststart_hooks = true,
	.poststop_hooks = true,
	.rdt_path = "/sys/fs/resctrl/box",
	.rdt_monitor_path = "/sys/fs/resctrl/box/mon_groups/box",
	.rdt_own = true,
};

static void write_record(const struct state_record *record)
{
	assert_int_equal(state_record_write(scratch, record, &scratch_arena, &scratch_err), 0);
}

static int read_record(struct state_record **ret)
{
	return state_record_read(scratch, &scratch_arena, ret, &scratch_err);
}

static const char *text_written(void)
{
	const char *text = scratch_read(scratch_name(STORE_STATE));

	assert_non_null(text);
	return text;
}

static void assert_same_map(const struct str_map *a, const struct str_map *b)
{
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_string_equal(a->item[i].key, b->item[i].key);
		assert_string_equal(a->item[i].value, b->item[i].value);
	}
}

static void what_was_written_is_read(void **state)
{
	struct state_record *r = NULL;

	(void)state;
	write_record(&full);
	assert_int_equal(read_record(&r), 0);
	assert_string_equal(r->id, full.id);
	assert_string_equal(r->oci_version, full.oci_version);
	assert_string_equal(r->created, full.created);
	assert_string_equal(r->bundle, full.bundle);
	assert_string_equal(r->rootfs, full.rootfs);
	assert_true(r->pid == full.pid && r->start == full.start);
	assert_string_equal(r->boot, full.boot);
	assert_true(r->cgroup_inode == full.cgroup_inode);
	assert_true(r->rootless && r->private_pids && r->poststart_hooks && r->poststop_hooks);
	assert_string_equal(r->rdt_path, full.rdt_path);
	assert_string_equal(r->rdt_monitor_path, full.rdt_monitor_path);
	assert_true(r->rdt_own);
	assert_same_map(&r->annotations, &full.annotations);
	assert_same_map(&r->cgroup_paths, &full.cgroup_paths);
	assert_same_map(&r->namespace_paths, &full.namespace_paths);
}

static void the_least_there_is(void **state)
{
	static const struct state_record least = {
		.id = "box", .created = "x", .bundle = "/b", .rootfs = ""};
	struct state_record *r = NULL;

	(void)state;
	write_record(&least);
	assert_int_equal(read_record(&r), 0);
	assert_int_equal(r->pid, 0);
	assert_string_equal(r->rootfs, "");
	assert_null(r->rdt_path);
	assert_null(r->boot);
	assert_false(r->rootless || r->private_pids || r->poststart_hooks || r->poststop_hooks);
	assert_int_equal(r->annotations.count + r->cgroup_paths.count + r->namespace_paths.count,
			 0);
}

/* cAdvisor, and scripts of runc's users, read these. */
static void outsiders_find_their_keys(void **state)
{
	static const char *const parts[] = {
		"\"id\":\"box\"",
		"\"init_process_pid\":4194304",
		"\"init_process_start\":18446744073709551615",
		"\"cgroup_paths\":{\"\":\"/box\",\"memory\":\"/sys/fs/cgroup/memory/box\"}",
		"\"namespace_paths\":{\"NEWPID\":\"/proc/77/ns/pid\"}",
		"\"config\":{\"version\":\"1.3.0\",\"rootfs\":\"/bundle/rootfs\"",
		"\"labels\":[\"empty=\",",
		"\"bundle=/bundle\"]",
	};

	(void)state;
	write_record(&full);
	for (size_t i = 0; i < array_len(parts); i++)
		assert_non_null(strstr(text_written(), parts[i]));
}

static void it_is_written_whole_and_for_its_owner(void **state)
{
	struct dirent *entry;
	size_t files = 0;
	struct stat st;
	DIR *list;

	(void)state;
	write_record(&full);
	write_record(&full);
	assert_int_equal(stat(scratch_name(STORE_STATE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	list = opendir(scratch_path);
	while ((entry = readdir(list)))
		files += !str_equal(entry->d_name, ".") && !str_equal(entry->d_name, "..");
	(void)closedir(list);
	assert_int_equal(files, 1);
}

static void a_missing_record_is_a_missing_container(void **state)
{
	struct state_record *r = NULL;

	(void)state;
	assert_int_equal(read_record(&r), -1);
	assert_int_equal(scratch_err.code, ERR_NOT_FOUND);
	assert_string_equal(scratch_err.text, "container does not exist");
	assert_null(r);
}

static void what_is_no_file_is_refused(void **state)
{
	struct state_record *r = NULL;

	(void)state;
	assert_int_equal(mkfifo(scratch_name(STORE_STATE), 0600), 0);
	assert_int_equal(read_record(&r), -1);
	assert_int_equal(scratch_err.code, ERR_INVALID);
	assert_non_null(strstr(scratch_err.text, "not a regular file"));
	assert_int_equal(unlinkat(scratch, STORE_STATE, 0), 0);
	scratch_link(STORE_STATE, STORE_STATE);
	assert_int_equal(read_record(&r), -1);
	assert_string_equal(scratch_err.text, STORE_STATE ": not a regular file");
	assert_int_equal(scratch_err.code, ERR_INVALID);
}

static void a_pid_that_no_process_has_is_refused(void **state)
{
	static const struct state_record wrapped = {.id = "box",
						    .created = "x",
						    .bundle = "/b",
						    .rootfs = "",
						    .pid = (int64_t)UINT32_MAX + 2};
	struct state_record *r = NULL;

	(void)state;
	write_record(&wrapped);
	assert_int_equal(read_record(&r), -1);
	assert_string_equal(scratch_err.text, STORE_STATE ": no process has the number 4294967297");
}

static void a_record_cut_anywhere_is_invalid(void **state)
{
	struct state_record *r = NULL;
	const char *text;
	size_t length;

	(void)state;
	write_record(&full);
	text = text_written();
	length = strlen(text);
	while (length && text[length - 1] != '}')
		length--;
	for (size_t i = 0; i < length; i++) {
		const char *cut = arena_copy(&scratch_arena, text, i, &scratch_err);

		scratch_file(STORE_STATE, cut);
		assert_int_equal(read_record(&r), -1);
		assert_int_equal(scratch_err.code, ERR_INVALID);
		assert_non_null(strstr(scratch_err.text, STORE_STATE));
	}
	assert_null(r);
}

/* Some damage cannot be seen, such as another letter in a name. The rest is told as damage. */
static void a_record_with_a_wrong_byte_is_read_or_invalid(void **state)
{
	static const char bytes[] = "\"{}[]:,0x \\\xff\n\t-";
	struct state_record *r;
	char *text;

	(void)state;
	write_record(&full);
	text = arena_copy(&scratch_arena, text_written(), strlen(text_written()), &scratch_err);
	for (size_t i = 0; text[i]; i++) {
		char right = text[i];

		text[i] = bytes[i % (sizeof(bytes) - 1)];
		scratch_file(STORE_STATE, text);
		if (read_record(&r))
			assert_int_equal(scratch_err.code, ERR_INVALID);
		else
			assert_true(r->id && r->created && r->bundle && r->rootfs && r->pid >= 0);
		text[i] = right;
	}
}

static void what_a_container_needs_must_be_there(void **state)
{
	static const char *const texts[] = {
		"{}",
		"{\"id\": \"box\", \"created\": \"x\"}",
		"{\"id\": \"box\", \"config\": {\"bundle\": \"/b\"}}",
		"{\"created\": \"x\", \"config\": {\"bundle\": \"/b\"}}",
		"{\"id\": \"\", \"created\": \"x\", \"config\": {\"bundle\": \"/b\"}}",
		("{\"id\": \"box\", \"created\": \"x\", \"config\": {\"bundle\": \"/b\"},"
		 " \"init_process_pid\": -1}"),
		"{\"id\": 7, \"created\": \"x\", \"config\": {\"bundle\": \"/b\"}}",
		"[]",
		"null",
		"",
	};
	struct state_record *r = NULL;

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++) {
		scratch_file(STORE_STATE, texts[i]);
		assert_int_equal(read_record(&r), -1);
		assert_int_equal(scratch_err.code, ERR_INVALID);
	}
	assert_null(r);
}

/* A record may come from a later version, or from runc. */
static void what_is_not_known_is_passed_over(void **state)
{
	struct state_record *r = NULL;

	(void)state;
	scratch_file(STORE_STATE,
		     "{\"id\": \"box\", \"created\": \"x\", \"later\": [1, {}], "
		     "\"external_descriptors\": null, \"config\": {\"bundle\": \"/b\", "
		     "\"mounts\": [{\"source\": \"proc\"}]}}");
	assert_int_equal(read_record(&r), 0);
	assert_string_equal(r->bundle, "/b");
}

static void now_is_written_as_rfc_3339(void **state)
{
	const char *now = state_record_now(&scratch_arena, &scratch_err);
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";

	(void)state;
	assert_int_equal(strlen(now), strlen(form));
	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd')
			assert_in_range(now[i], '0', '9');
		else
			assert_int_equal(now[i], form[i]);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(what_was_written_is_read),
		test(the_least_there_is),
		test(outsiders_find_their_keys),
		test(it_is_written_whole_and_for_its_owner),
		test(a_missing_record_is_a_missing_container),
		test(what_is_no_file_is_refused),
		test(a_pid_that_no_process_has_is_refused),
		test(a_record_cut_anywhere_is_invalid),
		test(a_record_with_a_wrong_byte_is_read_or_invalid),
		test(what_a_container_needs_must_be_there),
		test(what_is_not_known_is_passed_over),
		test(now_is_written_as_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
