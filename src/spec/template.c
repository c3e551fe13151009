/*
 * The configuration that `spec` writes: see template.h. Its values are runc's, in runc's order, and
 * people compare the two byte by byte; nothing here is taste.
 */
#include "spec/template.h"

#include <string.h>

#include "base/json_write.h"
#include "spec/spec.h"

static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* A mount, its options separated by commas. */
struct template_mount {
	char destination[16], type[8], source[8], options[72];
};

static const struct template_mount mounts[] = {
	{"/proc", "proc", "proc", ""},
	{"/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"},
	{"/dev/pts", "devpts", "devpts", "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5"},
	{"/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"},
	{"/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"},
	{"/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro"},
	{"/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,relatime,ro"},
};

/* A user without privileges cannot mount a sysfs while the network namespace is not its own. */
static const struct template_mount rootless_sys = {"/sys", "none", "/sys",
						   "rbind,nosuid,noexec,nodev,ro"};

static const char namespaces[][8] = {"pid", "network", "ipc", "uts", "mount"};

static const char masked_paths[][24] = {
	"/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
	"/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
	"/sys/firmware",       "/proc/scsi",
};

static const char readonly_paths[][24] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static void write_capabilities(struct json_writer *w, const char *set)
{
	json_write_array(w, set);
	json_write_string(w, NULL, "CAP_AUDIT_WRITE");
	json_write_string(w, NULL, "CAP_KILL");
	json_write_string(w, NULL, "CAP_NET_BIND_SERVICE");
	json_write_end(w);
}

static void write_process(struct json_writer *w)
{
	json_write_object(w, "process");
	json_write_bool(w, "terminal", true);
	json_write_object(w, "user");
	json_write_u64(w, "uid", 0);
	json_write_u64(w, "gid", 0);
	json_write_end(w);
	json_write_array(w, "args");
	json_write_string(w, NULL, "sh");
	json_write_end(w);
	json_write_array(w, "env");
	json_write_string(w, NULL, default_path);
	json_write_string(w, NULL, "TERM=xterm");
	json_write_end(w);
	json_write_string(w, "cwd", "/");
	json_write_object(w, "capabilities");
	write_capabilities(w, "bounding");
	write_capabilities(w, "effective");
	write_capabilities(w, "permitted");
	json_write_end(w);
	json_write_array(w, "rlimits");
	json_write_object(w, NULL);
	json_write_string(w, "type", "RLIMIT_NOFILE");
	json_write_u64(w, "hard", 1024);
	json_write_u64(w, "soft", 1024);
	json_write_end(w);
	json_write_end(w);
	json_write_bool(w, "noNewPrivileges", true);
	json_write_end(w);
}

/* The options; those that name an id are left out where no other id than root's is mapped. */
static void write_options(struct json_writer *w, const char *options, bool rootless)
{
	if (!*options)
		return;
	json_write_array(w, "options");
	while (*options) {
		size_t length = strcspn(options, ",");
		char option[24] = "";

		memcpy(option, options, length < sizeof(option) ? length : sizeof(option) - 1);
		if (!rootless || (strncmp(option, "uid=", 4) && strncmp(option, "gid=", 4)))
			json_write_string(w, NULL, option);
		options += length + (options[length] == ',');
	}
	json_write_end(w);
}

static void write_mounts(struct json_writer *w, bool rootless)
{
	json_write_array(w, "mounts");
	for (size_t i = 0; i < array_len(mounts); i++) {
		const struct template_mount *m = &mounts[i];

		if (rootless && !strcmp(m->destination, rootless_sys.destination))
			m = &rootless_sys;
		json_write_object(w, NULL);
		json_write_string(w, "destination", m->destination);
		json_write_string(w, "type", m->type);
		json_write_string(w, "source", m->source);
		write_options(w, m->options, rootless);
		json_write_end(w);
	}
	json_write_end(w);
}

static void write_mapping(struct json_writer *w, const char *key, uint32_t host_id)
{
	json_write_array(w, key);
	json_write_object(w, NULL);
	json_write_u64(w, "containerID", 0);
	json_write_u64(w, "hostID", host_id);
	json_write_u64(w, "size", 1);
	json_write_end(w);
	json_write_end(w);
}

static void write_namespace(struct json_writer *w, const char *type)
{
	json_write_object(w, NULL);
	json_write_string(w, "type", type);
	json_write_end(w);
}

static void write_namespaces(struct json_writer *w, const struct spec_template *options)
{
	json_write_array(w, "namespaces");
	for (size_t i = 0; i < array_len(namespaces); i++)
		if (!options->rootless || strcmp(namespaces[i], "network"))
			write_namespace(w, namespaces[i]);
	if (options->cgroup_v2)
		write_namespace(w, "cgroup");
	if (options->rootless)
		write_namespace(w, "user");
	json_write_end(w);
}

/* All devices are denied; the runtime adds those that every container gets. */
static void write_resources(struct json_writer *w)
{
	json_write_object(w, "resources");
	json_write_array(w, "devices");
	json_write_object(w, NULL);
	json_write_bool(w, "allow", false);
	json_write_string(w, "access", "rwm");
	json_write_end(w);
	json_write_end(w);
	json_write_end(w);
}

static void write_linux(struct json_writer *w, const struct spec_template *options)
{
	json_write_object(w, "linux");
	if (options->rootless) {
		write_mapping(w, "uidMappings", options->uid);
		write_mapping(w, "gidMappings", options->gid);
	} else {
		write_resources(w);
	}
	write_namespaces(w, options);
	json_write_array(w, "maskedPaths");
	for (size_t i = 0; i < array_len(masked_paths); i++)
		json_write_string(w, NULL, masked_paths[i]);
	json_write_end(w);
	json_write_array(w, "readonlyPaths");
	for (size_t i = 0; i < array_len(readonly_paths); i++)
		json_write_string(w, NULL, readonly_paths[i]);
	json_write_end(w);
	json_write_end(w);
}

void spec_template(const struct spec_template *options, struct str *out)
{
	struct json_writer w;

	json_write_init(&w, out, "\t");
	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersion", SPEC_VERSION);
	write_process(&w);
	json_write_object(&w, "root");
	json_write_string(&w, "path", "rootfs");
	json_write_bool(&w, "readonly", true);
	json_write_end(&w);
	json_write_string(&w, "hostname", "runc");
	write_mounts(&w, options->rootless);
	write_linux(&w, options);
	json_write_end(&w);
}
