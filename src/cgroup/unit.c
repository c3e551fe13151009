/*
 * Talking to systemd: starting a unit for a container, telling it of changes, stopping it. Called
 * by run and container; what is told stands in unit_properties.c.
 *
 * Every function connects anew: a runtime's command does one of these things. Where systemd has its
 * own socket it is spoken to without a bus in between. Source: org.freedesktop.systemd1(5).
 */
#include "cgroup/unit.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sys/dbus.h"
#include "sys/deadline.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define MANAGER SYSTEMD ".Manager"
#define PRIVATE "unix:path=/run/systemd/private"
#define SYSTEM_BUS "unix:path=/run/dbus/system_bus_socket"

/* ---- the connection -------------------------------------------------------------------------- */

static int open_systemd(const char *bus, struct arena *a, struct dbus *ret, struct err *e)
{
	struct err why;
	int failed;

	if (*bus)
		failed = dbus_open(bus, false, a, ret, e);
	else
		failed = dbus_open(PRIVATE, true, a, ret, &why) &&
			 dbus_open(SYSTEM_BUS, false, a, ret, e);
	return failed ? err_wrap(e, "talk to systemd") : 0;
}

static int call(struct dbus *d, const char *member, const struct dbus_value *arguments,
		size_t count, struct dbus_message *ret, struct err *e)
{
	const struct dbus_call wanted = {
		.destination = SYSTEMD,
		.path = SYSTEMD_PATH,
		.interface = MANAGER,
		.member = member,
		.arguments = {arguments, count},
	};

	return dbus_call(d, &wanted, ret, e);
}

static bool was_refused(const struct dbus *d, const char *name)
{
	return d->refusal && str_equal(d->refusal, name);
}

static int reset_failed(struct dbus *d, const char *name, struct err *e)
{
	const struct dbus_value argument = {.type = "s", .text = name};
	struct dbus_message reply;

	/* A unit that is not there, or did not fail, has nothing to be forgotten. */
	return call(d, "ResetFailedUnit", &argument, 1, &reply, e) && !d->refusal ? -1 : 0;
}

int unit_find_root(const char *bus, struct arena *a, const char **ret, struct err *e)
{
	const struct dbus_value arguments[] = {
		{.type = "s", .text = MANAGER},
		{.type = "s", .text = "ControlGroup"},
	};
	const struct dbus_call get = {
		.destination = SYSTEMD,
		.path = SYSTEMD_PATH,
		.interface = "org.freedesktop.DBus.Properties",
		.member = "Get",
		.arguments = {arguments, array_len(arguments)},
	};
	struct dbus_message reply;
	struct dbus_value value;
	struct dbus d;
	int failed;

	if (open_systemd(bus, a, &d, e))
		return -1;
	failed = dbus_call(&d, &get, &reply, e) || dbus_read(&reply, "v", &value, e);
	if (!failed && *value.type != 's')
		failed = err_set(e, ERR_SYSTEM, "ask systemd for its cgroup: no text came");
	if (!failed) {
		*ret = arena_copy(a, value.text, strlen(value.text), e);
		failed = !*ret;
	}
	dbus_close(&d);
	return failed ? -1 : 0;
}

/* ---- jobs ------------------------------------------------------------------------------------ */

static int watch_jobs(struct dbus *d, struct err *e)
{
	return dbus_match(d,
			  "type='signal',sender='" SYSTEMD "',path='" SYSTEMD_PATH
			  "',interface='" MANAGER "',member='JobRemoved'",
			  e);
}

/* A job that systemd was asked for. */
struct job {
	const char *path;   /* its D-Bus object */
	const char *sender; /* who says so: anybody may send signals on a bus */
};

static int read_job(struct dbus *d, const struct dbus_message *reply, struct job *ret,
		    struct err *e)
{
	struct dbus_value path;

	if (dbus_read(reply, "o", &path, e))
		return -1;
	ret->path = arena_copy(d->arena, path.text, strlen(path.text), e);
	ret->sender = arena_copy(d->arena, reply->sender, strlen(reply->sender), e);
	return ret->path && ret->sender ? 0 : -1;
}

/* Waits for the job's end; *ret_result is what systemd says of it, NULL when time ran out. */
static int wait_job(struct dbus *d, const struct job *job, const char **ret_result, struct err *e)
{
	int64_t deadline = deadline_in(DBUS_PATIENCE);
	struct dbus_value value[4]; /* number, job, unit, result */
	struct dbus_message signal;
	int got;

	*ret_result = NULL;
	while ((got = dbus_next_signal(d, deadline, &signal, e)) > 0) {
		if (!str_equal(signal.member, "JobRemoved") ||
		    !str_equal(signal.interface, MANAGER) || !str_equal(signal.sender, job->sender))
			continue;
		if (dbus_read(&signal, "uoss", value, e))
			return -1;
		if (!str_equal(value[1].text, job->path))
			continue;
		*ret_result = arena_copy(d->arena, value[3].text, strlen(value[3].text), e);
		return *ret_result ? 0 : -1;
	}
	return got;
}

