/*
 * The gate between create and start: see gate.h. Init's side of it is the doer at the end.
 */
#include "run/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "run/doers.h"
#include "state/store.h"
#include "sys/address.h"
#include "sys/process.h"

extern char **environ;

int gate_make(int state, struct err *e)
{
	_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = address_below(state, STORE_START);

	if (fd < 0 || fchmod(fd, 0600) || bind(fd, (struct sockaddr *)&un, sizeof(un)) ||
	    listen(fd, 1))
		return err_sys(e, "make the socket that start connects to");
	return fd_take(&fd);
}

bool gate_exists(int state)
{
	struct stat st;

	return !fstatat(state, STORE_START, &st, AT_SYMLINK_NOFOLLOW);
}

int gate_connect(int state, struct err *e)
{
	_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un un = address_below(state, STORE_START);

	if (fd < 0 || connect(fd, (struct sockaddr *)&un, sizeof(un)))
		return err_sys(e, "connect to the container's init");
	return fd_take(&fd);
}

void gate_remove(int state)
{
	file_remove(state, STORE_START);
}

static void end_by_signal(int number)
{
	_exit(128 + number);
}

/*
 * The first process of a pid namespace ignores every signal that it has no handler for, yet a
 * created container must end when it is told to. Executing the program takes the handlers away.
 */
static void obey_signals(void)
{
	static const int fatal[] = {SIGHUP,    SIGINT,  SIGQUIT, SIGABRT,  SIGALRM, SIGTERM,
				    SIGUSR1,   SIGUSR2, SIGPIPE, SIGXCPU,  SIGXFSZ, SIGPROF,
				    SIGVTALRM, SIGIO,   SIGPWR,  SIGSYS,   SIGTRAP, SIGSEGV,
				    SIGBUS,    SIGILL,  SIGFPE,  SIGSTKFLT};
	struct sigaction end = {.sa_handler = end_by_signal};
	sigset_t none;

	for (size_t i = 0; i < array_len(fatal); i++)
		(void)sigaction(fatal[i], &end, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * While it waits, init holds nothing but the gate: no descriptor of the making, and not the words
 * and the environment of the caller, which anybody who may read its memory would see.
 */
static void forget(struct walk *w)
{
	fd_close(&w->sync); /* create is done and gone */
	fd_close(&w->root);
	fd_close(&w->proc);
	fd_close(&w->sys);
	fd_close(&w->procfs);
	fd_close(&w->empty);
	environ = w->env;
	if (w->title)
		process_retitle(w->title, w->title_size, w->waiting);
}

int do_wait_start(struct walk *w, const struct step *step, struct err *e)
{
	int connection;

	(void)step;
	obey_signals();
	forget(w);
	do
		connection = accept4(w->gate, NULL, NULL, SOCK_CLOEXEC);
	while (connection < 0 && errno == EINTR);
	if (connection < 0)
		return err_sys(e, "wait for start");
	fd_close(&w->gate);
	w->sync = connection;
	return 0;
}
