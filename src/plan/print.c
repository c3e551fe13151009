/*
 * The plan as text: what `creel explain` prints, what the golden tests compare, and what debug
 * lines call a step.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "plan/kinds.h"
#include "plan/print.h"
#include "sys/dbus_text.h"

static void add_ns_flags(struct str *out, uint64_t flags)
{
	const char *separator = "";

	for (int type = 0; type < NS_TYPES; type++)
		if (flags & ns_clone_flag((enum ns_type)type)) {
			str_addf(out, "%s%s", separator,
				 word_name(&words_namespaces, (uint64_t)type));
			separator = " ";
		}
}

static void describe_device(const struct step *step, struct str *out)
{
	const struct spec_device *d = step->device.item;

	if (step->device.bind) {
		str_addf(out, "bind the host's device %s", d->path);
		return;
	}
	str_addf(out, "make device %s %c", d->path, d->type);
	if (d->type != 'p')
		str_addf(out, " %lld:%lld", (long long)d->major, (long long)d->minor);
	str_addf(out, " mode %04o", d->file_mode.set ? d->file_mode.value & 07777 : 0666);
}

static void describe_rdt(const struct step *step, struct str *out)
{
	const struct resctrl_group *group = step->rdt;
	bool made = step->kind == STEP_RDT_MAKE;
	const char *verb = !made             ? "open"
			   : group->own      ? "make"
			   : group->schemata ? "find or make"
					     : "find";

	str_addf(out, "%s the resctrl group %s", verb, group->path);
	if (group->monitor)
		str_add(out, ", with a monitoring group");
	for (const char *line = made ? group->schemata : NULL; line && *line;) {
		size_t length = strcspn(line, "\n");

		str_add(out, line == group->schemata ? ": " : ", ");
		str_add_bytes(out, line, length);
		line += length + 1;
	}
}

/* Kinds whose words depend on more than one value, or on a choice. */
static bool describe_special(const struct step *step, struct str *out)
{
	switch (step->kind) {
	case STEP_MOUNT:
		print_mount(step->mount, out);
		break;
	case STEP_DEVICE:
		describe_device(step, out);
		break;
	case STEP_RDT_MAKE:
	case STEP_RDT_OPEN:
		describe_rdt(step, out);
		break;
	case STEP_NS_NEW:
		str_add(out, "make namespaces: ");
		add_ns_flags(out, step->ns_flags);
		break;
	case STEP_NS_JOIN_INIT:
		str_add(out, "join the namespaces of the container's init: ");
		add_ns_flags(out, step->ns_flags);
		break;
	case STEP_PIVOT:
		str_add(out, step->root.no_pivot ? "move the root to / without pivot_root"
						 : "pivot to the container's root");
		break;
	case STEP_SESSION:
		str_add(out, step->session.keyring ? "new session, session keyring of the container"
						   : "new session");
		if (step->session.label)
			str_addf(out, ", labelled %s", step->session.label);
		break;
	default:
		return false;
	}
	return true;
}

static void describe_unit(const struct step *step, struct str *out)
{
	const struct cgroup_properties *properties = step->unit.properties;

	str_addf(out, "let systemd make %s around it:", step->unit.name);
	for (size_t i = 0; i < properties->count; i++) {
		str_addf(out, " %s=", properties->item[i].name);
		dbus_add_text(out, &properties->item[i].value);
	}
}

static bool describe_cgroup(const struct step *step, struct str *out)
{
	switch (step->kind) {
	case STEP_CGROUP_WRITE:
		str_addf(out, "set %s = %s", step->setting->file, step->setting->value);
		break;
	case STEP_CGROUP_DEVICES:
		str_addf(out, "allow devices by %zu rules", step->rules->count);
		break;
	case STEP_CGROUP_UNIT:
		describe_unit(step, out);
		break;
	case STEP_CGROUP_GIVE:
		str_addf(out, "give the cgroup to user %u", step->owner);
		break;
	default:
		return false;
	}
	return true;
}

static void describe_console(const struct step *step, struct str *out)
{
	const struct tty_size *size = &step->console.size;

	str_add(out, "allocate a terminal");
	if (size->rows || size->columns)
		str_addf(out, " of %u rows and %u columns", size->rows, size->columns);
	if (step->console.dev_console)
		str_add(out, ", also as /dev/console");
}