/* ---- properties ------------------------------------------------------------------------------ */

/* As the argument "a(sv)". */
static int list_properties(const struct cgroup_properties *properties, struct arena *a,
			   struct dbus_value *ret, struct err *e)
{
	size_t count = properties->count;
	struct dbus_value *entry = arena_get_array(a, count, sizeof(*entry), e);
	struct dbus_value *part = arena_get_array(a, 2 * count, sizeof(*part), e);

	if (!entry || !part)
		return -1;
	for (size_t i = 0; i < count; i++, part += 2) {
		const struct cgroup_property *property = &properties->item[i];

		part[0] = (struct dbus_value){.type = "s", .text = property->name};
		part[1] = (struct dbus_value){.type = "v", .list = {&property->value, 1}};
		entry[i] = (struct dbus_value){.type = "(sv)", .list = {part, 2}};
	}
	*ret = (struct dbus_value){.type = "a(sv)", .list = {entry, count}};
	return 0;
}

/*
 * An old systemd names the property that it does not know, or whose value is new to it: without it
 * the rest may do. False: it was none that can be left out.
 */
static bool leave_out(struct cgroup_properties *properties, const struct err *why)
{
	for (size_t i = 0; i < properties->count; i++) {
		struct cgroup_property *property = &properties->item[i];
		const char *at = property->optional ? strstr(why->text, property->name) : NULL;
		char next = at ? at[strlen(property->name)] : 'x';

		if ((next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'))
			continue;
		memmove(property, property + 1, (properties->count - i - 1) * sizeof(*property));
		properties->count--;
		return true;
	}
	return false;
}

/* A copy with room for one more. */
static int copy_properties(const struct cgroup_properties *from, struct arena *a,
			   struct cgroup_properties *ret, struct err *e)
{
	ret->item = arena_get_array(a, from->count + 1, sizeof(*ret->item), e);
	if (!ret->item)
		return -1;
	if (from->count)
		memcpy(ret->item, from->item, from->count * sizeof(*ret->item));
	ret->count = from->count;
	return 0;
}

/* ---- starting -------------------------------------------------------------------------------- */

static int call_start(struct dbus *d, const char *name, const struct cgroup_properties *properties,
		      struct dbus_message *ret, struct err *e)
{
	struct dbus_value arguments[] = {
		{.type = "s", .text = name},
		{.type = "s", .text = "replace"},
		{.type = "a(sv)"},
		{.type = "a(sa(sv))"}, /* no other units */
	};

	if (list_properties(properties, d->arena, &arguments[2], e))
		return -1;
	return call(d, "StartTransientUnit", arguments, array_len(arguments), ret, e);
}

/* Asks until systemd takes the unit; a slice that is there already is what was wanted. */
static int request_start(struct dbus *d, const char *name, struct cgroup_properties *properties,
			 struct job *ret_job, struct err *e)
{
	struct dbus_message reply;
	bool again = false;

	while (call_start(d, name, properties, &reply, e)) {
		if (was_refused(d, SYSTEMD ".UnitExists")) {
			if (unit_is_slice(name))
				return 0;
			if (again)
				return err_hint(e, "another container, or a service of this "
						   "machine, has a unit of this name");
			again = true;
			if (reset_failed(d, name, e))
				return -1;
		} else if (!d->refusal || !leave_out(properties, e)) {
			return -1;
		}
	}
	return read_job(d, &reply, ret_job, e);
}

static int start(struct dbus *d, const char *name, struct cgroup_properties *properties,
		 struct err *e)
{
	struct job job = {0};
	const char *result;
	struct err why;

	if (watch_jobs(d, e) || request_start(d, name, properties, &job, e))
		return err_wrap(e, "unable to start unit \"%s\"", name);
	if (!job.path)
		return 0;
	if (wait_job(d, &job, &result, e))
		return -1;
	if (!result)
		return err_set(e, ERR_SYSTEM, "Timeout waiting for systemd to create %s", name);
	if (str_equal(result, "done"))
		return 0;
	(void)!reset_failed(d, name, &why);
	err_set(e, ERR_SYSTEM, "error creating systemd unit `%s`: got `%s`", name, result);
	return err_hint(e, "journalctl -u %s may tell more", name);
}

int cgroup_unit_start(const struct cgroup_unit *unit, const struct cgroup_properties *properties,
		      pid_t pid, struct arena *a, struct err *e)
{
	const struct dbus_value number = {.type = "u", .number = (uint64_t)pid};
	struct cgroup_properties all;
	struct dbus d;
	int failed;

	if (copy_properties(properties, a, &all, e))
		return -1;
	if (!unit_is_slice(unit->name))
		all.item[all.count++] = (struct cgroup_property){
			.name = "PIDs",
			.value = {.type = "au", .list = {&number, 1}},
		};
	if (open_systemd(unit->bus, a, &d, e))
		return -1;
	failed = start(&d, unit->name, &all, e);
	dbus_close(&d);
	return failed;
}

/* ---- afterwards ------------------------------------------------------------------------------ */

static int stop(struct dbus *d, const char *name, struct err *e)
{
	const struct dbus_value arguments[] = {
		{.type = "s", .text = name},
		{.type = "s", .text = "replace"},
	};
	struct dbus_message reply;
	const char *result;
	struct job job;

	if (watch_jobs(d, e))
		return -1;
	if (call(d, "StopUnit", arguments, array_len(arguments), &reply, e))
		return was_refused(d, SYSTEMD ".NoSuchUnit") ? 0 : -1;
	if (read_job(d, &reply, &job, e) || wait_job(d, &job, &result, e))
		return -1;
	if (!result)
		return err_set(e, ERR_SYSTEM, "Timed out while waiting for systemd to remove %s",
			       name);
	return reset_failed(d, name, e);
}

int cgroup_unit_stop(const struct cgroup_unit *unit, struct arena *a, struct err *e)
{
	struct dbus d;
	int failed;

	if (open_systemd(unit->bus, a, &d, e))
		return -1;
	failed = stop(&d, unit->name, e);
	dbus_close(&d);
	return failed ? err_wrap(e, "unable to stop unit \"%s\"", unit->name) : 0;
}

int cgroup_unit_forget(const struct cgroup_unit *unit, struct arena *a, struct err *e)
{
	struct dbus d;
	int failed;

	if (open_systemd(unit->bus, a, &d, e))
		return -1;
	failed = reset_failed(&d, unit->name, e);
	dbus_close(&d);
	return failed;
}

static int set_properties(struct dbus *d, const char *name, struct cgroup_properties *properties,
			  struct err *e)
{
	struct dbus_value arguments[] = {
		{.type = "s", .text = name},
		{.type = "b", .number = true}, /* not beyond the next boot */
		{.type = "a(sv)"},
	};
	struct dbus_message reply;

	do {
		if (!properties->count)
			return 0;
		if (list_properties(properties, d->arena, &arguments[2], e))
			return -1;
		if (!call(d, "SetUnitProperties", arguments, array_len(arguments), &reply, e))
			return 0;
	} while (d->refusal && leave_out(properties, e));
	return err_wrap(e, "unable to set properties of unit \"%s\"", name);
}

int cgroup_unit_update(const struct cgroup_unit *unit, const struct cgroup_settings *settings,
		       struct arena *a, struct err *e)
{
	struct cgroup_properties properties;
	struct dbus d;
	int failed;

	if (cgroup_setting_properties(settings, a, &properties, e))
		return -1;
	if (!properties.count)
		return 0;
	if (open_systemd(unit->bus, a, &d, e))
		return -1;
	failed = set_properties(&d, unit->name, &properties, e);
	dbus_close(&d);
	return failed;
}

/* What the path of the container's cgroup has behind the unit's. */
static const char *below(const struct cgroup_unit *unit, const struct cgroup_paths *paths)
{
	const char *at = paths->count ? strstr(paths->item[0].path, unit->name) : NULL;

	return at ? at + strlen(unit->name) : "";
}

int cgroup_unit_attach(const struct cgroup_unit *unit, const struct cgroup_paths *paths, pid_t pid,
		       struct arena *a, struct err *e)
{
	const struct dbus_value number = {.type = "u", .number = (uint64_t)pid};
	const struct dbus_value arguments[] = {
		{.type = "s", .text = unit->name},
		{.type = "s", .text = below(unit, paths)},
		{.type = "au", .list = {&number, 1}},
	};
	struct dbus_message reply;
	struct dbus d;
	int failed;

	if (open_systemd(unit->bus, a, &d, e))
		return -1;
	failed = call(&d, "AttachProcessesToUnit", arguments, array_len(arguments), &reply, e);
	dbus_close(&d);
	return failed ? err_wrap(e, "unable to add a process to unit \"%s\"", unit->name) : 0;
}
