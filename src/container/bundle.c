/*
 * From a bundle to a plan: see bundle.h.
 */
#include "container/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "security/lsm.h"
#include "spec/validate.h"
#include "sys/caps.h"
#include "sys/procfs.h"
#include "sys/resctrl.h"

const char *bundle_path_of(int fd, struct arena *a, struct err *e)
{
	char link[40], path[PATH_MAX];
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0) {
		err_sys(e, "read %s", link);
		return NULL;
	}
	return arena_copy(a, path, (size_t)n, e);
}

/*
 * The root must be given by its real path: were a component of it a link, somebody could turn it
 * elsewhere between our look and the kernel's.
 */
static int find_rootfs(struct creel *c, struct bundle *b, struct err *e)
{
	const char *given = b->spec->root->path;
	const char *whole =
		*given == '/' ? given : arena_format(&c->arena, e, "%s/%s", b->path, given);
	const char *path = whole ? str_clean_path(&c->arena, whole, e) : NULL;
	_close_ int fd = path ? fd_open(path, O_PATH | O_DIRECTORY) : -1;
	const char *real;

	if (!path)
		return -1;
	if (fd < 0) {
		int number = errno;

		err_set(e, ERR_INVALID, "invalid rootfs: stat %s: %s", path,
			err_errno_text(number));
		if (number == EACCES)
			err_hint(e, "a directory above it is closed to the caller: chmod a+x it");
		else if (number == ENOENT)
			err_hint(e, "make the directory and put a root file system into it");
		return err_in(e, "/root/path");
	}
	real = bundle_path_of(fd, &c->arena, e);
	if (!real)
		return -1;
	if (!str_equal(real, path)) {
		err_set(e, ERR_INVALID, "invalid rootfs: not an absolute path, or a symlink");
		err_hint(e, "%s is really %s: write that", path, real);
		return err_in(e, "/root/path");
	}
	b->rootfs = real;
	return 0;
}

static int load_config(struct creel *c, const struct creel_create *o, int dir, struct bundle *b,
		       struct err *e)
{
	const char *name = o->config ? o->config : "config.json";

	if (spec_load(o->config ? AT_FDCWD : dir, name, &c->arena, &c->log, &b->spec, &b->text, e))
		return -1;
	return spec_validate(b->spec, geteuid() != 0, &c->arena, &c->log, e);
}

int bundle_load(struct creel *c, const struct creel_create *o, struct bundle *ret, struct err *e)
{
	const char *given = o->bundle ? o->bundle : ".";
	_close_ int dir = fd_open(given, O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return err_sys(e, "chdir %s", given);
	ret->path = bundle_path_of(dir, &c->arena, e);
	if (!ret->path)
		return -1;
	if (!load_config(c, o, dir, ret, e) && !find_rootfs(c, ret, e))
		return 0;
	if (ret->spec)
		spec_point(&ret->text, e);
	return -1;
}

/* Whose systemd makes the cgroups: root inside a user namespace may have one of its own. */
static bool is_rootless(const struct creel *c, const struct plan_facts *facts)
{
	if (c->options.rootless != CREEL_ROOTLESS_AUTO)
		return c->options.rootless == CREEL_ROOTLESS_TRUE;
	return facts->euid != 0 || (facts->in_user_namespace && !cgroup_owns_systemd());
}

int facts_collect(struct creel *c, bool cgroups, bool own_cgroup, struct plan_facts *ret,
		  struct err *e)
{
	struct caps own;

	*ret = (struct plan_facts){
		.euid = geteuid(),
		.egid = getegid(),
		.in_user_namespace = procfs_in_user_namespace(),
		.capabilities = caps_all(),
	};
	if (caps_get(&own, e))
		return -1;
	ret->permitted = own.permitted;
	if (ret->euid != 0 || ret->in_user_namespace)
		ret->setgroups_denied = procfs_setgroups_denied();
	ret->foreign_mounts = ret->in_user_namespace && !procfs_owns_mounts();
	if (!cgroups)
		return 0;
	ret->no_cgroup = c->options.cgroup_manager == CREEL_CGROUP_DISABLED;
	if (cgroup_detect(own_cgroup || ret->no_cgroup, &c->arena, &ret->cgroup, e))
		return -1;
	if (c->options.cgroup_manager != CREEL_CGROUP_SYSTEMD)
		return 0;
	return cgroup_find_systemd(is_rootless(c, ret), c->options.user_bus, &c->arena,
				   &ret->cgroup, e);
}

void facts_of_labels(const struct spec *spec, const struct spec_process *process,
		     struct plan_facts *facts)
{
	if (process->apparmor_profile || spec->process->apparmor_profile)
		facts->apparmor = lsm_has_apparmor();
	if (process->selinux_label || spec->process->selinux_label || spec->linux_.mount_label)
		facts->selinux = lsm_has_selinux();
}

/* The CLONE_NEW… of those in which something is changed that is the host's in the host's own. */
static uint64_t changed_namespaces(const struct spec *spec)
{
	uint64_t flags = CLONE_NEWNS | CLONE_NEWCGROUP;

	if (spec->hostname || spec->domainname)
		flags |= CLONE_NEWUTS;
	return spec->linux_.sysctl.count ? UINT64_MAX : flags;
}

/* Of those the ones that are given by a path, and yet are the runtime's own. */
static uint64_t own_namespaces(const struct spec *spec)
{
	const struct spec_namespaces *given = &spec->linux_.namespaces;
	uint64_t changed = changed_namespaces(spec), flags = 0;

	for (size_t i = 0; i < given->count; i++) {
		const struct spec_namespace *ns = &given->item[i];
		struct stat theirs, own;
		char path[32];

		if (!ns->path || !(changed & ns_clone_flag(ns->type)))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_proc_name(ns->type));
		if (!stat(ns->path, &theirs) && !stat(path, &own) && theirs.st_dev == own.st_dev &&
		    theirs.st_ino == own.st_ino)
			flags |= ns_clone_flag(ns->type);
	}
	return flags;
}

