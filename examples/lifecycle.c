/*
 * A container from its making to its end, with libcreel: made, started, entered, awaited, deleted.
 *
 *     cc -o lifecycle lifecycle.c $(pkg-config --cflags --libs creel)
 *     ./lifecycle STATE-DIRECTORY BUNDLE ID COMMAND...
 *
 * COMMAND runs in the container beside its program; the exit status is that of the program.
 */
#include <creel.h>
#include <stdio.h>
#include <sys/wait.h>

static int complain(const char *what, const struct creel_error *error)
{
	char message[sizeof(*error)];

	creel_error_message(error, message, sizeof(message));
	fprintf(stderr, "%s: %s\n", what, message);
	return -1;
}

/* Init is our child: its end is ours to wait for. */
static int wait_for(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* From the created container to the end of its program; returns its exit status. */
static int live(struct creel *creel, const char *id, const char *const *command)
{
	const struct creel_start start = {0};
	const struct creel_exec exec = {.args = command};
	const struct creel_state *state;
	struct creel_error error;
	int status;
	pid_t pid;

	if (creel_state(creel, id, &state, &error))
		return complain("state", &error);
	pid = state->pid; /* state is good until the next call */
	printf("%s is %s\n", id, creel_status_name(state->status));
	if (creel_start(creel, id, &start, &error))
		return complain("start", &error);
	if (creel_exec(creel, id, &exec, &status, &error))
		return complain("exec", &error);
	printf("%s ended with %d\n", command[0], status);
	fflush(stdout);
	return wait_for(pid);
}

static int make_and_delete(struct creel *creel, const char *bundle, const char *id,
			   const char *const *command)
{
	const struct creel_create create = {.bundle = bundle};
	struct creel_error error;
	int status;

	if (creel_create(creel, id, &create, &error))
		return complain("create", &error);
	status = live(creel, id, command);
	/* By force: whatever failed above, nothing is left. */
	if (creel_delete(creel, id, true, &error))
		return complain("delete", &error);
	return status;
}

int main(int argc, char **argv)
{
	struct creel_options options = {0};
	struct creel_error error;
	struct creel *creel;
	int status;

	/* First of all: from here on the program runs from a copy that no container can reach. */
	if (creel_protect(argv, true, &error)) {
		complain("protect", &error);
		return 255;
	}
	creel_close_from(3, -1); /* what others have left open here is not for hooks */
	if (argc < 5) {
		fprintf(stderr, "usage: lifecycle STATE-DIRECTORY BUNDLE ID COMMAND...\n");
		return 255;
	}
	options.root = argv[1];
	creel = creel_new(&options, &error);
	if (!creel) {
		complain("creel", &error);
		return 255;
	}
	status = make_and_delete(creel, argv[2], argv[3], (const char *const *)argv + 4);
	creel_free(creel);
	return status < 0 ? 255 : status;
}
