/*
 * One command line from its words to the exit status: take it apart, protect the process, call the
 * command, tell what went wrong. Nothing about a single command stands here.
 *
 * creel_protect comes before any descriptor is opened, but after the global options and the
 * command's name have been read, because it must know whether a container will be entered.
 */
#include "cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/error.h"
#include "cli/help.h"
#include "cli/log_line.h"
#include "cli/logging.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/relro.h"
#include "cli/root.h"

#define STATUS_FAILED 1
#define STATUS_NO_COMMAND 3

/*
 * Errors are big. Inlined, one in a function beside the way would be on the stack of every command.
 */
#define APART __attribute__((noinline))

/* Logs the error behind prefix (NULL: none) and returns status. */
static int failed(const struct call *call, const char *prefix, const struct creel_error *e,
		  int status)
{
	char message[sizeof(*e) + 64];
	size_t used = prefix ? strlen(prefix) : 0;

	if (used)
		memcpy(message, prefix, used);
	(void)creel_error_message(e, message + used, sizeof(message) - used);
	logging_failure(call->logging, message);
	return status;
}

/* Prints help on stdout, below why: a line of its own or nothing. */
static int print_help(const struct call *call, enum command_id command, const char *why,
		      struct creel_error *e)
{
	struct str text;

	str_init(&text, call->arena);
	str_add(&text, why);
	help_add(&text, call, command);
	return output_print(&text, e);
}

static int print_version(const struct call *call, struct creel_error *e)
{
	struct str text;

	str_init(&text, call->arena);
	help_add_version(&text, call);
	return output_print(&text, e);
}

/*
 * The words of a command line were wrong: as runc does, says so on stderr, prints help on stdout
 * and logs the error.
 */
APART static int misused(const struct call *call, enum command_id command,
			 const struct creel_error *why)
{
	struct creel_error ignored; /* of printing help: the misuse is what must be told */
	struct str text;

	str_init(&text, call->arena);
	str_add(&text, "Incorrect Usage: ");
	log_line_add_words(&text, why->text);
	str_add(&text, "\n\n");
	output_print_aside(&text);
	(void)!print_help(call, command, "", &ignored);
	return failed(call, NULL, why, STATUS_FAILED);
}

static int unknown_command(const struct call *call, const char *name, struct creel_error *e)
{
	const char *nearest = command_nearest(name);

	/* runc's text has the newline; before a hint it would be in the way. */
	cli_fail(e, CREEL_USAGE, "No help topic for '%s'%s", name, nearest ? "" : "\n");
	if (nearest)
		cli_hint(e, "did you mean %s?", nearest);
	return failed(call, NULL, e, STATUS_NO_COMMAND);
}

/* ---- what the library is to know ------------------------------------------------------------- */

static int parse_cgroup_manager(const struct call *call, enum creel_cgroup_manager *ret,
				struct creel_error *e)
{
	const char *name = call->cgroup_manager;

	if (!name)
		*ret = call->systemd_cgroup ? CREEL_CGROUP_SYSTEMD : CREEL_CGROUP_CGROUPFS;
	else if (str_equal(name, "cgroupfs"))
		*ret = CREEL_CGROUP_CGROUPFS;
	else if (str_equal(name, "systemd"))
		*ret = CREEL_CGROUP_SYSTEMD;
	else if (str_equal(name, "disabled"))
		*ret = CREEL_CGROUP_DISABLED;
	else
		return cli_fail(e, CREEL_USAGE, "invalid cgroup-manager: %s", name);
	return 0;
}

static int parse_rootless(const struct call *call, enum creel_rootless *ret, struct creel_error *e)
{
	bool value;

	if (!call->rootless || str_equal(call->rootless, "auto"))
		*ret = CREEL_ROOTLESS_AUTO;
	else if (options_parse_bool(call->rootless, &value))
		*ret = value ? CREEL_ROOTLESS_TRUE : CREEL_ROOTLESS_FALSE;
	else
		return cli_fail(e, CREEL_USAGE, "invalid rootless: %s", call->rootless);
	return 0;
}

/* LISTEN_FDS counts only when LISTEN_PID says that we are meant (sd_listen_fds(3)). */
static unsigned count_listen_fds(const struct environment *environment)
{
	uint32_t pid, count;

	if (!environment->listen_fds || !environment->listen_pid)
		return 0;
	if (!str_to_u32(environment->listen_pid, &pid) || pid != (uint32_t)getpid())
		return 0;
	return str_to_u32(environment->listen_fds, &count) ? count : 0;
}

/* Where the user's systemd is spoken to; NULL: not known. */
APART static int find_user_bus(const struct call *call, const char **ret, struct creel_error *e)
{
	const struct environment *environment = call->environment;
	const char *directory = environment->xdg_runtime_dir;
	struct err err;

	*ret = environment->session_bus;
	if ((*ret && **ret) || !directory || !*directory)
		return 0;
	*ret = arena_format(call->arena, &err, "unix:path=%s/bus", directory);
	return *ret ? 0 : cli_fail_base(e, &err);
}

/* Descriptors below it were given for a purpose. What nobody can have is refused later. */
static unsigned first_unwanted(const struct call *call)
{
	uint64_t first = (uint64_t)3 + call->create.listen_fds + call->create.preserve_fds +
			 call->exec.preserve_fds;

	if (call->criu.status_fd >= first)
		first = (uint64_t)call->criu.status_fd + 1;
	return first < INT32_MAX ? (unsigned)first : INT32_MAX;
}

