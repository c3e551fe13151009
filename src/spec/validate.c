/*
 * The rules on a whole configuration: see validate.h. The order of the rules is runc's, so that a
 * file with several faults gets the same complaint first. Rules of one subject with many cases have
 * files of their own: validate_process.c, validate_mounts.c, validate_sysctl.c.
 */
#include "spec/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec/mount_options.h"
#include "spec/validate_rules.h"

int validate_fail(struct err *e, const char *pointer, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	err_set(e, ERR_INVALID, "%s", text);
	return err_in(e, "%s", pointer);
}

void validate_in_key(struct err *e, const char *key)
{
	char token[ERR_POINTER_MAX] = "/";
	size_t used = 1;

	for (; *key && used < sizeof(token) - 2; key++) {
		if (*key == '/' || *key == '~')
			token[used++] = '~';
		token[used++] = *key == '/' ? '1' : *key == '~' ? '0' : *key;
	}
	token[used] = '\0';
	err_in(e, "%s", token);
}

bool validate_mapped(const struct spec_id_maps *maps, uint64_t id)
{
	for (size_t i = 0; i < maps->count; i++)
		if (id >= maps->item[i].container_id &&
		    id - maps->item[i].container_id < maps->item[i].size)
			return true;
	return false;
}

static int check_root(const struct validation *v, struct err *e)
{
	if (!v->spec->root)
		return validate_fail(e, "/root", "root must be specified");
	if (!v->spec->root->path)
		return validate_fail(e, "/root/path", "root.path must not be empty");
	return 0;
}

static int check_mounts(const struct validation *v, struct err *e)
{
	for (size_t i = 0; i < v->spec->mounts.count; i++)
		if (validate_mount(v, i, e))
			return err_in(e, "/mounts/%zu", i);
	return 0;
}

/* What is made of a device number has twelve bits for the one part and twenty for the other. */
static int check_device(const struct spec_device *device, struct err *e)
{
	if (!device->path)
		return validate_fail(e, "/path", "device path must not be empty");
	if (device->uid.value == VALIDATE_NO_ID)
		return validate_fail(e, "/uid", "invalid uid %u: not an id", VALIDATE_NO_ID);
	if (device->gid.value == VALIDATE_NO_ID)
		return validate_fail(e, "/gid", "invalid gid %u: not an id", VALIDATE_NO_ID);
	if (device->type == 'p')
		return 0;
	if (device->major < 0 || device->major >= 1 << 12)
		return validate_fail(e, "/major", "device major number %lld is out of range",
				     (long long)device->major);
	if (device->minor < 0 || device->minor >= 1 << 20)
		return validate_fail(e, "/minor", "device minor number %lld is out of range",
				     (long long)device->minor);
	return 0;
}

static int check_devices(const struct validation *v, struct err *e)
{
	const struct spec_devices *devices = &v->spec->linux_.devices;

	for (size_t i = 0; i < devices->count; i++)
		if (check_device(&devices->item[i], e))
			return err_in(e, "/linux/devices/%zu", i);
	return 0;
}

static int check_device_rules(const struct validation *v, struct err *e)
{
	const struct spec_resources *resources = v->spec->linux_.resources;

	for (size_t i = 0; resources && i < resources->devices.count; i++) {
		const char *access = resources->devices.item[i].access;

		if (!access)
			err_set(e, ERR_INVALID, "device access at %zu field cannot be empty", i);
		else if (access[strspn(access, "rwm")])
			err_set(e, ERR_INVALID, "invalid device access \"%s\"", access);
		else
			continue;
		return err_in(e, "/linux/resources/devices/%zu/access", i);
	}
	return 0;
}

static int check_propagation(const struct validation *v, struct err *e)
{
	const char *name = v->spec->linux_.rootfs_propagation;
	uint32_t ignored;

	if (name && !mount_options_propagation(name, &ignored))
		return validate_fail(e, "/linux/rootfsPropagation",
				     "rootfsPropagation=%s is not supported", name);
	return 0;
}

