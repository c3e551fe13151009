/*
 * The state directory: see root.h.
 */
#include "cli/root.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/environment.h"
#include "cli/error.h"

/* True in a user namespace of its own: only the first one maps all ids (user_namespaces(7)). */
static bool in_user_namespace(struct arena *a)
{
	struct err ignored; /* no /proc, no user namespace that we could know of */
	char *map;
	size_t length;

	if (file_read(AT_FDCWD, "/proc/self/uid_map", 4096, a, &map, &length, &ignored))
		return false;
	return !strstr(map, " 4294967295");
}

static bool prefers_xdg(const struct call *call)
{
	const struct environment *environment = call->environment;

	if (!environment->xdg_runtime_dir || !*environment->xdg_runtime_dir)
		return false;
	if (geteuid() != 0)
		return true;
	if (environment->user && str_equal(environment->user, "root"))
		return false;
	return in_user_namespace(call->arena);
}

/* Adds the parts of path to clean, which does not end with a slash; a part ".." takes one away. */
static void add_clean(struct str *clean, const char *path)
{
	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && !strncmp(path, "..", 2)) {
			while (clean->length && clean->text[clean->length - 1] != '/')
				clean->length--;
			if (clean->length)
				clean->text[--clean->length] = '\0';
		} else if (length && !(length == 1 && *path == '.')) {
			str_add_char(clean, '/');
			str_add_bytes(clean, path, length);
		}
		path += length + (path[length] == '/');
	}
}

static int given_root(const struct call *call, const char **ret_root, struct creel_error *e)
{
	struct str clean;
	struct err err;

	str_init(&clean, call->arena);
	if (*call->root != '/') {
		char *directory = arena_get(call->arena, PATH_MAX, &err);

		if (!directory)
			return cli_fail_base(e, &err);
		if (!getcwd(directory, PATH_MAX))
			return cli_fail_errno(e, "getcwd for the relative path of --root");
		add_clean(&clean, directory);
	}
	add_clean(&clean, call->root);
	if (!str_end(&clean, &err))
		return cli_fail_base(e, &err);
	if (!clean.length)
		return cli_fail(e, CREEL_USAGE, "Option --root argument should not be set to /");
	*ret_root = clean.text;
	return 0;
}

/*
 * As mkdir -p does, with the sticky bit on the last part. The library tells when it cannot use it.
 */
static void make_default(char *root)
{
	for (char *slash = strchr(root + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(root, 0700);
		*slash = '/';
	}
	if (mkdir(root, 01700))
		(void)chmod(root, 01700);
}

int root_choose(const struct call *call, const char **ret_root, struct creel_error *e)
{
	bool xdg;
	char *root;
	struct err err;

	if (call->root)
		return given_root(call, ret_root, e);
	xdg = prefers_xdg(call);
	root = arena_format(call->arena, &err, "%s/%s",
			    xdg ? call->environment->xdg_runtime_dir : "/run", call->name);
	if (!root)
		return cli_fail_base(e, &err);
	if (xdg)
		make_default(root);
	*ret_root = root;
	return 0;
}
