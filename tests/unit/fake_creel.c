/*
 * A library that only takes notes: see fake_creel.h. What is zero in a struct is not noted.
 */
#include "fake_creel.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char fake_notes[4096];
struct creel_error fake_error;
int fake_status;
struct creel_state fake_states[4];
size_t fake_state_count;
pid_t fake_pids[4];
size_t fake_pid_count;
struct creel_options fake_options;
char fake_root[256];

struct creel {
	int unused;
};
static struct creel the_only;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...)
{
	size_t used = strlen(fake_notes);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(fake_notes + used, sizeof(fake_notes) - used, format, args);
	va_end(args);
}

static void note_text(const char *name, const char *value)
{
	if (value)
		note(" %s=%s", name, value);
}

static void note_bool(const char *name, bool value)
{
	if (value)
		note(" %s", name);
}

static void note_number(const char *name, unsigned value)
{
	if (value)
		note(" %s=%u", name, value);
}

static void note_list(const char *name, const char *const *list)
{
	for (; list && *list; list++)
		note(" %s=%s", name, *list);
}

static int done(struct creel_error *ret_error)
{
	note("\n");
	if (!fake_error.text[0])
		return 0;
	*ret_error = fake_error;
	return -1;
}

void fake_reset(void)
{
	memset(fake_notes, 0, sizeof(fake_notes));
	memset(&fake_error, 0, sizeof(fake_error));
	memset(&fake_options, 0, sizeof(fake_options));
	memset(fake_root, 0, sizeof(fake_root));
	fake_status = 0;
	fake_state_count = 0;
	fake_pid_count = 0;
}

size_t creel_error_message(const struct creel_error *error, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s%s%s", error->text, error->hint[0] ? "; hint: " : "",
			 error->hint);

	return (size_t)n;
}

void creel_close_from(unsigned first, int kept)
{
	(void)first; /* the descriptors are those of the test program */
	(void)kept;
}

int creel_protect(char *const argv[], bool enters, struct creel_error *ret_error)
{
	(void)argv;
	(void)ret_error;
	note("protect%s\n", enters ? " enters" : "");
	return 0;
}

struct creel *creel_new(const struct creel_options *options, struct creel_error *ret_error)
{
	(void)ret_error;
	fake_options = *options;
	(void)snprintf(fake_root, sizeof(fake_root), "%s", options->root);
	return &the_only;
}

void creel_free(struct creel *creel)
{
	(void)creel;
}

static int note_create(const char *verb, const char *id, const struct creel_create *c,
		       struct creel_error *ret_error)
{
	note("%s %s", verb, id);
	note_text("bundle", c->bundle);
	note_text("config", c->config);
	note_text("console_socket", c->console_socket);
	note_text("pidfd_socket", c->pidfd_socket);
	note_text("pid_file", c->pid_file);
	note_text("notify_socket", c->notify_socket);
	note_bool("no_pivot", c->no_pivot);
	note_bool("no_new_keyring", c->no_new_keyring);
	note_bool("no_subreaper", c->no_subreaper);
	note_bool("detach", c->detach);
	note_bool("keep", c->keep);
	note_number("preserve_fds", c->preserve_fds);
	note_number("listen_fds", c->listen_fds);
	return done(ret_error);
}

int creel_create(struct creel *creel, const char *id, const struct creel_create *create,
		 struct creel_error *ret_error)
{
	(void)creel;
	return note_create("create", id, create, ret_error);
}

int creel_run(struct creel *creel, const char *id, const struct creel_create *create,
	      int *ret_status, struct creel_error *ret_error)
{
	(void)creel;
	*ret_status = fake_status;
	return note_create("run", id, create, ret_error);
}

static void note_criu(const struct creel_criu *k)
{
	note_text("image_path", k->image_path);
	note_text("work_path", k->work_path);
	note_text("parent_path", k->parent_path);
	note_text("page_server", k->page_server_address);
	note_number("port", k->page_server_port);
	note_text("lsm_profile", k->lsm_profile);
	note_text("lsm_mount_context", k->lsm_mount_context);
	note_number("manage_cgroups", k->manage_cgroups);
	note_number("network_lock", k->network_lock);
	note_number("status_fd", k->status_fd);
	note_bool("tcp_established", k->tcp_established);
	note_bool("tcp_skip_in_flight", k->tcp_skip_in_flight);
	note_bool("tcp_close", k->tcp_close);
	note_bool("link_remap", k->link_remap);
	note_bool("ext_unix_sk", k->ext_unix_sk);
	note_bool("shell_job", k->shell_job);
	note_bool("file_locks", k->file_locks);
	note_bool("lazy_pages", k->lazy_pages);
	note_bool("auto_dedup", k->auto_dedup);
	note_bool("leave_running", k->leave_running);
	note_bool("pre_dump", k->pre_dump);
}

int creel_checkpoint(struct creel *creel, const char *id, const struct creel_criu *criu,
		     struct creel_error *ret_error)
{
	(void)creel;
	note("checkpoint %s", id);
	note_criu(criu);
	return done(ret_error);
}

int creel_restore(struct creel *creel, const char *id, const struct creel_create *create,
		  const struct creel_criu *criu, int *ret_status, struct creel_error *ret_error)
{
	(void)creel;
	*ret_status = fake_status;
	note("restore");
	note_criu(criu);
	note("\n");
	return note_create("restore", id, create, ret_error);
}

