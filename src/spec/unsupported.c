/*
 * What the specification has, the decoder reads, and nobody carries out yet: refused, one row each.
 * A row goes away with the change that implements it.
 */
#include <string.h>

#include "spec/validate.h"

struct unsupported {
	const char *pointer, *what;
	bool asked;
};

static int refuse(const struct unsupported *row, struct err *e)
{
	err_set(e, ERR_UNSUPPORTED, "%s is not supported yet", row->what);
	err_in(e, "%s", row->pointer);
	return err_hint(
		e, "remove it from the configuration, or use another runtime for this container");
}

static int refuse_first(const struct unsupported *rows, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].asked)
			return refuse(&rows[i], e);
	return 0;
}

int spec_refuse_unsupported_process(const struct spec_process *p, struct err *e)
{
	const struct unsupported rows[] = {
		{"/process/apparmorProfile", "an AppArmor profile", p->apparmor_profile},
		{"/process/selinuxLabel", "an SELinux label", p->selinux_label},
	};

	return refuse_first(rows, array_len(rows), e);
}

static int refuse_linux(const struct spec_linux *l, struct err *e)
{
	const struct unsupported rows[] = {
		{"/linux/mountLabel", "an SELinux mount label", l->mount_label},
	};

	return refuse_first(rows, array_len(rows), e);
}

int spec_refuse_unsupported(const struct spec *spec, struct err *e)
{
	if (spec->process && spec_refuse_unsupported_process(spec->process, e))
		return -1;
	return refuse_linux(&spec->linux_, e);
}
