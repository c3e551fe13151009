/*
 * The rules on a configuration, one row each: what is added to a good configuration, and what is
 * said about it. A "^" in the text marks the value whose line and column must be told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "document.h"
#include "spec/decode.h"
#include "spec/validate.h"

#define PROCESS "'process':{'cwd':'/','args':['sh']}"
#define ROOT "'root':{'path':'rootfs'}"
#define BOTH PROCESS ",\n" ROOT ",\n"
#define USERNS "'namespaces':[{'type':'user'}],"
#define MAPS ID_MAP("uidMappings") "," ID_MAP("gidMappings")
#define ID_MAP(key) "'" key "':[{'containerID':0,'hostID':1000,'size':1}]"

struct row {
	const char *text, *refusal, *pointer;
};

static struct err error;
static struct json_input input;
static struct json_place marked; /* where "^" was in the text; line 0: nowhere */

/* Takes the mark out of the text. */
static struct spec *decode(const char *text)
{
	size_t before = strcspn(text, "^");
	struct spec *spec = NULL;
	char unmarked[1024];

	marked = (struct json_place){0};
	if (text[before])
		marked = json_place(text, text + before);
	(void)snprintf(unmarked, sizeof(unmarked), "%.*s%s", (int)before, text,
		       text + before + (text[before] == '^'));
	input = document(unmarked);
	error = (struct err){0};
	if (spec_decode(&input, &spec, &error))
		fail_msg("%s: %s", text, error.text);
	return spec;
}

static int validate(const char *text, bool rootless)
{
	return spec_validate(decode(text), rootless, &document_arena, &document_log, &error);
}

static void check_refusal(const struct row *row)
{
	char whole[512];

	assert_string_equal(error.text, row->refusal);
	assert_string_equal(error.pointer, row->pointer);
	assert_int_equal(error.code, ERR_INVALID);
	spec_point(&input, &error);
	(void)snprintf(whole, sizeof(whole), "config.json:%u:%u: %s", marked.line, marked.column,
		       row->refusal);
	assert_string_equal(error.text, whole);
}

/* refusal NULL: it is valid. */
static void check(const struct row *rows, size_t count, bool rootless)
{
	for (size_t i = 0; i < count; i++) {
		int failed = validate(rows[i].text, rootless);

		if (failed && !rows[i].refusal)
			fail_msg("%s: %s", rows[i].text, error.text);
		if (!failed && rows[i].refusal)
			fail_msg("%s is valid", rows[i].text);
		if (failed)
			check_refusal(&rows[i]);
	}
}

