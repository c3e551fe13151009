/*
 * See machine.h. Paths are those of Debian; own is where a login shell is, or root's on "v2".
 */
#include "machine.h"

#include "base/str.h"

#define CAPABILITIES 41 /* up to CAP_CHECKPOINT_RESTORE, Linux 5.9 */

static struct cgroup_hierarchy v1[] = {
	{"cpu", "/sys/fs/cgroup/cpu,cpuacct", "/user.slice"},
	{"cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/user.slice"},
	{"cpuset", "/sys/fs/cgroup/cpuset", "/"},
	{"memory", "/sys/fs/cgroup/memory", "/user.slice"},
	{"pids", "/sys/fs/cgroup/pids", "/user.slice/user-0.slice"},
	{"devices", "/sys/fs/cgroup/devices", "/user.slice"},
	{"blkio", "/sys/fs/cgroup/blkio", "/user.slice"},
	{"freezer", "/sys/fs/cgroup/freezer", "/"},
	{"hugetlb", "/sys/fs/cgroup/hugetlb", "/"},
	{"net_cls", "/sys/fs/cgroup/net_cls,net_prio", "/"},
	{"net_prio", "/sys/fs/cgroup/net_cls,net_prio", "/"},
	{"rdma", "/sys/fs/cgroup/rdma", "/"},
	{"name=systemd", "/sys/fs/cgroup/systemd", "/user.slice/user-0.slice"},
};

static struct cgroup_hierarchy v2[] = {
	{"", "/sys/fs/cgroup", "/user.slice/session-1.scope"},
};

static struct cgroup_hierarchy hybrid[] = {
	{"memory", "/sys/fs/cgroup/memory", "/"},   {"pids", "/sys/fs/cgroup/pids", "/"},
	{"devices", "/sys/fs/cgroup/devices", "/"}, {"name=systemd", "/sys/fs/cgroup/systemd", "/"},
	{"", "/sys/fs/cgroup/unified", "/"},
};

/* The machine's systemd, and that of user 1000. */
static const struct cgroup_systemd systemd = {.bus = "", .root = ""};
static const struct cgroup_systemd users_systemd = {
	.bus = "unix:path=/run/user/1000/bus",
	.root = "/user.slice/user-1000.slice/user@1000.service",
};

bool machine_find(const char *name, struct plan_facts *ret)
{
	static const struct {
		const char *name;
		struct cgroup_host cgroup;
	} machines[] = {
		{"v1", {CGROUP_V1, v1, array_len(v1), NULL}},
		{"v2", {CGROUP_V2, v2, array_len(v2), NULL}},
		{"hybrid", {CGROUP_HYBRID, hybrid, array_len(hybrid), NULL}},
		{"systemd-v1", {CGROUP_V1, v1, array_len(v1), &systemd}},
		{"systemd-hybrid", {CGROUP_HYBRID, hybrid, array_len(hybrid), &systemd}},
		{"systemd", {CGROUP_V2, v2, array_len(v2), &systemd}},
		{"users-systemd", {CGROUP_V2, v2, array_len(v2), &users_systemd}},
		{"none", {.layout = CGROUP_NONE}},
	};

	for (size_t i = 0; i < array_len(machines); i++)
		if (str_equal(name, machines[i].name)) {
			*ret = (struct plan_facts){
				.cgroup = machines[i].cgroup,
				.capabilities = ((uint64_t)1 << CAPABILITIES) - 1,
				.permitted = ((uint64_t)1 << CAPABILITIES) - 1,
			};
			return true;
		}
	return false;
}