static int collect(struct creel *c, struct bundle *b, struct err *e)
{
	const char *cgroups_path = b->spec->linux_.cgroups_path;

	if (facts_collect(c, true, !cgroups_path || *cgroups_path != '/', &b->facts, e))
		return -1;
	if (b->spec->linux_.intel_rdt)
		b->facts.resctrl = resctrl_detect(RESCTRL_MOUNT);
	b->facts.own_namespaces = own_namespaces(b->spec);
	facts_of_labels(b->spec, b->spec->process, &b->facts);
	return 0;
}

int bundle_socket(struct creel *c, const struct bundle *b, const char *path, const char **ret,
		  struct err *e)
{
	*ret = path;
	if (path && *path != '/')
		*ret = arena_format(&c->arena, e, "%s/%s", b->path, path);
	return path && !*ret ? -1 : 0;
}

int bundle_plan(struct creel *c, const char *id, const struct creel_create *o, struct bundle *b,
		bool wait_start, struct plan **ret, struct err *e)
{
	struct plan_request request = {
		.id = id,
		.rootfs = b->rootfs,
		.bundle = b->path,
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.wait_start = wait_start,
		.pid_file = o->pid_file,
		.listen_fds = o->listen_fds,
		.preserve_fds = o->preserve_fds,
		.notify_socket = o->notify_socket,
		.state_root = c->root,
		.log = &c->log,
	};

	if (bundle_socket(c, b, o->console_socket, &request.console_socket, e) ||
	    bundle_socket(c, b, o->pidfd_socket, &request.pidfd_socket, e) || collect(c, b, e))
		return -1;
	if (!plan_build(b->spec, &b->facts, &request, &c->arena, ret, e))
		return 0;
	spec_point(&b->text, e);
	return -1;
}

int bundle_plan_restore(struct creel *c, const char *id, const struct creel_create *o,
			struct bundle *b, const char *criu_root, struct plan **ret, struct err *e)
{
	struct plan_request request = {
		.id = id,
		.rootfs = b->rootfs,
		.bundle = b->path,
		.pid_file = o->pid_file,
		.state_root = c->root,
		.criu_root = criu_root,
		.log = &c->log,
	};

	if (collect(c, b, e))
		return -1;
	if (!plan_build_restore(b->spec, &b->facts, &request, &c->arena, ret, e))
		return 0;
	spec_point(&b->text, e);
	return -1;
}
