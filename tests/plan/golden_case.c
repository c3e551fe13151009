/*
 * One golden of the plan: see golden_case.h.
 */
#include "golden_case.h"

#include <string.h>

#include "base/str.h"
#include "interleave.h"
#include "machine.h"
#include "spec/decode.h"
#include "spec/template.h"
#include "spec/validate.h"

static const char small_base[] =
	"{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"rootfs\"},"
	" \"process\": {\"cwd\": \"/\", \"args\": [\"sh\"]},"
	" \"linux\": {\"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"mount\"}]}}";

/* ---- reading ----------------------------------------------------------------------------------
 */

/* Ends the line at *at and goes to the next one. */
static char *take_line(char **at)
{
	char *line = *at;

	*at += strcspn(line, "\n");
	if (**at)
		*(*at)++ = '\0';
	return line;
}

static const char *take_template(bool rootless, const struct plan_facts *facts, struct arena *a,
				 struct err *e)
{
	struct spec_template options = {
		.rootless = rootless,
		.uid = facts->euid,
		.gid = facts->egid,
		.cgroup_v2 = facts->cgroup.layout == CGROUP_V2,
	};
	struct str text;

	str_init(&text, a);
	spec_template(&options, &text);
	return str_end(&text, e);
}

/* A caller who is not root has no capabilities. */
static bool take_caller(struct plan_facts *facts, const char *word)
{
	uint64_t number;
	uint32_t id;

	if (str_starts(word, "uid=") && str_to_u32(word + 4, &id)) {
		facts->euid = facts->egid = id;
		facts->permitted = 0;
		return true;
	}
	if (!str_starts(word, "without=") || !word_number(&words_capabilities, word + 8, &number))
		return false;
	facts->permitted &= ~((uint64_t)1 << number);
	return true;
}

static int take_word(struct golden_case *c, const char *word, struct arena *a, struct err *e)
{
	if (take_caller(&c->facts, word))
		return 0;
	if (str_equal(word, "in-user-namespace"))
		c->facts.in_user_namespace = true;
	else if (str_equal(word, "foreign-mounts"))
		c->facts.foreign_mounts = true;
	else if (str_equal(word, "resctrl"))
		c->facts.resctrl = (struct resctrl_host){.mounted = true, .l3 = true, .mb = true};
	else if (str_equal(word, "resctrl-without-bandwidth"))
		c->facts.resctrl = (struct resctrl_host){.mounted = true, .l3 = true};
	else if (str_equal(word, "setgroups-denied"))
		c->facts.setgroups_denied = true;
	else if (str_equal(word, "apparmor"))
		c->facts.apparmor = true;
	else if (str_equal(word, "selinux"))
		c->facts.selinux = true;
	else if (str_equal(word, "restore"))
		c->restore = true;
	else if (str_equal(word, "run"))
		c->request.wait_start = false;
	else if (str_equal(word, "pid-file"))
		c->request.pid_file = true;
	else if (str_equal(word, "console-socket"))
		c->request.console_socket = "/run/console.sock";
	else if (str_equal(word, "pidfd-socket"))
		c->request.pidfd_socket = "/run/pidfd.sock";
	else if (str_equal(word, "notify"))
		c->request.notify_socket = "/run/systemd/notify";
	else if (str_equal(word, "no-pivot"))
		c->request.no_pivot = true;
	else if (str_equal(word, "no-new-keyring"))
		c->request.no_new_keyring = true;
	else if (str_equal(word, "template") || str_equal(word, "rootless-template"))
		c->base = take_template(word[0] == 'r', &c->facts, a, e);
	else
		return err_set(e, ERR_INVALID, "unknown word \"%s\"", word);
	return c->base ? 0 : -1;
}

/* "on v2 uid=1000 …" */
static int take_conditions(char *line, struct golden_case *c, struct arena *a, struct err *e)
{
	char *rest = NULL;
	const char *word = strtok_r(line, " ", &rest);

	if (!word || !str_equal(word, "on"))
		return err_set(e, ERR_INVALID, "no line \"on MACHINE …\" behind the comment");
	word = strtok_r(NULL, " ", &rest);
	if (!word || !machine_find(word, &c->facts))
		return err_set(e, ERR_INVALID, "unknown machine \"%s\"", word ? word : "");
	while ((word = strtok_r(NULL, " ", &rest)))
		if (take_word(c, word, a, e))
			return -1;
	return 0;
}

/* Collects what stands below "config" and "process", up to "plan". */
static int take_sections(char *at, struct golden_case *c, struct arena *a, struct err *e)
{
	struct str config, process, *section = NULL;

	str_init(&config, a);
	str_init(&process, a);
	while (*at) {
		const char *line = take_line(&at);

		if (str_equal(line, "plan")) {
			c->expected = at;
			c->config = config.length ? str_end(&config, e) : NULL;
			c->process = process.length ? str_end(&process, e) : NULL;
			return 0;
		}
		if (str_equal(line, "config"))
			section = &config;
		else if (str_equal(line, "process"))
			section = &process;
		else if (section)
			str_addf(section, "%s\n", line);
		else
			return err_set(e, ERR_INVALID, "unknown section \"%s\"", line);
	}
	return err_set(e, ERR_INVALID, "no line \"plan\"");
}

int golden_parse(char *text, struct arena *a, struct golden_case *ret, struct err *e)
{
	char *copy = arena_copy(a, text, strlen(text), e), *at = copy;

	*ret = (struct golden_case){
		.text = text,
		.base = small_base,
		.request = {.id = "box",
			    .bundle = "/bundle",
			    .rootfs = "/bundle/rootfs",
			    .state_root = "/run/creel",
			    .criu_root = "/run/creel/box/criu-root",
			    .wait_start = true},
	};
	if (!copy)
		return -1;
	if (*at != '#')
		return err_set(e, ERR_INVALID, "no comment that says what the case shows");
	while (*at == '#')
		(void)take_line(&at);
	if (take_conditions(take_line(&at), ret, a, e) || take_sections(at, ret, a, e))
		return -1;
	ret->expected = text + (ret->expected - copy);
	return 0;
}

