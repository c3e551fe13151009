/*
 * Chapter "rootfs" of a plan: the root itself, mounts (build_mounts.c), device nodes, and what is
 * closed off or set when the container's root is "/".
 */
#include <linux/mount.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "plan/steps.h"
#include "spec/mount_options.h"
#include "spec/sysctl.h"

/* Devices that every container has (runtime-spec config-linux.md "Default Devices"). */
static const struct spec_device default_devices[] = {
	{.type = 'c', .path = "/dev/null", .major = 1, .minor = 3},
	{.type = 'c', .path = "/dev/zero", .major = 1, .minor = 5},
	{.type = 'c', .path = "/dev/full", .major = 1, .minor = 7},
	{.type = 'c', .path = "/dev/random", .major = 1, .minor = 8},
	{.type = 'c', .path = "/dev/urandom", .major = 1, .minor = 9},
	{.type = 'c', .path = "/dev/tty", .major = 5, .minor = 0},
};

/* item: its number in linux.devices, −1: one that every container has. */
static int add_device(struct steps *s, const struct spec_device *device, int item, struct err *e)
{
	struct step *step = steps_add(s, STEP_DEVICE, item < 0 ? NULL : "/linux/devices", e);

	if (!step)
		return -1;
	step->item = item;
	step->device.item = device;
	/* A user namespace may not make device nodes: the host's own is bound there instead. */
	step->device.bind = s->plan->user_namespace || s->facts->in_user_namespace;
	return 0;
}

static const struct spec_device *find_device(const struct spec *spec, const char *path)
{
	for (size_t i = 0; i < spec->linux_.devices.count; i++)
		if (str_equal(spec->linux_.devices.item[i].path, path))
			return &spec->linux_.devices.item[i];
	return NULL;
}

int build_devices(struct steps *s, struct err *e)
{
	const struct spec_devices *devices = &s->spec->linux_.devices;

	for (size_t i = 0; i < array_len(default_devices); i++)
		if (!find_device(s->spec, default_devices[i].path) &&
		    add_device(s, &default_devices[i], -1, e))
			return -1;
	for (size_t i = 0; i < devices->count; i++)
		if (add_device(s, &devices->item[i], (int)i, e))
			return -1;
	return steps_add(s, STEP_DEV_LINKS, NULL, e) ? 0 : -1;
}

/* An unbindable "/" could not be cloned from: that word is for the container's root alone. */
static int build_root(struct steps *s, const struct plan_request *request, struct err *e)
{
	const char *word = s->spec->linux_.rootfs_propagation;
	struct step *step;
	uint32_t flags;

	s->plan->propagation = MS_SLAVE | MS_REC;
	step = steps_add(s, STEP_ROOT, "/root/path", e);
	if (!step)
		return -1;
	step->root.source = request->rootfs;
	if (!word || !mount_options_propagation(word, &flags) || flags & MS_UNBINDABLE)
		return 0;
	if (request->no_pivot && flags & MS_PRIVATE) {
		err_set(e, ERR_INVALID,
			"rootfsPropagation of [r]private is not safe without pivot_root");
		return err_in(e, "/linux/rootfsPropagation");
	}
	step->root.propagation = word;
	s->plan->propagation = flags;
	return 0;
}

/*
 * What is to stay when the container is made. Last of all: binds, as masks are, cannot be taken
 * from unbindable mounts.
 */
int build_root_propagation(struct steps *s, struct err *e)
{
	const char *word = s->spec->linux_.rootfs_propagation;
	struct step *step;

	if (!word || (!str_ends(word, "shared") && !str_ends(word, "unbindable")))
		return 0;
	step = steps_add(s, STEP_ROOT_PROPAGATION, "/linux/rootfsPropagation", e);
	if (!step)
		return -1;
	step->root.propagation = word;
	return 0;
}

