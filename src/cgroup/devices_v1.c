/*
 * Device rules in version 1: devices.list tells what a cgroup has, devices.allow and devices.deny
 * take one change a write. Called by devices.c. Source: the kernel's
 * admin-guide/cgroup-v1/devices.rst.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "cgroup/devices.h"
#include "cgroup/knob.h"

#define LIST_MAX (1u << 20)

/* ---- devices.list ---------------------------------------------------------------------------- */

/* "*" or a number, followed by stop; moves *at behind it. */
static bool read_number(const char **at, char stop, int64_t *ret)
{
	int64_t number = 0;
	const char *c = *at;

	if (*c == '*') {
		number = DEVICE_ANY;
		c++;
	} else {
		for (; *c >= '0' && *c <= '9' && number <= UINT32_MAX; c++)
			number = number * 10 + (*c - '0');
	}
	if (c == *at || *c != stop)
		return false;
	*ret = number;
	*at = c + 1;
	return true;
}

/* One line, "c 1:3 rwm"; moves *at behind it. */
static bool read_line(const char **at, struct device_exception *ret)
{
	const char *c = *at;
	struct device_exception it = {.type = *c};

	if (!*c || !strchr("abc", *c) || c[1] != ' ')
		return false;
	c += 2;
	if (!read_number(&c, ':', &it.major) || !read_number(&c, ' ', &it.minor))
		return false;
	for (; *c && *c != '\n'; c++)
		it.access |= (uint8_t)(*c == 'r'   ? BPF_DEVCG_ACC_READ
				       : *c == 'w' ? BPF_DEVCG_ACC_WRITE
						   : BPF_DEVCG_ACC_MKNOD);
	*at = c + (*c == '\n');
	*ret = it;
	return true;
}

int devices_parse_list(const char *text, struct arena *a, struct device_policy *ret, struct err *e)
{
	struct device_policy policy = {.allow = false};
	struct device_exception exception;
	size_t capacity = 0;

	while (*text) {
		if (!read_line(&text, &exception))
			return err_set(e, ERR_SYSTEM,
				       "devices.list has a line that is none: \"%.40s\"", text);
		if (exception.type == 'a')
			policy.allow = true;
		else if (devices_add(&policy, &exception, a, &capacity, e))
			return -1;
	}
	*ret = policy;
	return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

static int add_write(struct device_writes *writes, bool allow, const char *text)
{
	if (!text)
		return -1;
	writes->item[writes->count++] = (struct device_write){.allow = allow, .text = text};
	return 0;
}

/* The rule as the kernel reads it. */
static const char *rule_text(const struct device_exception *rule, uint8_t access, struct arena *a,
			     struct err *e)
{
	struct str text;

	str_init(&text, a);
	str_add_char(&text, rule->type);
	str_add_char(&text, ' ');
	if (rule->major < 0)
		str_add(&text, "*:");
	else
		str_addf(&text, "%" PRId64 ":", rule->major);
	if (rule->minor < 0)
		str_add(&text, "* ");
	else
		str_addf(&text, "%" PRId64 " ", rule->minor);
	if (access & BPF_DEVCG_ACC_READ)
		str_add_char(&text, 'r');
	if (access & BPF_DEVCG_ACC_WRITE)
		str_add_char(&text, 'w');
	if (access & BPF_DEVCG_ACC_MKNOD)
		str_add_char(&text, 'm');
	return str_end(&text, e);
}

/* The access to exactly this device that a list has. */
static uint8_t access_in(const struct device_policy *policy, const struct device_exception *device)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->item[i].type == device->type &&
		    policy->item[i].major == device->major &&
		    policy->item[i].minor == device->minor)
			return policy->item[i].access;
	return 0;
}

/* Writes all access of from that to does not have. */
static int add_difference(struct device_writes *writes, const struct device_policy *from,
			  const struct device_policy *to, bool allow, struct arena *a,
			  struct err *e)
{
	for (size_t i = 0; i < from->count; i++) {
		const struct device_exception *it = &from->item[i];
		uint8_t access = it->access & (uint8_t)~access_in(to, it);

		if (access && add_write(writes, allow, rule_text(it, access, a, e)))
			return -1;
	}
	return 0;
}

/*
 * A change of the default drops all exceptions. The list of a cgroup that allows by default does
 * not show them: then those that are wanted are added again, and what is there beyond them stays
 * denied.
 */
int devices_transition(const struct device_policy *now, const struct device_policy *wanted,
		       struct arena *a, struct device_writes *ret, struct err *e)
{
	const struct device_policy nothing = {.allow = wanted->allow};
	struct device_writes writes = {0};

	writes.item = arena_get_array(a, now->count + wanted->count + 1, sizeof(*writes.item), e);
	if (!writes.item)
		return -1;
	if (now->allow != wanted->allow) {
		if (add_write(&writes, wanted->allow, "a"))
			return -1;
		now = &nothing;
	}
	if (add_difference(&writes, wanted, now, !wanted->allow, a, e) ||
	    add_difference(&writes, now, wanted, wanted->allow, a, e))
		return -1;
	*ret = writes;
	return 0;
}

/* ---- in force -------------------------------------------------------------------------------- */

int devices_apply_v1(const char *dir, const struct device_policy *policy, struct arena *a,
		     struct err *e)
{
	static const char *const files[] = {"devices.deny", "devices.allow"};
	_close_ int list = knob_open(dir, "devices.list", O_RDONLY), deny = -1, allow = -1;
	struct device_policy now;
	struct device_writes writes;
	size_t length;
	char *text;

	if (list < 0)
		return err_sys(e, "open %s/devices.list", dir);
	if (fd_read(list, LIST_MAX, a, "devices.list", &text, &length, e) ||
	    devices_parse_list(text, a, &now, e) || devices_transition(&now, policy, a, &writes, e))
		return -1;
	for (size_t i = 0; i < writes.count; i++) {
		const struct device_write *it = &writes.item[i];
		int *fd = it->allow ? &allow : &deny;

		if (*fd < 0)
			*fd = knob_open(dir, files[it->allow], O_WRONLY);
		if (*fd < 0)
			return err_sys(e, "open %s/%s", dir, files[it->allow]);
		if (write(*fd, it->text, strlen(it->text)) < 0)
			return err_sys(e, "write \"%s\" to %s/%s", it->text, dir, files[it->allow]);
	}
	return 0;
}
