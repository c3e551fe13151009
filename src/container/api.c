/*
 * The public API: see include/creel.h. Each function empties the handle's arena, calls one verb and
 * turns its error into the public one. Nothing is decided here.
 */
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "container/features.h"
#include "container/runtime.h"
#include "spec/template.h"
#include "sys/process.h"
#include "sys/selfexe.h"

_Static_assert(sizeof(((struct creel_error *)0)->text) == ERR_TEXT_MAX,
	       "the public error holds the whole text");
_Static_assert(sizeof(((struct creel_error *)0)->hint) == ERR_HINT_MAX,
	       "the public error holds the whole hint");
_Static_assert(sizeof(((struct creel_error *)0)->pointer) == ERR_POINTER_MAX,
	       "… and the whole pointer");

static void api_error(const struct err *from, struct creel_error *ret)
{
	ret->code = from->code;
	ret->sys = from->sys;
	memcpy(ret->pointer, from->pointer, sizeof(ret->pointer));
	memcpy(ret->text, from->text, sizeof(ret->text));
	memcpy(ret->hint, from->hint, sizeof(ret->hint));
}

static int api_result(int failed, const struct err *e, struct creel_error *ret_error)
{
	if (failed && ret_error)
		api_error(e, ret_error);
	return failed ? -1 : 0;
}

size_t creel_error_message(const struct creel_error *error, char *buf, size_t size)
{
	struct err e = {.code = error->code, .sys = error->sys};

	memcpy(e.pointer, error->pointer, sizeof(e.pointer));
	memcpy(e.text, error->text, sizeof(e.text));
	memcpy(e.hint, error->hint, sizeof(e.hint));
	return err_message(&e, buf, size);
}

int creel_protect(char *const argv[], bool enters, struct creel_error *ret_error)
{
	struct err e;

	if (process_fill_streams(&e) || (enters && selfexe_protect(argv, &e)))
		return api_result(-1, &e, ret_error);
	/*
	 * A caller without privilege stays readable to itself: the kernel would give its /proc
	 * files to root.
	 */
	if (enters && geteuid() == 0)
		(void)prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

void creel_close_from(unsigned first, int kept)
{
	unsigned last = first;

	if (kept >= (int)first) {
		last = (unsigned)kept;
		if (last > first)
			(void)syscall(SYS_close_range, first, last - 1, 0);
		last++;
	}
	(void)syscall(SYS_close_range, last, ~0u, 0);
}

static void pass_log(void *user, enum log_level level, const char *message)
{
	const struct creel_options *options = user;

	options->log(options->log_user, (enum creel_log_level)level, message);
}

/* The newest of the system calls that are simply there from 5.14 on. */
static int check_kernel(struct err *e)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	if (uname(&name))
		return err_sys(e, "uname");
	for (const char *c = name.release; *c >= '0' && *c <= '9'; c++)
		major = major * 10 + (unsigned)(*c - '0');
	for (const char *c = strchr(name.release, '.'); c && c[1] >= '0' && c[1] <= '9'; c++)
		minor = minor * 10 + (unsigned)(c[1] - '0');
	if (major > 5 || (major == 5 && minor >= 14))
		return 0;
	return err_set(e, ERR_UNSUPPORTED, "this kernel is %s; Linux 5.14 or newer is needed",
		       name.release);
}

static struct creel *make_handle(struct err *e)
{
	struct arena arena;
	struct creel *c;

	if (check_kernel(e) || arena_init(&arena, ARENA_LIMIT, e))
		return NULL;
	c = arena_get(&arena, sizeof(*c), e);
	if (!c) {
		arena_done(&arena);
		return NULL;
	}
	arena_keep(&arena);
	c->arena = arena;
	return c;
}

static int check_root(const char *root, struct err *e)
{
	if (!root || *root == '/')
		return 0;
	return err_set(e, ERR_USAGE, "state directory %s: the path is not absolute", root);
}

struct creel *creel_new(const struct creel_options *options, struct creel_error *ret_error)
{
	struct err e;
	struct creel *c = check_root(options->root, &e) ? NULL : make_handle(&e);

	if (!c) {
		(void)api_result(-1, &e, ret_error);
		return NULL;
	}
	c->options = *options;
	c->root = options->root ? options->root : "/run/creel";
	c->log = (struct log){
		.level = (enum log_level)options->log_level,
		.sink = options->log ? pass_log : NULL,
		.user = &c->options,
	};
	return c;
}

void creel_free(struct creel *c)
{
	struct arena arena;

	if (!c)
		return;
	arena = c->arena;
	arena_done(&arena);
}

/* What enters a container begins as a copy of this process, program and all. */
static int prepare_to_enter(struct creel *c, struct err *e)
{
	if (selfexe_was_protected())
		return arena_reset(&c->arena, e);
	err_set(e, ERR_USAGE, "the container could overwrite this program's file on the host");
	return err_hint(e, "call creel_protect first of all in main");
}

