/*
 * The messages of criu: see message.h.
 */
#include "criu/message.h"

#include "criu/wire.h"

#define LOG_DEBUG_LEVEL 4 /* criu's: so that a failure can be told from its log */

/* ---- requests -------------------------------------------------------------------------------- */

/* Field numbers of criu_req. */
enum { REQUEST_TYPE = 1, REQUEST_OPTIONS = 2, REQUEST_NOTIFY_SUCCESS = 3, REQUEST_FEATURES = 5 };

/* Of criu_opts, but for those that are enum criu_switch. */
enum {
	OPTION_IMAGES_DIR_FD = 1,
	OPTION_PID = 2,
	OPTION_LOG_LEVEL = 9,
	OPTION_LOG_FILE = 10,
	OPTION_PAGE_SERVER = 11,
	OPTION_ROOT = 13,
	OPTION_PARENT_IMG = 14,
	OPTION_WORK_DIR_FD = 17,
	OPTION_EXT_MNT = 23,
	OPTION_CG_ROOT = 25,
	OPTION_INHERIT_FD = 27,
	OPTION_CGROUPS_MODE = 34,
	OPTION_EXTERNAL = 37,
	OPTION_EMPTY_NS = 38,
	OPTION_JOIN_NS = 39,
	OPTION_FREEZE_CGROUP = 44,
	OPTION_CONFIG_FILE = 51,
	OPTION_LSM_PROFILE = 53,
	OPTION_LSM_MOUNT_CONTEXT = 63,
	OPTION_NETWORK_LOCK = 64,
};

static void add_given(struct str *out, unsigned field, const char *text)
{
	if (text)
		wire_add_text(out, field, text);
}

static void add_optional(struct str *out, unsigned field, const struct opt_u32 *number)
{
	if (number->set)
		wire_add_number(out, field, number->value);
}

/* A repeated message of two texts, 1 and 2. */
static void add_pairs(struct str *out, unsigned field, const struct str_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		struct str pair;

		str_init(&pair, out->arena);
		wire_add_text(&pair, 1, map->item[i].key);
		wire_add_text(&pair, 2, map->item[i].value);
		wire_add_message(out, field, &pair);
	}
}

static void add_inherited(struct str *out, const struct criu_options *options)
{
	for (size_t i = 0; i < options->inherited_count; i++) {
		struct str pair;

		str_init(&pair, out->arena);
		wire_add_text(&pair, 1, options->inherited[i].key);
		wire_add_number(&pair, 2, (unsigned)options->inherited[i].fd);
		wire_add_message(out, OPTION_INHERIT_FD, &pair);
	}
}

static void add_page_server(struct str *out, const struct criu_options *options)
{
	struct str server;

	if (!options->page_server)
		return;
	str_init(&server, out->arena);
	wire_add_text(&server, 1, options->page_server);
	wire_add_number(&server, 2, options->page_server_port);
	wire_add_message(out, OPTION_PAGE_SERVER, &server);
}

static void add_options(struct str *out, const struct criu_options *options)
{
	wire_add_number(out, OPTION_IMAGES_DIR_FD, (unsigned)options->images_dir);
	if (options->work_dir >= 0)
		wire_add_number(out, OPTION_WORK_DIR_FD, (unsigned)options->work_dir);
	if (options->pid)
		wire_add_number(out, OPTION_PID, (unsigned)options->pid);
	for (unsigned field = 0; field < 64; field++)
		if (options->switches >> field & 1)
			wire_add_number(out, field, 1);
	wire_add_number(out, OPTION_LOG_LEVEL, LOG_DEBUG_LEVEL);
	add_given(out, OPTION_LOG_FILE, options->log_file);
	add_page_server(out, options);
	add_given(out, OPTION_ROOT, options->root);
	add_given(out, OPTION_PARENT_IMG, options->parent_images);
	add_given(out, OPTION_FREEZE_CGROUP, options->freezer);
	add_given(out, OPTION_CONFIG_FILE, options->config_file);
	add_given(out, OPTION_LSM_PROFILE, options->lsm_profile);
	add_given(out, OPTION_LSM_MOUNT_CONTEXT, options->lsm_mount_context);
	wire_add_number(out, OPTION_EMPTY_NS, options->empty_namespaces);
	add_optional(out, OPTION_CGROUPS_MODE, &options->cgroup_mode);
	add_optional(out, OPTION_NETWORK_LOCK, &options->network_lock);
	add_pairs(out, OPTION_EXT_MNT, &options->mounts);
	add_pairs(out, OPTION_CG_ROOT, &options->cgroup_roots);
	add_pairs(out, OPTION_JOIN_NS, &options->joined);
	for (size_t i = 0; i < options->external.count; i++)
		wire_add_text(out, OPTION_EXTERNAL, options->external.item[i]);
	add_inherited(out, options);
}

