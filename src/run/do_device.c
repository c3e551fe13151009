/*
 * Doers of device nodes and of the links in /dev.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "run/doers.h"
#include "sys/inroot.h"
#include "sys/mountfd.h"

/*
 * The open directory to make path in, and the name of path there. Nearly all is made in /dev, which
 * is looked up once; do_dev_links, the last of it, closes it.
 */
static int folder_of(struct walk *w, const char **path, struct err *e)
{
	static const char dev[] = "/dev/";

	if (!str_starts(*path, dev) || strchr(*path + strlen(dev), '/'))
		return w->root;
	if (w->dev < 0)
		w->dev = inroot_mkdir(w->root, dev, 0755, e);
	*path += strlen(dev);
	return w->dev;
}

static mode_t type_of(const struct spec_device *device)
{
	return device->type == 'b' ? S_IFBLK : device->type == 'p' ? S_IFIFO : S_IFCHR;
}

static dev_t number_of(const struct spec_device *device)
{
	return device->type == 'p' ? 0 : makedev((unsigned)device->major, (unsigned)device->minor);
}

/* Whether an open file is the device that is wanted. */
static int check_device(int fd, const struct spec_device *device, const char *what, struct err *e)
{
	mode_t type = type_of(device);
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(e, "stat %s", device->path);
	if ((st.st_mode & S_IFMT) == type && (type == S_IFIFO || st.st_rdev == number_of(device)))
		return 0;
	return err_set(e, ERR_INVALID, "create device %s: %s", device->path, what);
}

static int same_device(struct walk *w, const struct spec_device *device, struct err *e)
{
	_close_ int fd = inroot_open_plain(w->root, device->path, O_PATH | O_NOFOLLOW, e);

	return fd < 0 ? -1 : check_device(fd, device, "another file is there already", e);
}

/*
 * Where device nodes may not be made, the host's node of the same path is bound: nothing else that
 * has the path there.
 */
static int bind_device(struct walk *w, const struct spec_device *device, struct err *e)
{
	_close_ int tree = mountfd_clone(AT_FDCWD, device->path, false, e);
	_close_ int target = -1;

	if (tree < 0)
		return err_wrap(e, "bind the host's device %s", device->path);
	if (check_device(tree, device, "the host has another file there", e))
		return err_hint(e, "in a user namespace devices are the host's, of the same path");
	target = inroot_mkfile(w->root, device->path, 0000, e);
	if (target < 0 || mountfd_attach(tree, target, e))
		return err_wrap(e, "bind the host's device %s", device->path);
	return 0;
}

static int set_owner(struct walk *w, const struct spec_device *device, struct err *e)
{
	_close_ int fd = -1;

	if (!device->uid.value && !device->gid.value)
		return 0;
	fd = inroot_open_plain(w->root, device->path, O_PATH | O_NOFOLLOW, e);
	if (fd < 0)
		return -1;
	if (fchownat(fd, "", device->uid.value, device->gid.value, AT_EMPTY_PATH))
		return err_sys(e, "chown device %s", device->path);
	return 0;
}

static int make_node(struct walk *w, const char *path, mode_t mode, dev_t number, struct err *e)
{
	int folder = folder_of(w, &path, e);

	return folder < 0 ? -1 : inroot_mknod(folder, path, mode, number, e);
}

static int make_link(struct walk *w, const char *path, const char *text, struct err *e)
{
	int folder = folder_of(w, &path, e);

	return folder < 0 ? -1 : inroot_symlink(folder, path, text, e);
}

int do_device(struct walk *w, const struct step *step, struct err *e)
{
	const struct spec_device *device = step->device.item;
	mode_t mode = device->file_mode.set ? device->file_mode.value & 07777 : 0666;

	if (step->device.bind)
		return bind_device(w, device, e);
	if (!make_node(w, device->path, type_of(device) | mode, number_of(device), e))
		return set_owner(w, device, e);
	if (e->sys == EPERM)
		return bind_device(w, device, e);
	if (e->sys == EEXIST)
		return same_device(w, device, e);
	return err_wrap(e, "create device %s", device->path);
}

/*
 * Standard streams that lead nowhere do so by the container's own device: of the host's, its root
 * could change the mode, and criu could not save it.
 */
static int own_null(struct walk *w, struct err *e)
{
	for (int fd = 0; fd <= 2; fd++) {
		_close_ int own = -1;
		struct stat st;

		if (fstat(fd, &st) || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
			continue;
		own = inroot_open(w->root, "/dev/null", O_RDWR, e);
		if (own < 0)
			return err_wrap(e, "open the container's null device");
		if (dup2(own, fd) < 0)
			return err_sys(e, "take the container's null device");
	}
	return 0;
}

int do_dev_links(struct walk *w, const struct step *step, struct err *e)
{
	static const struct {
		const char *path, *text;
	} links[] = {
		{"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/ptmx", "pts/ptmx"},          {"/dev/core", "/proc/kcore"},
	};
	size_t count = array_len(links);
	struct stat st;

	(void)step;
	if (stat("/proc/kcore", &st))
		count--; /* the last one stands for a file that this kernel does not have */
	for (size_t i = 0; i < count; i++)
		if (make_link(w, links[i].path, links[i].text, e))
			return err_wrap(e, "make the links in /dev");
	fd_close(&w->dev);
	return own_null(w, e);
}