static void add_offset(struct str *out, const char *clock, const struct spec_time_offset *offset)
{
	if (offset->set)
		str_addf(out, " %s %lld.%09u s", clock, (long long)offset->secs, offset->nanosecs);
}

static void describe_socket(const struct step *step, struct str *out)
{
	const char *path = step->socket.path;

	switch (step->kind) {
	case STEP_SECCOMP_SOCKET:
		str_addf(out, "connect to the seccomp agent %s", path);
		break;
	case STEP_CONSOLE_SOCKET:
		str_addf(out, "connect to the console socket %s", path);
		break;
	case STEP_NOTIFY:
		str_addf(out, "make a place for readiness to be told%s%s",
			 path ? ", and tell it to " : "", path ? path : "");
		break;
	case STEP_PIDFD:
		str_addf(out, "send a pidfd to %s", path);
		break;
	default:
		break;
	}
}

static void describe_values(const struct step *step, struct str *out)
{
	switch (step->kind) {
	case STEP_OPEN_TREE:
		print_tree(step->mount, out);
		break;
	case STEP_AFFINITY:
		str_addf(out, "run on processors: %s",
			 step->text ? step->text : "all of the cgroup");
		break;
	case STEP_OOM_SCORE:
		str_addf(out, "set oom_score_adj = %d", step->oom_score);
		break;
	case STEP_NS_JOIN:
		str_addf(out, "join %s namespace %s", word_name(&words_namespaces, step->ns.type),
			 step->ns.path);
		break;
	case STEP_TIME_OFFSETS:
		str_add(out, "make the time namespace, offsets:");
		add_offset(out, "monotonic", &step->time_offsets->monotonic);
		add_offset(out, "boottime", &step->time_offsets->boottime);
		break;
	case STEP_NET_DEVICE:
		str_addf(out, "move network device %s into the container",
			 step->net_device->host_name);
		if (step->net_device->name)
			str_addf(out, " as %s", step->net_device->name);
		break;
	case STEP_ROOT:
		str_addf(out, "take %s as the root, / is %s", step->root.source,
			 step->root.propagation ? step->root.propagation : "rslave");
		break;
	case STEP_CRIU_ROOT:
		str_addf(out, "leave these mounts, bind %s on %s%s", step->criu_root.source,
			 step->criu_root.target, step->criu_root.readonly ? ", read-only" : "");
		break;
	case STEP_ROOT_PROPAGATION:
		str_addf(out, "make the root %s", step->root.propagation);
		break;
	case STEP_HOOK:
		str_addf(out, "run %s hook #%zu %s", word_name(&words_hooks, step->hook.kind),
			 step->hook.index, step->hook.item->path);
		break;
	case STEP_MOUNT_READONLY:
		str_addf(out, "make %s read-only", step->mount->target);
		break;
	case STEP_SYSCTL:
		str_addf(out, "set sysctl %s = %s", step->sysctl.key, step->sysctl.value);
		break;
	case STEP_SECCOMP:
		str_addf(out, "load seccomp filter: %zu rules in %u instructions%s",
			 step->seccomp.rules, (unsigned)step->seccomp.program->length,
			 step->seccomp.program->notify ? ", hand its listener over" : "");
		break;
	case STEP_CONSOLE:
		describe_console(step, out);
		break;
	default:
		describe_socket(step, out);
	}
}

/* Kinds of which these words say all; behind a space at their end comes the step's text. */
static const char *const plain_words[STEP_KINDS] = {
	[STEP_CGROUP_MAKE] = "make the cgroup",
	[STEP_CGROUP_OPEN] = "open the container's cgroup",
	[STEP_CGROUP_JOIN] = "join the cgroup",
	[STEP_RDT_JOIN] = "join the resctrl group",
	[STEP_CGROUP_REST] = "make the rest of the cgroup, put init into it",
	[STEP_CGROUP_ATTACH] = "let systemd put the process into the cgroup, if need be",
	[STEP_ID_MAPS] = "map user and group ids",
	[STEP_BECOME_ROOT] = "become root in the user namespace",
	[STEP_LOOPBACK] = "bring the loopback interface up",
	[STEP_DEV_LINKS] = "make the links in /dev",
	[STEP_ROOT_READONLY] = "make the root read-only",
	[STEP_HOSTNAME] = "set the host name ",
	[STEP_DOMAINNAME] = "set the domain name ",
	[STEP_READONLY_PATH] = "make read-only ",
	[STEP_MASK_PATH] = "mask ",
	[STEP_APPARMOR] = "confine the program by the AppArmor profile ",
	[STEP_SELINUX] = "confine the program by the SELinux label ",
	[STEP_NO_NEW_PRIVS] = "forbid new privileges",
	[STEP_CWD] = "change to ",
	[STEP_CWD_MAKE] = "make the directory, if it is missing, ",
	[STEP_LOOKUP] = "look the program up",
	[STEP_REPORT] = "report that all is ready",
	[STEP_WAIT_START] = "wait for start",
	[STEP_CLOSE] = "close what is not the program's",
	[STEP_EXEC] = "execute the program",
	[STEP_CRIU] = "execute criu",
};