void criu_request(struct str *out, enum criu_type type, const struct criu_options *options,
		  const struct criu_features *features)
{
	struct str part;

	wire_add_number(out, REQUEST_TYPE, type);
	if (options) {
		str_init(&part, out->arena);
		add_options(&part, options);
		wire_add_message(out, REQUEST_OPTIONS, &part);
	}
	if (features) {
		str_init(&part, out->arena);
		wire_add_number(&part, 1, features->mem_track);
		wire_add_number(&part, 2, features->lazy_pages);
		wire_add_message(out, REQUEST_FEATURES, &part);
	}
}

void criu_answer(struct str *out, bool success)
{
	wire_add_number(out, REQUEST_TYPE, CRIU_NOTIFY);
	wire_add_number(out, REQUEST_NOTIFY_SUCCESS, success);
}

/* ---- replies --------------------------------------------------------------------------------- */

/* Field numbers of criu_resp. */
enum {
	REPLY_TYPE = 1,
	REPLY_SUCCESS = 2,
	REPLY_RESTORE = 4,
	REPLY_NOTIFY = 5,
	REPLY_ERRNO = 7,
	REPLY_FEATURES = 8,
	REPLY_VERSION = 10,
};

/* criu_restore_resp and criu_notify: the one has the pid as 1, the other a script, and it as 2. */
static int decode_event(struct wire content, unsigned pid_field, struct criu_reply *reply,
			struct err *e)
{
	struct wire_field field;
	int more;

	while ((more = wire_next(&content, &field, e)) > 0) {
		if (field.is_number && field.number == pid_field)
			reply->pid = (int32_t)field.value;
		else if (!field.is_number && field.number == 1)
			wire_text(&field.content, reply->script, sizeof(reply->script));
	}
	return more;
}

static int decode_features(struct wire content, struct criu_reply *reply, struct err *e)
{
	struct wire_field field;
	int more;

	while ((more = wire_next(&content, &field, e)) > 0) {
		if (field.is_number && field.number == 1)
			reply->features.mem_track = field.value;
		if (field.is_number && field.number == 2)
			reply->features.lazy_pages = field.value;
	}
	return more;
}

/* What is built from a commit behind a release (gitid) counts as the next minor one. */
static int decode_version(struct wire content, struct criu_reply *reply, struct err *e)
{
	enum { MAJOR = 1, MINOR = 2, GITID = 3, SUBLEVEL = 4, PARTS };
	unsigned part[PARTS] = {0};
	struct wire_field field;
	bool between = false;
	int more;

	while ((more = wire_next(&content, &field, e)) > 0) {
		if (field.is_number && field.number < PARTS)
			part[field.number] = field.value < 100 ? (unsigned)field.value : 99;
		between |= !field.is_number && field.number == GITID;
	}
	reply->version = part[MAJOR] * 10000 + part[MINOR] * 100 + part[SUBLEVEL];
	if (between)
		reply->version += 100 - reply->version % 100;
	return more;
}

static int decode_part(const struct wire_field *field, struct criu_reply *reply, struct err *e)
{
	switch (field->number) {
	case REPLY_RESTORE:
		return decode_event(field->content, 1, reply, e);
	case REPLY_NOTIFY:
		return decode_event(field->content, 2, reply, e);
	case REPLY_FEATURES:
		return decode_features(field->content, reply, e);
	case REPLY_VERSION:
		return decode_version(field->content, reply, e);
	default:
		return 0;
	}
}

int criu_decode(const void *data, size_t size, struct criu_reply *ret, struct err *e)
{
	struct wire message = {.at = data, .end = (const uint8_t *)data + size};
	struct criu_reply reply = {.passed = -1};
	struct wire_field field;
	int more;

	while ((more = wire_next(&message, &field, e)) > 0) {
		if (!field.is_number) {
			if (decode_part(&field, &reply, e))
				return -1;
		} else if (field.number == REPLY_TYPE) {
			reply.type = field.value < UINT32_MAX ? (unsigned)field.value : 0;
		} else if (field.number == REPLY_SUCCESS) {
			reply.success = field.value;
		} else if (field.number == REPLY_ERRNO) {
			reply.number = (int32_t)field.value;
		}
	}
	if (more < 0)
		return -1;
	if (!reply.type)
		return err_set(e, ERR_INVALID, "the message does not say what it is");
	*ret = reply;
	return 0;
}

const char *criu_type_name(unsigned type)
{
	static const char *const names[] = {
		"EMPTY",       "DUMP",     "RESTORE",          "CHECK",           "PRE_DUMP",
		"PAGE_SERVER", "NOTIFY",   "CPUINFO_DUMP",     "CPUINFO_CHECK",   "FEATURE_CHECK",
		"VERSION",     "WAIT_PID", "PAGE_SERVER_CHLD", "SINGLE_PRE_DUMP",
	};

	return type < array_len(names) ? names[type] : "UNKNOWN";
}
