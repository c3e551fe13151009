/*
 * onlooker: in a container, looks at every process that appears, from its first moment on, and
 * takes what it can get. One line for each thing had, told once: "root", "cwd PATH", "fd PATH",
 * "environ", "exe" (open for writing), "mem", "traced". What is another container's own (a process
 * that runs its program already) does not count.
 *
 *   onlooker MARKER SECONDS   MARKER is a file of the host, SECRET in the environment a secret
 *                             of it
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "newest.h"

#define SECRET "hunter2"

static unsigned long looks;

/* Each thing once. */
static void had(const char *what, const char *detail)
{
	static char told[200][300];
	static int count;
	char line[300];

	snprintf(line, sizeof(line), "%s %s", what, detail);
	for (int i = 0; i < count; i++)
		if (strcmp(told[i], line) == 0)
			return;
	if (count < 200)
		strcpy(told[count++], line);
	printf("%s\n", line);
	fflush(stdout);
}

static int open_in(int pid, const char *name, int flags)
{
	char path[4200];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, flags | O_CLOEXEC);
}

static ssize_t read_link(int pid, const char *name, char *text, size_t size)
{
	char path[300];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, text, size - 1);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

static void look_at_descriptors(int pid)
{
	char path[64], target[4096], name[300];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	list = opendir(path);
	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "fd/%s", entry->d_name);
		if (read_link(pid, name, target, sizeof(target)) > 0)
			had("fd", target);
	}
	if (list)
		closedir(list);
}

static void look_at_environment(int pid)
{
	char text[65536];
	int fd = open_in(pid, "environ", O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n > 0 && memmem(text, (size_t)n, SECRET, strlen(SECRET)))
		had("environ", "");
	close(fd);
}

/*
 * True while the process has not executed its program: the runtime's own file is the root of a
 * mount that is nowhere.
 */
static bool is_runtime(int pid)
{
	char target[4096];

	return read_link(pid, "exe", target, sizeof(target)) > 0 &&
	       (strcmp(target, "/") == 0 || strstr(target, "creel"));
}

static void try_to_trace(int pid)
{
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		return;
	waitpid(pid, &status, __WALL);
	if (is_runtime(pid))
		had("traced", "");
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	kill(pid, SIGCONT); /* the stop that PTRACE_ATTACH asks for may come later than another */
}

static void look_at(int pid, const char *marker)
{
	char path[4100], target[4096];
	int fd;

	looks++;
	snprintf(path, sizeof(path), "root%s", marker);
	fd = open_in(pid, path, O_RDONLY);
	if (fd >= 0)
		had("root", "");
	close(fd);
	if (read_link(pid, "cwd", target, sizeof(target)) > 0)
		had("cwd", target);
	look_at_descriptors(pid);
	look_at_environment(pid);
	fd = is_runtime(pid) ? open_in(pid, "exe", O_WRONLY) : -1;
	if (fd >= 0)
		had("exe", "");
	close(fd);
	fd = is_runtime(pid) ? open_in(pid, "mem", O_RDWR) : -1;
	if (fd >= 0 && is_runtime(pid))
		had("mem", "");
	close(fd);
	if (getenv("TRACE"))
		try_to_trace(pid);
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc == 3 ? atoi(argv[2]) : 0);
	int last = getpid();

	if (argc != 3)
		return 2;
	printf("ready\n");
	fflush(stdout);
	while (time(NULL) < end) {
		char path[32];
		bool seen = false;

		for (int pid = last + 1; pid < last + 20; pid++) {
			snprintf(path, sizeof(path), "/proc/%d", pid);
			if (access(path, F_OK))
				continue;
			for (int i = 0; i < 30 && !access(path, F_OK); i++)
				look_at(pid, argv[1]);
			last = pid;
			seen = true;
		}
		if (!seen)
			last = newest(last) - 1;
	}
	printf("looks %lu\n", looks);
	return 0;
}
