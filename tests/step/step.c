/*
 * step: runs a command, stops each of its processes at each system call, and does there what it is
 * told. So a test can make each call of a command fail, or its last one, or change what it finds.
 *
 *   step [-b] [-o TRACE] [-p PID] [-t SECONDS] [POINT ACTION]... -- COMMAND [ARG]...
 *
 *   -o TRACE     a line for each call: PROCESS NUMBER CALL#NTH "TEXT"; with ! in front where a
 *                point was met, and the action after it. TEXT is the first argument that is one
 *   -b           be brief: no lines but those with !, and once no point is left that can be met
 *                no process is stopped any more
 *   -p PID       PID, which runs already, belongs to the command too and is called i
 *   -t SECONDS   kill all that is left of the command then, 20 if not told
 *
 * A PROCESS is 0, its Nth child is 0.N, the first child of that 0.N.1. All but 0 are let go when
 * they execute a program: what containers and hooks run is not the command's. So are all when 0
 * ends.
 *
 * POINT is PROCESS:NUMBER, the NUMBERth call of a process; PROCESS:CALL, each that has this name;
 * or PROCESS:CALL#NTH, one of them. "*" stands for each process (NTH then counts them together),
 * and for each call. ACTION is
 *
 *   kill, kill-all   SIGKILL to the process, or to all of the command
 *   signal=NAME      this signal to the process
 *   errno=NAME       the call fails, and is not made; but close(2) closes, as it always does
 *   short            it reads or writes one byte where it may do that
 *   run=COMMAND      COMMAND runs (sh -c) while the process waits; it has STEP_PID
 *
 * NAMEs are EIO, TERM and the like. The status is that of the command; 128 and the signal that
 * ended it; 124 when it took too long; 125 when step itself failed.
 */
#include "step.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEEXEC)
#define PROCESSES 64

struct step {
	struct point points[POINTS];
	int point_count;
	struct process processes[PROCESSES];
	int process_count;
	unsigned seconds;
	bool brief;
	FILE *trace;
	pid_t main;
};

static void fail(const char *what)
{
	fprintf(stderr, "step: %s: %s\n", what, strerror(errno));
	exit(125);
}

/* ---- the processes --------------------------------------------------------------------------- */

static struct process *find(struct step *s, pid_t pid)
{
	for (int i = 0; i < s->process_count; i++)
		if (s->processes[i].pid == pid)
			return &s->processes[i];
	return NULL;
}

/* A process that ended makes room. */
static struct process *add(struct step *s, pid_t pid)
{
	struct process *p = find(s, 0);

	if (!p && s->process_count == PROCESSES) {
		errno = ENOSPC;
		fail("too many processes at once");
	}
	if (!p)
		p = &s->processes[s->process_count++];
	*p = (struct process){.pid = pid, .begun = s->process_count > 1};
	return p;
}

static void go_on(struct step *s, struct process *p, int number)
{
	bool done = s->brief && s->point_count;

	for (int i = 0; i < s->point_count; i++)
		done = done && s->points[i].done;
	/* A result that is to be changed is waited for. */
	done = done && !p->skipped && !p->shortened;
	ptrace(done ? PTRACE_CONT : PTRACE_SYSCALL, p->pid, NULL, number);
}

/* What was known of a child by its stop, which may come before that of its parent. */
static void name_child(struct step *s, struct process *parent, pid_t pid)
{
	struct process *child = find(s, pid);

	if (!child)
		child = add(s, pid);
	snprintf(child->name, sizeof(child->name), "%.*s.%u", NAME - 8, parent->name,
		 ++parent->children);
	if (child->waits)
		go_on(s, child, 0);
	child->waits = false;
}

static void kill_everything(struct step *s)
{
	for (int i = 0; i < s->process_count; i++)
		if (s->processes[i].pid)
			kill(s->processes[i].pid, SIGKILL);
}

/* ---- a stop ---------------------------------------------------------------------------------- */

static void tell(struct step *s, const struct process *p, const struct point *met)
{
	char text[64];

	if (!s->trace)
		return;
	process_text(p, text, sizeof(text));
	fprintf(s->trace, "%s%s %u %s#%u%s%s%s\n", met ? "!" : "", p->name, p->total, p->call_name,
		p->nth, text, met ? " " : "", met ? met->action_text : "");
	if (met)
		fflush(s->trace); /* who runs a command may look, and we may be killed */
}

static void run_beside(struct process *p, const char *command)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)p->pid);
	setenv("STEP_PID", pid, 1);
	if (system(command) == -1)
		fail(command);
}

static void act(struct step *s, struct process *p, const struct point *point)
{
	switch (point->action) {
	case KILL:
		kill(p->pid, SIGKILL);
		break;
	case KILL_ALL:
		kill_everything(s);
		break;
	case SIGNAL:
		kill(p->pid, point->number);
		break;
	case ERRNO:
		process_skip(p, point->number);
		break;
	case SHORT:
		process_shorten(p);
		break;
	case RUN:
		run_beside(p, point->command);
		break;
	}
}