static int open_library(struct call *call, struct creel **ret_creel, struct creel_error *e)
{
	const struct environment *environment = call->environment;
	struct creel_options options = {.argv = call->argv,
					.log_level = call->logging->level,
					.log = logging_message,
					.log_user = call->logging};

	if (parse_cgroup_manager(call, &options.cgroup_manager, e) ||
	    parse_rootless(call, &options.rootless, e) || root_choose(call, &options.root, e) ||
	    find_user_bus(call, &options.user_bus, e))
		return -1;
	call->criu.search_path = environment->path;
	call->create.listen_fds = call->exec.listen_fds = count_listen_fds(environment);
	creel_close_from(first_unwanted(call), call->logging->fd);
	if (environment->notify_socket && *environment->notify_socket)
		call->create.notify_socket = call->start.notify_socket = environment->notify_socket;
	*ret_creel = creel_new(&options, e);
	return *ret_creel ? 0 : -1;
}

/* ---- the commands ---------------------------------------------------------------------------- */

/* Runs the command with its operands. Returns the exit status, or −1 with *e filled. */
static int call_library(struct call *call, enum command_id id, struct creel_error *e)
{
	struct creel *creel;
	int status;

	if (call->old_criu)
		logging_message(call->logging, CREEL_LOG_WARNING,
				"--criu is ignored: criu is looked up in PATH");
	if (open_library(call, &creel, e))
		return -1;
	status = command_functions[id](call, creel, e);
	creel_free(creel);
	return status;
}

APART static int wrong_count(const struct call *call, const struct command *command,
			     struct creel_error *e)
{
	enum command_id id = (enum command_id)(command - command_table);
	bool few = call->operand_count < command->operands_min;
	struct creel_error ignored;
	const char *how;

	if (command->operands_min == command->operands_max)
		how = "exactly";
	else
		how = few ? "a minimum of" : "a maximum of";
	cli_fail(e, CREEL_USAGE, "%s: \"%s\" requires %s %u argument(s)", call->argv0,
		 command->name, how, few ? command->operands_min : command->operands_max);
	(void)!print_help(call, id, "Incorrect Usage.\n\n", &ignored);
	return failed(call, NULL, e, STATUS_FAILED);
}

static int run_help(const struct call *call, struct creel_error *e)
{
	enum command_id topic = COMMAND_NONE;

	if (call->operand_count) {
		topic = command_find(call->operand[0]);
		if (topic == COMMAND_NONE)
			return unknown_command(call, call->operand[0], e);
	}
	return print_help(call, topic, "", e) ? failed(call, NULL, e, STATUS_FAILED) : 0;
}

/* Takes the command's own words apart, which begin at argv[first], and carries it out. */
static int run_command(struct call *call, enum command_id id, char **argv, int first,
		       struct creel_error *e)
{
	const struct command *command = &command_table[id];
	int status;

	if (options_parse_command(call, id, argv, first, e))
		return misused(call, id, e);
	if (call->help)
		return print_help(call, id, "", e) ? failed(call, NULL, e, STATUS_FAILED) : 0;
	if (call->operand_count < command->operands_min ||
	    (command->operands_max != OPERANDS_ANY && call->operand_count > command->operands_max))
		return wrong_count(call, command, e);
	if (id == COMMAND_HELP)
		return run_help(call, e);
	status = call_library(call, id, e);
	if (status < 0)
		return failed(call, command->error_prefix, e,
			      command->failure_status ? command->failure_status : STATUS_FAILED);
	return status;
}

/* Help and version of the program itself: nothing is opened or changed for them. */
static int run_without_command(const struct call *call, struct creel_error *e)
{
	int rc = call->version ? print_version(call, e) : print_help(call, COMMAND_NONE, "", e);

	return rc ? failed(call, NULL, e, STATUS_FAILED) : 0;
}

static const char *program_name(const char *argv0)
{
	const char *slash = strrchr(argv0, '/');

	return str_equal(slash ? slash + 1 : argv0, "runc") ? "runc" : "creel";
}

static int run_words(struct call *call, int argc, char **argv, struct creel_error *e)
{
	enum command_id id;
	int next;

	if (options_parse_global(call, argc, argv, &next, e))
		return misused(call, COMMAND_NONE, e);
	if (call->help || call->version || next >= argc)
		return run_without_command(call, e);
	id = command_find(argv[next]);
	if (creel_protect(argv, command_table[id].enters, e) ||
	    logging_open(call->logging, call, e))
		return failed(call, NULL, e, STATUS_FAILED);
	if (id == COMMAND_NONE)
		return unknown_command(call, argv[next], e);
	if (command_table[id].enters)
		logging_message(call->logging, CREEL_LOG_DEBUG,
				"self-protection: no container can reach the program's file");
	return run_command(call, id, argv, next + 1, e);
}

/* What must be done before anything else can fail. */
APART static int prepare(struct arena *arena, struct creel_error *e)
{
	struct err err;

	if (relro_apply(&err) || arena_init(arena, ARENA_LIMIT, &err))
		return cli_fail_base(e, &err);
	return 0;
}

int cli_main(int argc, char **argv, const struct environment *environment)
{
	const char *argv0 = argc ? argv[0] : "creel";
	struct arena arena = {0};
	struct logging logging;
	struct call call = {
		.argv = argv,
		.argv0 = argv0,
		.name = program_name(argv0),
		.words = (size_t)argc,
		.environment = environment,
		.logging = &logging,
		.arena = &arena,
	};
	struct creel_error error;
	int status;

	logging_init(&logging, &arena);
	if (prepare(&arena, &error))
		return failed(&call, NULL, &error, STATUS_FAILED);
	status = run_words(&call, argc, argv, &error);
	arena_done(&arena);
	return status;
}