static int check_namespace_list(const struct validation *v, struct err *e)
{
	const struct spec_namespaces *list = &v->spec->linux_.namespaces;
	bool seen[NS_TYPES] = {false};

	for (size_t i = 0; i < list->count; i++) {
		const struct spec_namespace *ns = &list->item[i];
		const char *path = ns->path ? ns->path : "";

		if (seen[ns->type]) {
			err_set(e, ERR_INVALID,
				"malformed spec file: duplicated ns {\"%s\" \"%s\"}",
				word_name(&words_namespaces, ns->type), path);
			return err_in(e, "/linux/namespaces/%zu", i);
		}
		if (strchr(path, ',')) {
			err_set(e, ERR_INVALID, "namespace path \"%s\" must not contain a comma",
				path);
			return err_in(e, "/linux/namespaces/%zu/path", i);
		}
		seen[ns->type] = true;
	}
	return 0;
}

static int check_user_namespace(const struct validation *v, struct err *e)
{
	const struct spec_linux *l = &v->spec->linux_;
	const struct spec_namespace *user = spec_namespace_find(v->spec, NS_USER);

	if (!user) {
		if (l->uid_mappings.count || l->gid_mappings.count)
			log_add(v->log, LOG_LEVEL_WARNING,
				"uidMappings and gidMappings are ignored: "
				"no user namespace is listed");
		return 0;
	}
	if (!user->path && !l->uid_mappings.count && !l->gid_mappings.count)
		return validate_fail(e, "/linux/namespaces",
				     "user namespaces enabled, but no namespace path to join "
				     "nor mappings to apply specified");
	return 0;
}

static int check_seccomp(const struct validation *v, struct err *e)
{
	const struct spec_seccomp *s = v->spec->linux_.seccomp;

	if (!s)
		return 0;
	if (s->default_action == ACT_NOTIFY)
		return validate_fail(e, "/linux/seccomp/defaultAction",
				     "SCMP_ACT_NOTIFY cannot be used as default action");
	if (s->listener_path)
		return 0;
	if (s->listener_metadata)
		return validate_fail(e, "/linux/seccomp/listenerMetadata",
				     "seccomp listenerMetadata is set, but listenerPath is not");
	for (size_t i = 0; i < s->rule_count; i++)
		if (s->rules[i].action == ACT_NOTIFY) {
			err_set(e, ERR_INVALID, "seccomp listenerPath is not set");
			return err_in(e, "/linux/seccomp/syscalls/%zu/action", i);
		}
	return 0;
}

static bool net_device_name_ok(const char *name)
{
	size_t length = strlen(name);

	return length && length < 16 && strcmp(name, ".") && strcmp(name, "..") &&
	       !strpbrk(name, "/: \t\n\v\f\r");
}

static const char *name_inside(const struct spec_net_device *device)
{
	return device->name ? device->name : device->host_name;
}

static int check_net_device(const struct spec_net_devices *devices, size_t index, struct err *e)
{
	const struct spec_net_device *d = &devices->item[index];
	const char *name = name_inside(d);

	if (!net_device_name_ok(d->host_name))
		return validate_fail(e, "", "invalid network device name \"%s\"", d->host_name);
	if (!net_device_name_ok(name))
		return validate_fail(e, "/name", "invalid network device name \"%s\"", name);
	for (size_t i = 0; i < index; i++)
		if (!strchr(name, '%') && !strcmp(name_inside(&devices->item[i]), name))
			return validate_fail(e, d->name ? "/name" : "",
					     "two network devices are named \"%s\"", name);
	return 0;
}