static void at_call(struct step *s, struct process *p)
{
	if (!process_call(p))
		return;
	if (!s->brief)
		tell(s, p, NULL);
	for (int i = 0; i < s->point_count; i++) {
		struct point *point = &s->points[i];

		if (!point_met(point, p) || (point->action == SHORT && !process_may_be_short(p)))
			continue;
		tell(s, p, point);
		act(s, p, point);
	}
}

static void at_exec(struct step *s, struct process *p)
{
	if (p->pid == s->main) {
		p->begun = true;
		go_on(s, p, 0);
		return;
	}
	ptrace(PTRACE_DETACH, p->pid, NULL, 0);
	p->pid = 0;
}

static void at_event(struct step *s, struct process *p, int event, int number)
{
	unsigned long child = 0;

	switch (event) {
	case PTRACE_EVENT_EXEC:
		at_exec(s, p);
		return;
	case PTRACE_EVENT_STOP:
		if (!*p->name) {
			p->waits = true;
			return;
		}
		if (number != SIGTRAP) { /* it was stopped, and stays so until SIGCONT */
			ptrace(PTRACE_LISTEN, p->pid, NULL, 0);
			return;
		}
		break;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		if (!ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &child))
			name_child(s, p, (pid_t)child);
		break;
	}
	go_on(s, p, 0);
}

static void at_stop(struct step *s, struct process *p, int status)
{
	int number = WSTOPSIG(status);

	if (status >> 16) {
		at_event(s, p, status >> 16, number);
		return;
	}
	if (number == (SIGTRAP | 0x80)) {
		if (p->begun)
			at_call(s, p);
		number = 0;
	}
	go_on(s, p, number);
}

/* ---- the command ----------------------------------------------------------------------------- */

static volatile sig_atomic_t too_late;

static void on_alarm(int number)
{
	(void)number;
	too_late = 1;
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int follow(struct step *s)
{
	int status;

	for (;;) {
		pid_t pid = waitpid(-1, &status, __WALL);
		struct process *p = pid > 0 ? find(s, pid) : NULL;

		if (too_late)
			kill_everything(s);
		if (pid < 0 && errno != EINTR)
			fail("wait");
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status)) {
			at_stop(s, p ? p : add(s, pid), status);
		} else {
			if (pid == s->main)
				return too_late ? 124 : status_of(status);
			if (p)
				p->pid = 0;
		}
	}
}

static void seize(pid_t pid, struct process *p, const char *name)
{
	snprintf(p->name, sizeof(p->name), "%s", name);
	if (ptrace(PTRACE_SEIZE, pid, NULL, OPTIONS))
		fail("ptrace");
}

static pid_t begin(char **command)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		fail("fork");
	if (pid == 0) {
		raise(SIGSTOP);
		execvp(command[0], command);
		fail(command[0]);
	}
	if (waitpid(pid, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
		fail("wait for the command");
	return pid;
}

static int usage(void)
{
	fprintf(stderr,
		"step [-b] [-o TRACE] [-p PID] [-t SECONDS] [POINT ACTION]... -- COMMAND...\n");
	return 125;
}

/* Returns the first word of the command. */
static char **parse(struct step *s, char **argv, pid_t *ret_other)
{
	int option, count = 0;

	while (argv[count])
		count++;
	while ((option = getopt(count, argv, "+bo:p:t:")) != -1) {
		if (option == 'o' && !(s->trace = fopen(optarg, "we")))
			fail(optarg);
		if (option == 'b')
			s->brief = true;
		if (option == 'p')
			*ret_other = (pid_t)atoi(optarg);
		if (option == 't')
			s->seconds = (unsigned)atoi(optarg);
		if (option == '?')
			exit(usage());
	}
	argv += optind;
	if (!strcmp(argv[-1], "--"))
		return argv;
	for (; argv[0] && strcmp(argv[0], "--"); argv += 2)
		if (!argv[1] || s->point_count == POINTS ||
		    !point_parse(&s->points[s->point_count++], argv[0], argv[1]))
			exit(usage());
	return argv[0] ? argv + 1 : argv;
}

int main(int argc, char **argv)
{
	struct step s = {.seconds = 20};
	struct sigaction action = {.sa_handler = on_alarm};
	pid_t other = 0;
	char **command = parse(&s, argv, &other);

	if (argc < 2 || !*command)
		return usage();
	s.main = begin(command);
	seize(s.main, add(&s, s.main), "0");
	if (other) {
		seize(other, add(&s, other), "i");
		ptrace(PTRACE_INTERRUPT, other, NULL, 0);
	}
	sigaction(SIGALRM, &action, NULL);
	alarm(s.seconds);
	kill(s.main, SIGCONT);
	return follow(&s);
}
