/*
 * Ids that are granted to a user: see subid.h.
 */
#include "sys/subid.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/str.h"
#include "sys/passwd.h"

#define FILE_LIMIT (1u << 20)

extern char **environ;

static const struct {
	const char *helper, *file, *option;
} kinds[] = {
	[SUBID_USERS] = {"newuidmap", "/etc/subuid", "--add-subuids"},
	[SUBID_GROUPS] = {"newgidmap", "/etc/subgid", "--add-subgids"},
};

/* ---- why not --------------------------------------------------------------------------------- */

/* Where posix_spawnp finds the program, and what that is; false: nowhere. */
static bool find_program(const char *name, char ret[PATH_MAX], struct stat *ret_st)
{
	const char *at = NULL;

	for (char **variable = environ; *variable && !at; variable++)
		if (str_starts(*variable, "PATH="))
			at = *variable + strlen("PATH=");
	for (size_t length; at && *at; at += length + (at[length] == ':')) {
		length = strcspn(at, ":");
		if (snprintf(ret, PATH_MAX, "%.*s/%s", (int)length, at, name) < PATH_MAX &&
		    !stat(ret, ret_st) && ret_st->st_mode & S_IXOTH)
			return true;
	}
	return false;
}

/* Whether the helper can have no privilege, whatever the files say. */
static bool explain_powerless(const char *helper, struct err *e)
{
	char path[PATH_MAX], value[64];
	struct statvfs fs;
	struct stat st;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) > 0) {
		err_hint(e, "no_new_privs is set for the caller (prctl(2)), so %s has no privilege",
			 helper);
		return true;
	}
	if (!find_program(helper, path, &st) || statvfs(path, &fs))
		return false;
	if (fs.f_flag & ST_NOSUID)
		err_hint(e, "%s is on a mount with the option nosuid, so it has no privilege",
			 path);
	else if (!(st.st_mode & S_ISUID && !st.st_uid) &&
		 getxattr(path, "security.capability", value, sizeof(value)) < 0)
		err_hint(e,
			 "%s is neither setuid root nor has it file capabilities: reinstall the "
			 "package uidmap, or as root, chmod u+s %s",
			 path, path);
	else
		return false;
	return true;
}

/* A line "OWNER:FIRST:COUNT" of subuid(5). */
struct line {
	char *owner;
	uint32_t first, count;
};

/* Takes the next line with all three parts from *at, whose text it splits. */
static bool next_line(char **at, struct line *ret)
{
	while (**at) {
		char *owner = *at, *first, *count;
		size_t length = strcspn(owner, "\n");

		*at += length + (owner[length] == '\n');
		owner[length] = '\0';
		first = strchr(owner, ':');
		count = first ? strchr(first + 1, ':') : NULL;
		if (!count)
			continue;
		*first = *count = '\0';
		ret->owner = owner;
		if (str_to_u32(first + 1, &ret->first) && str_to_u32(count + 1, &ret->count))
			return true;
	}
	return false;
}

/* What a file grants to one user, by name or by number. */
struct grants {
	struct line line[16];
	size_t count;
	uint64_t free; /* the first id above all that is granted to anybody */
};

static void read_grants(const char *file, const char *name, struct arena *a, struct grants *ret)
{
	struct err ignored;
	struct line line;
	char number[16], *text;
	size_t length;

	*ret = (struct grants){.free = 100000};
	(void)snprintf(number, sizeof(number), "%u", (unsigned)getuid());
	if (file_read(AT_FDCWD, file, FILE_LIMIT, a, &text, &length, &ignored))
		return;
	while (next_line(&text, &line)) {
		uint64_t end = (uint64_t)line.first + line.count;

		ret->free = end > ret->free ? end : ret->free;
		if ((str_equal(line.owner, name) || str_equal(line.owner, number)) &&
		    ret->count < array_len(ret->line))
			ret->line[ret->count++] = line;
	}
}

/* The first id of a range that no line grants; the range's end when all are. */
static uint64_t first_refused(const struct grants *grants, const struct idmap_range *range)
{
	uint64_t at = range->outside, end = at + range->size;

	for (size_t i = 0; i < grants->count && at < end;) {
		const struct line *line = &grants->line[i++];

		if (at < line->first || at >= (uint64_t)line->first + line->count)
			continue;
		at = (uint64_t)line->first + line->count;
		i = 0; /* another line may go on where this one ends */
	}
	return at < end ? at : end;
}

static void explain_ranges(enum subid_kind kind, const struct idmap_range *ranges, size_t count,
			   struct arena *a, struct err *e)
{
	uint32_t own = kind == SUBID_USERS ? getuid() : getgid();
	_close_ int root = fd_open("/", O_PATH | O_DIRECTORY);
	const char *name = root < 0 ? NULL : passwd_name(root, getuid(), a);
	struct grants grants;

