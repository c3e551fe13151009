/*
 * The layouts of control groups there are, read from what procfs says about them, and where a
 * container's cgroup is put in each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <sys/vfs.h>
#include <unistd.h>

#include "arena_fixture.h"
#include "cgroup/detect.h"
#include "cgroup/knob.h"

/* "hybrid memory=/sys/fs/cgroup/memory:/own …" */
static const char *text_of(const struct cgroup_host *host)
{
	static const char *const names[] = {"none", "v1", "hybrid", "v2"};
	struct str text;

	str_init(&text, &arena);
	str_add(&text, names[host->layout]);
	for (size_t i = 0; i < host->count; i++)
		str_addf(&text, " %s=%s:%s", host->item[i].name, host->item[i].mount,
			 host->item[i].own ? host->item[i].own : "?");
	return str_end(&text, &e);
}

static const char *detected(const char *mountinfo, const char *self)
{
	struct cgroup_host host;

	assert_int_equal(detect_mounts(mountinfo, self, &arena, &host, &e), 0);
	return text_of(&host);
}

#define ROOT_MOUNT "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
#define TMPFS_MOUNT "31 25 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs rw,mode=755\n"

static void finds_every_hierarchy_of_version_1(void **state)
{
	(void)state;
	assert_string_equal(
		detected(ROOT_MOUNT TMPFS_MOUNT
			 "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - "
			 "cgroup cgroup rw,cpu,cpuacct\n"
			 "33 31 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
			 "34 31 0:31 / /sys/fs/cgroup/systemd rw - "
			 "cgroup cgroup rw,xattr,name=systemd\n"
			 "35 31 0:32 / /sys/fs/cgroup/other rw - cgroup cgroup rw,name=other\n",
			 "4:cpu,cpuacct:/a\n3:memory:/a/b\n2:name=systemd:/\n"
			 "1:name=other:/x\n0::/u\n"),
		"v1 cpu=/sys/fs/cgroup/cpu,cpuacct:/a cpuacct=/sys/fs/cgroup/cpu,cpuacct:/a "
		"memory=/sys/fs/cgroup/memory:/a/b name=systemd=/sys/fs/cgroup/systemd:/");
}

static void finds_the_unified_side_of_hybrid(void **state)
{
	(void)state;
	assert_string_equal(
		detected(TMPFS_MOUNT "33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
				     "35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
				     "36 31 0:32 / /mnt/elsewhere rw - cgroup2 cgroup2 rw\n",
			 "3:pids:/p\n0::/user.slice\n"),
		"hybrid pids=/sys/fs/cgroup/pids:/p =/sys/fs/cgroup/unified:/user.slice");
}

