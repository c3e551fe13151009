/*
 * Making a process, and what a process does to itself. Each of the latter runs in a process of its
 * own; its exit status names the check that failed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "scratch.h"
#include "sys/process.h"

/* ---- clone -------------------------------------------------------------------------------------
 */

/* What one clone gave; the new process ends with `status` and one more when it is in the cgroup. */
struct cloned {
	pid_t pid;
	int pidfd, status;
	bool in_cgroup;
};

static struct cloned clone_and_wait(uint64_t flags, int cgroup, int status)
{
	struct cloned c = {.pidfd = -1};
	struct process_clone clone = {
		.flags = flags,
		.cgroup = cgroup,
		.ret_pidfd = &c.pidfd,
		.ret_in_cgroup = &c.in_cgroup,
	};
	siginfo_t end = {0};

	c.pid = process_clone(&clone, &scratch_err);
	if (c.pid == 0)
		_exit(status + c.in_cgroup);
	if (c.pid > 0 && !waitid(P_PIDFD, (id_t)c.pidfd, &end, WEXITED))
		c.status = end.si_status;
	return c;
}

static void a_process_with_its_pidfd(void **state)
{
	struct cloned c = clone_and_wait(0, -1, 7);

	(void)state;
	assert_true(c.pid > 0);
	assert_int_equal(fcntl(c.pidfd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(c.status, 7);
	assert_false(c.in_cgroup);
	fd_close(&c.pidfd);
}

static void a_process_without_pidfd(void **state)
{
	bool in_cgroup = true;
	struct process_clone clone = {.cgroup = -1, .ret_in_cgroup = &in_cgroup};
	pid_t pid = process_clone(&clone, &scratch_err);
	int status;

	(void)state;
	if (pid == 0)
		_exit(in_cgroup ? 1 : 9);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 9);
	assert_false(in_cgroup);
}

static int be_first_in_new_namespaces(void *argument)
{
	bool in_cgroup;
	struct process_clone clone = {
		.flags = CLONE_NEWPID | CLONE_NEWUTS,
		.cgroup = -1,
		.ret_in_cgroup = &in_cgroup,
	};
	pid_t pid = process_clone(&clone, &scratch_err);
	int status;

	(void)argument;
	if (pid == 0)
		_exit(getpid() == 1 && !sethostname("inside", 6) ? 0 : 1);
	return waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : 2;
}

static void namespaces_are_made_with_it(void **state)
{
	char before[65], after[65];

	(void)state;
	scratch_need_root();
	assert_int_equal(gethostname(before, sizeof(before)), 0);
	assert_int_equal(scratch_fork(be_first_in_new_namespaces, NULL), 0);
	assert_int_equal(gethostname(after, sizeof(after)), 0);
	assert_string_equal(before, after);
}

/* The new process must be a child of ours though another one made it. */
static void a_sibling(void **state)
{
	siginfo_t end = {0};
	int ends[2], pidfd = -1;
	bool in_cgroup;
	struct process_clone clone = {
		.flags = CLONE_PARENT,
		.cgroup = -1,
		.ret_pidfd = &pidfd,
		.ret_in_cgroup = &in_cgroup,
	};
	pid_t between, pid = 0;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	between = fork();
	if (between == 0) {
		pid = process_clone(&clone, &scratch_err);
		if (pid == 0)
			_exit(5);
		_exit(write(ends[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	assert_int_equal(read(ends[0], &pid, sizeof(pid)), sizeof(pid));
	assert_int_equal(waitid(P_PID, (id_t)between, &end, WEXITED), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &end, WEXITED | __WALL), 0);
	assert_int_equal(end.si_status, 5);
	fd_close(&ends[0]);
	fd_close(&ends[1]);
}

static void a_failure_is_told(void **state)
{
	(void)state;
	assert_int_equal(clone_and_wait(CLONE_NEWPID | CLONE_THREAD, -1, 0).pid, -1);
	assert_string_equal(scratch_err.text, "clone a process: invalid argument");
	assert_int_equal(clone_and_wait(0, scratch, 0).pid, -1); /* is no cgroup */
}

/* ---- clone where a sandbox hides clone3
 * ----------------------------------------------------------- */

static bool hide_clone3(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {array_len(code), code};

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int clone_in_sandbox(void *argument)
{
	struct cloned c;

	(void)argument;
	if (!hide_clone3())
		return 99;
	c = clone_and_wait(geteuid() ? 0 : CLONE_NEWUTS, scratch, 7);
	if (c.pid <= 0)
		return 1;
	if (fcntl(c.pidfd, F_GETFD) != FD_CLOEXEC)
		return 2;
	/* The cgroup, which clone cannot do, is left to the process, and both know. */
	if (c.in_cgroup || c.status != 7)
		return 3;
	return 0;
}

static void a_sandbox_without_clone3_gets_clone(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(clone_in_sandbox, NULL), 0);
}

/* ---- into a cgroup
 * ------------------------------------------------------------------------------- */

static const char *find_cgroup2(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	struct stat st;

	for (size_t i = 0; i < array_len(mounts); i++) {
		const char *path =
			arena_format(&scratch_arena, &scratch_err, "%s/cgroup.procs", mounts[i]);

		if (path && !stat(path, &st))
			return mounts[i];
	}
	return NULL;
}

static void it_begins_in_its_cgroup(void **state)
{
	const char *mount = find_cgroup2();
	struct cloned c;
	char path[64];
	int cgroup;

	(void)state;
	if (!mount || geteuid() != 0)
		skip();
	(void)snprintf(path, sizeof(path), "%s/creel-test-%d", mount, (int)getpid());
	if (mkdir(path, 0755))
		skip(); /* mounted read-only, or threaded */
	cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	c = clone_and_wait(0, cgroup, 7);
	fd_close(&cgroup);
	fd_close(&c.pidfd);
	assert_int_equal(rmdir(path), 0);
	assert_true(c.pid > 0);
	assert_int_equal(c.status, 8);
	assert_true(c.in_cgroup);
}

/* ---- what a process does to itself
 * ---------------------------------------------------------------- */

static void a_namespace_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(process_setns(scratch, CLONE_NEWNET, "network", &scratch_err), -1);
	assert_string_equal(scratch_err.text,
			    "failed to setns into network namespace: invalid argument");
	assert_int_equal(process_setns(-1, CLONE_NEWNET, "network", &scratch_err), -1);
	assert_int_equal(scratch_err.sys, EBADF);
}

static int come_back(void *argument)
{
	_close_ int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	char name[65];

	(void)argument;
	if (process_unshare(CLONE_NEWUTS, &scratch_err) || sethostname("inside", 6))
		return 1;
	if (process_setns(own, CLONE_NEWUTS, "uts", &scratch_err))
		return 2;
	return !gethostname(name, sizeof(name)) && !str_equal(name, "inside") ? 0 : 3;
}

static void namespaces_are_left_and_entered(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(come_back, NULL), 0);
	assert_int_equal(process_unshare(CLONE_PARENT, &scratch_err), -1);
	assert_string_equal(scratch_err.text,
			    "unshare namespaces (flags 0x8000): invalid argument");
}

static int bring_loopback_up(void *argument)
{
	struct ifreq request = {.ifr_name = "lo"};
	_close_ int fd = -1;

	(void)argument;
	if (process_unshare(CLONE_NEWNET, &scratch_err))
		return 99;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(fd, SIOCGIFFLAGS, &request) || request.ifr_flags & IFF_UP)
		return 1;
	if (process_loopback_up(&scratch_err))
		return 2;
	return !ioctl(fd, SIOCGIFFLAGS, &request) && request.ifr_flags & IFF_UP ? 0 : 3;
}

static void the_loopback_comes_up(void **state)
{
	(void)state;
	scratch_need_root();
	assert_int_equal(scratch_fork(bring_loopback_up, NULL), 0);
}

static int join_keyring(void *argument)
{
	char text[128] = "";
	long n;

	(void)argument;
	if (process_join_keyring("box", &scratch_err))
		return 1;
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof(text), 0);
	if (n < 0)
		return errno == ENOSYS || errno == EPERM ? 0 : 2; /* keyrings are not to be had */
	return str_starts(text, "keyring;") && str_ends(text, ";3f1b0000;_ses.box") ? 0 : 3;
}

