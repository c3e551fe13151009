/*
 * Paths inside a hostile tree. The root of every test is the directory "root"; beside it lies
 * "outside", and nothing may ever be opened, made or changed there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/inroot.h"

static int root = -1;

static int setup(void **state)
{
	if (scratch_setup(state))
		return -1;
	scratch_directory("root");
	scratch_directory("outside");
	scratch_file("outside/file", "secret");
	root = openat(scratch, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	fd_close(&root);
	return scratch_teardown(state);
}

/* ---- helpers -----------------------------------------------------------------------------------
 */

/* Where a descriptor is, from the root: "/a/b", or the whole path when it is elsewhere. Closes it.
 */
static const char *place(int fd)
{
	static char path[PATH_MAX + 64];
	char link[32];
	size_t before = strlen(scratch_path) + strlen("/root");
	ssize_t n;

	if (fd < 0)
		return scratch_err.text;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	fd_close(&fd);
	assert_true(n > 0);
	path[n] = '\0';
	if (strncmp(path, scratch_name("root"), before))
		return path;
	return path[before] ? path + before : "/";
}

static const char *place_of(const char *path)
{
	return place(inroot_open(root, path, O_PATH, &scratch_err));
}

static const char *made_directory(const char *path)
{
	return place(inroot_mkdir(root, path, 0755, &scratch_err));
}

static const char *made_file(const char *path)
{
	return place(inroot_mkfile(root, path, 0644, &scratch_err));
}

/* The errno of a failure; 0 for a failure without one. */
static int errno_of(int fd)
{
	assert_int_equal(fd, -1);
	return scratch_err.sys;
}

static void outside_is_untouched(void)
{
	assert_string_equal(scratch_read(scratch_name("outside/file")), "secret");
	assert_int_equal(unlinkat(scratch, "outside/file", 0), 0);
	assert_int_equal(unlinkat(scratch, "outside", AT_REMOVEDIR), 0); /* it had nothing else */
}

/* ---- opening -----------------------------------------------------------------------------------
 */

static void links_lead_within_the_root(void **state)
{
	static const struct {
		const char *path, *place;
	} rows[] = {
		{"/etc/hosts", "/etc/hosts"},
		{"etc/hosts", "/etc/hosts"},
		{"///etc//./hosts", "/etc/hosts"},
		{"/absolute", "/etc/hosts"},
		{"/relative", "/etc/hosts"},
		{"/above", "/etc/hosts"},
		{"/chain", "/etc/hosts"},
		{"/folder/hosts", "/etc/hosts"},
		{"/../../../etc/hosts", "/etc/hosts"},
		{"/folder/../etc/hosts", "/etc/hosts"},
		{"/", "/"},
		{"", "/"},
		{"/..", "/"},
		{"/to-top", "/"},
	};

	(void)state;
	scratch_directory("root/etc");
	scratch_file("root/etc/hosts", "");
	scratch_link("root/absolute", "/etc/hosts");
	scratch_link("root/relative", "etc/hosts");
	scratch_link("root/above", "../../../../etc/hosts");
	scratch_link("root/chain", "above");
	scratch_link("root/folder", "/etc");
	scratch_link("root/to-top", "../..");
	for (size_t i = 0; i < array_len(rows); i++)
		assert_string_equal(place_of(rows[i].path), rows[i].place);
}

static void what_is_outside_is_not_found(void **state)
{
	static const char *const paths[] = {"/link", "/up", "/up-twice", "/../outside/file",
					    "/dir/file"};

	(void)state;
	scratch_link("root/link", scratch_name("outside/file"));
	scratch_link("root/up", "../outside/file");
	scratch_link("root/up-twice", "../../outside/file");
	scratch_link("root/dir", "../outside");
	for (size_t i = 0; i < array_len(paths); i++)
		assert_int_equal(errno_of(inroot_open(root, paths[i], O_PATH, &scratch_err)),
				 ENOENT);
	assert_non_null(strstr(scratch_err.text, "open \"/dir/file\" in the container's root"));
}

