/*
 * The decoder: every section of config.json in its struct, and the texts of the errors that users
 * meet.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "document.h"
#include "spec/decode.h"

static struct err error;

static struct spec *decode(const char *text)
{
	struct json_input input = document(text);
	struct spec *spec = NULL;

	input.log = &document_log;
	error = (struct err){0};
	if (spec_decode(&input, &spec, &error))
		fail_msg("%s", error.text);
	return spec;
}

static void refuses(const char *text, const char *refusal, const char *pointer)
{
	struct json_input input = document(text);
	struct spec *spec;

	error = (struct err){0};
	if (!spec_decode(&input, &spec, &error))
		fail_msg("%s was taken", text);
	assert_string_equal(error.text, refusal);
	assert_string_equal(error.pointer, pointer);
}

static void the_top_and_the_root(void **state)
{
	struct spec *s =
		decode("{'ociVersion':'1.3.0','hostname':'h','domainname':'d',"
		       "'root':{'path':'rootfs','readonly':true},'annotations':{'a':'1','b':''},"
		       "'windows':{'x':[]}}");

	(void)state;
	assert_string_equal(s->oci_version, "1.3.0");
	assert_string_equal(s->hostname, "h");
	assert_string_equal(s->domainname, "d");
	assert_string_equal(s->root->path, "rootfs");
	assert_true(s->root->readonly);
	assert_int_equal(s->annotations.count, 2);
	assert_string_equal(s->annotations.item[0].key, "a");
	assert_string_equal(s->annotations.item[1].value, "");
	assert_null(s->process);
	assert_string_equal(document_log_text,
			    "debug: config.json:1:127: unknown member windows is ignored\n");
}

static void mounts_and_their_mappings(void **state)
{
	struct spec *s =
		decode("{'mounts':[{'destination':'/proc','type':'proc','source':'proc'},"
		       "{'destination':'/a','options':['rbind','ro'],"
		       "'uidMappings':[{'containerID':0,'hostID':1000,'size':65536}],"
		       "'gidMappings':[{'containerID':1,'hostID':4294967295,'size':2}]}]}");

	(void)state;
	assert_int_equal(s->mounts.count, 2);
	assert_string_equal(s->mounts.item[0].type, "proc");
	assert_int_equal(s->mounts.item[1].options.count, 2);
	assert_string_equal(s->mounts.item[1].options.item[1], "ro");
	assert_int_equal(s->mounts.item[1].uid_mappings.item[0].host_id, 1000);
	assert_int_equal(s->mounts.item[1].uid_mappings.item[0].size, 65536);
	assert_int_equal(s->mounts.item[1].gid_mappings.item[0].host_id, UINT32_MAX);
}

static void a_process_with_everything(void **state)
{
	struct spec_process *p =
		decode("{'process':{'terminal':true,'consoleSize':{'height':25,'width':80},"
		       "'user':{'uid':1,'gid':2,'umask':18,'additionalGids':[5,6],"
		       "'username':'ignored'},"
		       "'args':['sh','-c','echo \\\"hi\\\"'],'env':['A=1'],'cwd':'/',"
		       "'rlimits':[{'type':'RLIMIT_NOFILE','hard':18446744073709551615,'soft':7}],"
		       "'noNewPrivileges':true,'apparmorProfile':'ap','selinuxLabel':'se',"
		       "'oomScoreAdj':-500,"
		       "'scheduler':{'policy':'SCHED_DEADLINE','nice':-1,'priority':2,"
		       "'runtime':3,'deadline':4,"
		       "'period':5,'flags':['SCHED_FLAG_RECLAIM','SCHED_FLAG_RESET_ON_FORK']},"
		       "'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':4},"
		       "'execCPUAffinity':{'initial':'0-3','final':'7'}}}")
			->process;

	(void)state;
	assert_true(p->terminal && p->no_new_privileges);
	assert_true(p->console_size.height.value == 25 && p->console_size.width.value == 80);
	assert_int_equal(p->user.uid, 1);
	assert_int_equal(p->user.gid, 2);
	assert_int_equal(p->user.umask.value, 022);
	assert_int_equal(p->user.additional_gid_count, 2);
	assert_int_equal(p->user.additional_gids[1], 6);
	assert_int_equal(p->args.count, 3);
	assert_string_equal(p->args.item[2], "echo \"hi\"");
	assert_string_equal(p->env.item[0], "A=1");
	assert_int_equal(p->rlimits.item[0].type, RLIMIT_NOFILE);
	assert_true(p->rlimits.item[0].hard == UINT64_MAX && p->rlimits.item[0].soft == 7);
	assert_string_equal(p->apparmor_profile, "ap");
	assert_string_equal(p->selinux_label, "se");
	assert_int_equal(p->oom_score_adj.value, -500);
	assert_int_equal(p->scheduler->policy, 6);
	assert_int_equal(p->scheduler->nice.value, -1);
	assert_int_equal(p->scheduler->period.value, 5);
	assert_int_equal(p->scheduler->flags, 3);
	assert_int_equal(p->io_priority->class, 3);
	assert_int_equal(p->io_priority->priority, 4);
	assert_string_equal(p->exec_cpu_affinity.initial, "0-3");
	assert_string_equal(p->exec_cpu_affinity.final, "7");
	assert_null(p->capabilities);
}

static void capabilities_become_masks(void **state)
{
	struct spec_capabilities *c =
		decode("{'process':{'capabilities':{'bounding':['CAP_CHOWN','CAP_NEW',"
		       "'CAP_CHECKPOINT_RESTORE'],'effective':['cap_kill'],'permitted':[],"
		       "'inheritable':['CAP_KILL'],'ambient':['CAP_KILL']}}}")
			->process->capabilities;

	(void)state;
	assert_true(c->bounding ==
		    (UINT64_C(1) << CAP_CHOWN | UINT64_C(1) << CAP_CHECKPOINT_RESTORE));
	assert_true(c->inheritable == 1 << CAP_KILL && c->ambient == 1 << CAP_KILL);
	assert_true(!c->effective && !c->permitted);
	assert_int_equal(c->unknown.count, 2);
	assert_string_equal(c->unknown.item[0], "CAP_NEW");
	assert_string_equal(c->unknown.item[1], "cap_kill");
}

static void hooks_tell_an_absent_env_from_an_empty_one(void **state)
{
	struct spec_hooks *h =
		&decode("{'hooks':{'prestart':[{'path':'/a','args':['a'],'env':[],'timeout':3},"
			"{'path':'/b','env':null}],'createRuntime':[],"
			"'createContainer':[{'path':'/c'}],"
			"'startContainer':[{'path':'/d'}],'poststart':[{'path':'/e'}],"
			"'poststop':[{'path':'/f','env':['X=1']}]}}")
			 ->hooks;

	(void)state;
	assert_int_equal(h->kind[HOOK_PRESTART].count, 2);
	assert_true(h->kind[HOOK_PRESTART].item[0].env_given);
	assert_int_equal(h->kind[HOOK_PRESTART].item[0].timeout.value, 3);
	assert_false(h->kind[HOOK_PRESTART].item[1].env_given);
	assert_int_equal(h->kind[HOOK_CREATE_RUNTIME].count, 0);
	assert_string_equal(h->kind[HOOK_CREATE_CONTAINER].item[0].path, "/c");
	assert_string_equal(h->kind[HOOK_START_CONTAINER].item[0].path, "/d");
	assert_string_equal(h->kind[HOOK_POSTSTART].item[0].path, "/e");
	assert_string_equal(h->kind[HOOK_POSTSTOP].item[0].env.item[0], "X=1");
}

static void linux_with_everything_small(void **state)
{
	struct spec_linux *l =
		&decode("{'linux':{'namespaces':[{'type':'pid'},{'type':'network',"
			"'path':'/n'},{'type':'ipc','path':''}],"
			"'uidMappings':[{'containerID':1,'hostID':2,'size':3}],"
			"'gidMappings':[{'size':4}],"
			"'devices':[{'path':'/dev/x','type':'c','major':10,'minor':229,"
			"'fileMode':438,'uid':1,'gid':0}],"
			"'netDevices':{'eth0':{'name':'e'},'eth1':{}},'sysctl':{'net.x':'1'},"
			"'timeOffsets':{'monotonic':{'secs':-5,'nanosecs':6},'boottime':{}},"
			"'cgroupsPath':'/cg',"
			"'rootfsPropagation':'rslave','maskedPaths':['/m'],"
			"'readonlyPaths':['/r'],'mountLabel':'ml',"
			"'intelRdt':{'closID':'c','l3CacheSchema':'l','memBwSchema':'MB:',"
			"'schemata':['s'],'enableMonitoring':true},"
			"'memoryPolicy':{'mode':'MPOL_BIND','nodes':'0-1',"
			"'flags':['MPOL_F_STATIC_NODES']},"
			"'personality':{'domain':'LINUX32','flags':['x']}}}")
			 ->linux_;

	(void)state;
	assert_int_equal(l->namespaces.count, 3);
	assert_int_equal(l->namespaces.item[0].type, NS_PID);
	assert_null(l->namespaces.item[0].path);
	assert_string_equal(l->namespaces.item[1].path, "/n");
	assert_null(l->namespaces.item[2].path);
	assert_int_equal(l->uid_mappings.item[0].size, 3);
	assert_int_equal(l->gid_mappings.item[0].size, 4);
	assert_int_equal(l->devices.item[0].type, 'c');
	assert_int_equal(l->devices.item[0].minor, 229);
	assert_int_equal(l->devices.item[0].file_mode.value, 0666);
	assert_true(l->devices.item[0].gid.set);
	assert_string_equal(l->net_devices.item[0].host_name, "eth0");
	assert_string_equal(l->net_devices.item[0].name, "e");
	assert_null(l->net_devices.item[1].name);
	assert_string_equal(l->sysctl.item[0].key, "net.x");
	assert_true(l->time_offsets.monotonic.set && l->time_offsets.monotonic.secs == -5 &&
		    l->time_offsets.monotonic.nanosecs == 6 && l->time_offsets.boottime.set);
	assert_string_equal(l->cgroups_path, "/cg");
	assert_string_equal(l->rootfs_propagation, "rslave");
	assert_string_equal(l->masked_paths.item[0], "/m");
	assert_string_equal(l->readonly_paths.item[0], "/r");
	assert_string_equal(l->mount_label, "ml");
	assert_string_equal(l->intel_rdt->schemata.item[0], "s");
	assert_true(l->intel_rdt->enable_monitoring.value);
	assert_int_equal(l->memory_policy->mode, POLICY_BIND);
	assert_int_equal(l->memory_policy->flags, 1 << 15);
	assert_int_equal(l->personality->domain, DOMAIN_LINUX32);
	assert_null(l->resources);
	assert_null(l->seccomp);
}

static void seccomp_with_everything(void **state)
{
	struct spec_seccomp *s =
		decode("{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
		       "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X32','SCMP_ARCH_RISCV64'],"
		       "'flags':['SECCOMP_FILTER_FLAG_LOG'],'listenerPath':'/s',"
		       "'listenerMetadata':'m',"
		       "'syscalls':[{'names':['read','write'],'action':'SCMP_ACT_ALLOW'},"
		       "{'names':['clone'],'action':'SCMP_ACT_KILL','errnoRet':1,"
		       "'args':[{'index':5,'value':18446744073709551615,'valueTwo':2,"
		       "'op':'SCMP_CMP_MASKED_EQ'}]}]}}}")
			->linux_.seccomp;

	(void)state;
	assert_int_equal(s->default_action, ACT_ERRNO);
	assert_int_equal(s->default_errno_ret.value, 38);
	assert_int_equal(s->architecture_count, 3);
	assert_int_equal(s->architectures[0], AUDIT_ARCH_X86_64);
	assert_int_equal(s->architectures[1], SPEC_ARCH_X32);
	assert_true(s->flags_given);
	assert_int_equal(s->flags, 2);
	assert_string_equal(s->listener_path, "/s");
	assert_int_equal(s->rule_count, 2);
	assert_int_equal(s->rules[0].names.count, 2);
	assert_int_equal(s->rules[1].action, ACT_KILL_THREAD);
	assert_int_equal(s->rules[1].errno_ret.value, 1);
	assert_int_equal(s->rules[1].arg_count, 1);
	assert_true(s->rules[1].args[0].value == UINT64_MAX);
	assert_int_equal(s->rules[1].args[0].op, OP_MASKED_EQ);
	s = decode("{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW'}}}")->linux_.seccomp;
	assert_false(s->flags_given);
}

static const char all_resources[] =
	"{'devices':[{'allow':false,'access':'rwm'},{'allow':true,'type':'c','major':1,"
	"'minor':3,'access':'r'},"
	"{'type':'','minor':-1}],"
	"'memory':{'limit':-1,'reservation':2,'swap':3,'kernel':4,'kernelTCP':5,'swappiness':6,"
	"'disableOOMKiller':true,'useHierarchy':false,'checkBeforeUpdate':true},"
	"'cpu':{'shares':1,'quota':-2,'burst':3,'period':4,'realtimeRuntime':5,'realtimePeriod':6,"
	"'cpus':'0','mems':'1','idle':1},'pids':{'limit':9},"
	"'blockIO':{'weight':10,'leafWeight':11,'weightDevice':[{'major':8,'minor':0,"
	"'weight':12,'leafWeight':13}],"
	"'throttleReadBpsDevice':[{'major':8,'minor':1,'rate':14}],"
	"'throttleWriteBpsDevice':[{'rate':15}],"
	"'throttleReadIOPSDevice':[{'rate':16}],'throttleWriteIOPSDevice':[{'rate':17}]},"
	"'hugepageLimits':[{'pageSize':'2MB','limit':18}],"
	"'network':{'classID':19,'priorities':[{'name':'eth0','priority':20}]},"
	"'rdma':{'mlx5_1':{'hcaHandles':21,'hcaObjects':22}},'unified':{'memory.high':'23'}}";

static void resources_with_everything(void **state)
{
	struct json_input input = document(all_resources);
	struct spec_resources *r = NULL;

	(void)state;
	assert_int_equal(spec_decode_resources(&input, &r, &error), 0);
	assert_int_equal(r->devices.count, 3);
	assert_true(r->devices.item[0].type == 'a' && r->devices.item[0].major == -1 &&
		    r->devices.item[0].minor == -1);
	assert_true(r->devices.item[1].type == 'c' && r->devices.item[1].major == 1 &&
		    r->devices.item[1].allow);
	assert_true(r->devices.item[2].type == 'a' && !r->devices.item[2].access);
	assert_true(r->memory.limit.value == -1 && r->memory.reservation.value == 2 &&
		    r->memory.swap.value == 3 && r->memory.kernel.value == 4 &&
		    r->memory.kernel_tcp.value == 5 && r->memory.swappiness.value == 6);
	assert_true(r->memory.disable_oom_killer.value && r->memory.use_hierarchy.set &&
		    r->memory.check_before_update.value);
	assert_true(r->cpu.shares.value == 1 && r->cpu.quota.value == -2 &&
		    r->cpu.burst.value == 3 && r->cpu.period.value == 4 &&
		    r->cpu.realtime_runtime.value == 5 && r->cpu.realtime_period.value == 6 &&
		    r->cpu.idle.value == 1);
	assert_string_equal(r->cpu.cpus, "0");
	assert_string_equal(r->cpu.mems, "1");
	assert_int_equal(r->pids_limit.value, 9);
	assert_true(r->block_io.weight.value == 10 && r->block_io.leaf_weight.value == 11);
	assert_int_equal(r->block_io.weight_device.item[0].leaf_weight.value, 13);
	assert_int_equal(r->block_io.throttle_read_bps.item[0].rate, 14);
	assert_int_equal(r->block_io.throttle_write_bps.item[0].rate, 15);
	assert_int_equal(r->block_io.throttle_read_iops.item[0].rate, 16);
	assert_int_equal(r->block_io.throttle_write_iops.item[0].rate, 17);
	assert_string_equal(r->hugepage_limits.item[0].page_size, "2MB");
	assert_int_equal(r->network_class_id.value, 19);
	assert_int_equal(r->network_priorities.item[0].priority, 20);
	assert_string_equal(r->rdma.item[0].device, "mlx5_1");
	assert_int_equal(r->rdma.item[0].hca_objects.value, 22);
	assert_string_equal(r->unified.item[0].value, "23");
}

static void a_process_alone(void **state)
{
	struct json_input input = document("{'args':['id'],'cwd':'/tmp'}"),
			  null = document(" null");
	struct spec_process *p = NULL;

	(void)state;
	assert_int_equal(spec_decode_process(&input, &p, &error), 0);
	assert_string_equal(p->args.item[0], "id");
	assert_int_equal(spec_decode_process(&null, &p, &error), -1);
	assert_string_equal(error.text, "process property must not be empty");
}

static void wrong_words_have_the_texts_of_runc(void **state)
{
	(void)state;
	refuses(" null", "config cannot be null", "");
	refuses("{ bad",
		"config.json:1:3: invalid character 'b' looking for beginning of object key string",
		"");
	refuses("{'process':{'noNewPrivileges':'yes'}}",
		"config.json:1:31: cannot use string as bool for process.noNewPrivileges",
		"/process/noNewPrivileges");
	refuses("{'process':{'rlimits':[{'type':'RLIMIT_FOO'}]}}",
		"config.json:1:32: wrong rlimit value: RLIMIT_FOO", "/process/rlimits/0/type");
	refuses("{'process':{'ioPriority':{'class':'X'}}}",
		"config.json:1:35: invalid ioPriority.Class: \"X\"", "/process/ioPriority/class");
	refuses("{'linux':{'namespaces':[{'type':'foo'}]}}",
		"config.json:1:33: namespace {\"foo\" \"\"} does not exist",
		"/linux/namespaces/0/type");
	refuses("{'linux':{'namespaces':[{}]}}",
		"config.json:1:25: namespace {\"\" \"\"} does not exist", "/linux/namespaces/0");
	refuses("{'linux':{'devices':[{'type':'q'}]}}",
		"config.json:1:30: invalid device type \"q\"", "/linux/devices/0/type");
	refuses("{'linux':{'resources':{'devices':[{'type':'x'}]}}}",
		"config.json:1:43: invalid cgroup device type \"x\"",
		"/linux/resources/devices/0/type");
	refuses("{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_FOO'}}}",
		"config.json:1:38: string SCMP_ACT_FOO is not a valid action for seccomp",
		"/linux/seccomp/defaultAction");
	refuses("{'process':{'user':{'uid':-1}}}",
		"config.json:1:27: number -1 for process.user.uid is out of range (0 to "
		"4294967295)",
		"/process/user/uid");
}

#define SECCOMP_RULE(fields) \
	"{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW','syscalls':[" fields "]}}}"

static void each_list_of_names_has_its_text(void **state)
{
	static const struct {
		const char *text, *refusal, *pointer;
	} rows[] = {
		{"{'process':{'scheduler':{\n'policy':'SCHED_FOO'}}}",
		 "config.json:2:10: invalid scheduler policy: SCHED_FOO",
		 "/process/scheduler/policy"},
		{"{'process':{'scheduler':{'flags':[\n\n'SCHED_FLAG_RECLAIM','X']}}}",
		 "config.json:3:22: invalid scheduler flag: X", "/process/scheduler/flags/1"},
		{"{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW',\n"
		 "'architectures':['SCMP_ARCH_VAX']}}}",
		 "config.json:2:18: string SCMP_ARCH_VAX is not a valid arch for seccomp",
		 "/linux/seccomp/architectures/0"},
		{"{'linux':{'seccomp':{'defaultAction':'SCMP_ACT_ALLOW',\n 'flags':['F']}}}",
		 "config.json:2:11: seccomp flag F is not known", "/linux/seccomp/flags/0"},
		{"{'linux':{'seccomp':\n{}}}",
		 "config.json:2:1: string  is not a valid action for seccomp", "/linux/seccomp"},
		{SECCOMP_RULE("{'action':'SCMP_ACT_ALLOW'},\n{'names':['a']}"),
		 "config.json:2:1: string  is not a valid action for seccomp",
		 "/linux/seccomp/syscalls/1"},
		{SECCOMP_RULE("{'action':'SCMP_ACT_ALLOW','args':[{\n'op':'SCMP_CMP_XX'}]}"),
		 "config.json:2:6: string SCMP_CMP_XX is not a valid operator for seccomp",
		 "/linux/seccomp/syscalls/0/args/0/op"},
		{"{'linux':{'memoryPolicy':{\n'mode':'MPOL_FOO'}}}",
		 "config.json:2:8: invalid memory policy mode \"MPOL_FOO\"",
		 "/linux/memoryPolicy/mode"},
		{"{'linux':{'memoryPolicy':{'mode':'MPOL_BIND',\n'flags':['MPOL_F_FOO']}}}",
		 "config.json:2:10: invalid memory policy flag \"MPOL_F_FOO\"",
		 "/linux/memoryPolicy/flags/0"},
		{"{'linux':{'personality':{\n'domain':'LINUX64'}}}",
		 "config.json:2:10: invalid personality domain LINUX64",
		 "/linux/personality/domain"},
		{"{'process':{'rlimits':[\n{'hard':1}]}}",
		 "config.json:2:1: wrong rlimit value: ", "/process/rlimits/0"},
		{"{'linux':{'devices':[\n{'path':'/dev/x'}]}}",
		 "config.json:2:1: invalid device type \"\"", "/linux/devices/0"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		refuses(rows[i].text, rows[i].refusal, rows[i].pointer);
}

/* Numbers at both ends of what the fields of each width hold, and what is no whole number. */
static void numbers_have_their_ranges(void **state)
{
	static const struct {
		const char *text, *refusal, *pointer;
	} rows[] = {
		{"{'process':{'oomScoreAdj':\n2147483648}}",
		 "config.json:2:1: number 2147483648 for process.oomScoreAdj is out of range "
		 "(-2147483648 to 2147483647)",
		 "/process/oomScoreAdj"},
		{"{'process':{'rlimits':[{'type':'RLIMIT_CPU','hard':\n-1}]}}",
		 "config.json:2:1: number -1 for process.rlimits[0].hard is out of range (0 to "
		 "18446744073709551615)",
		 "/process/rlimits/0/hard"},
		{"{'linux':{'resources':{'pids':{'limit':\n9223372036854775808}}}}",
		 "config.json:2:1: number 9223372036854775808 for linux.resources.pids.limit is "
		 "out of range (-9223372036854775808 to 9223372036854775807)",
		 "/linux/resources/pids/limit"},
		{"{'linux':{'resources':{'blockIO':{'weight':\n65536}}}}",
		 "config.json:2:1: number 65536 for linux.resources.blockIO.weight is out of range "
		 "(0 to 65535)",
		 "/linux/resources/blockIO/weight"},
		{"{'process':{'user':{'gid':\n1e3}}}",
		 "config.json:2:1: number 1e3 for process.user.gid is not an integer",
		 "/process/user/gid"},
		{"{'process':{'user':{'additionalGids':[0,\n1.5]}}}",
		 "config.json:2:1: number 1.5 for process.user.additionalGids[1] is not an integer",
		 "/process/user/additionalGids/1"},
		{"{'hooks':{'poststop':[{'timeout':\n'5'}]}}",
		 "config.json:2:1: cannot use string as integer for hooks.poststop[0].timeout",
		 "/hooks/poststop/0/timeout"},
	};

	(void)state;
	for (size_t i = 0; i < array_len(rows); i++)
		refuses(rows[i].text, rows[i].refusal, rows[i].pointer);
}