static int check_net_devices(const struct validation *v, struct err *e)
{
	const struct spec_net_devices *devices = &v->spec->linux_.net_devices;

	if (!devices->count)
		return 0;
	if (!spec_namespace_find(v->spec, NS_NET))
		return validate_fail(e, "/linux/netDevices",
				     "unable to move network devices without a NET namespace");
	if (v->rootless)
		return validate_fail(e, "/linux/netDevices",
				     "network devices are not supported for rootless containers");
	for (size_t i = 0; i < devices->count; i++)
		if (check_net_device(devices, i, e)) {
			validate_in_key(e, devices->item[i].host_name);
			return err_in(e, "/linux/netDevices");
		}
	return 0;
}

static int check_uts(const struct validation *v, struct err *e)
{
	if (spec_namespace_find(v->spec, NS_UTS))
		return 0;
	if (v->spec->hostname)
		return validate_fail(e, "/hostname",
				     "unable to set hostname without a private UTS namespace");
	if (v->spec->domainname)
		return validate_fail(e, "/domainname",
				     "unable to set domainname without a private UTS namespace");
	return 0;
}

static int check_paths(const struct validation *v, struct err *e)
{
	const struct spec_linux *l = &v->spec->linux_;

	if (!spec_namespace_find(v->spec, NS_MOUNT) &&
	    (l->masked_paths.count || l->readonly_paths.count))
		return validate_fail(
			e, l->masked_paths.count ? "/linux/maskedPaths" : "/linux/readonlyPaths",
			"unable to restrict sys entries without a private MNT namespace");
	return 0;
}

static int check_time(const struct validation *v, struct err *e)
{
	const struct spec_namespace *time = spec_namespace_find(v->spec, NS_TIME);

	if (!v->spec->linux_.time_offsets.monotonic.set &&
	    !v->spec->linux_.time_offsets.boottime.set)
		return 0;
	if (!time)
		return validate_fail(e, "/linux/timeOffsets",
				     "time namespace offsets specified, but time namespace "
				     "isn't enabled in the config");
	if (time->path)
		return validate_fail(e, "/linux/timeOffsets",
				     "time namespace enabled, but both namespace path and time "
				     "offsets specified -- you may only provide one");
	return 0;
}

static int check_intel_rdt(const struct validation *v, struct err *e)
{
	const struct spec_intel_rdt *rdt = v->spec->linux_.intel_rdt;
	const char *id = rdt ? rdt->clos_id : NULL;
	const char *bandwidth = rdt ? rdt->mem_bw_schema : NULL;

	if (bandwidth && (strncmp(bandwidth, "MB:", 3) != 0 || strchr(bandwidth, '\n')))
		return validate_fail(e, "/linux/intelRdt/memBwSchema",
				     "intelRdt.memBwSchema must be one line that starts with "
				     "\"MB:\"");
	if (!id || !strcmp(id, "/"))
		return 0;
	if (!strcmp(id, ".") || !strcmp(id, "..") || strchr(id, '/'))
		return validate_fail(e, "/linux/intelRdt/closID", "invalid intelRdt.ClosID \"%s\"",
				     id);
	return 0;
}

static int check_rootless(const struct validation *v, struct err *e)
{
	const struct spec_namespace *user = spec_namespace_find(v->spec, NS_USER);
	const struct spec_linux *l = &v->spec->linux_;

	if (!v->rootless)
		return 0;
	if (!user)
		return validate_fail(e, "/linux/namespaces",
				     "rootless container requires user namespaces");
	if (!user->path && !l->uid_mappings.count)
		return validate_fail(e, "/linux/uidMappings",
				     "rootless containers requires at least one UID mapping");
	if (!user->path && !l->gid_mappings.count)
		return validate_fail(e, "/linux/gidMappings",
				     "rootless containers requires at least one GID mapping");
	if (v->spec->process->user.additional_gid_count)
		return validate_fail(e, "/process/user/additionalGids",
				     "cannot set any additional groups in a rootless container");
	return 0;
}

static int check_mount_ids(const struct validation *v, struct err *e)
{
	for (size_t i = 0; i < v->spec->mounts.count; i++)
		if (validate_mount_ids(v, i, e))
			return err_in(e, "/mounts/%zu", i);
	return 0;
}

