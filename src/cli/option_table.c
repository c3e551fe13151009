/*
 * The one table of options. It drives the parser (options.c), the help texts (help.c), which the
 * completions read, and by way of tools/words.c the manual pages and docs/commands.md. Rows that
 * belong to several commands stand once. The order is that of the help texts. Where a value is one
 * of a few words the text ends with them, "a, b or c": the completions offer these.
 *
 * Names are those of runc; --config, --cgroup-manager, --log-level and --regex are crun's.
 */
#include <stddef.h>

#include "cli/options.h"

#define at(field) offsetof(struct call, field)
#define in(command) (1u << COMMAND_##command)

#define IN_CREATE_RUN (in(CREATE) | in(RUN))
#define IN_PLANNED (IN_CREATE_RUN | in(EXPLAIN))
#define IN_ALL ((1u << COMMANDS) - 1)

const struct option option_table[] = {
	/* global */
	{"debug", 0, OPTION_SWITCH, false, at(debug), in(NONE), "",
	 "log what is done, step by step (same as --log-level debug)"},
	{"log", 0, OPTION_TEXT, false, at(log), in(NONE), "FILE",
	 "append messages to FILE, or send them to journald:ID or syslog:ID; "
	 "errors go to stderr as well"},
	{"log-format", 0, OPTION_TEXT, false, at(log_format), in(NONE), "FORMAT",
	 "form of messages: text or json (default: text)"},
	{"log-level", 0, OPTION_TEXT, false, at(log_level), in(NONE), "LEVEL",
	 "least serious messages to log: error, warning, info or debug (default: warning)"},
	{"root", 0, OPTION_TEXT, false, at(root), in(NONE), "DIR",
	 "directory for the state of containers (default: /run/creel)"},
	{"systemd-cgroup", 0, OPTION_SWITCH, false, at(systemd_cgroup), in(NONE), "",
	 "let systemd make the cgroups; cgroupsPath is slice:prefix:name"},
	{"cgroup-manager", 0, OPTION_TEXT, false, at(cgroup_manager), in(NONE), "MANAGER",
	 "who makes the cgroups: cgroupfs, systemd or disabled (default: cgroupfs)"},
	{"rootless", 0, OPTION_TEXT, false, at(rootless), in(NONE), "MODE",
	 "ignore missing cgroup permissions: true, false or auto (default: auto)"},
	{"criu", 0, OPTION_TEXT, true, at(criu), in(NONE), "PATH", "ignored"},
	{"version", 'v', OPTION_SWITCH, false, at(version), in(NONE), "", "print the version"},

	/* create, run, explain */
	{"bundle", 'b', OPTION_TEXT, false, at(create.bundle), IN_PLANNED | in(SPEC), "DIR",
	 "directory of the bundle (default: the current directory)"},
	{"config", 'f', OPTION_TEXT, false, at(create.config), IN_PLANNED, "FILE",
	 "configuration to use in place of the bundle's config.json"},
	{"detach", 'd', OPTION_SWITCH, false, at(create.detach), in(RUN), "",
	 "return as soon as the program runs"},
	{"detach", 'd', OPTION_SWITCH, true, at(create.detach), in(CREATE), "",
	 "ignored: create always detaches"},
	{"console-socket", 0, OPTION_TEXT, false, at(create.console_socket), IN_PLANNED, "PATH",
	 "unix socket that is sent the terminal's descriptor"},
	{"pidfd-socket", 0, OPTION_TEXT, false, at(create.pidfd_socket), IN_CREATE_RUN, "PATH",
	 "unix socket that is sent a pidfd of the container's init"},
	{"pid-file", 0, OPTION_TEXT, false, at(create.pid_file), IN_CREATE_RUN, "FILE",
	 "file that gets the pid of the container's init"},
	{"no-pivot", 0, OPTION_SWITCH, false, at(create.no_pivot), IN_PLANNED, "",
	 "do not use pivot_root; for a rootfs on a ramdisk"},
	{"no-new-keyring", 0, OPTION_SWITCH, false, at(create.no_new_keyring), IN_PLANNED, "",
	 "keep the caller's session keyring"},
	{"preserve-fds", 0, OPTION_NUMBER, false, at(create.preserve_fds), IN_PLANNED, "N",
	 "pass N descriptors, from 3 on, to the container, after those of LISTEN_FDS"},
	{"keep", 0, OPTION_SWITCH, false, at(create.keep), in(RUN), "",
	 "do not delete the container when its program has ended"},
	{"no-subreaper", 0, OPTION_SWITCH, false, at(create.no_subreaper), in(RUN), "",
	 "do not become the reaper of the container's orphans"},

	/* delete, kill */
	{"force", 'f', OPTION_SWITCH, false, at(force), in(DELETE), "",
	 "kill the container first if it runs; a missing one is no error"},
	{"all", 'a', OPTION_SWITCH, false, at(all), in(KILL), "",
	 "signal every process of the container; a stopped one is no error"},
	{"regex", 'r', OPTION_SWITCH, false, at(regex), in(DELETE) | in(KILL), "",
	 "the id is a regular expression: all containers are meant that it matches"},

	/* events */
	{"interval", 0, OPTION_TEXT, false, at(interval), in(EVENTS), "DURATION",
	 "time from one report of usage to the next, such as 500ms or 1m (default: 5s)"},
	{"stats", 0, OPTION_SWITCH, false, at(events.stats), in(EVENTS), "",
	 "print what is used now, once, and end"},

	/* exec */
	{"process", 'p', OPTION_TEXT, false, at(exec.process), in(EXEC), "FILE",
	 "JSON file that describes the process, in place of a command and options"},
	{"cwd", 0, OPTION_TEXT, false, at(exec.cwd), in(EXEC), "DIR",
	 "working directory in the container"},
	{"env", 'e', OPTION_LIST, false, at(env), in(EXEC), "NAME=VALUE",
	 "set an environment variable (repeatable)"},
	{"tty", 't', OPTION_SWITCH, false, at(exec.terminal), in(EXEC), "", "allocate a terminal"},
	{"user", 'u', OPTION_TEXT, false, at(user), in(EXEC), "UID[:GID]",
	 "user and group to run as, as numbers"},
	{"additional-gids", 'g', OPTION_LIST, false, at(gids), in(EXEC), "GID",
	 "one more group, as a number (repeatable)"},
	{"detach", 'd', OPTION_SWITCH, false, at(exec.detach), in(EXEC), "",
	 "return as soon as the process runs"},
	{"console-socket", 0, OPTION_TEXT, false, at(exec.console_socket), in(EXEC), "PATH",
	 "unix socket that is sent the terminal's descriptor"},
	{"pidfd-socket", 0, OPTION_TEXT, false, at(exec.pidfd_socket), in(EXEC), "PATH",
	 "unix socket that is sent a pidfd of the process"},
	{"pid-file", 0, OPTION_TEXT, false, at(exec.pid_file), in(EXEC), "FILE",
	 "file that gets the pid of the process"},
	{"process-label", 0, OPTION_TEXT, false, at(exec.process_label), in(EXEC), "LABEL",
	 "SELinux label of the process"},
	{"apparmor", 0, OPTION_TEXT, false, at(exec.apparmor), in(EXEC), "PROFILE",
	 "AppArmor profile of the process"},
	{"no-new-privs", 0, OPTION_SWITCH, false, at(exec.no_new_privs), in(EXEC), "",
	 "set no_new_privs: the process cannot gain privileges by execve"},
	{"cap", 'c', OPTION_LIST, false, at(caps), in(EXEC), "CAP",
	 "capability to add to those of the container (repeatable)"},
	{"preserve-fds", 0, OPTION_NUMBER, false, at(exec.preserve_fds), in(EXEC), "N",
	 "pass N descriptors, from 3 on, to the process, after those of LISTEN_FDS"},
	{"cgroup", 0, OPTION_LIST, false, at(cgroups), in(EXEC), "[CTL:]PATH",
	 "run in this existing sub-cgroup; v1: of controller CTL (repeatable)"},
	{"ignore-paused", 0, OPTION_SWITCH, false, at(exec.ignore_paused), in(EXEC), "",
	 "start the process even if the container is paused; it waits for resume"},

	/* list, ps, spec */
	{"format", 'f', OPTION_TEXT, false, at(format), in(LIST) | in(PS), "FORMAT",
	 "table or json (default: table)"},
	{"quiet", 'q', OPTION_SWITCH, false, at(quiet), in(LIST), "", "print the ids alone"},
	{"rootless", 0, OPTION_SWITCH, false, at(template_rootless), in(SPEC), "",
	 "write a configuration that an ordinary user can run"},

	/* update */
	{"resources", 'r', OPTION_TEXT, false, at(resources), in(UPDATE), "FILE",
	 "take all limits from FILE, as JSON, and ignore the other options; - is stdin"},
	{"blkio-weight", 0, OPTION_TEXT, false, at(limits.blkio_weight), in(UPDATE), "N",
	 "share of block device time, 10 to 1000"},
	{"cpu-period", 0, OPTION_TEXT, false, at(limits.cpu_period), in(UPDATE), "MICROSECONDS",
	 "period that --cpu-quota is for"},
	{"cpu-quota", 0, OPTION_TEXT, false, at(limits.cpu_quota), in(UPDATE), "MICROSECONDS",
	 "processor time in each period; -1: no limit"},
	{"cpu-burst", 0, OPTION_TEXT, false, at(limits.cpu_burst), in(UPDATE), "MICROSECONDS",
	 "unused processor time that may be saved for a later period"},
	{"cpu-share", 0, OPTION_TEXT, false, at(limits.cpu_share), in(UPDATE), "N",
	 "share of processor time against other cgroups, 2 to 262144"},
	{"cpu-rt-period", 0, OPTION_TEXT, false, at(limits.cpu_rt_period), in(UPDATE),
	 "MICROSECONDS", "period that --cpu-rt-runtime is for (cgroup v1)"},
	{"cpu-rt-runtime", 0, OPTION_TEXT, false, at(limits.cpu_rt_runtime), in(UPDATE),
	 "MICROSECONDS", "realtime processor time in each period (cgroup v1)"},
	{"cpuset-cpus", 0, OPTION_TEXT, false, at(limits.cpuset_cpus), in(UPDATE), "LIST",
	 "processors to run on, such as 0-3,7"},
	{"cpuset-mems", 0, OPTION_TEXT, false, at(limits.cpuset_mems), in(UPDATE), "LIST",
	 "memory nodes to use"},
	{"cpu-idle", 0, OPTION_TEXT, false, at(limits.cpu_idle), in(UPDATE), "0|1",
	 "1: run only where a processor has nothing else to do"},
	{"memory", 0, OPTION_TEXT, false, at(limits.memory), in(UPDATE), "SIZE", "limit of memory"},
	{"memory-reservation", 0, OPTION_TEXT, false, at(limits.memory_reservation), in(UPDATE),
	 "SIZE", "memory that the container keeps when the machine runs short of it"},
	{"memory-swap", 0, OPTION_TEXT, false, at(limits.memory_swap), in(UPDATE), "SIZE",
	 "limit of memory and swap together"},
	{"kernel-memory", 0, OPTION_TEXT, true, at(limits.kernel_memory), in(UPDATE), "SIZE",
	 "ignored"},
	{"kernel-memory-tcp", 0, OPTION_TEXT, true, at(limits.kernel_memory_tcp), in(UPDATE),
	 "SIZE", "ignored"},
	{"pids-limit", 0, OPTION_TEXT, false, at(limits.pids_limit), in(UPDATE), "N",
	 "number of processes and threads; -1: no limit"},
	{"l3-cache-schema", 0, OPTION_TEXT, false, at(update.l3_cache_schema), in(UPDATE), "SCHEMA",
	 "Intel RDT/CAT: schema of the L3 cache"},
	{"mem-bw-schema", 0, OPTION_TEXT, false, at(update.mem_bw_schema), in(UPDATE), "SCHEMA",
	 "Intel RDT/MBA: schema of the memory bandwidth"},

	{"help", 'h', OPTION_SWITCH, false, at(help), IN_ALL, "", "show help"},
};

const size_t option_count = array_len(option_table);
