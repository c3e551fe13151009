/*
 * The features object: see features.h. The names come from the tables that the decoder reads
 * config.json with, so a name that is understood is listed. What no table tells is written out
 * below, and must be true: engines choose by it.
 */
#include "container/features.h"

#include <creel.h>
#include <stdint.h>

#include "base/json_write.h"
#include "base/str.h"
#include "security/seccomp.h"
#include "spec/mount_options.h"
#include "spec/words.h"

static void write_words(struct json_writer *w, const char *key, const struct words *words)
{
	json_write_array(w, key);
	for (size_t i = 0; i < words->count; i++)
		json_write_string(w, NULL, words->item[i].name);
	json_write_end(w);
}

static void write_mount_options(struct json_writer *w)
{
	const char *name;

	json_write_array(w, "mountOptions");
	for (size_t i = 0; (name = mount_options_name(i)); i++)
		json_write_string(w, NULL, name);
	json_write_end(w);
}

static void write_enabled(struct json_writer *w, const char *key, bool enabled)
{
	json_write_object(w, key);
	json_write_bool(w, "enabled", enabled);
	json_write_end(w);
}

static void write_cgroup(struct json_writer *w)
{
	json_write_object(w, "cgroup");
	json_write_bool(w, "v1", true);
	json_write_bool(w, "v2", true);
	json_write_bool(w, "systemd", true);
	json_write_bool(w, "systemdUser", true);
	json_write_bool(w, "rdma", true);
	json_write_end(w);
}

static void write_seccomp(struct json_writer *w)
{
	uint32_t supported = seccomp_kernel_flags();

	json_write_object(w, "seccomp");
	json_write_bool(w, "enabled", true);
	write_words(w, "actions", &words_seccomp_actions);
	write_words(w, "operators", &words_seccomp_ops);
	write_words(w, "archs", &words_seccomp_archs);
	write_words(w, "knownFlags", &words_seccomp_flags);
	json_write_array(w, "supportedFlags");
	for (size_t i = 0; i < words_seccomp_flags.count; i++) {
		if (supported & words_seccomp_flags.item[i].number)
			json_write_string(w, NULL, words_seccomp_flags.item[i].name);
	}
	json_write_end(w);
	json_write_end(w);
}

static void write_memory_policy(struct json_writer *w)
{
	json_write_object(w, "memoryPolicy");
	write_words(w, "modes", &words_memory_modes);
	write_words(w, "flags", &words_memory_flags);
	json_write_end(w);
}

static void write_intel_rdt(struct json_writer *w)
{
	json_write_object(w, "intelRdt");
	json_write_bool(w, "enabled", true);
	json_write_bool(w, "schemata", true);
	json_write_bool(w, "monitoring", true);
	json_write_end(w);
}

static void write_linux(struct json_writer *w)
{
	json_write_object(w, "linux");
	write_words(w, "namespaces", &words_namespaces);
	write_words(w, "capabilities", &words_capabilities);
	write_cgroup(w);
	write_seccomp(w);
	write_enabled(w, "apparmor", true);
	write_enabled(w, "selinux", true);
	write_intel_rdt(w);
	write_memory_policy(w);
	json_write_object(w, "mountExtensions");
	write_enabled(w, "idmap", true);
	json_write_end(w);
	write_enabled(w, "netDevices", true);
	json_write_end(w);
}

/*
 * Annotations that an engine must not let ordinary users set: they reach systemd, or show paths of
 * the host.
 */
static void write_unsafe_annotations(struct json_writer *w)
{
	json_write_array(w, "potentiallyUnsafeConfigAnnotations");
	json_write_string(w, NULL, "bundle");
	json_write_string(w, NULL, "org.systemd.property.");
	json_write_string(w, NULL, "org.criu.config");
	json_write_string(w, NULL, "run.oci.systemd.subgroup");
	json_write_end(w);
}

int container_features(struct arena *a, const char **ret_text, struct err *e)
{
	struct json_writer w;
	struct str text;

	str_init(&text, a);
	json_write_init(&w, &text, "    ");
	json_write_object(&w, NULL);
	json_write_string(&w, "ociVersionMin", "1.0.0");
	json_write_string(&w, "ociVersionMax", CREEL_SPEC_VERSION);
	write_words(&w, "hooks", &words_hooks);
	write_mount_options(&w);
	write_linux(&w);
	json_write_object(&w, "annotations");
	json_write_string(&w, "org.opencontainers.runc.checkpoint.enabled", "true");
	json_write_end(&w);
	write_unsafe_annotations(&w);
	json_write_end(&w);
	str_add_char(&text, '\n');
	if (!str_end(&text, e))
		return -1;
	*ret_text = text.text;
	return 0;
}