int creel_create(struct creel *c, const char *id, const struct creel_create *create,
		 struct creel_error *ret_error)
{
	struct err e;

	return api_result(prepare_to_enter(c, &e) || container_create(c, id, create, &e), &e,
			  ret_error);
}

int creel_start(struct creel *c, const char *id, const struct creel_start *start,
		struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_start(c, id, start, &e), &e,
			  ret_error);
}

int creel_run(struct creel *c, const char *id, const struct creel_create *create, int *ret_status,
	      struct creel_error *ret_error)
{
	struct err e;

	return api_result(prepare_to_enter(c, &e) || container_run(c, id, create, ret_status, &e),
			  &e, ret_error);
}

int creel_exec(struct creel *c, const char *id, const struct creel_exec *exec, int *ret_status,
	       struct creel_error *ret_error)
{
	struct err e;

	return api_result(prepare_to_enter(c, &e) || container_exec(c, id, exec, ret_status, &e),
			  &e, ret_error);
}

int creel_state(struct creel *c, const char *id, const struct creel_state **ret_state,
		struct creel_error *ret_error)
{
	struct creel_state *state;
	struct err e;

	if (arena_reset(&c->arena, &e))
		return api_result(-1, &e, ret_error);
	state = arena_get(&c->arena, sizeof(*state), &e);
	if (!state || container_state(c, id, state, &e))
		return api_result(-1, &e, ret_error);
	*ret_state = state;
	return 0;
}

/* Who is told of a container that cannot be listed. */
struct broken_listener {
	void (*tell)(void *user, const char *id, const struct creel_error *why);
	void *user;
};

static void tell_broken(void *user, const char *id, const struct err *why)
{
	const struct broken_listener *listener = user;
	struct creel_error public;

	if (!listener->tell)
		return;
	api_error(why, &public);
	listener->tell(listener->user, id, &public);
}

int creel_list(struct creel *c, const struct creel_state **ret_states, size_t *ret_count,
	       void (*broken)(void *user, const char *id, const struct creel_error *why),
	       void *user, struct creel_error *ret_error)
{
	struct broken_listener listener = {.tell = broken, .user = user};
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_list(c, ret_states, ret_count,
								       tell_broken, &listener, &e),
			  &e, ret_error);
}

int creel_ps(struct creel *c, const char *id, const pid_t **ret_pids, size_t *ret_count,
	     struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) ||
				  container_ps(c, id, ret_pids, ret_count, &e),
			  &e, ret_error);
}

int creel_match(struct creel *c, const char *pattern, const char *const **ret_ids,
		size_t *ret_count, struct creel_error *ret_error)
{
	struct str_list ids;
	struct err e;

	if (arena_reset(&c->arena, &e) || container_match(c, pattern, &ids, &e))
		return api_result(-1, &e, ret_error);
	*ret_ids = ids.item;
	*ret_count = ids.count;
	return 0;
}

int creel_template(struct creel *c, bool rootless, const char **ret_text,
		   struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) ||
				  container_template(c, rootless, ret_text, &e),
			  &e, ret_error);
}

int creel_features(struct creel *c, const char **ret_text, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_features(&c->arena, ret_text, &e),
			  &e, ret_error);
}

int creel_explain(struct creel *c, const char *id, const struct creel_create *create,
		  const char **ret_text, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) ||
				  container_explain(c, id, create, ret_text, &e),
			  &e, ret_error);
}

int creel_events(struct creel *c, const char *id, const struct creel_events *events,
		 struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_events(c, id, events, &e), &e,
			  ret_error);
}

int creel_update(struct creel *c, const char *id, const struct creel_update *update,
		 struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_update(c, id, update, &e), &e,
			  ret_error);
}

int creel_pause(struct creel *c, const char *id, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_pause(c, id, &e), &e, ret_error);
}

int creel_resume(struct creel *c, const char *id, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_resume(c, id, &e), &e, ret_error);
}

int creel_checkpoint(struct creel *c, const char *id, const struct creel_criu *criu,
		     struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_checkpoint(c, id, criu, &e), &e,
			  ret_error);
}

int creel_restore(struct creel *c, const char *id, const struct creel_create *create,
		  const struct creel_criu *criu, int *ret_status, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) ||
				  container_restore(c, id, create, criu, ret_status, &e),
			  &e, ret_error);
}

int creel_kill(struct creel *c, const char *id, int signal, bool all, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_kill(c, id, signal, all, &e), &e,
			  ret_error);
}

int creel_delete(struct creel *c, const char *id, bool force, struct creel_error *ret_error)
{
	struct err e;

	return api_result(arena_reset(&c->arena, &e) || container_delete(c, id, force, &e), &e,
			  ret_error);
}

const char *creel_version(void)
{
	return CREEL_VERSION;
}
