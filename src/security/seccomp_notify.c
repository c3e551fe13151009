/*
 * Seccomp with a listener: loading a filter that notifies. See seccomp.h.
 *
 * The filter may hold up any system call, also the ones that would bring its listener to the agent
 * who lets them through. But a filter is a thread's own: a second thread, begun before the filter
 * is loaded, is not under it, and shares the descriptors. It sends the listener, while the first
 * makes no system call at all.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "base/fd.h"
#include "security/seccomp.h"

#define PENDING (-2)

struct handover {
	int (*send)(int to, int listener, struct err *e);
	int to;
	int listener; /* PENDING until the filter is loaded; −1: it could not be */
	bool over;
	bool failed;
	struct err *e; /* of the one thread or of the other, never of both */
};

static void *hand_over(void *argument)
{
	struct handover *h = argument;
	int listener;

	while ((listener = __atomic_load_n(&h->listener, __ATOMIC_ACQUIRE)) == PENDING)
		(void)sched_yield();
	if (listener >= 0) {
		h->failed = h->send(h->to, listener, h->e);
		fd_close(&listener);
	}
	__atomic_store_n(&h->over, true, __ATOMIC_RELEASE);
	return NULL;
}

/* Whether a thread that does nothing but compute would keep this process's others from running. */
static bool starves_others(void)
{
	cpu_set_t allowed;

	return sched_getscheduler(0) == SCHED_FIFO &&
	       !sched_getaffinity(0, sizeof(allowed), &allowed) && CPU_COUNT(&allowed) == 1;
}

static int begin(struct handover *h, struct err *e)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int number;

	if (starves_others())
		return err_set(e, ERR_UNSUPPORTED,
			       "a seccomp listener cannot be handed over by a process of policy "
			       "SCHED_FIFO that has one processor");
	number = pthread_attr_init(&attributes);
	if (!number) {
		(void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		number = pthread_create(&thread, &attributes, hand_over, h);
		(void)pthread_attr_destroy(&attributes);
	}
	if (!number)
		return 0;
	errno = number;
	err_sys(e, "begin a thread that hands the seccomp listener over");
	return number == EAGAIN ? err_hint(e, "the container's limits on processes must leave "
					      "room for one more")
				: -1;
}

int seccomp_load_and_send(const struct seccomp_program *program,
			  int (*send)(int to, int listener, struct err *e), int to, struct err *e)
{
	struct handover h = {.send = send, .to = to, .listener = PENDING, .e = e};
	int listener = -1, failed;

	if (begin(&h, e))
		return -1;
	failed = seccomp_load(program, &listener, e);
	__atomic_store_n(&h.listener, failed ? -1 : listener, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&h.over, __ATOMIC_ACQUIRE))
		; /* microseconds: whatever would sleep instead is a system call */
	return failed || h.failed ? -1 : 0;
}