static void the_process(void **state)
{
	static const struct row rows[] = {
		{"{" PROCESS "," ROOT "}", NULL, NULL},
		{"^{}", "process property must not be empty", "/process"},
		{"{'process':^{}}", "Cwd property must not be empty", "/process/cwd"},
		{"{'process':{'cwd':^'tmp'}}", "Cwd must be an absolute path", "/process/cwd"},
		{"{'process':^{'cwd':'/'}}", "args must not be empty", "/process/args"},
		{"{'process':{'cwd':'/','args':^[]}}", "args must not be empty", "/process/args"},
		{"{'process':{'cwd':'/','args':[''],'env':['A=',^'B']}}",
		 "invalid environment variable: missing '='", "/process/env/1"},
		{"{'process':{'cwd':'/','args':[''],'env':[^'=A']}}",
		 "invalid environment variable: name cannot be empty", "/process/env/0"},
		{"{'process':{'cwd':'/','args':[''],'user':{'uid':^4294967295}}}",
		 "invalid uid 4294967295: not an id", "/process/user/uid"},
		{"{'process':{'cwd':'/','args':[''],'user':{'gid':^4294967295}}}",
		 "invalid gid 4294967295: not an id", "/process/user/gid"},
		{"{'process':{'cwd':'/','args':[''],'user':{'uid':4294967294}}," ROOT "}", NULL,
		 NULL},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

static void the_root(void **state)
{
	static const struct row rows[] = {
		{"^{" PROCESS "}", "root must be specified", "/root"},
		{"{" PROCESS ",'root':^{}}", "root.path must not be empty", "/root/path"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

static void namespaces_and_mappings(void **state)
{
	static const struct row rows[] = {
		{"{" BOTH "'linux':{'namespaces':[{'type':'pid'},^{'type':'pid','path':'/x'}]}}",
		 "malformed spec file: duplicated ns {\"pid\" \"/x\"}", "/linux/namespaces/1"},
		{"{" BOTH "'linux':{'namespaces':[{'type':'pid','path':^'/a,b'}]}}",
		 "namespace path \"/a,b\" must not contain a comma", "/linux/namespaces/0/path"},
		{"{" BOTH "'linux':{'namespaces':^[{'type':'user'}],'sysctl':{}}}",
		 "user namespaces enabled, but no namespace path to join nor mappings to "
		 "apply specified",
		 "/linux/namespaces"},
		{"{" BOTH "'linux':{" USERNS MAPS "}}", NULL, NULL},
		{"{" BOTH "'linux':{'namespaces':[{'type':'user','path':'/n'}]}}", NULL, NULL},
		{"{'process':{'cwd':'/','args':['sh'],'user':{'uid':^1}}," ROOT
		 ",'linux':{" USERNS MAPS "}}",
		 "cannot set uid to unmapped user in user namespace", "/process/user/uid"},
		{"{'process':{'cwd':'/','args':['sh'],'user':{'gid':^1}}," ROOT
		 ",'linux':{" USERNS MAPS "}}",
		 "cannot set gid to unmapped user in user namespace", "/process/user/gid"},
		{"{" BOTH "'hostname':^'h'}",
		 "unable to set hostname without a private UTS namespace", "/hostname"},
		{"{" BOTH "'domainname':^'d'}",
		 "unable to set domainname without a private UTS namespace", "/domainname"},
		{"{" BOTH "'hostname':'h','linux':{'namespaces':[{'type':'uts'}]}}", NULL, NULL},
		{"{" BOTH "'linux':{'maskedPaths':^['/x']}}",
		 "unable to restrict sys entries without a private MNT namespace",
		 "/linux/maskedPaths"},
		{"{" BOTH "'linux':{'readonlyPaths':^['/x']}}",
		 "unable to restrict sys entries without a private MNT namespace",
		 "/linux/readonlyPaths"},
		{"{" BOTH "'linux':{'timeOffsets':^{'boottime':{'secs':1}}}}",
		 "time namespace offsets specified, but time namespace isn't enabled in the config",
		 "/linux/timeOffsets"},
		{"{" BOTH "'linux':{'namespaces':[{'type':'time','path':'/n'}],"
		 "'timeOffsets':^{'monotonic':{}}}}",
		 "time namespace enabled, but both namespace path and time offsets specified -- "
		 "you may only provide one",
		 "/linux/timeOffsets"},
		{"{" BOTH "'linux':{'rootfsPropagation':^'weird'}}",
		 "rootfsPropagation=weird is not supported", "/linux/rootfsPropagation"},
		{"{" BOTH "'linux':{'rootfsPropagation':^'bind'}}",
		 "rootfsPropagation=bind is not supported", "/linux/rootfsPropagation"},
		{"{" BOTH "'linux':{'rootfsPropagation':'runbindable'}}", NULL, NULL},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define SYSCTL(ns, name) "{" BOTH "'linux':{'namespaces':[" ns "],'sysctl':{'" name "':^'1'}}}"
#define IPC "{'type':'ipc'}"
#define NET "{'type':'network'}"
#define UTS "{'type':'uts'}"

static void sysctls(void **state)
{
	static const struct row rows[] = {
		{SYSCTL(IPC, "kernel.shmmax"), NULL, NULL},
		{SYSCTL(IPC, "fs.mqueue.msg_max"), NULL, NULL},
		{SYSCTL(IPC, "kernel/sem"), NULL, NULL},
		{SYSCTL(NET, "kernel.sem"),
		 "sysctl \"kernel.sem\" is not allowed in the hosts ipc namespace",
		 "/linux/sysctl/kernel.sem"},
		{SYSCTL(NET, "net.ipv4.ip_forward"), NULL, NULL},
		{SYSCTL(NET, "net/ipv4/conf/eth0.1/rp_filter"), NULL, NULL},
		{SYSCTL(IPC, "net/ipv4/ip_forward"),
		 "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace",
		 "/linux/sysctl/net~1ipv4~1ip_forward"},
		{SYSCTL(IPC, "net/ipv4/conf/eth0.1/rp_filter"),
		 "sysctl \"net.ipv4.conf.eth0/1.rp_filter\" not allowed in host network namespace",
		 "/linux/sysctl/net~1ipv4~1conf~1eth0.1~1rp_filter"},
		{SYSCTL(UTS, "kernel.domainname"), NULL, NULL},
		{SYSCTL(UTS, "kernel.hostname"),
		 "sysctl \"kernel.hostname\" is not allowed as it conflicts with the "
		 "OCI \"hostname\" field",
		 "/linux/sysctl/kernel.hostname"},
		{SYSCTL(NET, "kernel.domainname"),
		 "sysctl \"kernel.domainname\" is not in a separate kernel namespace",
		 "/linux/sysctl/kernel.domainname"},
		{SYSCTL(NET, "user.max_user_namespaces"),
		 "setting ucounts without a user namespace not allowed: user.max_user_namespaces",
		 "/linux/sysctl/user.max_user_namespaces"},
		{SYSCTL(IPC, "kernel.foo"),
		 "sysctl \"kernel.foo\" is not in a separate kernel namespace",
		 "/linux/sysctl/kernel.foo"},
		{SYSCTL(NET, "net.//.vm.swappiness"),
		 "sysctl \"net.//.vm.swappiness\" is not in a separate kernel namespace",
		 "/linux/sysctl/net.~1~1.vm.swappiness"},
		{SYSCTL(NET, "net/../vm/swappiness"),
		 "sysctl \"net.//.vm.swappiness\" is not in a separate kernel namespace",
		 "/linux/sysctl/net~1..~1vm~1swappiness"},
		{SYSCTL(NET, "net/./ipv4"),
		 "sysctl \"net./.ipv4\" is not in a separate kernel namespace",
		 "/linux/sysctl/net~1.~1ipv4"},
		{SYSCTL(NET, "net."), "sysctl \"net.\" is not in a separate kernel namespace",
		 "/linux/sysctl/net."},
		{SYSCTL(NET, "net.ipv4.conf.a//b.x"), NULL, NULL},
		{SYSCTL(IPC, "vm.swappiness"),
		 "sysctl \"vm.swappiness\" is not in a separate kernel namespace",
		 "/linux/sysctl/vm.swappiness"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define MOUNT(fields) "{" BOTH "'mounts':[{'destination':'/a'},{" fields "}]}"
#define WHOLE_MOUNT(fields) "{" BOTH "'mounts':[{'destination':'/a'},^{" fields "}]}"
#define ONLY_BINDS \
	"invalid mount \"/b\": id-mapped mounts are only supported for bind-mounts and for file " \
	"systems of disks or memory"
#define ID_MAPS "'uidMappings':[{'size':1}],'gidMappings':[{'size':1}]"

static void mounts(void **state)
{
	static const struct row rows[] = {
		{WHOLE_MOUNT("'type':'proc'"), "invalid mount: destination must not be empty",
		 "/mounts/1/destination"},
		{MOUNT("'destination':'/b','type':'tmpfs','options':['size=1','ro']"), NULL, NULL},
		{MOUNT("'destination':'/b','options':^['rbind','size=1']"),
		 "invalid mount \"/b\": bind mounts cannot have any filesystem-specific "
		 "options applied: size=1",
		 "/mounts/1/options"},
		{MOUNT("'destination':'/b','type':'bind','options':^['mode=755']"),
		 "invalid mount \"/b\": bind mounts cannot have any filesystem-specific "
		 "options applied: mode=755",
		 "/mounts/1/options"},
		{MOUNT("'destination':'/b','options':['bind']," ID_MAPS), NULL, NULL},
		{MOUNT("'destination':'/b','type':'tmpfs'," ID_MAPS), NULL, NULL},
		{WHOLE_MOUNT("'destination':'/b','type':'proc'," ID_MAPS), ONLY_BINDS, "/mounts/1"},
		{WHOLE_MOUNT("'destination':'/b'," ID_MAPS), ONLY_BINDS, "/mounts/1"},
		{WHOLE_MOUNT("'destination':'/b','options':['bind','remount']," ID_MAPS),
		 ONLY_BINDS, "/mounts/1"},
		{WHOLE_MOUNT("'destination':'/b','options':['bind'],'uidMappings':[{'size':1}]"),
		 "invalid mount \"/b\": id-mapped mounts must have both uid and gid mappings "
		 "specified",
		 "/mounts/1"},
		{WHOLE_MOUNT("'destination':'/b','options':['bind','ridmap']"),
		 "invalid mount \"/b\": id-mapped mounts must have both uid and gid mappings "
		 "specified",
		 "/mounts/1"},
		{MOUNT("'destination':'/b','type':'tmpfs','options':['tmpcopyup']"), NULL, NULL},
		{MOUNT("'destination':'/b','type':'ramfs','options':^['tmpcopyup']"),
		 "invalid mount \"/b\": tmpcopyup is only supported for tmpfs",
		 "/mounts/1/options"},
		{MOUNT("'destination':'/b','type':'tmpfs','options':^['tmpcopyup','bind']"),
		 "invalid mount \"/b\": tmpcopyup is only supported for tmpfs",
		 "/mounts/1/options"},
		{MOUNT("'destination':'/b','type':'tmpfs','options':^['dest-nofollow']"),
		 "invalid mount \"/b\": copy-symlink, src-nofollow and dest-nofollow are only "
		 "supported for bind-mounts",
		 "/mounts/1/options"},
		{MOUNT("'destination':'/b','options':['bind','src-nofollow','dest-nofollow']"),
		 NULL, NULL},
		{MOUNT("'destination':'/b','options':^['bind','src-nofollow','copy-symlink']"),
		 "invalid mount \"/b\": `copy-symlink` is mutually exclusive with `src-nofollow` "
		 "and `dest-nofollow`",
		 "/mounts/1/options"},
		{"{" BOTH "'linux':{" USERNS MAPS
		 "},'mounts':[{'destination':'/b','options':['bind','idmap']}]}",
		 NULL, NULL},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

static void devices_and_their_rules(void **state)
{
	static const struct row rows[] = {
		{"{" BOTH "'linux':{'devices':[^{'type':'c'}]}}", "device path must not be empty",
		 "/linux/devices/0/path"},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'p','major':-1},"
		 "{'path':'/b','type':'c','major':4095,'minor':1048575,'uid':4294967294}]}}",
		 NULL, NULL},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'c','uid':^4294967295}]}}",
		 "invalid uid 4294967295: not an id", "/linux/devices/0/uid"},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'c','gid':^4294967295}]}}",
		 "invalid gid 4294967295: not an id", "/linux/devices/0/gid"},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'b','major':^4294967297}]}}",
		 "device major number 4294967297 is out of range", "/linux/devices/0/major"},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'c','major':^-1}]}}",
		 "device major number -1 is out of range", "/linux/devices/0/major"},
		{"{" BOTH "'linux':{'devices':[{'path':'/a','type':'c','minor':^1048576}]}}",
		 "device minor number 1048576 is out of range", "/linux/devices/0/minor"},
		{"{" BOTH "'linux':{'resources':{'devices':[^{'allow':true}]}}}",
		 "device access at 0 field cannot be empty", "/linux/resources/devices/0/access"},
		{"{" BOTH "'linux':{'resources':{'devices':[{'access':^'rx'}]}}}",
		 "invalid device access \"rx\"", "/linux/resources/devices/0/access"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define SECCOMP(action, more) "{" BOTH "'linux':{'seccomp':{'defaultAction':" action "," more "}}}"
#define TWO_RULES \
	"'syscalls':[{'names':['bind'],'action':'SCMP_ACT_ERRNO'}," \
	"{'names':['mkdir'],'action':^'SCMP_ACT_NOTIFY'}]"

static void seccomp_listeners(void **state)
{
	static const struct row rows[] = {
		{SECCOMP("'SCMP_ACT_ALLOW'", "'listenerPath':'/x'," TWO_RULES), NULL, NULL},
		{SECCOMP("'SCMP_ACT_ALLOW'",
			 "'listenerPath':'/x','listenerMetadata':'m'," TWO_RULES),
		 NULL, NULL},
		{SECCOMP("'SCMP_ACT_ALLOW'", "'listenerPath':'/x'"), NULL, NULL},
		{SECCOMP("^'SCMP_ACT_NOTIFY'", "'listenerPath':'/x'"),
		 "SCMP_ACT_NOTIFY cannot be used as default action",
		 "/linux/seccomp/defaultAction"},
		{SECCOMP("'SCMP_ACT_ALLOW'", TWO_RULES), "seccomp listenerPath is not set",
		 "/linux/seccomp/syscalls/1/action"},
		{SECCOMP("'SCMP_ACT_ALLOW'", "'listenerMetadata':^'m'"),
		 "seccomp listenerMetadata is set, but listenerPath is not",
		 "/linux/seccomp/listenerMetadata"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define NET_DEVICE(name) "{" BOTH "'linux':{'namespaces':[" NET "],'netDevices':{" name "}}}"

static void network_devices(void **state)
{
	static const struct row rows[] = {
		{"{" BOTH "'linux':{'netDevices':^{'eth0':{}}}}",
		 "unable to move network devices without a NET namespace", "/linux/netDevices"},
		{NET_DEVICE("'eth0':{'name':'eth%d'}"), NULL, NULL},
		{NET_DEVICE("'fifteen_letters':{},'e':{'name':'a%d'},'f':{'name':'a%d'}"), NULL,
		 NULL},
		{NET_DEVICE("'a/b':^{}"), "invalid network device name \"a/b\"",
		 "/linux/netDevices/a~1b"},
		{NET_DEVICE("'e':{'name':^'sixteen_letters_'}"),
		 "invalid network device name \"sixteen_letters_\"", "/linux/netDevices/e/name"},
		{NET_DEVICE("'e':{'name':^'a b'}"), "invalid network device name \"a b\"",
		 "/linux/netDevices/e/name"},
		{NET_DEVICE("'e':{'name':^'a:1'}"), "invalid network device name \"a:1\"",
		 "/linux/netDevices/e/name"},
		{NET_DEVICE("'..':^{}"), "invalid network device name \"..\"",
		 "/linux/netDevices/.."},
		{NET_DEVICE("'e':{'name':'g'},'f':{'name':^'g'}"),
		 "two network devices are named \"g\"", "/linux/netDevices/f/name"},
		{NET_DEVICE("'e':{'name':'g'},'g':^{}"), "two network devices are named \"g\"",
		 "/linux/netDevices/g"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define WITH(fields) "{'process':{'cwd':'/','args':['sh']," fields "}," ROOT "}"
#define POLICY(fields) "{" BOTH "'linux':{'memoryPolicy':{" fields "}}}"

#define ONLY_DEADLINE \
	"scheduler runtime/deadline/period can only be specified for SchedDeadline policy"

static void scheduling(void **state)
{
	static const struct row rows[] = {
		{WITH("'scheduler':^{}"), "scheduler policy is required",
		 "/process/scheduler/policy"},
		{WITH("'scheduler':{'policy':'SCHED_BATCH','nice':19}"), NULL, NULL},
		{WITH("'scheduler':{'policy':'SCHED_OTHER','nice':^20}"),
		 "invalid scheduler.nice: 20 when scheduler.policy is SCHED_OTHER",
		 "/process/scheduler/nice"},
		{WITH("'scheduler':{'policy':'SCHED_BATCH','nice':^-21}"),
		 "invalid scheduler.nice: -21 when scheduler.policy is SCHED_BATCH",
		 "/process/scheduler/nice"},
		{WITH("'scheduler':{'policy':'SCHED_DEADLINE','nice':20,'runtime':1}"), NULL, NULL},
		{WITH("'scheduler':{'policy':'SCHED_OTHER','priority':^1}"),
		 "scheduler.priority can only be specified for SchedFIFO or SchedRR policy",
		 "/process/scheduler/priority"},
		{WITH("'scheduler':{'policy':'SCHED_RR','priority':1}"), NULL, NULL},
		{WITH("'scheduler':{'policy':'SCHED_OTHER','runtime':^1,'period':1}"),
		 ONLY_DEADLINE, "/process/scheduler/runtime"},
		{WITH("'scheduler':{'policy':'SCHED_RR','deadline':^1}"), ONLY_DEADLINE,
		 "/process/scheduler/deadline"},
		{WITH("'scheduler':{'policy':'SCHED_FIFO','period':^1}"), ONLY_DEADLINE,
		 "/process/scheduler/period"},
		{WITH("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':7}"), NULL, NULL},
		{WITH("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':^9}"),
		 "invalid ioPriority.Priority: 9", "/process/ioPriority/priority"},
		{POLICY("'mode':'MPOL_LOCAL','nodes':^'0-1,4'"),
		 "memory policy mode requires 0 nodes but got 3", "/linux/memoryPolicy/nodes"},
		{POLICY("'mode':'MPOL_BIND','nodes':^''"),
		 "memory policy mode requires at least one node but got 0",
		 "/linux/memoryPolicy/nodes"},
		{"{" BOTH "'linux':{'memoryPolicy':^{'mode':'MPOL_INTERLEAVE'}}}",
		 "memory policy mode requires at least one node but got 0",
		 "/linux/memoryPolicy/nodes"},
		{POLICY("'mode':'MPOL_BIND','nodes':^'3-1'"), "invalid memory policy nodes \"3-1\"",
		 "/linux/memoryPolicy/nodes"},
		{POLICY("'mode':'MPOL_BIND','nodes':^'x'"), "invalid memory policy nodes \"x\"",
		 "/linux/memoryPolicy/nodes"},
		{POLICY("'mode':'MPOL_BIND','nodes':' 0 , 2-3,'"), NULL, NULL},
		{POLICY("'mode':'MPOL_BIND','nodes':^'0-8192'"),
		 "invalid memory policy nodes \"0-8192\"", "/linux/memoryPolicy/nodes"},
		{POLICY("'mode':'MPOL_PREFERRED'"), NULL, NULL},
		{"{" BOTH "'linux':{'intelRdt':{'closID':^'a/b'}}}",
		 "invalid intelRdt.ClosID \"a/b\"", "/linux/intelRdt/closID"},
		{"{" BOTH "'linux':{'intelRdt':{'closID':'/'}}}", NULL, NULL},
		{"{" BOTH "'linux':{'intelRdt':{'closID':^'.'}}}", "invalid intelRdt.ClosID \".\"",
		 "/linux/intelRdt/closID"},
		{"{" BOTH "'linux':{'intelRdt':{'closID':^'..'}}}",
		 "invalid intelRdt.ClosID \"..\"", "/linux/intelRdt/closID"},
		{"{" BOTH "'linux':{'intelRdt':{'memBwSchema':^'L3:0=f'}}}",
		 "intelRdt.memBwSchema must be one line that starts with \"MB:\"",
		 "/linux/intelRdt/memBwSchema"},
		{"{" BOTH "'linux':{'intelRdt':{'memBwSchema':^'MB:0=1\\nMB:1=1'}}}",
		 "intelRdt.memBwSchema must be one line that starts with \"MB:\"",
		 "/linux/intelRdt/memBwSchema"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

static void hooks(void **state)
{
	static const struct row rows[] = {
		{"{" BOTH "'hooks':{'poststop':[{'path':'/a','timeout':1},{'path':^'a'}]}}",
		 "hook path \"a\" must be absolute", "/hooks/poststop/1/path"},
		{"{" BOTH "'hooks':{'prestart':[^{}]}}", "hook path \"\" must be absolute",
		 "/hooks/prestart/0/path"},
		{"{" BOTH "'hooks':{'startContainer':[{'path':'/a','timeout':^-1}]}}",
		 "hook timeout must be greater than zero", "/hooks/startContainer/0/timeout"},
		{"{" BOTH "'hooks':{'createRuntime':[{'path':'/a','timeout':^0}]}}",
		 "hook timeout must be greater than zero", "/hooks/createRuntime/0/timeout"},
	};

	(void)state;
	check(rows, array_len(rows), false);
}

#define ROOTLESS "'linux':{" USERNS MAPS "}"

static void without_privileges(void **state)
{
	static const struct row rows[] = {
		{"{" BOTH ROOTLESS "}", NULL, NULL},
		{"^{" PROCESS "," ROOT "}", "rootless container requires user namespaces",
		 "/linux/namespaces"},
		{"{" BOTH "'linux':{'namespaces':^[{'type':'pid'}]}}",
		 "rootless container requires user namespaces", "/linux/namespaces"},
		{"{" BOTH "'linux':^{" USERNS "'gidMappings':[{'size':1}]}}",
		 "rootless containers requires at least one UID mapping", "/linux/uidMappings"},
		{"{" BOTH "'linux':^{" USERNS "'uidMappings':[{'size':1}]}}",
		 "rootless containers requires at least one GID mapping", "/linux/gidMappings"},
		{"{" BOTH ROOTLESS
		 ",'mounts':[{'destination':'/d','options':['mode=1',^'gid=5']}]}",
		 "cannot specify gid=5 mount option for rootless container: the id is not "
		 "mapped in the user namespace",
		 "/mounts/0/options/1"},
		{"{" BOTH ROOTLESS ",'mounts':[{'destination':'/d','options':[^'uid=1']}]}",
		 "cannot specify uid=1 mount option for rootless container: the id is not "
		 "mapped in the user namespace",
		 "/mounts/0/options/0"},
		{"{" BOTH ROOTLESS
		 ",'mounts':[{'destination':'/d','options':['uid=0','gid=name']}]}",
		 NULL, NULL},
		{"{" BOTH ROOTLESS ",'mounts':[^{'destination':'/d','options':['bind']," ID_MAPS
		 "}]}",
		 "invalid mount \"/d\": id-mapped mounts are not supported for rootless containers",
		 "/mounts/0"},
		{"{'process':{'cwd':'/','args':['sh'],'user':{'additionalGids':^[0]}}," ROOT
		 "," ROOTLESS "}",
		 "cannot set any additional groups in a rootless container",
		 "/process/user/additionalGids"},
		{"{" BOTH "'linux':{'namespaces':[{'type':'user'}," NET "]," MAPS
		 ",'netDevices':^{'e':{}}}}",
		 "network devices are not supported for rootless containers", "/linux/netDevices"},
	};

	(void)state;
	check(rows, array_len(rows), true);
}

static void warnings_do_not_fail(void **state)
{
	(void)state;
	assert_int_equal(validate("{" BOTH "'mounts':[{'destination':'rel'}],'linux':{" MAPS
				  ",'personality':{'domain':'LINUX','flags':['a','b']}}}",
				  false),
			 0);
	assert_string_equal(
		document_log_text,
		"warning: uidMappings and gidMappings are ignored: no user namespace is listed\n"
		"warning: mount \"rel\": relative destination path is **deprecated**, using "
		"it as relative to /\n"
		"warning: ignoring unsupported personality flags: [a b] because personality flag "
		"has not supported at this time\n");
}

static void the_process_of_exec(void **state)
{
	struct spec *spec = decode(
		"{'process':{'cwd':'/','args':['sh'],'ioPriority':{'class':'IOPRIO_CLASS_BE',"
		"'priority':-1}}}");

	(void)state;
	assert_int_equal(spec_validate_process(spec->process, &error), -1);
	assert_string_equal(error.pointer, "/ioPriority/priority");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_process, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(the_root, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(namespaces_and_mappings, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(sysctls, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(mounts, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(devices_and_their_rules, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(seccomp_listeners, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(network_devices, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(scheduling, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(hooks, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(without_privileges, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(warnings_do_not_fail, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(the_process_of_exec, document_setup,
						document_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
