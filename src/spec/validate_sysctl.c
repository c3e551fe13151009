/*
 * Which sysctls a container may set: those that belong to a namespace it has of its own.
 *
 * Whether a namespace that is joined by its path is the host's after all needs the machine, and is
 * checked when the plan is made.
 */
#include "base/str.h"
#include "spec/sysctl.h"
#include "spec/validate_rules.h"

static int check_one(const struct spec *spec, const char *path, struct err *e)
{
	enum ns_type type = NS_TYPES;

	if (!sysctl_namespace(path, &type) || !spec_namespace_find(spec, type))
		return sysctl_refuse(path, type, e);
	if (str_equal(path, "kernel/hostname"))
		return err_set(e, ERR_INVALID,
			       "sysctl \"kernel.hostname\" is not allowed as it conflicts with the "
			       "OCI \"hostname\" field");
	return 0;
}

int validate_sysctl(const struct validation *v, struct err *e)
{
	const struct str_map *sysctl = &v->spec->linux_.sysctl;

	for (size_t i = 0; i < sysctl->count; i++) {
		const char *path = sysctl_path(sysctl->item[i].key, v->arena, e);

		if (!path)
			return -1;
		if (check_one(v->spec, path, e)) {
			validate_in_key(e, sysctl->item[i].key);
			return err_in(e, "/linux/sysctl");
		}
	}
	return 0;
}
