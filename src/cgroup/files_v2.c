/*
 * How a version 2 cgroup is spoken to: see files.h. Source: the kernel's admin-guide/cgroup-v2.rst.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroup/files.h"
#include "cgroup/knob.h"

#define LIST_MAX 512     /* bytes of a list of controllers; the kernel has fourteen */
#define FREEZE_ASKED 100 /* ms after which it is asked whether a freeze is still wanted */

/* ---- controllers ----------------------------------------------------------------------------- */

/*
 * The next ancestor of dir on the way down from the root: the first call (*at 0) gives the root
 * itself. False when dir itself would be next.
 */
static bool next_ancestor(const char *dir, size_t *at, char part[PATH_MAX])
{
	size_t length = strlen(dir), from = *at ? *at + 1 : strlen(CGROUP_ROOT);

	if (length >= PATH_MAX || from >= length)
		return false;
	*at = from + strcspn(dir + from, "/");
	if (*at >= length)
		return false;
	memcpy(part, dir, *at);
	part[*at] = '\0';
	return true;
}

/*
 * All in one write; where the kernel refuses that, one by one, so that one refusal costs one
 * controller.
 */
static void enable_list(const char *dir, const char *list)
{
	char all[2 * LIST_MAX], one[LIST_MAX + 1];
	size_t length = 0;

	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		length += (size_t)snprintf(all + length, sizeof(all) - length, "+%.*s ", (int)word,
					   at);
		at += word;
	}
	if (!length || !knob_write(dir, "cgroup.subtree_control", all))
		return;
	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");

		(void)snprintf(one, sizeof(one), "+%.*s", (int)word, at);
		(void)knob_write(dir, "cgroup.subtree_control", one);
		at += word;
	}
}

void files_v2_enable_all(const char *dir)
{
	char machine[LIST_MAX], own[LIST_MAX], type[32], part[PATH_MAX];

	if (knob_read(CGROUP_ROOT, "cgroup.controllers", machine, sizeof(machine)) < 0 ||
	    knob_read(dir, "cgroup.controllers", own, sizeof(own)) < 0)
		return;
	if (!str_equal(machine, own))
		for (size_t at = 0; next_ancestor(dir, &at, part);)
			enable_list(part, machine);
	else if (knob_list_has(own, "memory"))
		return; /* a threaded parent could not have passed this one on */
	/* Below a threaded cgroup a new one can hold no process until it is made threaded as well.
	 */
	if (knob_read(dir, "cgroup.type", type, sizeof(type)) > 0 &&
	    str_equal(type, "domain invalid"))
		(void)knob_write(dir, "cgroup.type", "threaded");
}

/* Why dir is no place for controllers that deal with whole processes; 0: it is one. */
static int refuse_type(const char *dir, struct err *e)
{
	char type[32], state[48];

	if (knob_read(dir, "cgroup.type", type, sizeof(type)) <= 0 || str_equal(type, "domain"))
		return 0;
	if (str_equal(type, "domain invalid"))
		(void)snprintf(state, sizeof(state), "an invalid state");
	else
		(void)snprintf(state, sizeof(state), "%s mode", type);
	return err_set(e, ERR_UNSUPPORTED,
		       "cannot enter cgroupv2 \"%s\" with domain controllers -- it is in %s", dir,
		       state);
}

/* What a user's cgroups have is for systemd to say: they are all in that of user@UID.service. */
static int explain_delegation(const char *dir, struct err *e)
{
	if (!strstr(dir, "/user@"))
		return err_hint(e, "no ancestor of %s passes it on", dir);
	return err_hint(e, "systemd does not pass it on to users here: as root, "
			   "systemctl edit user@.service, write \"[Service]\" and "
			   "\"Delegate=cpu cpuset io memory pids\", and log in again");
}

static int explain_missing(const char *dir, const char *controller, struct err *e)
{
	if (refuse_type(dir, e))
		return -1;
	err_set(e, ERR_UNSUPPORTED, "cgroup controller \"%s\" is not available in %s", controller,
		dir);
	if (str_equal(dir, CGROUP_ROOT))
		return err_hint(e, "the kernel has it not, or a version 1 hierarchy holds it");
	return explain_delegation(dir, e);
}

/* Why dir, an ancestor of below, does not pass the controller on. */
static int explain_refusal(const char *dir, const char *below, const char *controller, int number,
			   struct err *e)
{
	if (refuse_type(dir, e))
		return -1;
	errno = number;
	err_sys(e, "enable cgroup controller \"%s\" in %s/cgroup.subtree_control", controller, dir);
	if (number == EBUSY)
		return err_hint(
			e,
			"%s holds processes, and a cgroup that does cannot pass controllers on: "
			"move them into a child of it, or choose another cgroupsPath",
			dir);
	if (number == EROFS)
		return err_hint(e, "the cgroup file system is mounted read-only here");
	if ((number == EACCES || number == EPERM) && !strstr(dir, "/user@") &&
	    strstr(below, "/user@"))
		return explain_delegation(below, e);
	if (number == EACCES || number == EPERM)
		return err_hint(e, "uid %u may not write there: the cgroup is not delegated to it",
				(unsigned)geteuid());
	return -1;
}