	if (!name) {
		err_hint(e, "uid %u has no line in /etc/passwd, and %s asks for its name",
			 (unsigned)getuid(), kinds[kind].helper);
		return;
	}
	read_grants(kinds[kind].file, name, a, &grants);
	if (!grants.count) {
		err_hint(e, "no line of %s is for %s: as root, usermod %s %llu-%llu %s",
			 kinds[kind].file, name, kinds[kind].option,
			 (unsigned long long)grants.free, (unsigned long long)grants.free + 65535,
			 name);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t refused = first_refused(&grants, &ranges[i]);
		const struct line *line = &grants.line[0];

		if (refused >= (uint64_t)ranges[i].outside + ranges[i].size ||
		    (ranges[i].size == 1 && ranges[i].outside == own))
			continue;
		err_hint(e,
			 "%s grants %s %u-%llu, and the mapping wants %llu: map what is granted, "
			 "or add to it with usermod %s FIRST-LAST %s",
			 kinds[kind].file, name, line->first,
			 (unsigned long long)line->first + line->count - 1,
			 (unsigned long long)refused, kinds[kind].option, name);
		return;
	}
}

/* ---- the helper ------------------------------------------------------------------------------ */

/* HELPER PID INSIDE OUTSIDE SIZE … */
static char **command(const char *helper, pid_t pid, const struct idmap_range *ranges, size_t count,
		      struct arena *a, struct err *e)
{
	char **argv = arena_get_array(a, count * 3 + 3, sizeof(char *), e);

	if (!argv)
		return NULL;
	argv[0] = arena_copy(a, helper, strlen(helper), e);
	argv[1] = arena_format(a, e, "%d", (int)pid);
	for (size_t i = 0; i < count; i++) {
		argv[i * 3 + 2] = arena_format(a, e, "%u", ranges[i].inside);
		argv[i * 3 + 3] = arena_format(a, e, "%u", ranges[i].outside);
		argv[i * 3 + 4] = arena_format(a, e, "%u", ranges[i].size);
		if (!argv[i * 3 + 2] || !argv[i * 3 + 3] || !argv[i * 3 + 4])
			return NULL;
	}
	return argv[0] && argv[1] ? argv : NULL;
}

/* Runs it with words as its standard error. */
static int start(char **argv, int words, pid_t *ret_child)
{
	posix_spawn_file_actions_t actions;
	int failed = posix_spawn_file_actions_init(&actions);

	if (failed)
		return failed;
	failed = posix_spawn_file_actions_adddup2(&actions, words, STDERR_FILENO);
	if (!failed)
		failed = posix_spawnp(ret_child, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return failed;
}

/* Its status, and the first line of what it said, without its own name in front. */
static int finish(pid_t child, int words, const char *helper, char *ret_said, size_t size)
{
	size_t length = strlen(helper);
	ssize_t n, got = 0;
	int status = -1;

	while ((n = read(words, ret_said + got, size - 1 - (size_t)got)) > 0 ||
	       (n < 0 && errno == EINTR))
		got += n > 0 ? n : 0;
	ret_said[got] = '\0';
	ret_said[strcspn(ret_said, "\n")] = '\0';
	if (str_starts(ret_said, helper) && str_starts(ret_said + length, ": "))
		memmove(ret_said, ret_said + length + 2, strlen(ret_said + length + 2) + 1);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

int subid_map(enum subid_kind kind, pid_t pid, const struct idmap_range *ranges, size_t count,
	      struct arena *a, struct err *e)
{
	const char *helper = kinds[kind].helper;
	char **argv = command(helper, pid, ranges, count, a, e);
	char said[512];
	pid_t child;
	int words[2], failed;

	if (!argv)
		return -1;
	if (pipe2(words, O_CLOEXEC))
		return err_sys(e, "pipe");
	failed = start(argv, words[1], &child);
	(void)close(words[1]);
	if (!failed && !finish(child, words[0], helper, said, sizeof(said))) {
		(void)close(words[0]);
		return 0;
	}
	(void)close(words[0]);
	if (failed) {
		errno = failed;
		err_sys(e, "run %s", helper);
		return err_hint(e, "install the package uidmap, or map one id only: the caller's "
				   "own");
	}
	err_set(e, ERR_SYSTEM, "%s failed%s%s", helper, *said ? ": " : "", said);
	if (!explain_powerless(helper, e))
		explain_ranges(kind, ranges, count, a, e);
	return -1;
}
