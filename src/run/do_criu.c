/*
 * Doers of restore: the root that criu builds the container on, and the execution of criu, in the
 * process that create would make init of.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "criu/swrk.h"
#include "run/doers.h"
#include "run/sync.h"
#include "sys/mountfd.h"
#include "sys/process.h"

extern char **environ;

/*
 * criu wants its root to be a mount of its own whose parent nothing covers. What was mounted so far
 * was for the sake of what it is mounted on. Of all the mounts that criu makes, the root alone has
 * not the flags from the images, but those that it is given with.
 */
int do_criu_root(struct walk *w, const struct step *step, struct err *e)
{
	const char *source = step->criu_root.source, *target = step->criu_root.target;
	const struct mountfd_attr readonly = {.set = MOUNT_ATTR_RDONLY};
	_close_ int place = -1;
	_close_ int root = -1;

	fd_close(&w->root);
	if (syscall(SYS_umount2, source, 2 /* MNT_DETACH */))
		return err_sys(e, "leave the mounts of %s", source);
	root = mountfd_clone(AT_FDCWD, source, true, e);
	if (root < 0 || (step->criu_root.readonly && mountfd_set(root, &readonly, false, e)))
		return err_wrap(e, "prepare the root for criu");
	place = fd_open(target, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if (place < 0)
		return err_sys(e, "prepare the root for criu: open %s", target);
	return mountfd_attach(root, place, e) ? err_wrap(e, "prepare the root for criu") : 0;
}

/* Each descriptor to its number, none overwritten before it was moved. */
static int place_descriptors(const struct walk *w, struct err *e)
{
	int above = CRIU_SOCKET + (int)w->criu_fd_count;

	for (size_t i = 0; i < w->criu_fd_count; i++) {
		_close_ int high = fcntl(w->criu_fds[i], F_DUPFD_CLOEXEC, above);

		if (high < 0)
			return err_sys(e, "pass descriptors to criu");
		w->criu_fds[i] = fd_take(&high);
	}
	for (size_t i = 0; i < w->criu_fd_count; i++)
		if (dup2(w->criu_fds[i], CRIU_SOCKET + (int)i) < 0)
			return err_sys(e, "pass descriptors to criu");
	return 0;
}

/*
 * Whoever waits for the execution hears of it by the closing of this process's end of the protocol,
 * which may be one of the numbers that criu needs.
 */
int do_criu(struct walk *w, const struct step *step, struct err *e)
{
	char *argv[] = {(char[]){"criu"}, (char[]){"swrk"}, (char[]){"3"}, NULL};
	int above = CRIU_SOCKET + (int)w->criu_fd_count;
	_close_ int sync = fcntl(w->sync, F_DUPFD_CLOEXEC, above);

	(void)step;
	if (sync < 0)
		return err_sys(e, "pass descriptors to criu");
	fd_close(&w->sync);
	w->sync = fd_take(&sync);
	if (place_descriptors(w, e) || process_cloexec_from((unsigned)above, e) ||
	    sync_send_exec(w->sync, e))
		return -1;
	(void)umask(022);
	/* Without a runtime the conversation ends, and criu takes back what it did: see swrk.h. */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	process_reset_signals();
	(void)execve(w->criu, argv, environ);
	return err_sys(e, "exec: \"criu\": fork/exec %s", w->criu);
}