int build_rootfs(struct steps *s, const struct plan_request *request, struct err *e)
{
	if (!s->plan->mount_namespace || s->facts->own_namespaces & CLONE_NEWNS) {
		err_set(e, ERR_UNSUPPORTED,
			"a container without a mount namespace of its own is not supported");
		err_in(e, "/linux/namespaces");
		return err_hint(e, "add {\"type\": \"mount\"} to linux.namespaces");
	}
	if (build_root(s, request, e) || build_mounts(s, request, e) || build_notify(s, request, e))
		return -1;
	return build_dev_is_mounted(s->plan) ? 0 : build_devices(s, e);
}

int build_readonly_mounts(struct steps *s, struct err *e)
{
	size_t count = s->plan->count;

	for (size_t i = 0; i < count; i++) {
		const struct step *mount = &s->plan->step[i];
		const struct plan_mount *late = mount->mount;
		struct step *step;

		if (mount->kind != STEP_MOUNT || !late->late_readonly)
			continue;
		step = steps_add(s, STEP_MOUNT_READONLY, mount->pointer, e);
		if (!step)
			return -1;
		step->item = mount->item;
		step->mount = late;
	}
	if (s->spec->root->readonly && !steps_add(s, STEP_ROOT_READONLY, "/root/readonly", e))
		return -1;
	return 0;
}

static int add_text(struct steps *s, enum step_kind kind, const char *text, const char *pointer,
		    int item, struct err *e)
{
	struct step *step = steps_add(s, kind, pointer, e);

	if (!step)
		return -1;
	step->item = item;
	step->text = text;
	return 0;
}

static int add_paths(struct steps *s, enum step_kind kind, const struct str_list *paths,
		     const char *pointer, struct err *e)
{
	for (size_t i = 0; i < paths->count; i++)
		if (add_text(s, kind, paths->item[i], pointer, (int)i, e))
			return -1;
	return 0;
}

/* validate found the namespace in the list; its path may be that of the host's all the same. */
static int check_sysctl(const struct steps *s, const char *path, struct err *e)
{
	enum ns_type type;

	if (!sysctl_namespace(path, &type) || !(s->facts->own_namespaces & ns_clone_flag(type)))
		return 0;
	return sysctl_refuse(path, type, e);
}

static int add_sysctls(struct steps *s, struct err *e)
{
	const struct str_map *sysctl = &s->spec->linux_.sysctl;

	for (size_t i = 0; i < sysctl->count; i++) {
		const char *path = sysctl_path(sysctl->item[i].key, s->arena, e);
		const char *place;
		struct str pointer;
		struct step *step;

		str_init(&pointer, s->arena);
		str_add(&pointer, "/linux/sysctl/");
		str_add_pointer(&pointer, sysctl->item[i].key);
		place = str_end(&pointer, e);
		if (!path || !place)
			return -1;
		if (check_sysctl(s, path, e))
			return err_in(e, "%s", place);
		step = steps_add(s, STEP_SYSCTL, place, e);
		if (!step)
			return -1;
		step->sysctl = (struct str_pair){.key = path, .value = sysctl->item[i].value};
	}
	return 0;
}

/* As with sysctls: given by its path, the namespace may be that of the host. */
static int add_name(struct steps *s, enum step_kind kind, const char *name, const char *pointer,
		    struct err *e)
{
	if (!name || !*name)
		return 0;
	if (!(s->facts->own_namespaces & CLONE_NEWUTS))
		return add_text(s, kind, name, pointer, -1, e);
	err_set(e, ERR_INVALID, "unable to set %s without a private UTS namespace", pointer + 1);
	return err_in(e, "%s", pointer);
}

int build_settings(struct steps *s, struct err *e)
{
	const struct spec *spec = s->spec;

	if (add_name(s, STEP_HOSTNAME, spec->hostname, "/hostname", e) ||
	    add_name(s, STEP_DOMAINNAME, spec->domainname, "/domainname", e) || add_sysctls(s, e) ||
	    add_paths(s, STEP_READONLY_PATH, &spec->linux_.readonly_paths, "/linux/readonlyPaths",
		      e) ||
	    add_paths(s, STEP_MASK_PATH, &spec->linux_.masked_paths, "/linux/maskedPaths", e))
		return -1;
	return 0;
}
