/*
 * exec: runs one more program in a container, with the same walk as create.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "container/bundle.h"
#include "container/exec_process.h"
#include "container/status.h"
#include "run/carry.h"
#include "run/foreground.h"
#include "run/spawn.h"
#include "state/store.h"
#include "sys/process.h"

extern char **environ;

static int check(const struct container *ct, const struct creel_exec *o, struct err *e)
{
	if (ct->status == CREEL_STOPPED || ct->status == CREEL_CREATING)
		return err_set(e, ERR_STATE, "cannot exec in a stopped container");
	if (ct->status == CREEL_PAUSED && !o->ignore_paused)
		return err_set(
			e, ERR_STATE,
			"cannot exec in a paused container (use --ignore-paused to override)");
	return 0;
}

static int plan_it(struct creel *c, const struct container *ct, const struct creel_exec *o,
		   struct plan_facts *facts, struct plan **ret, struct err *e)
{
	struct plan_exec_request request = {
		.id = ct->id,
		.unit = ct->unit,
		.rdt = {.path = ct->record->rdt_path, .monitor = ct->record->rdt_monitor_path},
		.no_new_keyring = ct->record->no_new_keyring,
		.listen_fds = o->listen_fds,
		.preserve_fds = o->preserve_fds,
		.console_socket = o->console_socket,
		.pidfd_socket = o->pidfd_socket,
		.pid_file = o->pid_file,
		.log = &c->log,
	};
	struct spec *spec;

	if (container_config(c, ct, &spec, e) ||
	    exec_process(c, ct, o, spec, &request.process, e) ||
	    cgroup_for_exec(&ct->cgroup, o->cgroups, ct->pid, &c->arena, &request.cgroup, e) ||
	    facts_collect(c, false, false, facts, e))
		return -1;
	request.spec = spec;
	facts_of_labels(spec, request.process, facts);
	return plan_build_exec(&request, facts, &c->arena, ret, e);
}

/* Up to the execution of the program, with its terminal in relay when it is in the foreground. */
static int begin(struct walk *w, struct relay *relay, struct err *e)
{
	if (carry_prepare(w, e) || spawn_process(w, e) || carry_runtime(w, e))
		return -1;
	if (w->incoming.terminal >= 0 &&
	    relay_begin(relay, fd_take(&w->incoming.terminal), w->arena, e))
		return -1;
	return carry_wait_exec(w, e);
}

static int carry_out(struct creel *c, struct container *ct, const struct creel_exec *o,
		     int *ret_status, struct err *e)
{
	struct plan_facts facts;
	struct plan *plan;
	struct foreground fg;
	struct relay relay;
	struct walk w;
	int failed;

	if (plan_it(c, ct, o, &facts, &plan, e))
		return -1;
	foreground_none(&fg);
	if (!o->detach && foreground_begin(&fg, false, e))
		return -1;
	walk_init(&w, plan, &facts, &c->arena, &c->log);
	w.record = ct->record;
	w.pid_file = o->pid_file;
	w.container = fd_take(&ct->pidfd);
	if (c->options.argv && environ)
		walk_find_title(&w, environ);
	relay_none(&relay);
	failed = begin(&w, &relay, e);
	if (failed) { /* the process is gone again */
		if (!o->process && str_starts(e->pointer, "/process/args"))
			e->pointer[0] = '\0'; /* they were typed */
		err_wrap(e, "unable to start container process");
		spawn_kill(&w, e);
		if (w.reported)
			file_remove(AT_FDCWD, o->pid_file);
	} else if (!o->detach) {
		failed = foreground_wait(&fg, &w, &relay, ret_status, e);
	}
	relay_end(&relay);
	foreground_end(&fg);
	walk_done(&w);
	return failed;
}

/*
 * Opens a container whose making is done. One that is being made is waited for: until it has its
 * own root, whoever enters it would find the host's.
 */
static int open_made(struct creel *c, const char *id, struct container *ret, struct err *e)
{
	int failed;

	if (container_open(c, id, false, ret, e))
		return -1;
	failed = container_check_owner(ret, e);
	if (!failed && store_is_made(ret->dir))
		return 0;
	container_close(ret);
	if (failed)
		return -1;
	if (container_open(c, id, true, ret, e))
		return -1;
	store_unlock(ret->dir);
	if (store_is_made(ret->dir))
		return 0;
	container_close(ret);
	if (ret->status == CREEL_STOPPED)
		return err_set(e, ERR_STATE, "cannot exec in a stopped container");
	return err_set(e, ERR_STATE, "the state of container %s has no %s", id, STORE_CONFIG);
}

int container_exec(struct creel *c, const char *id, const struct creel_exec *o, int *ret_status,
		   struct err *e)
{
	struct container ct;
	int failed;

	*ret_status = 0;
	if (process_check_preserved((uint64_t)o->listen_fds + o->preserve_fds, e) ||
	    open_made(c, id, &ct, e))
		return -1;
	failed = check(&ct, o, e) || container_hold(&ct, e) || check(&ct, o, e) ||
		 carry_out(c, &ct, o, ret_status, e);
	container_close(&ct);
	return failed ? -1 : 0;
}
