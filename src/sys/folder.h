/*
 * Listing a directory by its descriptor, without the buffers that a libc puts behind opendir.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

/* The kernel's linux_dirent64, which no header of musl and none of the kernel's own exports. */
struct folder_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type; /* DT_DIR, …, DT_UNKNOWN */
	char name[];
};

/* What is done with an entry; a failure ends the list. */
typedef int folder_visitor(void *user, const struct folder_entry *entry, struct err *e) must_check;

/*
 * Calls visit for every entry of the open directory but "." and "..". Errors keep errno in e->sys.
 */
int folder_list(int fd, folder_visitor *visit, void *user, struct err *e) must_check;
