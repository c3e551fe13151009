/*
 * The listener of a seccomp filter on its way to the agent: see listener.h. And the doers of the
 * filter.
 */
#include "run/listener.h"

#include "base/fd.h"
#include "base/json_write.h"
#include "run/doers.h"
#include "run/hook.h"
#include "sys/fdpass.h"

/* pid is of the process that has the filter. */
static const char *process_state(const struct spec_seccomp *profile,
				 const struct state_record *record, const char *status, int64_t pid,
				 struct arena *a, struct err *e)
{
	struct json_writer w;
	struct str out;

	str_init(&out, a);
	json_write_init(&w, &out, NULL);
	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", SPEC_VERSION);
	json_write_array(&w, "fds");
	json_write_string(&w, NULL, "seccompFd");
	json_write_end(&w);
	json_write_i64(&w, "pid", pid);
	if (profile->listener_metadata)
		json_write_string(&w, "metadata", profile->listener_metadata);
	hook_write_state(&w, "state", record, status, record->pid);
	json_write_end(&w);
	return str_end(&out, e);
}

int listener_describe(struct walk *w, struct err *e)
{
	const char *status = w->state < 0 ? "running" : "creating";

	w->incoming.agent_text = process_state(w->plan->spec->linux_.seccomp, w->record, status,
					       w->pid, w->arena, e);
	return w->incoming.agent_text ? 0 : -1;
}

int listener_connect(const struct spec_seccomp *profile, const struct state_record *record,
		     struct arena *a, struct sync_incoming *in, struct err *e)
{
	/* The program has not begun: to the agent it is the same as with create and run. */
	in->agent_text = process_state(profile, record, "creating", record->pid, a, e);
	if (!in->agent_text)
		return -1;
	in->agent = fdpass_connect(profile->listener_path, e);
	return in->agent < 0 ? err_wrap(e, "seccomp listener") : 0;
}

int do_seccomp_socket(struct walk *w, const struct step *step, struct err *e)
{
	w->incoming.agent = fdpass_connect(step->socket.path, e);
	return w->incoming.agent < 0 ? err_wrap(e, "seccomp listener") : 0;
}

int do_seccomp(struct walk *w, const struct step *step, struct err *e)
{
	const struct seccomp_program *program = step->seccomp.program;
	int none;

	if (program->notify)
		return seccomp_load_and_send(program, sync_send_listener, w->sync, e);
	return seccomp_load(program, &none, e);
}
