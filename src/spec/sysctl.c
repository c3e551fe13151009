/*
 * Keys of linux.sysctl: see sysctl.h.
 */
#include "spec/sysctl.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* Dots for slashes and slashes for dots: from the one form of a name to the other. */
static void swap_separators(char *name)
{
	for (char *c = name; *c; c++)
		*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
}

const char *sysctl_path(const char *key, struct arena *a, struct err *e)
{
	char *path = arena_copy(a, key, strlen(key), e);

	if (path && key[strcspn(key, "./")] == '.')
		swap_separators(path);
	return path;
}

/* Whether each part names a file in the one before it. */
static bool is_plain(const char *path)
{
	for (;;) {
		size_t length = strcspn(path, "/");

		if (!length || (path[0] == '.' && (length == 1 || (length == 2 && path[1] == '.'))))
			return false;
		if (!path[length])
			return true;
		path += length + 1;
	}
}

static bool is_ipc(const char *path)
{
	static const char names[][24] = {
		"kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
		"kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (str_equal(path, names[i]))
			return true;
	return str_starts(path, "fs/mqueue/");
}

bool sysctl_namespace(const char *path, enum ns_type *ret)
{
	if (!is_plain(path))
		return false;
	if (is_ipc(path))
		*ret = NS_IPC;
	else if (str_starts(path, "net/"))
		*ret = NS_NET;
	else if (str_starts(path, "user/"))
		*ret = NS_USER;
	else if (str_equal(path, "kernel/domainname") || str_equal(path, "kernel/hostname"))
		*ret = NS_UTS;
	else
		return false;
	return true;
}

int sysctl_refuse(const char *path, enum ns_type type, struct err *e)
{
	char name[256];

	(void)snprintf(name, sizeof(name), "%s", path);
	swap_separators(name); /* as runc's messages have it */
	switch (type) {
	case NS_IPC:
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" is not allowed in the hosts ipc namespace", name);
	case NS_NET:
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" not allowed in host network namespace", name);
	case NS_USER:
		return err_set(e, ERR_INVALID,
			       "setting ucounts without a user namespace not allowed: %s", name);
	default:
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" is not in a separate kernel namespace", name);
	}
}