/* ---- answering ---------------------------------------------------------------------------------
 */

/* The members of more behind those of base, as one document. */
static int join(const char *base, const char *more, struct arena *a, struct json_input *ret,
		struct err *e)
{
	const char *end = strrchr(base, '}'), *begin = more ? strchr(more, '{') : NULL;

	if (more && !begin)
		return err_set(e, ERR_INVALID, "config is no object");
	*ret = (struct json_input){
		.name = "config.json",
		.text = more ? arena_format(a, e, "%.*s,%s", (int)(end - base), base, begin + 1)
			     : arena_copy(a, base, strlen(base), e),
		.arena = a,
	};
	if (!ret->text)
		return -1;
	ret->length = strlen(ret->text);
	return 0;
}

/* Only what create would get as far as planning belongs here: the rest is the validator's. */
static int read_spec(const struct golden_case *c, struct arena *a, struct spec **ret, struct err *e)
{
	struct json_input input;

	if (join(c->base, c->config, a, &input, e) || spec_decode(&input, ret, e) ||
	    spec_validate(*ret, c->facts.euid != 0, a, NULL, e))
		return err_wrap(e, "the configuration is not one to plan for");
	return 0;
}

static int read_process(const struct golden_case *c, struct arena *a, struct spec_process **ret,
			struct err *e)
{
	struct json_input input = {
		.name = "process.json",
		.text = arena_copy(a, c->process, strlen(c->process), e),
		.length = strlen(c->process),
		.arena = a,
	};

	if (!input.text || spec_decode_process(&input, ret, e) || spec_validate_process(*ret, e))
		return err_wrap(e, "the process is not one to plan for");
	return 0;
}

static int build_exec(const struct golden_case *c, const struct spec *spec,
		      const struct spec_process *process, struct arena *a, struct plan **ret,
		      struct err *e)
{
	struct plan_exec_request request = {
		.id = c->request.id,
		.spec = spec,
		.process = process,
		.pid_file = c->request.pid_file,
		.console_socket = c->request.console_socket,
		.pidfd_socket = c->request.pidfd_socket,
		.log = c->request.log,
	};
	const struct cgroup_host *host = &c->facts.cgroup;

	/* as create would have recorded it */
	if (spec->linux_.intel_rdt)
		request.rdt = (struct resctrl_group){
			.path = RESCTRL_MOUNT "/guaranteed",
			.monitor = RESCTRL_MOUNT "/guaranteed/mon_groups/box",
		};
	if (host->systemd ? cgroup_place_unit(host, spec, request.id, a, &request.unit,
					      &request.cgroup, e)
			  : cgroup_place(host, spec->linux_.cgroups_path, request.id, a,
					 &request.cgroup, e))
		return -1;
	return plan_build_exec(&request, &c->facts, a, ret, e);
}

/* How many instructions a filter has depends on the machine's system calls: "in # instructions". */
static const char *hide_length(char *text)
{
	static const char before[] = " rules in ", after[] = " instructions";
	char *from = strstr(text, before), *to = strstr(text, after);

	if (from && to) {
		from += strlen(before);
		*from++ = '#';
		memmove(from, to, strlen(to) + 1);
	}
	return text;
}

_Static_assert(STEP_KINDS <= 64, "a bit for each kind");

static int check(const struct plan *plan, struct arena *a, uint64_t *ret_kinds, struct err *e)
{
	for (size_t i = 0; i < plan->count; i++)
		*ret_kinds |= (uint64_t)1 << plan->step[i].kind;
	if (plan_check(plan, e))
		return err_wrap(e, "plan_check");
	if (interleave_check(plan, SIDE_RUNTIME, a, e))
		return err_wrap(e, "with an eager runtime");
	if (interleave_check(plan, SIDE_INIT, a, e))
		return err_wrap(e, "with an eager init");
	return 0;
}

/* What the maker of the plan told, "warning: …", stands before it. */
static void keep_message(void *user, enum log_level level, const char *message)
{
	struct str *told = user;

	(void)level;
	str_addf(told, "warning: %s\n", message);
}

int golden_answer(struct golden_case *c, struct arena *a, const char **ret, struct err *e)
{
	struct spec_process *process = NULL;
	struct plan *plan = NULL;
	const char *text = NULL;
	struct spec *spec;
	char message[2048];
	struct str told;
	const struct log log = {LOG_LEVEL_WARNING, keep_message, &told};
	int refused;

	if (read_spec(c, a, &spec, e) || (c->process && read_process(c, a, &process, e)))
		return -1;
	str_init(&told, a);
	c->request.log = &log;
	if (process)
		refused = build_exec(c, spec, process, a, &plan, e);
	else if (c->restore)
		refused = plan_build_restore(spec, &c->facts, &c->request, a, &plan, e);
	else
		refused = plan_build(spec, &c->facts, &c->request, a, &plan, e);
	c->request.log = NULL;
	if (!refused && (check(plan, a, &c->kinds, e) || plan_print(plan, a, &text, e)))
		return -1;
	if (refused) {
		(void)err_message(e, message, sizeof(message));
		str_addf(&told, "refused: %s\n", message);
	} else {
		str_add(&told, text);
	}
	if (!str_end(&told, e))
		return -1;
	*ret = hide_length(told.text);
	return 0;
}
