/*
 * The process that exec runs: see exec_process.h. Without a file the base is the process of the
 * bundle's config.json as it is now, which is what runc's users know.
 */
#include "container/exec_process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "container/terminal.h"
#include "spec/decode.h"
#include "spec/validate.h"

static size_t count_of(const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

static int append(struct str_list *to, const char *const *more, struct arena *a, struct err *e)
{
	size_t count = count_of(more);
	struct str_list all = {.item = arena_get_array(a, to->count + count, sizeof(*all.item), e)};

	if (!all.item)
		return -1;
	for (size_t i = 0; i < to->count; i++)
		all.item[all.count++] = to->item[i];
	for (size_t i = 0; i < count; i++)
		all.item[all.count++] = more[i];
	*to = all;
	return 0;
}

/*
 * Added to bounding, effective and permitted; to ambient only where the process may inherit
 * capabilities at all.
 */
static int add_caps(struct spec_process *process, const char *const *names, struct arena *a,
		    struct err *e)
{
	struct spec_capabilities *caps;
	uint64_t number;

	if (!count_of(names))
		return 0;
	caps = arena_get(a, sizeof(*caps), e);
	if (!caps)
		return -1;
	if (process->capabilities)
		*caps = *process->capabilities;
	for (size_t i = 0; names[i]; i++) {
		const char *const unknown[] = {names[i], NULL};

		if (!word_number(&words_capabilities, names[i], &number)) {
			if (append(&caps->unknown, unknown, a, e))
				return -1;
			continue;
		}
		caps->bounding |= (uint64_t)1 << number;
		caps->effective |= (uint64_t)1 << number;
		caps->permitted |= (uint64_t)1 << number;
		if (caps->inheritable)
			caps->ambient |= (uint64_t)1 << number;
	}
	process->capabilities = caps;
	return 0;
}

/* Those of the configuration stay. */
static int add_groups(struct spec_user *user, const struct creel_exec *o, struct arena *a,
		      struct err *e)
{
	size_t old = user->additional_gid_count;
	uint32_t *gids;

	if (!o->additional_gid_count)
		return 0;
	gids = arena_get_array(a, old + o->additional_gid_count, sizeof(*gids), e);
	if (!gids)
		return -1;
	for (size_t i = 0; i < old; i++)
		gids[i] = user->additional_gids[i];
	memcpy(gids + old, o->additional_gids, o->additional_gid_count * sizeof(*gids));
	user->additional_gids = gids;
	user->additional_gid_count = old + o->additional_gid_count;
	return 0;
}

static int apply_options(struct spec_process *process, const struct creel_exec *o, struct arena *a,
			 struct err *e)
{
	struct str_list args = {0};

	if (append(&args, o->args, a, e) || append(&process->env, o->env, a, e) ||
	    add_caps(process, o->caps, a, e) || add_groups(&process->user, o, a, e))
		return -1;
	process->args = args;
	process->terminal = o->terminal;
	if (o->cwd)
		process->cwd = o->cwd;
	if (o->no_new_privs)
		process->no_new_privileges = true;
	if (o->user_given)
		process->user.uid = o->uid;
	if (o->gid_given)
		process->user.gid = o->gid;
	if (o->apparmor)
		process->apparmor_profile = o->apparmor;
	if (o->process_label)
		process->selinux_label = o->process_label;
	return 0;
}

static int from_file(struct creel *c, const char *path, struct spec_process **ret, struct err *e)
{
	struct json_input input = {.name = path, .arena = &c->arena, .log = &c->log};

	if (file_read(AT_FDCWD, path, JSON_LIMIT, &c->arena, &input.text, &input.length, e))
		return -1;
	if (spec_decode_process(&input, ret, e))
		return -1;
	if (spec_validate_process(*ret, e)) {
		spec_point(&input, e);
		return -1;
	}
	return 0;
}

static int from_bundle(struct creel *c, const struct container *ct, struct spec_process **ret,
		       struct err *e)
{
	_close_ int bundle = fd_open(ct->record->bundle, O_RDONLY | O_DIRECTORY);
	struct spec *spec;

	if (bundle < 0)
		return err_sys(e, "open the bundle %s", ct->record->bundle);
	if (spec_load(bundle, "config.json", &c->arena, &c->log, &spec, NULL, e))
		return -1;
	if (!spec->process)
		return err_set(e, ERR_INVALID, "process property must not be empty");
	*ret = spec->process;
	return 0;
}

/*
 * What the file leaves out altogether, and runc then has of the container's process. Its limits are
 * not among that, and its labels and its umask are the plan's business.
 */
static void complete(struct spec_process *process, const struct spec_process *containers)
{
	bool affinity = process->exec_cpu_affinity.initial || process->exec_cpu_affinity.final;

	if (!process->capabilities)
		process->capabilities = containers->capabilities;
	if (!process->scheduler)
		process->scheduler = containers->scheduler;
	if (!process->io_priority)
		process->io_priority = containers->io_priority;
	if (!process->oom_score_adj.set)
		process->oom_score_adj = containers->oom_score_adj;
	if (!affinity)
		process->exec_cpu_affinity = containers->exec_cpu_affinity;
}

int exec_process(struct creel *c, const struct container *ct, const struct creel_exec *o,
		 const struct spec *spec, const struct spec_process **ret, struct err *e)
{
	struct spec_process *process;

	if (!o->process && !count_of(o->args))
		return err_set(e, ERR_USAGE, "exec args cannot be empty");
	if (o->process ? from_file(c, o->process, &process, e) : from_bundle(c, ct, &process, e))
		return -1;
	complete(process, spec->process);
	if (!o->process &&
	    (apply_options(process, o, &c->arena, e) || spec_validate_process(process, e)))
		return -1;
	if (terminal_prepare(process, o->console_socket, o->detach, e))
		return -1;
	*ret = process;
	return 0;
}
