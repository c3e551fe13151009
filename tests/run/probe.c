/*
 * probe: runs inside test containers and tells what busybox cannot.
 *
 *   probe syscall NUMBER [ARG]...   makes one system call: prints "ok VALUE" or the errno's number
 *   probe fds                       prints the numbers of its open descriptors, one a line
 *   probe scheduler                 prints policy, nice, priority, flags, runtime, deadline, period
 *   probe ioprio                    prints I/O class and priority
 *   probe memory                    prints mode and first word of the nodes of the memory policy
 *   probe personality               prints the personality
 *   probe clocks                    prints the seconds of the monotonic clock and since boot
 *   probe keyring                   prints id, permissions and description of the session keyring
 *   probe signal                    prints "ready", then the number of the first signal that comes
 *   probe nosys                     prints the errno of a system call that does not exist yet
 *   probe notify TEXT...            sends each text to $NOTIFY_SOCKET; prints "sent" or the errno
 *   probe barrier TEXT              the same with a pipe; prints "read" when that has been closed
 *   probe post PATH                 sends a byte to the datagram socket PATH, again and again
 *   probe large SIZE                the same with SIZE bytes, of which the last line is READY=1
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int call(int argc, char **argv)
{
	long args[6] = {0};
	long number = strtol(argv[0], NULL, 0);

	for (int i = 1; i < argc && i <= 6; i++)
		args[i - 1] = (long)strtoull(argv[i], NULL, 0);
	long value = syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (value == -1)
		printf("%d\n", errno);
	else
		printf("ok %ld\n", value);
	return 0;
}

static int fds(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			printf("%d\n", fd);
	return 0;
}

static int wait_for_signal(void)
{
	int number;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	puts("ready");
	fflush(stdout);
	sigwait(&all, &number);
	printf("%d\n", number);
	return 0;
}

static int scheduler(void)
{
	struct { /* sched_setattr(2) */
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr;

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0))
		return 1;
	printf("%u %d %u %llu %llu %llu %llu\n", attr.policy, attr.nice, attr.priority,
	       (unsigned long long)attr.flags, (unsigned long long)attr.runtime,
	       (unsigned long long)attr.deadline, (unsigned long long)attr.period);
	return 0;
}

static int ioprio(void)
{
	long value = syscall(SYS_ioprio_get, 1, 0);

	printf("%ld %ld\n", value >> 13, value & 7);
	return 0;
}

static int memory(void)
{
	unsigned long nodes[128] = {0};
	int mode = -1;

	if (syscall(SYS_get_mempolicy, &mode, nodes, 8 * sizeof(nodes), NULL, 0))
		return 1;
	printf("0x%x 0x%lx\n", (unsigned)mode, nodes[0]);
	return 0;
}

static int clocks(void)
{
	struct timespec monotonic, boot;

	if (clock_gettime(CLOCK_MONOTONIC, &monotonic) || clock_gettime(CLOCK_BOOTTIME, &boot))
		return 1;
	printf("%lld %lld\n", (long long)monotonic.tv_sec, (long long)boot.tv_sec);
	return 0;
}

static int keyring(void)
{
	char text[256];
	long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0, 0, 0);

	if (id < 0 || syscall(SYS_keyctl, KEYCTL_DESCRIBE, id, text, sizeof(text), 0) < 0)
		return 1;
	printf("%ld %s\n", id, text); /* "type;uid;gid;permissions;description" */
	return 0;
}

/* With fd (-1: none) in an SCM_RIGHTS message. */
static void notify(const char *text, size_t length, int fd)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const char *name = getenv("NOTIFY_SOCKET");
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec part = {.iov_base = (void *)text, .iov_len = length};
	struct msghdr packet = {
		.msg_name = &un, .msg_namelen = sizeof(un), .msg_iov = &part, .msg_iovlen = 1};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);

	strncpy(un.sun_path, name ? name : "", sizeof(un.sun_path) - 1);
	if (fd >= 0) {
		struct cmsghdr *header = (struct cmsghdr *)control;

		packet.msg_control = control;
		packet.msg_controllen = sizeof(control);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	}
	if (sendmsg(s, &packet, 0) < 0)
		printf("%d\n", errno);
	else
		printf("sent\n");
	fflush(stdout);
	close(s);
}

static int barrier(const char *text)
{
	int ends[2];
	struct pollfd wait;

	if (pipe(ends))
		return 1;
	notify(text, strlen(text), ends[1]);
	close(ends[1]);
	wait = (struct pollfd){.fd = ends[0]};
	printf("%s\n", poll(&wait, 1, 5000) > 0 ? "read" : "held");
	return 0;
}

static int large(size_t size)
{
	static const char end[] = "\nREADY=1";
	char *text = malloc(size);

	memset(text, 'x', size);
	memcpy(text + size - strlen(end), end, strlen(end));
	notify(text, size, -1);
	return 0;
}

static int post(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);

	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	if (connect(s, (struct sockaddr *)&un, sizeof(un)))
		return 1;
	for (;; usleep(20000))
		(void)send(s, "", 1, MSG_DONTWAIT);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "syscall") == 0 && argc > 2)
		return call(argc - 2, argv + 2);
	if (strcmp(what, "fds") == 0)
		return fds();
	if (strcmp(what, "scheduler") == 0)
		return scheduler();
	if (strcmp(what, "ioprio") == 0)
		return ioprio();
	if (strcmp(what, "memory") == 0)
		return memory();
	if (strcmp(what, "personality") == 0)
		return printf("0x%x\n", (unsigned)personality(0xffffffff)) < 0;
	if (strcmp(what, "clocks") == 0)
		return clocks();
	if (strcmp(what, "keyring") == 0)
		return keyring();
	if (strcmp(what, "signal") == 0)
		return wait_for_signal();
	if (strcmp(what, "nosys") == 0)
		return call(1, (char *[]){"100000"});
	if (strcmp(what, "barrier") == 0 && argc == 3)
		return barrier(argv[2]);
	if (strcmp(what, "large") == 0 && argc == 3)
		return large(strtoul(argv[2], NULL, 10));
	if (strcmp(what, "post") == 0 && argc == 3)
		return post(argv[2]);
	if (strcmp(what, "notify") == 0) {
		for (int i = 2; i < argc; i++)
			notify(argv[i], strlen(argv[i]), -1);
		return 0;
	}
	fprintf(stderr, "probe: no such question: %s\n", what);
	return 2;
}