static void the_keyring_has_the_containers_name(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(join_keyring, NULL), 0);
}

static int close_on_exec_from(void *argument)
{
	int fds[4];

	(void)argument;
	for (size_t i = 0; i < array_len(fds); i++)
		fds[i] = fcntl(0, F_DUPFD, 100 + (int)i);
	if (process_cloexec_from(102, &scratch_err))
		return 1;
	if (fcntl(fds[0], F_GETFD) || fcntl(fds[1], F_GETFD))
		return 2;
	return fcntl(fds[2], F_GETFD) == FD_CLOEXEC && fcntl(fds[3], F_GETFD) == FD_CLOEXEC ? 0 : 3;
}

static void descriptors_are_closed_by_exec(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(close_on_exec_from, NULL), 0);
}

static void handle(int number)
{
	(void)number;
}

static int reset_signals(void *argument)
{
	struct sigaction own = {.sa_handler = handle}, ignored = {.sa_handler = SIG_IGN}, now;
	sigset_t mask;

	(void)argument;
	sigfillset(&mask);
	if (sigaction(SIGTERM, &own, NULL) || sigaction(SIGPIPE, &ignored, NULL) ||
	    sigaction(SIGHUP, &ignored, NULL) || sigprocmask(SIG_SETMASK, &mask, NULL))
		return 99;
	process_reset_signals();
	for (int number = 1; number < 32; number++)
		if (sigaction(number, NULL, &now) || now.sa_handler != SIG_DFL)
			return number;
	if (sigprocmask(SIG_SETMASK, NULL, &mask))
		return 98;
	for (int number = 1; number < 65; number++)
		if (sigismember(&mask, number) == 1)
			return 97;
	return 0;
}