void plan_describe(const struct step *step, struct str *out)
{
	const char *words = plain_words[step->kind];

	if (words && str_ends(words, " "))
		str_addf(out, "%s%s", words, step->text);
	else if (words)
		str_add(out, words);
	else if (!describe_special(step, out) && !describe_cgroup(step, out) &&
		 !print_process(step, out))
		describe_values(step, out);
}

void plan_pointer(const struct step *step, char text[ERR_POINTER_MAX])
{
	if (step->pointer && step->item >= 0)
		(void)snprintf(text, ERR_POINTER_MAX, "%s/%d", step->pointer, step->item);
	else
		(void)snprintf(text, ERR_POINTER_MAX, "%s", step->pointer ? step->pointer : "");
}

/*
 * Ends a line that began at start. Names in it are config.json's: with characters that steer they
 * could forge lines of the plan, or do what they like with a terminal.
 */
static void end_line(struct str *out, size_t start)
{
	for (size_t i = start; !out->failed && i < out->length; i++) {
		unsigned char *c = (unsigned char *)out->text + i;

		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0) /* U+0080 to U+009F */
			c[0] = c[1] = '?';
		else if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	str_add_char(out, '\n');
}

static void print_clone(const struct plan *plan, struct str *out)
{
	size_t start;

	str_add(out, "clone\n");
	start = out->length;
	str_add(out, "  namespaces: ");
	if (plan->clone_flags)
		add_ns_flags(out, plan->clone_flags);
	else
		str_add(out, "none");
	if (plan->join_pid_path)
		str_addf(out, "; pid namespace joined: %s", plan->join_pid_path);
	if (plan->join_pid_of_init)
		str_add(out, "; pid namespace joined: that of the container's init");
	if (plan->by_intermediate)
		str_add(out, "; by a process in between, after the join stage");
	end_line(out, start);
	for (size_t i = 0; i < plan->cgroup.count; i++) {
		start = out->length;
		str_addf(out, "  cgroup %s: %s",
			 plan->cgroup.item[i].name[0] ? plan->cgroup.item[i].name : "(unified)",
			 plan->cgroup.item[i].path);
		end_line(out, start);
	}
}

static void print_stage(const struct plan *plan, enum plan_stage stage, struct str *out)
{
	static const char *const columns[] = {[SIDE_RUNTIME] = "runtime", [SIDE_INIT] = "init   "};
	char pointer[ERR_POINTER_MAX];

	if (!plan_has(plan, SIDE_RUNTIME, stage) && !plan_has(plan, SIDE_INIT, stage))
		return;
	str_addf(out, "%s\n", plan_stage_name(stage));
	for (int side = SIDE_RUNTIME; side <= SIDE_INIT; side++) {
		int wait = plan_wait(plan, (enum plan_side)side, stage);

		if (wait >= 0)
			str_addf(out, "  %s waits for %s of the other\n", columns[side],
				 plan_stage_name((enum plan_stage)wait));
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->step[i];
		size_t start = out->length;

		if (step->stage != stage)
			continue;
		str_addf(out, "  %s ", columns[step->side]);
		plan_describe(step, out);
		plan_pointer(step, pointer);
		if (pointer[0])
			str_addf(out, "  [%s]", pointer);
		end_line(out, start);
	}
}

int plan_print(const struct plan *plan, struct arena *a, const char **ret, struct err *e)
{
	struct str out;
	const char *text;

	str_init(&out, a);
	print_stage(plan, STAGE_PREPARE, &out);
	print_clone(plan, &out);
	for (int stage = STAGE_JOIN; stage < STAGES; stage++)
		print_stage(plan, (enum plan_stage)stage, &out);
	text = str_end(&out, e);
	if (!text)
		return -1;
	*ret = text;
	return 0;
}
