/*
 * start: lets the program of a created container go, and says whether it really runs.
 */
#include "container/start.h"

#include <errno.h>
#include <signal.h>

#include "base/fd.h"
#include "run/gate.h"
#include "run/hook.h"
#include "run/listener.h"
#include "run/notify.h"
#include "run/sync.h"
#include "state/store.h"
#include "sys/pidfd.h"

static void end(struct creel *c, struct container *ct)
{
	struct err gone;

	if (ct->pidfd >= 0 && pidfd_signal(ct->pidfd, SIGKILL, &gone))
		log_add(&c->log, LOG_LEVEL_DEBUG, "%s", gone.text);
}

int container_poststart(struct creel *c, struct container *ct, struct err *e)
{
	const struct spec_hook_list *hooks;
	struct spec *spec;
	const char *state;

	if (!ct->record->poststart_hooks)
		return 0;
	if (container_config(c, ct, &spec, e))
		return -1;
	state = hook_state(ct->record, creel_status_name(CREEL_RUNNING), ct->record->pid, &c->arena,
			   e);
	if (!state)
		return -1;
	hooks = &spec->hooks.kind[HOOK_POSTSTART];
	for (size_t i = 0; i < hooks->count; i++)
		if (hook_run(&hooks->item[i], HOOK_POSTSTART, i, state, ct->record->bundle,
			     &c->arena, e)) {
			end(c, ct);
			return -1;
		}
	return 0;
}

static int check(const struct container *ct, struct err *e)
{
	switch (ct->status) {
	case CREEL_CREATED:
		return 0;
	case CREEL_RUNNING:
		return err_set(e, ERR_STATE, "cannot start an already running container");
	case CREEL_PAUSED:
		return err_set(e, ERR_STATE, "cannot start a container in the paused state");
	default:
		return err_set(e, ERR_STATE, "cannot start a container that has stopped");
	}
}

/* While the container can still be started another time. */
static int connect_agent(struct creel *c, const struct container *ct, struct sync_incoming *in,
			 struct err *e)
{
	struct spec *spec;

	if (!ct->record->seccomp_agent)
		return 0;
	if (container_config(c, ct, &spec, e))
		return -1;
	if (!spec->linux_.seccomp || !spec->linux_.seccomp->listener_path)
		return err_set(e, ERR_INVALID, "seccomp listenerPath is not set");
	return listener_connect(spec->linux_.seccomp, ct->record, &c->arena, in, e);
}

static int open_gate(struct container *ct, struct sync_incoming *in, struct err *e)
{
	_close_ int connection = gate_connect(ct->dir, e);

	if (connection < 0 && (e->sys == ECONNREFUSED || e->sys == ENOENT))
		return err_set(e, ERR_STATE, "cannot start a container that has stopped");
	if (connection < 0)
		return -1;
	gate_remove(ct->dir);
	if (sync_wait_exec(connection, in, e))
		return -1;
	log_add(in->log, LOG_LEVEL_DEBUG, "process %d runs its program", (int)ct->pid);
	return 0;
}

static int let_go(struct creel *c, struct container *ct, struct err *e)
{
	struct sync_incoming in = {.log = &c->log, .terminal = -1, .agent = -1};
	int failed;

	if (connect_agent(c, ct, &in, e))
		return -1;
	failed = open_gate(ct, &in, e);
	if (failed && in.agent >= 0)
		end(c, ct); /* its filter waits for an agent that knows nothing of it */
	fd_close(&in.agent);
	return failed;
}

/* The socket must be there before the program is. */
static int listen_for_ready(struct creel *c, const struct container *ct, const char *socket,
			    struct notify *notify, struct err *e)
{
	notify_none(notify);
	if (!socket)
		return 0;
	if (notify_has_place(ct->dir))
		return notify_open(notify, ct->dir, socket, &c->log, e);
	log_add(&c->log, LOG_LEVEL_WARNING,
		"NOTIFY_SOCKET is ignored: container %s was created without one", ct->id);
	return 0;
}

int container_start(struct creel *c, const char *id, const struct creel_start *o, struct err *e)
{
	struct container ct;
	struct notify notify;
	int failed;

	if (container_open(c, id, true, &ct, e))
		return -1;
	failed = check(&ct, e) || container_hold(&ct, e) || check(&ct, e) ||
		 listen_for_ready(c, &ct, o->notify_socket, &notify, e);
	if (!failed) {
		failed = let_go(c, &ct, e) || container_poststart(c, &ct, e);
		store_unlock(ct.dir);
		if (!failed)
			notify_wait(&notify, ct.pidfd, ct.pid);
		notify_close(&notify);
	}
	container_close(&ct);
	return failed ? -1 : 0;
}
