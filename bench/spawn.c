/*
 * spawn: runs the commands of several contenders turn by turn and tells what each of them cost.
 *
 * bench/bench calls it with a script on standard input and reads its table. It is a C program
 * because who measures is part of what is measured: a large parent makes every fork dearer.
 *
 * The script has one list of words a line, separated by tabs:
 *
 *	contender                  the lines up to the next contender are one turn of this one
 *	time  PROGRAM ARGUMENT…    run it and count it
 *	quiet PROGRAM ARGUMENT…    run it, needed but not asked for
 *	reap                       wait for what earlier commands left behind: a container's process
 *
 * Each round plays one turn of every contender, another one first each time, and prints a line for
 * each step: round, contender, step, word, wall nanoseconds, CPU microseconds (user and system of
 * the command and of all it waited for), peak memory in KiB (only with -m), wait status.
 *
 * It must not look at what the commands print, nor decide what a number means.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_MAX (1 << 20)
#define STEPS_MAX 1024
#define WORDS_MAX 16384
#define CONTENDERS_MAX 16
#define STUCK_SECONDS 300

struct step {
	char **words; /* words[0] is time, quiet or reap; ended with NULL */
};

struct script {
	char text[SCRIPT_MAX];
	char *words[WORDS_MAX];
	struct step steps[STEPS_MAX];
	size_t first[CONTENDERS_MAX + 1]; /* contender c does steps first[c] … first[c + 1] − 1 */
	size_t contenders;
};

struct cost {
	long long wall; /* ns */
	long long cpu;  /* µs */
	long peak;      /* KiB */
	int status;
};

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static long long cpu_of(const struct rusage *r)
{
	return (r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000LL + r->ru_utime.tv_usec +
	       r->ru_stime.tv_usec;
}

/*
 * The peak of the resident memory of a process that has not given up its memory yet, in KiB; 0 when
 * not to be had.
 */
static long peak_of(pid_t pid)
{
	char path[64], status[4096];
	const char *line;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, status, sizeof(status) - 1);
	close(fd);
	status[n > 0 ? n : 0] = 0;
	line = strstr(status, "\nVmHWM:");
	return line ? strtol(line + 7, NULL, 10) : 0;
}

static pid_t launch(char *const argv[], bool traced)
{
	pid_t pid = vfork();

	if (pid < 0)
		err(1, "vfork");
	if (pid == 0) {
		if (traced)
			ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/*
 * Waits for a traced child, stops it at the very end of its life and reads its peak there. wait4's
 * ru_maxrss will not do: it holds the larger of this program's own pages, the child's, and those of
 * the child's children.
 */
static void wait_traced(pid_t pid, struct cost *ret_cost)
{
	bool seen_exec = false;
	int status, signal;

	for (;;) {
		if (waitpid(pid, &status, 0) < 0)
			err(1, "waitpid");
		if (!WIFSTOPPED(status))
			break;
		signal = WSTOPSIG(status);
		if (!seen_exec) {
			/*
			 * The stop after the first exec: from now on exec and exit are told as
			 * events.
			 */
			seen_exec = true;
			ptrace(PTRACE_SETOPTIONS, pid, NULL,
			       (void *)(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC));
			signal = 0;
		} else if (status >> 16) {
			if (status >> 16 == PTRACE_EVENT_EXIT)
				ret_cost->peak = peak_of(pid);
			signal = 0;
		}
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)signal);
	}
	ret_cost->status = status;
}

static struct cost run(char *const argv[], bool traced)
{
	struct cost cost = {0};
	struct rusage usage;
	long long begin = now();
	pid_t pid = launch(argv, traced);

	if (traced) {
		wait_traced(pid, &cost);
		return cost;
	}
	if (wait4(pid, &cost.status, 0, &usage) < 0)
		err(1, "wait4");
	cost.wall = now() - begin;
	cost.cpu = cpu_of(&usage);
	return cost;
}

/* This process is a subreaper, so what a detached command leaves behind ends up here. */
static struct cost reap(void)
{
	struct cost cost = {0};
	struct rusage usage;
	long long begin = now();

	while (wait4(-1, NULL, 0, &usage) >= 0 || errno == EINTR)
		cost.cpu += cpu_of(&usage);
	cost.wall = now() - begin;
	return cost;
}

static void read_script(struct script *s)
{
	size_t length = fread(s->text, 1, SCRIPT_MAX - 1, stdin), words = 0, steps = 0;
	char *line, *rest = s->text, *word, *in_line;

	if (length == SCRIPT_MAX - 1)
		errx(2, "the script is longer than %d bytes", SCRIPT_MAX - 1);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (!*line)
			continue;
		if (strcmp(line, "contender") == 0) {
			if (s->contenders == CONTENDERS_MAX)
				errx(2, "more than %d contenders", CONTENDERS_MAX);
			s->first[s->contenders++] = steps;
			continue;
		}
		if (steps == STEPS_MAX || s->contenders == 0)
			errx(2, "more than %d steps, or a step before the first contender",
			     STEPS_MAX);
		s->steps[steps++].words = &s->words[words];
		for (in_line = line; (word = strsep(&in_line, "\t")) != NULL;
		     s->words[words++] = word)
			if (words + 2 > WORDS_MAX)
				errx(2, "more than %d words", WORDS_MAX);
		s->words[words++] = NULL;
	}
	s->first[s->contenders] = steps;
}

static void play(const struct script *s, int round, size_t contender, bool traced, FILE *out)
{
	for (size_t i = s->first[contender]; i < s->first[contender + 1]; i++) {
		char **words = s->steps[i].words;
		struct cost c;

		if (strcmp(words[0], "reap") == 0)
			c = reap();
		else
			c = run(words + 1, traced && strcmp(words[0], "time") == 0);
		fprintf(out, "%d\t%zu\t%zu\t%s\t%lld\t%lld\t%ld\t%d\n", round, contender,
			i - s->first[contender], words[0], c.wall, c.cpu, c.peak, c.status);
	}
}

/* The table goes to where standard output was; the commands get /dev/null for input and output. */
static FILE *take_output(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (null < 0 || !out || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		err(1, "cannot arrange standard input and output");
	return out;
}

int main(int argc, char *argv[])
{
	struct script *script = calloc(1, sizeof(*script));
	bool traced = argc == 3 && strcmp(argv[1], "-m") == 0;
	int rounds;
	FILE *out;

	if (!script)
		err(1, "calloc");
	if (argc != 2 && !traced)
		errx(2, "usage: spawn [-m] ROUNDS < SCRIPT");
	rounds = atoi(argv[argc - 1]);
	read_script(script);
	out = take_output();
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		err(1, "PR_SET_CHILD_SUBREAPER");
	for (int round = 0; round < rounds; round++) {
		alarm(STUCK_SECONDS);
		for (size_t i = 0; i < script->contenders; i++)
			play(script, round, ((size_t)round + i) % script->contenders, traced, out);
	}
	return fclose(out) ? 1 : 0;
}
