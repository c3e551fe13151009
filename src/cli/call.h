/*
 * One command line, taken apart: what options.c fills in and the commands read.
 *
 * Options that go to the library as they are have their place in creel_create and its like, the
 * structs of the public API; so a command seldom has to copy anything.
 */
#pragma once

#include <creel.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

/*
 * The rows of the table in command_table.c, in its order; options say by these where they belong.
 */
enum command_id {
	COMMAND_NONE, /* before the command: the global options */
	COMMAND_CHECKPOINT,
	COMMAND_CREATE,
	COMMAND_DELETE,
	COMMAND_EVENTS,
	COMMAND_EXEC,
	COMMAND_EXPLAIN,
	COMMAND_FEATURES,
	COMMAND_KILL,
	COMMAND_LIST,
	COMMAND_PAUSE,
	COMMAND_PS,
	COMMAND_RESTORE,
	COMMAND_RESUME,
	COMMAND_RUN,
	COMMAND_SPEC,
	COMMAND_START,
	COMMAND_STATE,
	COMMAND_UPDATE,
	COMMAND_HELP,
	COMMANDS,
};

struct environment;
struct logging;

struct call {
	char **argv;       /* the whole command line */
	const char *argv0; /* as it was typed: usage errors name it */
	const char *name;  /* its last part, "creel" or "runc": help names it */
	size_t words;      /* how many the command line has: no list is longer */
	const struct environment *environment;
	struct logging *logging;
	struct arena *arena; /* for lists and for what is printed */

	/* global options */
	bool debug, systemd_cgroup, help, version;
	const char *log, *log_format, *log_level, *root, *rootless, *cgroup_manager, *old_criu;

	/* what the options of commands hold beside the structs of the API */
	bool all, force, quiet, regex, template_rootless;
	const char *format, *user;
	int signal;
	struct str_list env, caps, gids, cgroups;
	struct creel_create create;
	struct creel_start start;
	struct creel_exec exec;
	struct creel_events events;
	struct creel_update update;
	struct creel_criu criu;
	const char *interval, *resources;
	const char *manage_cgroups_mode, *network_lock, *page_server; /* of criu */
	struct str_list empty_ns;
	struct { /* update: what was typed for each limit; cmd_update.c has what they are */
		const char *blkio_weight, *cpu_burst, *cpu_idle, *cpu_period, *cpu_quota,
			*cpu_rt_period, *cpu_rt_runtime, *cpu_share, *cpuset_cpus, *cpuset_mems,
			*kernel_memory, *kernel_memory_tcp, *memory, *memory_reservation,
			*memory_swap, *pids_limit;
	} limits;

	/* what is left of the command line after the command's name; ends with NULL */
	const char **operand;
	size_t operand_count;
};
