/*
 * Capabilities: see caps.h.
 */
#include "sys/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

uint64_t caps_all(void)
{
	unsigned last = CAP_LAST_CAP;

	/*
	 * The headers may be older or newer than the kernel: PR_CAPBSET_READ fails behind the last
	 * one.
	 */
	while (last < 63 && prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0)
		last++;
	while (last > 0 && prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0)
		last--;
	return (last == 63 ? 0 : (uint64_t)1 << (last + 1)) - 1;
}

int caps_get(struct caps *ret, struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return err_sys(e, "read capabilities");
	*ret = (struct caps){
		.effective = data[0].effective | (uint64_t)data[1].effective << 32,
		.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
		.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32,
	};
	return 0;
}

int caps_set(const struct caps *c, struct err *e)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int half = 0; half < 2; half++)
		data[half] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(c->effective >> (32 * half)),
			.permitted = (uint32_t)(c->permitted >> (32 * half)),
			.inheritable = (uint32_t)(c->inheritable >> (32 * half)),
		};
	if (syscall(SYS_capset, &header, data))
		return err_sys(e, "unable to apply caps: capset");
	return 0;
}

int caps_bound(uint64_t keep, struct err *e)
{
	for (unsigned cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1)
			continue;
		if (!prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			continue;
		if (errno == EINVAL)
			return 0; /* behind the last one of this kernel */
		return err_sys(e, "unable to apply bounding set: drop capability %u", cap);
	}
	return 0;
}

uint64_t caps_ambient(uint64_t set)
{
	uint64_t refused = 0;

	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned cap = 0; cap < 64; cap++)
		if (set >> cap & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			refused |= (uint64_t)1 << cap;
	return refused;
}