/* The process must run as somebody whom a new user namespace knows. */
static int check_mapped_user(const struct validation *v, struct err *e)
{
	const struct spec_namespace *ns = spec_namespace_find(v->spec, NS_USER);
	const struct spec_user *user = &v->spec->process->user;

	if (!ns || ns->path)
		return 0;
	if (!validate_mapped(&v->spec->linux_.uid_mappings, user->uid))
		return validate_fail(e, "/process/user/uid",
				     "cannot set uid to unmapped user in user namespace");
	if (!validate_mapped(&v->spec->linux_.gid_mappings, user->gid))
		return validate_fail(e, "/process/user/gid",
				     "cannot set gid to unmapped user in user namespace");
	return 0;
}

static int check_hook(const struct spec_hook *hook, struct err *e)
{
	if (!hook->path || hook->path[0] != '/')
		return validate_fail(e, "/path", "hook path \"%s\" must be absolute",
				     hook->path ? hook->path : "");
	if (hook->timeout.set && hook->timeout.value <= 0)
		return validate_fail(e, "/timeout", "hook timeout must be greater than zero");
	return 0;
}

static int check_hooks(const struct validation *v, struct err *e)
{
	for (unsigned kind = 0; kind < HOOK_KINDS; kind++) {
		const struct spec_hook_list *list = &v->spec->hooks.kind[kind];

		for (size_t i = 0; i < list->count; i++)
			if (check_hook(&list->item[i], e))
				return err_in(e, "/hooks/%s/%zu", word_name(&words_hooks, kind), i);
	}
	return 0;
}

static int check_process(const struct validation *v, struct err *e)
{
	if (!v->spec->process)
		return validate_fail(e, "/process", "process property must not be empty");
	return validate_process(v->spec->process, e) ? err_in(e, "/process") : 0;
}

static int check_scheduling(const struct validation *v, struct err *e)
{
	if (validate_scheduling(v->spec->process, e))
		return err_in(e, "/process");
	if (v->spec->linux_.memory_policy &&
	    validate_memory_policy(v->spec->linux_.memory_policy, e))
		return err_in(e, "/linux/memoryPolicy");
	return 0;
}

static void warn_personality(const struct validation *v)
{
	const struct spec_personality *personality = v->spec->linux_.personality;
	struct str names;

	if (!personality || !personality->flags.count)
		return;
	str_init(&names, v->arena);
	str_add_list(&names, &personality->flags);
	log_add(v->log, LOG_LEVEL_WARNING,
		"ignoring unsupported personality flags: [%s] because personality flag has not "
		"supported at this time",
		names.text);
}

int spec_validate_process(const struct spec_process *process, struct err *e)
{
	return validate_process(process, e) || validate_scheduling(process, e) ? -1 : 0;
}

int spec_validate(const struct spec *spec, bool rootless, struct arena *a, const struct log *log,
		  struct err *e)
{
	static int (*const rules[])(const struct validation *v, struct err *e) = {
		check_process,
		check_root,
		check_mounts,
		check_devices,
		check_device_rules,
		check_propagation,
		check_namespace_list,
		check_user_namespace,
		check_seccomp,
		/*
		 * the rules above are on how the file is written, those below on what it asks for
		 */
		check_net_devices,
		check_uts,
		check_paths,
		check_time,
		validate_sysctl,
		check_intel_rdt,
		check_rootless,
		check_mount_ids,
		check_scheduling,
		/* runc finds these only while it makes the container */
		check_mapped_user,
		check_hooks,
	};
	const struct validation v = {.spec = spec, .rootless = rootless, .arena = a, .log = log};

	for (size_t i = 0; i < array_len(rules); i++)
		if (rules[i](&v, e))
			return -1;
	validate_mount_warnings(&v);
	warn_personality(&v);
	return 0;
}
