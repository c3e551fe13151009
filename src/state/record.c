/*
 * state.json: see record.h.
 */
#include "state/record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/json_table.h"
#include "base/json_write.h"
#include "state/store.h"

const char *state_record_now(struct arena *a, struct err *e)
{
	struct timespec now;
	struct tm utc;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	return arena_format(a, e, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", utc.tm_year + 1900,
			    utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
			    now.tv_nsec);
}

enum { RECORD, CONFIG };

static const struct json_field record_fields[] = {
	{FIELD("id", struct state_record, id)},
	{FIELD("init_process_pid", struct state_record, pid)},
	{FIELD("init_process_start", struct state_record, start)},
	{FIELD("boot", struct state_record, boot)},
	{FIELD("created", struct state_record, created)},
	{FIELD("rootless", struct state_record, rootless)},
	{FIELD("no_new_keyring", struct state_record, no_new_keyring)},
	{FIELD("private_pids", struct state_record, private_pids)},
	{FIELD("poststart_hooks", struct state_record, poststart_hooks)},
	{FIELD("poststop_hooks", struct state_record, poststop_hooks)},
	{FIELD("seccomp_agent", struct state_record, seccomp_agent)},
	{FIELD("intel_rdt_path", struct state_record, rdt_path)},
	{FIELD("intel_rdt_mon_path", struct state_record, rdt_monitor_path)},
	{FIELD("intel_rdt_own", struct state_record, rdt_own)},
	{FIELD("cgroup_paths", struct state_record, cgroup_paths)},
	{FIELD("cgroup_inode", struct state_record, cgroup_inode)},
	{FIELD("systemd_unit", struct state_record, systemd_unit)},
	{FIELD("systemd_bus", struct state_record, systemd_bus)},
	{FIELD("namespace_paths", struct state_record, namespace_paths)},
	{FIELD("external_descriptors", struct state_record, external_descriptors)},
	{PART_FIELD("config", CONFIG)},
};

static const struct json_field config_fields[] = {
	{FIELD("version", struct state_record, oci_version)},
	{FIELD("rootfs", struct state_record, rootfs)},
	{FIELD("bundle", struct state_record, bundle)},
	{FIELD("annotations", struct state_record, annotations)},
};

static const struct json_table tables[] = {
	[RECORD] = {JSON_TABLE(record_fields, struct state_record)},
	[CONFIG] = {JSON_TABLE(config_fields, struct state_record)},
};

static const struct json_schema schema = {.tables = tables};

/*
 * runc's form of the annotations, which its readers look through for the bundle: ["key=value", …,
 * "bundle=DIR"].
 */
static void write_label(struct json_writer *w, const char *key, const char *value, struct arena *a)
{
	struct str label;

	str_init(&label, a);
	str_add(&label, key);
	str_add_char(&label, '=');
	str_add(&label, value);
	w->out->failed |= label.failed;
	json_write_string(w, NULL, label.text);
}

static void write_labels(struct json_writer *w, const struct state_record *record, struct arena *a)
{
	json_write_array(w, "labels");
	for (size_t i = 0; i < record->annotations.count; i++)
		write_label(w, record->annotations.item[i].key, record->annotations.item[i].value,
			    a);
	write_label(w, "bundle", record->bundle, a);
	json_write_end(w);
}

/* Before init is there nobody asks for more than what a delete needs. */
static void write_config(struct json_writer *w, const struct state_record *record, struct arena *a)
{
	json_write_object(w, "config");
	json_write_string(w, "version", record->oci_version ? record->oci_version : "");
	json_write_string(w, "rootfs", record->rootfs);
	json_write_string(w, "bundle", record->bundle);
	if (record->pid) {
		write_labels(w, record, a);
		json_write_map(w, "annotations", &record->annotations);
	}
	json_write_end(w);
}

int state_record_write(int dir, const struct state_record *record, struct arena *a, struct err *e)
{
	struct json_writer w;
	const char *text;
	struct str out;

	str_init(&out, a);
	json_write_init(&w, &out, NULL);
	json_write_object(&w, NULL);
	json_write_string(&w, "id", record->id);
	json_write_i64(&w, "init_process_pid", record->pid);
	json_write_u64(&w, "init_process_start", record->start);
	if (record->boot)
		json_write_string(&w, "boot", record->boot);
	json_write_string(&w, "created", record->created);
	write_config(&w, record, a);
	json_write_bool(&w, "rootless", record->rootless);
	json_write_bool(&w, "no_new_keyring", record->no_new_keyring);
	json_write_bool(&w, "private_pids", record->private_pids);
	json_write_bool(&w, "poststart_hooks", record->poststart_hooks);
	json_write_bool(&w, "poststop_hooks", record->poststop_hooks);
	json_write_bool(&w, "seccomp_agent", record->seccomp_agent);
	if (record->rdt_path) {
		json_write_string(&w, "intel_rdt_path", record->rdt_path);
		json_write_bool(&w, "intel_rdt_own", record->rdt_own);
	}
	if (record->rdt_monitor_path)
		json_write_string(&w, "intel_rdt_mon_path", record->rdt_monitor_path);
	json_write_map(&w, "cgroup_paths", &record->cgroup_paths);
	json_write_u64(&w, "cgroup_inode", record->cgroup_inode);
	if (record->systemd_unit) {
		json_write_string(&w, "systemd_unit", record->systemd_unit);
		json_write_string(&w, "systemd_bus", record->systemd_bus);
	}
	json_write_map(&w, "namespace_paths", &record->namespace_paths);
	if (record->external_descriptors.count)
		json_write_strings(&w, "external_descriptors", &record->external_descriptors);
	json_write_end(&w);
	text = str_end(&out, e);
	if (!text || file_replace(dir, STORE_STATE, 0600, text, out.length, e))
		return -1;
	return 0;
}

/* A record that could not be read: missing, damaged, or out of reach. */
static int refuse_file(struct err *e)
{
	if (e->sys == ENOENT)
		return err_set(e, ERR_NOT_FOUND, "container does not exist");
	if (e->sys == ENXIO || e->sys == ELOOP) /* a socket; links in a circle */
		return err_set(e, ERR_INVALID, "%s: not a regular file", STORE_STATE);
	return -1;
}

int state_record_read(int dir, struct arena *a, struct state_record **ret, struct err *e)
{
	struct json_input input = {.name = STORE_STATE, .arena = a};
	struct state_record *record = arena_get(a, sizeof(*record), e);
	struct json j;

	if (!record)
		return -1;
	if (file_read(dir, STORE_STATE, JSON_LIMIT, a, &input.text, &input.length, e))
		return refuse_file(e);
	if (json_init(&j, &input, e) || json_read(&j, &schema, RECORD, record, e))
		return -1;
	if (!record->id || !record->created || !record->bundle)
		return err_set(e, ERR_INVALID, "%s: id, created or bundle is missing", STORE_STATE);
	if (record->pid < 0 || record->pid > INT32_MAX)
		return err_set(e, ERR_INVALID, "%s: no process has the number %" PRId64,
			       STORE_STATE, record->pid);
	if (!record->rootfs)
		record->rootfs = "";
	if (!record->systemd_bus)
		record->systemd_bus = "";
	*ret = record;
	return 0;
}