static void loops_end(void **state)
{
	(void)state;
	scratch_link("root/self", "self");
	scratch_link("root/a", "b");
	scratch_link("root/b", "a");
	scratch_link("root/grows", "grows/x");
	assert_int_equal(errno_of(inroot_open(root, "/self", O_PATH, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_mkdir(root, "/a/x", 0755, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_mkfile(root, "/b", 0644, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_mkdir(root, "/grows", 0755, &scratch_err)), ELOOP);
}

static void magic_links_are_refused(void **state)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[40];

	(void)state;
	assert_true(proc >= 0);
	(void)snprintf(path, sizeof(path), "self/fd/%d", scratch);
	assert_int_equal(errno_of(inroot_open(proc, path, O_PATH, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_open(proc, "self/root", O_PATH, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_mkdir(proc, "self/cwd/x", 0755, &scratch_err)), ELOOP);
	assert_int_equal(errno_of(inroot_mkfile(proc, "self/cwd/x", 0644, &scratch_err)), ELOOP);
	fd_close(&proc);
}

static void a_plain_path_has_no_link_in_it(void **state)
{
	int fd;

	(void)state;
	scratch_directory("root/etc");
	scratch_file("root/etc/hosts", "");
	scratch_link("root/link", "etc");
	scratch_link("root/etc/last", "hosts");
	fd = inroot_open_plain(root, "/etc/hosts", O_PATH, &scratch_err);
	assert_string_equal(place(fd), "/etc/hosts");
	assert_int_equal(errno_of(inroot_open_plain(root, "/link/hosts", O_PATH, &scratch_err)),
			 ELOOP);
	assert_int_equal(errno_of(inroot_open_plain(root, "/etc/last", O_PATH, &scratch_err)),
			 ELOOP);
	/* The link itself may be looked at. */
	fd = inroot_open_plain(root, "/etc/last", O_PATH | O_NOFOLLOW, &scratch_err);
	assert_string_equal(place(fd), "/etc/last");
}

static int cross_a_mount(void *argument)
{
	int fd;

	(void)argument;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", scratch_name("root/mnt"), "tmpfs", 0, NULL))
		return 99;
	root = open(scratch_name("root"), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || mkdirat(root, "mnt/over", 0755))
		return 98;
	fd = inroot_open_onefs(root, "/mnt/over", O_PATH, &scratch_err);
	if (fd >= 0 || scratch_err.sys != EXDEV)
		return 1;
	fd = inroot_open_onefs(root, "/below", O_PATH, &scratch_err);
	if (fd < 0)
		return 2;
	if (inroot_open_onefs(root, "/../outside/file", O_PATH, &scratch_err) >= 0)
		return 3;
	return inroot_open(root, "/mnt/over", O_PATH, &scratch_err) < 0 ? 4 : 0;
}

static void one_file_system_is_not_left(void **state)
{
	(void)state;
	scratch_need_root();
	scratch_directory("root/mnt");
	scratch_file("root/below", "");
	assert_int_equal(scratch_fork(cross_a_mount, NULL), 0);
}

static void everything_opened_is_close_on_exec(void **state)
{
	int fds[3];

	(void)state;
	fds[0] = inroot_open(root, "/", O_PATH, &scratch_err);
	fds[1] = inroot_mkdir(root, "/a/b", 0755, &scratch_err);
	fds[2] = inroot_mkfile(root, "/a/f", 0644, &scratch_err);
	for (size_t i = 0; i < array_len(fds); i++) {
		assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
		fd_close(&fds[i]);
	}
}

/* ---- making ------------------------------------------------------------------------------------
 */

static void directories_are_made_on_the_way(void **state)
{
	struct stat st;

	(void)state;
	assert_string_equal(made_directory("/a/b/c"), "/a/b/c");
	assert_string_equal(made_directory("/a/b/c"), "/a/b/c");
	assert_string_equal(made_directory("a//./d/../e///"), "/a/e");
	assert_string_equal(place_of("/a/d"), "/a/d"); /* .. goes up from what was made */
	assert_string_equal(made_directory("/../../f"), "/f");
	assert_string_equal(made_directory("/"), "/");
	(void)umask(0);
	assert_string_equal(place(inroot_mkdir(root, "/m/n", 0700, &scratch_err)), "/m/n");
	(void)umask(0022);
	assert_int_equal(fstatat(root, "m/n", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	outside_is_untouched();
}

static void a_dangling_link_is_made_good_within_the_root(void **state)
{
	(void)state;
	scratch_directory("root/etc");
	scratch_link("root/etc/resolv.conf", "../run/resolve/stub.conf");
	scratch_link("root/var-run", "/run/real");
	scratch_link("root/etc/absolute", "/run/absolute");
	scratch_link("root/out", "../../outside/new");
	scratch_link("root/far", scratch_name("outside/new"));
	scratch_link("root/first", "second/x");
	scratch_link("root/second", "/third");
	assert_string_equal(made_file("/etc/resolv.conf"), "/run/resolve/stub.conf");
	assert_string_equal(made_directory("/var-run/box"), "/run/real/box");
	assert_string_equal(made_directory("/etc/absolute"), "/run/absolute");
	assert_string_equal(made_directory("/out"), "/outside/new");
	assert_string_equal(made_file("/first/file"), "/third/x/file");
	assert_string_equal(made_file("/far"), arena_format(&scratch_arena, &scratch_err,
							    "%s/outside/new", scratch_path));
	assert_string_equal(place_of("/etc/resolv.conf"), "/run/resolve/stub.conf");
	outside_is_untouched();
}

static void a_link_in_a_linked_folder_begins_where_it_really_is(void **state)
{
	(void)state;
	assert_string_equal(made_directory("/p/q"), "/p/q");
	scratch_link("root/d", "p/q");
	scratch_link("root/p/q/l", "../x");
	assert_string_equal(made_directory("/d/l/y"), "/p/x/y");
}

static void many_dangling_links_end(void **state)
{
	char name[40], text[16];

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "root/l%d", i);
		(void)snprintf(text, sizeof(text), "l%d/x", i + 1);
		scratch_link(name, text);
	}
	assert_int_equal(inroot_mkdir(root, "/l0", 0755, &scratch_err), -1);
	assert_int_equal(inroot_mkfile(root, "/l0", 0644, &scratch_err), -1);
	assert_string_equal(made_directory("/l95"), "/l100/x/x/x/x/x");
}

/* The kernel sees one dangling link at a time here, so its own limit does not help. */
static void dangling_links_that_end_one_by_one_end(void **state)
{
	char name[40], text[40];

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "root/l%d", i);
		(void)snprintf(text, sizeof(text), "made%d/../l%d", i, i + 1);
		scratch_link(name, text);
	}
	assert_int_equal(inroot_mkdir(root, "/l0", 0755, &scratch_err), -1);
	assert_non_null(strstr(scratch_err.text, "too many levels of symbolic links"));
	assert_string_equal(made_directory("/l95"), "/l100");
}

static void make_odd_files(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	scratch_file("root/file", "");
	assert_int_equal(mknodat(scratch, "root/fifo", S_IFIFO | 0644, 0), 0);
	assert_int_equal(mknodat(scratch, "root/device", S_IFCHR | 0644, makedev(1, 3)), 0);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/root/socket", scratch_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	fd_close(&fd);
}

static void nothing_else_passes_for_a_directory(void **state)
{
	static const char *const names[] = {"file", "fifo", "device", "socket", "link"};
	char path[32];

	(void)state;
	scratch_need_root();
	make_odd_files();
	scratch_link("root/link", "fifo");
	for (size_t i = 0; i < array_len(names); i++) {
		(void)snprintf(path, sizeof(path), "/%s", names[i]);
		assert_int_equal(errno_of(inroot_mkdir(root, path, 0755, &scratch_err)), ENOTDIR);
		(void)snprintf(path, sizeof(path), "/%s/below", names[i]);
		assert_int_equal(errno_of(inroot_mkdir(root, path, 0755, &scratch_err)), ENOTDIR);
		assert_int_equal(errno_of(inroot_mkfile(root, path, 0644, &scratch_err)), ENOTDIR);
		assert_int_equal(errno_of(inroot_open(root, path, O_PATH, &scratch_err)), ENOTDIR);
	}
}

static void a_file_that_is_there_is_left_as_it_is(void **state)
{
	struct stat st;

	(void)state;
	scratch_file("root/file", "content");
	scratch_link("root/link", "file");
	scratch_directory("root/dir");
	assert_string_equal(made_file("/file"), "/file");
	assert_string_equal(made_file("/link"), "/file");
	assert_string_equal(made_file("/dir"), "/dir"); /* the caller looks at what it got */
	assert_string_equal(scratch_read(scratch_name("root/file")), "content");
	assert_string_equal(made_file("/new/deep/"), "/new/deep");
	assert_int_equal(fstatat(root, "new/deep", &st, 0), 0);
	assert_true(S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0644 && st.st_size == 0);
}

static void some_names_cannot_be_made(void **state)
{
	static const char *const paths[] = {"/", "", "/..", "/a/..", "/a/.", "///", "/a/../"};

	(void)state;
	for (size_t i = 0; i < array_len(paths); i++) {
		assert_int_equal(
			errno_of(inroot_mknod(root, paths[i], S_IFREG | 0644, 0, &scratch_err)), 0);
		assert_non_null(strstr(scratch_err.text, "not a usable name"));
		assert_int_equal(errno_of(inroot_symlink(root, paths[i], "text", &scratch_err)), 0);
		assert_int_equal(inroot_symlink_new(root, paths[i], "text", &scratch_err), -1);
	}
}

static void long_names(void **state)
{
	char good[NAME_MAX + 2] = "/", bad[NAME_MAX + 3] = "/";
	const char *below_missing;

	(void)state;
	memset(good + 1, 'n', NAME_MAX);
	good[NAME_MAX + 1] = '\0';
	memset(bad + 1, 'n', NAME_MAX + 1);
	bad[NAME_MAX + 2] = '\0';
	below_missing = arena_format(&scratch_arena, &scratch_err, "/missing%s", bad);
	assert_string_equal(made_directory(good), good);
	assert_int_equal(inroot_mkdir(root, bad, 0755, &scratch_err), -1);
	assert_non_null(strstr(scratch_err.text, "file name too long"));
	assert_int_equal(inroot_mkdir(root, below_missing, 0755, &scratch_err), -1);
	assert_non_null(strstr(scratch_err.text, "file name too long"));
	assert_int_equal(inroot_mkfile(root, bad, 0644, &scratch_err), -1);
	assert_int_equal(inroot_mknod(root, bad, S_IFREG, 0, &scratch_err), -1);
	assert_int_equal(inroot_symlink(root, bad, "text", &scratch_err), -1);
}

/* "/a/a/a…", length characters in all. */
static const char *long_path(size_t length)
{
	char *path = arena_get(&scratch_arena, length + 1, &scratch_err);

	assert_non_null(path);
	for (size_t i = 0; i < length; i++)
		path[i] = i % 2 ? 'a' : '/';
	return path;
}

static void long_paths(void **state)
{
	(void)state;
	for (size_t length = PATH_MAX + 1; length < PATH_MAX + 4; length++) {
		assert_int_equal(inroot_mkdir(root, long_path(length), 0755, &scratch_err), -1);
		assert_int_equal(inroot_mkfile(root, long_path(length), 0644, &scratch_err), -1);
	}
	for (size_t length = PATH_MAX - 1; length > PATH_MAX - 4; length--) {
		int fd = inroot_mkdir(root, long_path(length), 0755, &scratch_err);

		assert_true(fd >= 0);
		fd_close(&fd);
	}
}

static void a_link_may_not_stretch_a_path_beyond_its_limit(void **state)
{
	char text[PATH_MAX - 100];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (size_t i = 0; i < sizeof(text); i += 200)
		text[i] = '/';
	text[sizeof(text) - 1] = '\0';
	scratch_link("root/long", text);
	assert_int_equal(
		inroot_mkdir(root,
			     arena_format(&scratch_arena, &scratch_err, "/long%s", long_path(200)),
			     0755, &scratch_err),
		-1);
	outside_is_untouched();
}

static void devices_and_their_folders(void **state)
{
	struct stat st;

	(void)state;
	scratch_need_root();
	(void)umask(0);
	assert_int_equal(
		inroot_mknod(root, "/dev/net/tun", S_IFCHR | 0666, makedev(10, 200), &scratch_err),
		0);
	(void)umask(0022);
	assert_int_equal(fstatat(root, "dev/net/tun", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISCHR(st.st_mode) && (st.st_mode & 07777) == 0666);
	assert_true(st.st_rdev == makedev(10, 200));
	assert_int_equal(errno_of(inroot_mknod(root, "/dev/net/tun", S_IFCHR | 0666,
					       makedev(10, 200), &scratch_err)),
			 EEXIST);
	/* A link in the place of the last name is not followed. */
	scratch_link("root/dev/null", "../../outside/file");
	assert_int_equal(errno_of(inroot_mknod(root, "/dev/null", S_IFREG | 0666, 0, &scratch_err)),
			 EEXIST);
	outside_is_untouched();
}

static void links(void **state)
{
	struct stat before, after;
	char long_text[400];

	(void)state;
	memset(long_text, 't', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	assert_int_equal(inroot_symlink(root, "/dev/fd", "/proc/self/fd", &scratch_err), 0);
	assert_int_equal(fstatat(root, "dev/fd", &before, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(inroot_symlink(root, "/dev/fd", "/proc/self/fd", &scratch_err), 0);
	assert_int_equal(fstatat(root, "dev/fd", &after, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(before.st_ctim.tv_nsec == after.st_ctim.tv_nsec); /* left as it was */
	assert_int_equal(inroot_symlink(root, "/dev/fd", "other", &scratch_err), 0);
	assert_int_equal(inroot_symlink(root, "/dev/long", long_text, &scratch_err), 0);
	assert_int_equal(inroot_symlink(root, "/dev/long", long_text, &scratch_err), 0);
	scratch_file("root/dev/file", "");
	assert_int_equal(inroot_symlink(root, "/dev/file", "text", &scratch_err), 0);
	scratch_directory("root/dev/dir");
	assert_int_equal(errno_of(inroot_symlink(root, "/dev/dir", "text", &scratch_err)), EISDIR);
	/* What is replaced is the link, not what it stands for. */
	scratch_link("root/dev/out", "../../outside/file");
	assert_int_equal(inroot_symlink(root, "/dev/out", "text", &scratch_err), 0);
	outside_is_untouched();
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(links_lead_within_the_root),
		test(what_is_outside_is_not_found),
		test(loops_end),
		test(magic_links_are_refused),
		test(a_plain_path_has_no_link_in_it),
		test(one_file_system_is_not_left),
		test(everything_opened_is_close_on_exec),
		test(directories_are_made_on_the_way),
		test(a_dangling_link_is_made_good_within_the_root),
		test(a_link_in_a_linked_folder_begins_where_it_really_is),
		test(many_dangling_links_end),
		test(dangling_links_that_end_one_by_one_end),
		test(nothing_else_passes_for_a_directory),
		test(a_file_that_is_there_is_left_as_it_is),
		test(some_names_cannot_be_made),
		test(long_names),
		test(long_paths),
		test(a_link_may_not_stretch_a_path_beyond_its_limit),
		test(devices_and_their_folders),
		test(links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