static void signals_are_as_at_birth(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(reset_signals, NULL), 0);
}

static int limit_oneself(void *argument)
{
	struct rlimit now;

	(void)argument;
	if (process_set_rlimit(0, RLIMIT_CORE, 4096, UINT64_C(1) << 40, &scratch_err))
		return 1;
	if (getrlimit(RLIMIT_CORE, &now) || now.rlim_cur != 4096 ||
	    now.rlim_max != UINT64_C(1) << 40)
		return 2;
	if (geteuid() == 0 && setresuid(1000, 1000, 1000))
		return 99;
	if (!process_set_rlimit(0, RLIMIT_CORE, 0, RLIM_INFINITY, &scratch_err))
		return 3;
	return scratch_err.sys == EPERM &&
			       str_equal(scratch_err.text,
					 "error setting rlimit type 4: operation not permitted")
		       ? 0
		       : 4;
}

static void limits_are_set_in_64_bits(void **state)
{
	(void)state;
	assert_int_equal(scratch_fork(limit_oneself, NULL), 0);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
		test(a_process_with_its_pidfd),
		test(a_process_without_pidfd),
		test(namespaces_are_made_with_it),
		test(a_sibling),
		test(a_failure_is_told),
		test(a_sandbox_without_clone3_gets_clone),
		test(it_begins_in_its_cgroup),
		test(a_namespace_that_is_none),
		test(namespaces_are_left_and_entered),
		test(the_loopback_comes_up),
		test(the_keyring_has_the_containers_name),
		test(descriptors_are_closed_by_exec),
		test(signals_are_as_at_birth),
		test(limits_are_set_in_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