/* However much of a file has come, it is refused at its end, never read beyond it. */
static void a_file_that_is_cut_off_anywhere_is_refused(void **state)
{
	static const char text[] =
		"{'process':{'user':{'uid':0},'args':['s\\u00fc\xc3\xbc','\\ud83d\\ude00'],"
		"'noNewPrivileges':true,'env':null},'vendor':[{'a':1.5e-3},false],"
		"'annotations':{'a':''},'linux':{'namespaces':[{'type':'pid'}],'resources':"
		"{'devices':[{'allow':false,'access':'rwm'}]}}}";
	struct spec *spec;

	(void)state;
	decode(text);
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		struct json_input input = document(text);

		input = document_bytes(input.text, length);
		error = (struct err){0};
		if (!spec_decode(&input, &spec, &error))
			fail_msg("%.*s was taken", (int)length, text);
		assert_int_equal(error.code, ERR_INVALID);
		assert_int_equal(strncmp(error.text, "config.json:1:", 14), 0);
	}
}

static void resources_alone(void **state)
{
	struct json_input null = document("null"), wrong = document("{'memory':\n{'limit':'1G'}}");
	struct spec_resources *r;

	(void)state;
	assert_int_equal(spec_decode_resources(&null, &r, &error), -1);
	assert_string_equal(error.text, "resources cannot be null");
	assert_int_equal(spec_decode_resources(&wrong, &r, &error), -1);
	assert_string_equal(error.text,
			    "config.json:2:10: cannot use string as integer for memory.limit");
	assert_string_equal(error.pointer, "/memory/limit");
}

