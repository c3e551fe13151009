/*
 * probe: runs inside test containers and tells what busybox cannot.
 *
 *   probe syscall NUMBER [ARG]...   makes one system call: prints "ok VALUE" or the errno's number
 *   probe fds                       prints the numbers of its open descriptors, one a line
 *   probe scheduler                 prints policy, nice value and priority
 *   probe ioprio                    prints I/O class and priority
 *   probe nosys                     prints the errno of a system call that does not exist yet
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
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

static int scheduler(void)
{
	struct sched_param param;

	sched_getparam(0, &param);
	printf("%d %d %d\n", sched_getscheduler(0), getpriority(PRIO_PROCESS, 0),
	       param.sched_priority);
	return 0;
}

static int ioprio(void)
{
	long value = syscall(SYS_ioprio_get, 1, 0);

	printf("%ld %ld\n", value >> 13, value & 7);
	return 0;
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
	if (strcmp(what, "nosys") == 0)
		return call(1, (char *[]){"100000"});
	fprintf(stderr, "probe: no such question: %s\n", what);
	return 2;
}
