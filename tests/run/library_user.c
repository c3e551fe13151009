/*
 * library_user: what a program must know that uses libcreel, asked of the library itself.
 *
 *   library_user unprotected ROOT BUNDLE ID   makes a container without creel_protect
 *   library_user create ROOT BUNDLE ID        makes one, and leaves it waiting for its start
 *   library_user foreground ROOT BUNDLE ID    runs one, and tells what that left in the process
 *   library_user relative DIRECTORY           makes a handle with a relative state directory
 */
#include <creel.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static int tell(int result, const struct creel_error *error)
{
	char message[sizeof(*error)];

	creel_error_message(error, message, sizeof(message));
	printf("%d: code %d: %s\n", result, error->code, message);
	return 0;
}

static int count_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = -1;

	while (list && readdir(list))
		count++;
	closedir(list);
	return count;
}

static int create(struct creel *creel, char **words)
{
	struct creel_create how = {.bundle = words[0]};
	struct creel_error error;

	return creel_create(creel, words[1], &how, &error) ? tell(-1, &error) : 0;
}

static int foreground(struct creel *creel, char **words)
{
	struct creel_create create = {.bundle = words[0]};
	struct creel_error error;
	int status, before = count_descriptors();
	sigset_t mask;

	for (int i = 0; i < 2; i++)
		if (creel_run(creel, words[1], &create, &status, &error))
			return tell(-1, &error);
	if (creel_run(creel, "/", &create, &status, NULL) == 0) /* nobody wants to know why */
		return 1;
	printf("status %d\n", status);
	printf("descriptors %+d\n", count_descriptors() - before);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("SIGTERM %s\n", sigismember(&mask, SIGTERM) ? "blocked" : "let through");
	printf("children %s\n", waitpid(-1, NULL, 0) < 0 && errno == ECHILD ? "none" : "some");
	return 0;
}

int main(int argc, char **argv)
{
	struct creel_options options = {0};
	struct creel_error error;
	struct creel *creel;
	int result;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "unprotected") != 0 && creel_protect(argv, true, &error))
		return tell(-1, &error);
	options.root = argv[2];
	creel = creel_new(&options, &error);
	if (!creel)
		return tell(-1, &error);
	result = strcmp(argv[1], "foreground") == 0 ? foreground(creel, argv + 3)
						    : create(creel, argv + 3);
	creel_free(creel);
	return result;
}
