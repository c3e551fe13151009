/*
 * The standard streams of a container: see streams.h.
 */
#include "container/streams.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fd.h"
#include "container/bundle.h"
#include "sys/mountinfo.h"
#include "sys/procfs.h"

bool stream_is_pipe(const char *stream)
{
	return str_starts(stream, "pipe:[");
}

bool stream_is_file(const char *stream)
{
	return str_starts(stream, "file[");
}

/* The program may have closed them by the time of a checkpoint, and its children not. */
int streams_record(const struct spec_process *process, struct arena *a, struct str_list *ret,
		   struct err *e)
{
	const char *stream[STREAMS] = {"", "", ""};
	struct str_list list = {0};

	for (int fd = 0; fd < STREAMS && !process->terminal; fd++) {
		struct stat st;

		if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
			continue;
		stream[fd] = bundle_path_of(fd, a, e);
		if (!stream[fd])
			return -1;
		list.count = STREAMS;
	}
	list.item = list.count ? arena_get_array(a, STREAMS, sizeof(*list.item), e) : NULL;
	if (list.count && !list.item)
		return -1;
	for (size_t i = 0; i < list.count; i++)
		list.item[i] = stream[i];
	*ret = list;
	return 0;
}

/* The mount that a descriptor of a process is on (proc_pid_fdinfo(5)); false: not to be known. */
static bool mount_of(pid_t pid, int stream, struct arena *a, uint64_t *ret)
{
	static const char key[] = "\nmnt_id:\t";
	char name[16], *text, *at;
	_close_ int fd = -1;
	struct err ignored;
	size_t length;

	(void)snprintf(name, sizeof(name), "fdinfo/%d", stream);
	fd = procfs_open_of(pid, name, O_RDONLY, &ignored);
	if (fd < 0 || fd_read(fd, 1 << 16, a, name, &text, &length, &ignored))
		return false;
	at = strstr(text, key);
	if (!at)
		return false;
	at += strlen(key);
	at[strcspn(at, "\n")] = '\0';
	return str_to_u64(at, ret);
}

/* A file, or the null device, on a mount that is not the container's; "" when it is none. */
static const char *outer_file(pid_t init, int stream, const struct mountinfo *mounts,
			      struct arena *a, struct err *e)
{
	_close_ int fd = -1;
	struct err ignored;
	uint64_t mount;
	struct stat st;
	char name[16];
	bool null;

	(void)snprintf(name, sizeof(name), "fd/%d", stream);
	fd = procfs_open_of(init, name, O_PATH, &ignored);
	if (fd < 0 || fstat(fd, &st))
		return "";
	null = S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
	if ((!S_ISREG(st.st_mode) && !null) || !mount_of(init, stream, a, &mount) ||
	    mountinfo_find(mounts, mount))
		return "";
	return arena_format(a, e, "file[%llx:%llx]", (unsigned long long)mount,
			    (unsigned long long)st.st_ino);
}

int streams_find(pid_t init, const struct str_list *recorded, struct arena *a, struct str_list *ret,
		 struct err *e)
{
	struct str_list list = {.item = arena_get_array(a, STREAMS, sizeof(*list.item), e)};
	const struct mountinfo *mounts;
	bool any = false;

	if (!list.item || mountinfo_read_of(init, a, &mounts, e))
		return -1;
	for (; list.count < STREAMS; list.count++) {
		const char *stream = list.count < recorded->count ? recorded->item[list.count] : "";

		if (!*stream)
			stream = outer_file(init, (int)list.count, mounts, a, e);
		if (!stream)
			return -1;
		any |= *stream != '\0';
		list.item[list.count] = stream;
	}
	if (!any)
		list.count = 0;
	*ret = list;
	return 0;
}