static void a_bundle_is_loaded_from_its_directory(void **state)
{
	char folder[] = "/tmp/creel-decode-XXXXXX", path[64];
	struct json_input input;
	struct spec *spec;
	FILE *file;
	int dir;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(spec_load(dir, "config.json", &document_arena, NULL, &spec, NULL, &error),
			 -1);
	assert_string_equal(error.text, "JSON specification file config.json not found");
	assert_int_equal(error.sys, ENOENT);
	(void)snprintf(path, sizeof(path), "%s/config.json", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs("{\n  \"hostname\": \"h\\u0041\",\n  \"process\": {\"cwd\": \"/\"}\n}\n", file);
	(void)fclose(file);
	assert_int_equal(
		spec_load(dir, "config.json", &document_arena, NULL, &spec, &input, &error), 0);
	assert_string_equal(spec->hostname, "hA");
	err_set(&error, ERR_INVALID, "later");
	spec_point(&input, &error);
	assert_string_equal(error.text, "later");
	err_in(&error, "/process/cwd");
	spec_point(&input, &error);
	spec_point(&input, &error);
	assert_string_equal(error.text, "config.json:3:22: later");
	assert_string_equal(error.pointer, "/process/cwd");
	(void)unlink(path);
	(void)mkfifo(path, 0600);
	assert_int_equal(spec_load(dir, "config.json", &document_arena, NULL, &spec, NULL, &error),
			 -1);
	assert_string_equal(error.text, "read config.json: not a regular file");
	(void)unlink(path);
	(void)close(dir);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_top_and_the_root, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(mounts_and_their_mappings, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(a_process_with_everything, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(capabilities_become_masks, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(hooks_tell_an_absent_env_from_an_empty_one,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(linux_with_everything_small, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(seccomp_with_everything, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(resources_with_everything, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(a_process_alone, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(wrong_words_have_the_texts_of_runc, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(each_list_of_names_has_its_text, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(numbers_have_their_ranges, document_setup,
						document_teardown),
		cmocka_unit_test_setup_teardown(a_file_that_is_cut_off_anywhere_is_refused,
						document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(resources_alone, document_setup, document_teardown),
		cmocka_unit_test_setup_teardown(a_bundle_is_loaded_from_its_directory,
						document_setup, document_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
