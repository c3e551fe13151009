/*
 * Paths in a tree that changes all the time: a thread swaps a directory of the tree and a link out
 * of it while sys/inroot makes what the input asks for. Some of it fails, depending on who is
 * faster; none of it is made outside. Only worth its time when it runs for long: no two runs are
 * the same.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "sys/inroot.h"
#include "tree.h"

#define ROUNDS 40

static atomic_bool swapping;

static void *swap_for_ever(void *fd)
{
	int root = *(int *)fd;

	while (atomic_load(&swapping)) {
		(void)syscall(SYS_renameat2, root, "a", root, "b", RENAME_EXCHANGE);
		(void)syscall(SYS_renameat2, root, "c", root, "a", RENAME_EXCHANGE);
	}
	return NULL;
}

static void make(int root, const char *path, unsigned what)
{
	struct err ignored;
	_close_ int made = -1;

	if (what == 0)
		made = inroot_mkdir(root, path, 0755, &ignored);
	else if (what == 1)
		made = inroot_mkfile(root, path, 0644, &ignored);
	else if (what == 2)
		(void)!inroot_mknod(root, path, S_IFREG | 0644, 0, &ignored);
	else if (what == 3)
		(void)!inroot_symlink(root, path, "text", &ignored);
	else if (what == 4)
		(void)!inroot_symlink_new(root, path, "text", &ignored);
	else
		made = inroot_open(root, path, O_RDWR | O_CREAT | O_NONBLOCK, &ignored);
}

void fuzz_one(char *text, size_t length, struct arena *a)
{
	struct fuzz_rest rest = {text, text + length};
	int directory = fuzz_directory();
	_close_ int outside = tree_outside(directory);
	_close_ int root = tree_directory(directory, "root");
	pthread_t thread;

	(void)a;
	tree_grow(root, &rest, 2);
	(void)symlinkat("../outside", root, "b"); /* where nothing else is */
	(void)symlinkat("../../outside", root, "c");
	atomic_store(&swapping, true);
	fuzz_hold(!pthread_create(&thread, NULL, swap_for_ever, &root), "no thread");
	for (int i = 0; i < ROUNDS; i++) {
		char path[TREE_PATH];

		if (rest.at == rest.end)
			rest = (struct fuzz_rest){text, text + length};
		tree_path(&rest, path);
		make(root, path, fuzz_choose(&rest, 6));
	}
	atomic_store(&swapping, false);
	(void)pthread_join(thread, NULL);
	tree_untouched(outside);
	(void)tree_empty(directory);
}