int creel_explain(struct creel *creel, const char *id, const struct creel_create *create,
		  const char **ret_text, struct creel_error *ret_error)
{
	(void)creel;
	*ret_text = "the plan\n";
	return note_create("explain", id, create, ret_error);
}

int creel_start(struct creel *creel, const char *id, const struct creel_start *s,
		struct creel_error *ret_error)
{
	(void)creel;
	note("start %s", id);
	note_text("notify_socket", s->notify_socket);
	return done(ret_error);
}

int creel_exec(struct creel *creel, const char *id, const struct creel_exec *x, int *ret_status,
	       struct creel_error *ret_error)
{
	(void)creel;
	note("exec %s", id);
	note_list("arg", x->args);
	note_list("env", x->env);
	note_list("cap", x->caps);
	note_list("cgroup", x->cgroups);
	note_text("process", x->process);
	note_text("cwd", x->cwd);
	note_text("apparmor", x->apparmor);
	note_text("process_label", x->process_label);
	note_text("console_socket", x->console_socket);
	note_text("pidfd_socket", x->pidfd_socket);
	note_text("pid_file", x->pid_file);
	note_bool("terminal", x->terminal);
	note_bool("detach", x->detach);
	note_bool("no_new_privs", x->no_new_privs);
	note_bool("ignore_paused", x->ignore_paused);
	if (x->user_given)
		note(" uid=%u", x->uid);
	if (x->gid_given)
		note(" gid=%u", x->gid);
	for (size_t i = 0; i < x->additional_gid_count; i++)
		note(" group=%u", x->additional_gids[i]);
	note_number("preserve_fds", x->preserve_fds);
	note_number("listen_fds", x->listen_fds);
	*ret_status = fake_status;
	return done(ret_error);
}

int creel_events(struct creel *creel, const char *id, const struct creel_events *e,
		 struct creel_error *ret_error)
{
	(void)creel;
	note("events %s", id);
	note_bool("stats", e->stats);
	note(" interval=%llu", (unsigned long long)e->interval);
	if (!e->event(e->user, "{\"type\":\"stats\"}\n"))
		note(" taken");
	return done(ret_error);
}

int creel_update(struct creel *creel, const char *id, const struct creel_update *u,
		 struct creel_error *ret_error)
{
	(void)creel;
	note("update %s", id);
	note_text("resources", u->resources);
	note_text("name", u->name);
	note_text("l3_cache_schema", u->l3_cache_schema);
	note_text("mem_bw_schema", u->mem_bw_schema);
	return done(ret_error);
}

const char *creel_status_name(enum creel_status status)
{
	static const char *const names[] = {"creating", "created", "running", "paused", "stopped"};

	return names[status];
}

int creel_state(struct creel *creel, const char *id, const struct creel_state **ret_state,
		struct creel_error *ret_error)
{
	(void)creel;
	note("state %s", id);
	*ret_state = &fake_states[0];
	return done(ret_error);
}

int creel_list(struct creel *creel, const struct creel_state **ret_states, size_t *ret_count,
	       void (*broken)(void *user, const char *id, const struct creel_error *why),
	       void *user, struct creel_error *ret_error)
{
	static const struct creel_error why = {.code = CREEL_NOT_FOUND,
					       .text = "container does not exist"};

	(void)creel;
	note("list");
	broken(user, "ruin", &why);
	*ret_states = fake_states;
	*ret_count = fake_state_count;
	return done(ret_error);
}

int creel_ps(struct creel *creel, const char *id, const pid_t **ret_pids, size_t *ret_count,
	     struct creel_error *ret_error)
{
	(void)creel;
	note("ps %s", id);
	*ret_pids = fake_pids;
	*ret_count = fake_pid_count;
	return done(ret_error);
}

int creel_pause(struct creel *creel, const char *id, struct creel_error *ret_error)
{
	(void)creel;
	note("pause %s", id);
	return done(ret_error);
}

int creel_resume(struct creel *creel, const char *id, struct creel_error *ret_error)
{
	(void)creel;
	note("resume %s", id);
	return done(ret_error);
}

int creel_match(struct creel *creel, const char *pattern, const char *const **ret_ids,
		size_t *ret_count, struct creel_error *ret_error)
{
	static const char *const ids[] = {"web-1", "web-2"};

	(void)creel;
	(void)ret_error;
	note("match %s\n", pattern);
	*ret_ids = ids;
	*ret_count = 2;
	return 0;
}

int creel_template(struct creel *creel, bool rootless, const char **ret_text,
		   struct creel_error *ret_error)
{
	(void)creel;
	note("template%s", rootless ? " rootless" : "");
	*ret_text = "{\n\t\"ociVersion\": \"1.3.0\"\n}";
	return done(ret_error);
}

int creel_features(struct creel *creel, const char **ret_text, struct creel_error *ret_error)
{
	(void)creel;
	note("features");
	*ret_text = "{}\n";
	return done(ret_error);
}

int creel_kill(struct creel *creel, const char *id, int number, bool all,
	       struct creel_error *ret_error)
{
	(void)creel;
	note("kill %s %d%s", id, number, all ? " all" : "");
	return done(ret_error);
}

int creel_delete(struct creel *creel, const char *id, bool force, struct creel_error *ret_error)
{
	(void)creel;
	note("delete %s%s", id, force ? " force" : "");
	return done(ret_error);
}

const char *creel_version(void)
{
	return "0.1.0";
}