static void own_is_read_only_when_asked_for(void **state)
{
	(void)state;
	assert_string_equal(
		detected(TMPFS_MOUNT
			 "33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			 NULL),
		"v1 pids=/sys/fs/cgroup/pids:?");
}

static void takes_the_first_of_two_mounts(void **state)
{
	(void)state;
	assert_string_equal(
		detected(TMPFS_MOUNT
			 "33 31 0:30 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
			 "44 31 0:30 /x /sys/fs/cgroup/again rw - cgroup cgroup rw,pids\n"
			 "45 31 0:30 / /var/root/sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			 "1:pids:/"),
		"v1 pids=/sys/fs/cgroup/pids:/");
}

/*
 * A container sees its own part of a hierarchy at the mount, and the whole path in
 * /proc/self/cgroup.
 */
static void own_begins_at_the_mounts_root(void **state)
{
	static const struct {
		const char *root, *self, *own;
	} rows[] = {
		{"/docker/abc", "1:pids:/docker/abc\n", "/"},
		{"/docker/abc", "1:pids:/docker/abc/sub\n", "/sub"},
		{"/docker/abc", "1:pids:/docker/abcdef\n", "/"},
		{"/docker/abc", "1:pids:/else\n", "/"},
		{"/", "1:pids:/../../x\n", "/"},
		{"/", "1:pids:/a:b\n", "/a:b"},
		{"/", "1:cpu:/c\n", "/"},
		{"/", "", "/"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		const char *mount = arena_format(
			&arena, &e,
			"33 31 0:30 %s /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
			rows[i].root);
		const char *want =
			arena_format(&arena, &e, "v1 pids=/sys/fs/cgroup/pids:%s", rows[i].own);

		assert_string_equal(detected(mount, rows[i].self), want);
	}
}

static void reads_octal_in_paths(void **state)
{
	(void)state;
	assert_string_equal(
		detected("33 31 0:30 / /sys/fs/cgroup/a\\040b rw - cgroup cgroup rw,pids\n",
			 "1:pids:/\n"),
		"v1 pids=/sys/fs/cgroup/a b:/");
}

static void no_hierarchy_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		ROOT_MOUNT,
		ROOT_MOUNT TMPFS_MOUNT,
		"35 31 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		"33 31 0:30 / /cgroup/pids rw - cgroup cgroup rw,pids\n",
		"33 31 0:30 / /sys/fs/cgroup/x rw -",
		"33\n33 31\n\n / / / /sys/fs/cgroup/x\n",
	};

	(void)state;
	for (size_t i = 0; i < array_len(texts); i++)
		assert_string_equal(detected(texts[i], "1:pids:/\n"), "none");
}

static void version_2_is_one_mount(void **state)
{
	struct cgroup_host host;

	(void)state;
	assert_int_equal(detect_unified("0::/user.slice/shell\n", &arena, &host, &e), 0);
	assert_string_equal(text_of(&host), "v2 =/sys/fs/cgroup:/user.slice/shell");
	assert_int_equal(detect_unified(NULL, &arena, &host, &e), 0);
	assert_string_equal(text_of(&host), "v2 =/sys/fs/cgroup:?");
}

static void this_machine_is_one_of_them(void **state)
{
	struct cgroup_host host;

	(void)state;
	assert_int_equal(cgroup_detect(true, &arena, &host, &e), 0);
	if (access(CGROUP_ROOT, F_OK))
		assert_int_equal(host.layout, CGROUP_NONE);
	else if (!access(CGROUP_ROOT "/cgroup.procs", F_OK))
		assert_int_equal(host.layout, CGROUP_V2);
	for (size_t i = 0; i < host.count; i++) {
		assert_int_equal(access(host.item[i].mount, F_OK), 0);
		assert_int_equal(host.item[i].own[0], '/');
	}
}

/* ---- where a container is put ---------------------------------------------------------------- */

static struct cgroup_hierarchy hierarchies[] = {
	{"cpu", CGROUP_ROOT "/cpu,cpuacct", "/"},
	{"cpuacct", CGROUP_ROOT "/cpu,cpuacct", "/"},
	{"memory", CGROUP_ROOT "/memory", "/own/deep"},
	{"", CGROUP_ROOT "/unified", "/own"},
};
static struct cgroup_hierarchy unified[] = {{"", CGROUP_ROOT, "/user.slice/shell.scope"}};

/* The places, without /sys/fs/cgroup, parted by blanks; or the error. */
static const char *placed(enum cgroup_layout layout, const char *path)
{
	struct cgroup_host host = {layout, hierarchies, array_len(hierarchies), NULL};
	struct cgroup_paths paths;
	struct str text;

	if (layout == CGROUP_V2)
		host = (struct cgroup_host){layout, unified, 1, NULL};
	if (cgroup_place(&host, path, "id1", &arena, &paths, &e)) {
		assert_int_equal(e.code, ERR_INVALID);
		assert_string_equal(e.pointer, "/linux/cgroupsPath");
		return e.text;
	}
	str_init(&text, &arena);
	for (size_t i = 0; i < paths.count; i++) {
		assert_string_equal(paths.item[i].name, host.item[i].name);
		str_addf(&text, "%s%s", i ? " " : "", paths.item[i].path + strlen(CGROUP_ROOT));
	}
	return str_end(&text, &e);
}

static void places_a_container(void **state)
{
	static const struct {
		enum cgroup_layout layout;
		const char *path, *places;
	} rows[] = {
		{CGROUP_HYBRID, "/a/b",
		 "/cpu,cpuacct/a/b /cpu,cpuacct/a/b /memory/a/b /unified/a/b"},
		{CGROUP_HYBRID, "a/b",
		 "/cpu,cpuacct/a/b /cpu,cpuacct/a/b /memory/own/deep/a/b /unified/own/a/b"},
		{CGROUP_HYBRID, NULL,
		 "/cpu,cpuacct/id1 /cpu,cpuacct/id1 /memory/own/deep/id1 /unified/own/id1"},
		{CGROUP_V2, "/a/b", "/a/b"},
		{CGROUP_V2, "a/b", "/user.slice/a/b"},
		{CGROUP_V2, NULL, "/user.slice/id1"},
		{CGROUP_V2, "", "/user.slice/id1"},
		{CGROUP_V2, "system.slice:runc:name", "/user.slice/system.slice:runc:name"},
		{CGROUP_V2, "//a/./b//", "/a/b"},
		{CGROUP_V2, "/..a/b..", "/..a/b.."},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(placed(rows[i].layout, rows[i].path), rows[i].places);
}

static void refuses_paths_that_lead_out(void **state)
{
	static const struct {
		const char *path, *text;
	} rows[] = {
		{"..", "invalid cgroup path \"..\": it may not contain \"..\""},
		{"/a/../../b", "invalid cgroup path \"/a/../../b\": it may not contain \"..\""},
		{"a/..", "invalid cgroup path \"a/..\": it may not contain \"..\""},
		{"/", "invalid cgroup path \"/\": it names no cgroup below the root"},
		{"/./", "invalid cgroup path \"/./\": it names no cgroup below the root"},
		{".", "invalid cgroup path \".\": it names no cgroup below the root"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_string_equal(placed(CGROUP_V2, rows[i].path), rows[i].text);
		assert_string_equal(placed(CGROUP_HYBRID, rows[i].path), rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_hierarchy_of_version_1),
		cmocka_unit_test(finds_the_unified_side_of_hybrid),
		cmocka_unit_test(own_is_read_only_when_asked_for),
		cmocka_unit_test(takes_the_first_of_two_mounts),
		cmocka_unit_test(own_begins_at_the_mounts_root),
		cmocka_unit_test(reads_octal_in_paths),
		cmocka_unit_test(no_hierarchy_is_none),
		cmocka_unit_test(version_2_is_one_mount),
		cmocka_unit_test(this_machine_is_one_of_them),
		cmocka_unit_test(places_a_container),
		cmocka_unit_test(refuses_paths_that_lead_out),
	};

	return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
