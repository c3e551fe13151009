/*
 * The one table of commands, as words: see commands.h. It drives the command line, the help texts,
 * the completions and, by way of tools/words.c, the manual pages and docs/commands.md. What a
 * command does stands in commands.c: a program that prints the words needs none of it.
 */
#include "cli/commands.h"

/* The formatter would indent each row twice. */
/* clang-format off */
const struct command command_table[COMMANDS] = {
	[COMMAND_NONE] = {
		.name = "",
		.operands = "[arguments...]",
		.summary = "Open Container Initiative runtime",
		.description =
			"Runs containers as the Open Container Initiative (OCI) describes\n"
			"them. A container is made from a bundle: a directory with a root\n"
			"filesystem and a file config.json, which says what is to run and\n"
			"how it is confined. To make a bundle and run it:\n"
			"\n"
			"    creel spec\n"
			"    creel run <container-id>\n",
	},
	[COMMAND_CHECKPOINT] = {
		.name = "checkpoint",
		.operands = "<container-id>",
		.summary = "save a running container to disk",
		.description =
			"Lets criu(8) write the processes of a running container as images,\n"
			"of which \"creel restore\" makes them again. The container is deleted\n"
			"then, unless it is to go on.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_CREATE] = {
		.name = "create",
		.operands = "<container-id>",
		.summary = "create a container",
		.description =
			"Makes the container that the bundle's config.json describes, up to\n"
			"the point where its program would begin to run. \"creel start\" lets\n"
			"it run.\n",
		.error_prefix = "runc create failed: ",
		.operands_min = 1,
		.operands_max = 1,
		.enters = true,
	},
	[COMMAND_DELETE] = {
		.name = "delete",
		.operands = "<container-id>",
		.summary = "delete a container and all that belongs to it",
		.description =
			"Deletes a stopped container, or one that was created and never\n"
			"started. A running one is deleted only with --force.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_EVENTS] = {
		.name = "events",
		.operands = "<container-id>",
		.summary = "tell what a container uses, and when its memory runs out",
		.description =
			"Prints one JSON object a line: {\"type\":\"stats\", ...} with what the\n"
			"container uses, again and again, and {\"type\":\"oom\", ...} when its\n"
			"memory runs out. Ends when the container does.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_EXEC] = {
		.name = "exec",
		.operands = "<container-id> <command> [arguments...]",
		.summary = "run one more process in a container",
		.description =
			"Runs a command in a container that was created or runs. Options of\n"
			"creel stand before the container's id; everything behind it\n"
			"belongs to the command. With --process no command is given. The\n"
			"exit status is that of the command, and 255 when it could not be\n"
			"run.\n",
		.error_prefix = "exec failed: ",
		.operands_min = 1,
		.operands_max = OPERANDS_ANY,
		.failure_status = 255,
		.enters = true,
		.first_operand_ends_options = true,
	},
	[COMMAND_EXPLAIN] = {
		.name = "explain",
		.operands = "[container-id]",
		.summary = "show the steps that create would take, and take none",
		.description =
			"Reads the bundle's config.json and prints the plan that creel\n"
			"makes of it for this machine, one step a line. Nothing is changed.\n",
		.operands_max = 1,
	},
	[COMMAND_FEATURES] = {
		.name = "features",
		.operands = "",
		.summary = "show what this runtime can do",
		.description =
			"Prints the features object of the OCI runtime specification as\n"
			"JSON.\n",
	},
	[COMMAND_KILL] = {
		.name = "kill",
		.operands = "<container-id> [signal]",
		.summary = "send a signal to a container (default: SIGTERM)",
		.description =
			"Sends the signal to the container's init process. A signal is a\n"
			"number or a name, with or without SIG: 9, KILL, SIGKILL, RTMIN+3.\n",
		.operands_min = 1,
		.operands_max = 2,
		.first_operand_ends_options = true,
	},
	[COMMAND_LIST] = {
		.name = "list",
		.operands = "",
		.summary = "list the containers",
		.description =
			"Lists the containers whose state is kept below the directory of\n"
			"the global option --root.\n",
	},
	[COMMAND_PAUSE] = {
		.name = "pause",
		.operands = "<container-id>",
		.summary = "stop all processes of a container for a while",
		.description =
			"Freezes every process of a container, until \"creel resume\".\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_PS] = {
		.name = "ps",
		.operands = "<container-id> [ps options...]",
		.summary = "show the processes of a container",
		.description =
			"Runs ps(1), with the options behind the container's id or else -ef,\n"
			"and prints the lines of the container's processes. The output must\n"
			"have a column PID.\n",
		.operands_min = 1,
		.operands_max = OPERANDS_ANY,
		.first_operand_ends_options = true,
	},
	[COMMAND_RESTORE] = {
		.name = "restore",
		.operands = "<container-id>",
		.summary = "run a container that was saved to disk",
		.description =
			"Makes a container of the images that \"creel checkpoint\" wrote, and of\n"
			"the same bundle, and lets it go on. Unless detached it waits until\n"
			"the program ends and deletes the container; the exit status is as\n"
			"that of \"creel run\".\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_RESUME] = {
		.name = "resume",
		.operands = "<container-id>",
		.summary = "let the processes of a paused container go on",
		.description = "Undoes \"creel pause\".\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_RUN] = {
		.name = "run",
		.operands = "<container-id>",
		.summary = "create and run a container",
		.description =
			"Does create and start, waits until the program ends and deletes\n"
			"the container. The exit status is that of the program, 128 + N\n"
			"when signal N ended it.\n",
		.error_prefix = "runc run failed: ",
		.operands_min = 1,
		.operands_max = 1,
		.enters = true,
	},
	[COMMAND_SPEC] = {
		.name = "spec",
		.operands = "",
		.summary = "write a config.json to start from",
		.description =
			"Writes the file config.json into the bundle. It runs \"sh\" on a\n"
			"terminal, in a root filesystem that you put into the directory\n"
			"\"rootfs\" beside it; edit it to taste.\n",
	},
	[COMMAND_START] = {
		.name = "start",
		.operands = "<container-id>",
		.summary = "run the program of a created container",
		.description = "Lets the program of a container run that \"creel create\" made.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_STATE] = {
		.name = "state",
		.operands = "<container-id>",
		.summary = "show the state of a container",
		.description =
			"Prints the state object of the OCI runtime specification as JSON.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_UPDATE] = {
		.name = "update",
		.operands = "<container-id>",
		.summary = "change the limits of a container",
		.description =
			"Changes limits of a container that is not stopped. Those that are not\n"
			"given stay as they are. When one cannot be set, none is changed.\n"
			"\n"
			"--resources takes them from a file in the form of linux.resources in\n"
			"config.json, for example\n"
			"\n"
			"    {\"memory\": {\"limit\": 67108864}, \"cpu\": {\"shares\": 512}}\n"
			"\n"
			"Sizes are in bytes, or have a unit: 64M, 1.5g. -1 is no limit.\n",
		.operands_min = 1,
		.operands_max = 1,
	},
	[COMMAND_HELP] = {
		.name = "help",
		.operands = "[command]",
		.summary = "show help for creel or for one command",
		.description = "Shows what \"creel COMMAND --help\" shows.\n",
		.operands_max = OPERANDS_ANY, /* like runc, which heeds the first */
	},
};
/* clang-format on */
