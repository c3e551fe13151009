/*
 * creel spec: writes a config.json to start from. It never overwrites one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "cli/commands.h"
#include "cli/error.h"

#define CONFIG "config.json"

static int config_exists(int bundle, struct creel_error *e)
{
	struct stat st;

	cli_fail(e, CREEL_EXISTS, "File %s exists. Remove it first", CONFIG);
	if (fstatat(bundle, CONFIG, &st, AT_SYMLINK_NOFOLLOW) || st.st_size || !S_ISREG(st.st_mode))
		return -1;
	return cli_hint(
		e,
		"it is empty: \"creel spec > %s\" lets the shell make it before creel runs; "
		"creel spec writes the file itself",
		CONFIG);
}

static int write_config(int bundle, const char *text, struct creel_error *e)
{
	_close_ int fd = openat(bundle, CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	struct err err;

	if (fd < 0 && errno == EEXIST)
		return config_exists(bundle, e);
	if (fd < 0)
		return cli_fail_errno(e, "open %s", CONFIG);
	if (!fd_write(fd, text, strlen(text), CONFIG, &err))
		return 0;
	(void)unlinkat(bundle, CONFIG, 0); /* rather none than half of one */
	return cli_fail_base(e, &err);
}

int cmd_spec(struct call *call, struct creel *creel, struct creel_error *ret_error)
{
	const char *directory = call->create.bundle ? call->create.bundle : ".";
	_close_ int bundle = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	const char *text;

	if (bundle < 0)
		return cli_fail_errno(ret_error, "open the bundle %s", directory);
	if (creel_template(creel, call->template_rootless, &text, ret_error))
		return -1;
	return write_config(bundle, text, ret_error);
}
