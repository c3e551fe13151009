/*
 * state and list: containers as users see them.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "container/status.h"
#include "state/store.h"
#include "sys/passwd.h"

static int fill(struct creel *c, const struct container *ct, struct creel_state *ret, struct err *e)
{
	const struct state_record *record = ct->record;
	struct creel_annotation *annotations =
		arena_get_array(&c->arena, record->annotations.count, sizeof(*annotations), e);

	if (!annotations)
		return -1;
	for (size_t i = 0; i < record->annotations.count; i++)
		annotations[i] = (struct creel_annotation){
			.key = record->annotations.item[i].key,
			.value = record->annotations.item[i].value,
		};
	*ret = (struct creel_state){
		.id = record->id,
		.oci_version = record->oci_version ? record->oci_version : "",
		.bundle = record->bundle,
		.rootfs = record->rootfs,
		.created = record->created,
		.owner = "",
		.status = ct->status,
		.pid = ct->pid,
		.annotations = annotations,
		.annotation_count = record->annotations.count,
	};
	return 0;
}

int container_state(struct creel *c, const char *id, struct creel_state *ret, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = fill(c, &ct, ret, e);
	container_close(&ct);
	return failed;
}

/* The name of the user who owns the state directory, or "#UID". */
static const char *owner_of(struct creel *c, const struct container *ct, struct err *e)
{
	_close_ int root = fd_open("/", O_PATH | O_DIRECTORY);
	const char *name;
	struct stat st;

	if (fstat(ct->dir, &st)) {
		err_sys(e, "stat the state of container %s", ct->id);
		return NULL;
	}
	name = passwd_name(root, st.st_uid, &c->arena);
	return name ? name : arena_format(&c->arena, e, "#%u", (unsigned)st.st_uid);
}

static int add(struct creel *c, const char *id, struct creel_state *ret, struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = fill(c, &ct, ret, e);
	if (!failed)
		ret->owner = owner_of(c, &ct, e);
	container_close(&ct);
	return failed || !ret->owner ? -1 : 0;
}

int container_list(struct creel *c, const struct creel_state **ret, size_t *ret_count,
		   void (*broken)(void *user, const char *id, const struct err *why), void *user,
		   struct err *e)
{
	struct creel_state *states;
	struct str_list ids;
	size_t count = 0;

	if (store_list(c->root, false, &c->arena, &ids, e))
		return -1;
	states = arena_get_array(&c->arena, ids.count, sizeof(*states), e);
	if (!states)
		return -1;
	for (size_t i = 0; i < ids.count; i++) {
		struct err why;

		if (!add(c, ids.item[i], &states[count], &why))
			count++;
		else
			broken(user, ids.item[i], &why);
	}
	*ret = states;
	*ret_count = count;
	return 0;
}
