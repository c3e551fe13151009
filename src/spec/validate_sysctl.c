/*
 * Which sysctls a container may set: those that belong to a namespace it has of its own.
 *
 * Whether a network namespace that is joined by its path is the host's after all needs the machine,
 * and is checked where sysctls are written.
 */
#include <string.h>

#include "base/str.h"
#include "spec/validate_rules.h"

/* A name may be written with '/' in place of '.' (sysctl.d(5)): then the two are swapped. */
static const char *dotted(const char *name, struct arena *a, struct err *e)
{
	size_t first = strcspn(name, "./");
	char *copy;

	if (name[first] != '/')
		return name;
	copy = arena_copy(a, name, strlen(name), e);
	for (char *c = copy; c && *c; c++)
		*c = *c == '/' ? '.' : *c == '.' ? '/' : *c;
	return copy;
}

static bool is_ipc(const char *name)
{
	static const char names[][24] = {
		"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
		"kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
	};

	for (size_t i = 0; i < array_len(names); i++)
		if (str_equal(name, names[i]))
			return true;
	return str_starts(name, "fs.mqueue.");
}

static int check_one(const struct spec *spec, const char *name, struct err *e)
{
	if (is_ipc(name)) {
		if (validate_namespace(spec, NS_IPC))
			return 0;
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" is not allowed in the hosts ipc namespace", name);
	}
	if (str_starts(name, "net.")) {
		if (validate_namespace(spec, NS_NET))
			return 0;
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" not allowed in host network namespace", name);
	}
	if (str_starts(name, "user.")) {
		if (validate_namespace(spec, NS_USER))
			return 0;
		return err_set(e, ERR_INVALID,
			       "setting ucounts without a user namespace not allowed: %s", name);
	}
	if (validate_namespace(spec, NS_UTS) && str_equal(name, "kernel.domainname"))
		return 0;
	if (validate_namespace(spec, NS_UTS) && str_equal(name, "kernel.hostname"))
		return err_set(e, ERR_INVALID,
			       "sysctl \"%s\" is not allowed as it conflicts with the OCI "
			       "\"hostname\" field",
			       name);
	return err_set(e, ERR_INVALID, "sysctl \"%s\" is not in a separate kernel namespace", name);
}

int validate_sysctl(const struct validation *v, struct err *e)
{
	const struct str_map *sysctl = &v->spec->linux_.sysctl;

	for (size_t i = 0; i < sysctl->count; i++) {
		const char *name = dotted(sysctl->item[i].key, v->arena, e);

		if (!name)
			return -1;
		if (check_one(v->spec, name, e)) {
			validate_in_key(e, sysctl->item[i].key);
			return err_in(e, "/linux/sysctl");
		}
	}
	return 0;
}
