/*
 * The goldens of the plan: each NAME.golden in this directory is one test case, told as TAP.
 *
 *     golden [--update] [NAME…]
 *
 * A case whose plan is not the one in its file fails and shows the difference. --update writes what
 * comes out into the files (tools/update-goldens); whoever does that reads the difference in git.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "golden_case.h"

#define ENDING ".golden"
#define SIZE_LIMIT (1u << 20)

static int is_golden(const struct dirent *entry)
{
	return str_ends(entry->d_name, ENDING);
}

/* Shows what is different in the file as it is and as it would be, as lines of a TAP comment. */
static void show_difference(const char *directory, const char *file, const char *would_be)
{
	char command[1024];
	FILE *diff;

	(void)fflush(stdout);
	(void)snprintf(command, sizeof(command),
		       "diff -u --label %s --label now '%s/%s' - | sed 's/^/# /'", file, directory,
		       file);
	diff = popen(command, "w");
	if (!diff)
		return;
	(void)fputs(would_be, diff);
	(void)pclose(diff);
}

/* 0: the file says what comes out (now); 1: it does not, which was shown. */
static int compare(const char *path, const char *file, bool update, uint64_t *seen, struct arena *a,
		   struct err *e)
{
	_close_ int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const char *answer, *would_be;
	struct golden_case c;
	size_t length;
	char *text;

	if (directory < 0)
		return err_sys(e, "open %s", path);
	if (file_read(directory, file, SIZE_LIMIT, a, &text, &length, e) ||
	    golden_parse(text, a, &c, e) || golden_answer(&c, a, &answer, e))
		return -1;
	*seen |= c.kinds;
	would_be = arena_format(a, e, "%.*s%s", (int)(c.expected - c.text), c.text, answer);
	if (!would_be)
		return -1;
	if (!strcmp(text, would_be))
		return 0;
	if (update)
		return file_replace(directory, file, 0644, would_be, strlen(would_be), e);
	show_difference(path, file, would_be);
	return 1;
}

static bool run_case(const char *path, const char *file, bool update, uint64_t *seen, size_t number)
{
	int name = (int)(strlen(file) - strlen(ENDING)), outcome;
	struct arena arena = {0};
	struct err e;

	outcome = arena_init(&arena, ARENA_LIMIT, &e);
	if (!outcome)
		outcome = compare(path, file, update, seen, &arena, &e);
	printf("%s %zu - %.*s\n", outcome ? "not ok" : "ok", number, name, file);
	if (outcome < 0)
		printf("# %s\n", e.text);
	arena_done(&arena);
	return !outcome;
}

static bool is_wanted(const char *file, char *const *names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (str_starts(file, *names) && str_equal(file + strlen(*names), ENDING))
			return true;
	return false;
}

/* A kind of step that no golden shows could be anything. */
static bool check_kinds(uint64_t seen, size_t number)
{
	bool all = true;

	for (int kind = 0; kind < STEP_KINDS; kind++)
		if (!(seen >> kind & 1)) {
			printf("# no golden has a step %s\n", plan_kind_name((enum step_kind)kind));
			all = false;
		}
	printf("%s %zu - every kind of step\n", all ? "ok" : "not ok", number);
	return all;
}

int main(int argc, char **argv)
{
	bool update = argc > 1 && str_equal(argv[1], "--update");
	const char *source = getenv("CREEL_SOURCE");
	char *const *names = argv + 1 + update;
	struct dirent **entry;
	size_t done = 0, failed = 0;
	uint64_t seen = 0;
	char path[256];
	int count;

	(void)snprintf(path, sizeof(path), "%s/tests/plan", source ? source : ".");
	count = scandir(path, &entry, is_golden, alphasort);
	for (int i = 0; i < count; i++) {
		if (is_wanted(entry[i]->d_name, names))
			failed += !run_case(path, entry[i]->d_name, update, &seen, ++done);
		free(entry[i]);
	}
	if (count > 0)
		free(entry);
	if (!*names)
		failed += !check_kinds(seen, ++done);
	printf("1..%zu\n", done);
	return failed || !done;
}
