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

/* Whose name was looked up last: mostly all containers belong to one user. */
struct owner {
	uid_t uid;
	const char *name; /* NULL: none was looked up yet */
};

/* The name of the user who owns the state directory, or "#UID". */
static int find_owner(struct creel *c, const struct container *ct, struct owner *owner,
		      struct err *e)
{
	_close_ int root = -1;
	struct stat st;

	if (fstat(ct->dir, &st))
		return err_sys(e, "stat the state of container %s", ct->id);
	if (owner->name && owner->uid == st.st_uid)
		return 0;
	root = fd_open("/", O_PATH | O_DIRECTORY);
	owner->uid = st.st_uid;
	owner->name = passwd_name(root, st.st_uid, &c->arena);
	if (!owner->name)
		owner->name = arena_format(&c->arena, e, "#%u", (unsigned)st.st_uid);
	return owner->name ? 0 : -1;
}

static int add(struct creel *c, const char *id, struct owner *owner, struct creel_state *ret,
	       struct err *e)
{
	struct container ct;
	int failed;

	if (container_open(c, id, false, &ct, e))
		return -1;
	failed = fill(c, &ct, ret, e) || find_owner(c, &ct, owner, e);
	if (!failed)
		ret->owner = owner->name;
	container_close(&ct);
	return failed ? -1 : 0;
}

int container_list(struct creel *c, const struct creel_state **ret, size_t *ret_count,
		   void (*broken)(void *user, const char *id, const struct err *why), void *user,
		   struct err *e)
{
	struct owner owner = {0};
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

		if (!add(c, ids.item[i], &owner, &states[count], &why))
			count++;
		else
			broken(user, ids.item[i], &why);
	}
	*ret = states;
	*ret_count = count;
	return 0;
}