int files_v2_enable(const char *dir, const char *controller, struct err *e)
{
	char list[LIST_MAX], order[LIST_MAX + 1], part[PATH_MAX];

	(void)snprintf(order, sizeof(order), "+%s", controller);
	for (size_t at = 0; next_ancestor(dir, &at, part);) {
		if (knob_read(part, "cgroup.controllers", list, sizeof(list)) < 0)
			return err_sys(e, "read %s/cgroup.controllers", part);
		if (!knob_list_has(list, controller))
			return explain_missing(part, controller, e);
		if (knob_read(part, "cgroup.subtree_control", list, sizeof(list)) < 0)
			return err_sys(e, "read %s/cgroup.subtree_control", part);
		if (!knob_list_has(list, controller) &&
		    knob_write(part, "cgroup.subtree_control", order))
			return explain_refusal(part, dir, controller, errno, e);
	}
	if (knob_read(dir, "cgroup.controllers", list, sizeof(list)) < 0)
		return err_sys(e, "read %s/cgroup.controllers", dir);
	return knob_list_has(list, controller) ? 0 : explain_missing(dir, controller, e);
}

/* ---- writing --------------------------------------------------------------------------------- */

int files_v2_explain_write(const char *dir, const struct cgroup_setting *setting, int number,
			   struct err *e)
{
	size_t word = strcspn(setting->file, ".");
	char controller[LIST_MAX], list[LIST_MAX];

	(void)snprintf(controller, sizeof(controller), "%.*s", (int)word, setting->file);
	if (!str_starts(setting->pointer, "/linux/resources/unified/")) {
		errno = number;
		err_sys(e, "failed to write \"%s\": write %s/%s", setting->value, dir,
			setting->file);
		return number == ENOENT ? err_hint(e, "this kernel was built without it") : -1;
	}
	if ((number == ENOENT || number == EPERM || number == EACCES) &&
	    knob_read(dir, "cgroup.controllers", list, sizeof(list)) >= 0 &&
	    !knob_list_has(list, controller))
		return err_set(
			e, ERR_UNSUPPORTED,
			"unified resource \"%s\" can't be set: controller \"%s\" not available",
			setting->file, controller);
	errno = number;
	return err_sys(e, "unable to set unified resource \"%s\": write \"%s\" to %s/%s",
		       setting->file, setting->value, dir, setting->file);
}

int files_v2_check_usage(const char *dir, const struct cgroup_setting *setting, struct err *e)
{
	uint64_t limit, usage;

	if (!str_to_u64(setting->value, &limit))
		return 0; /* "max" */
	usage = knob_number(dir, "memory.current");
	if (limit > usage)
		return 0;
	return err_set(e, ERR_STATE, "rejecting memory limit %llu <= usage %llu",
		       (unsigned long long)limit, (unsigned long long)usage);
}

/* ---- freezing -------------------------------------------------------------------------------- */

int files_v2_frozen(const char *dir, bool *ret, struct err *e)
{
	char value[8];

	if (knob_read(dir, "cgroup.freeze", value, sizeof(value)) >= 0)
		*ret = str_equal(value, "1");
	else if (errno == ENOENT || errno == ENODEV)
		*ret = false;
	else
		return err_sys(e, "read %s/cgroup.freeze", dir);
	return 0;
}

/*
 * Until all is frozen (1), or nobody wants that any more (2): who thaws a cgroup that was not yet
 * frozen changes nothing that the kernel would tell, so it is asked now and then. 0: too late.
 */
static int wait_frozen(const char *dir, int64_t deadline, struct err *e)
{
	bool wanted = true;
	int done = 0;

	while (!done && deadline_left(deadline)) {
		int64_t soon = deadline_in(0) + FREEZE_ASKED;

		done = knob_wait_event(dir, "frozen 1", soon < deadline ? soon : deadline, e);
		if (!done && files_v2_frozen(dir, &wanted, e))
			return -1;
		if (!wanted)
			return 2;
	}
	return done;
}

int files_v2_freeze(const char *dir, bool frozen, int64_t deadline, struct err *e)
{
	int done;

	if (knob_write(dir, "cgroup.freeze", frozen ? "1" : "0"))
		return err_sys(e, "write to %s/cgroup.freeze", dir);
	if (!frozen)
		return 0;
	done = wait_frozen(dir, deadline, e);
	if (done > 0)
		return done - 1;
	(void)knob_write(dir, "cgroup.freeze", "0");
	if (done < 0)
		return -1;
	err_set(e, ERR_SYSTEM, "timeout of %ds reached waiting for the cgroup to freeze",
		CGROUP_PATIENCE);
	return err_hint(e, "a process in %s could not be stopped", dir);
}
