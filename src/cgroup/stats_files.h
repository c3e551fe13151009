/*
 * Reading the files that tell usage into struct cgroup_stats: what the two versions share. Only
 * stats*.c may use it. A file that is not there, because the kernel, the controller or by now the
 * cgroup is not, leaves what it would tell at zero.
 */
#pragma once

#include "cgroup/stats_parse.h"

/* The whole text of dir/file without the newline at its end; NULL when it is not there. */
int stats_read(const char *dir, const char *file, struct arena *a, char **ret_text,
	       struct err *e) must_check;

/* Makes the error of a parser one of the file. Returns −1. */
int stats_refuse(const char *dir, const char *file, struct err *e) must_check;

/* A file that is one number. */
int stats_read_number(const char *dir, const char *file, uint64_t *ret, struct err *e) must_check;

/* Several of them, and where in struct cgroup_stats that goes. */
struct stats_file {
	char name[36];
	uint16_t place;
};
int stats_read_files(const char *dir, const struct stats_file *files, size_t count,
		     struct cgroup_stats *stats, struct err *e) must_check;

/* One key of a file of "key number" lines, and where in *to its number goes, multiplied. */
struct stats_member {
	char key[20];
	uint16_t place;
	uint32_t factor;
};
int stats_read_members(const char *dir, const char *file, const struct stats_member *members,
		       size_t count, struct arena *a, void *to, struct err *e) must_check;

#define STATS_PLACE(field) offsetof(struct cgroup_stats, field)

/* memory.stat; the cache is the value of a key in it. */
int stats_read_memory(const char *dir, const char *cache_key, struct arena *a,
		      struct stats_memory *memory, struct err *e) must_check;

/* A cpuset's list. */
int stats_read_list(const char *dir, const char *file, struct arena *a, struct stats_numbers *ret,
		    struct err *e) must_check;

/* pids.current and pids.max. */
int stats_read_pids(const char *dir, struct cgroup_stats *stats, struct err *e) must_check;

/*
 * Adds the sizes of huge pages that dir has a file "hugetlb.SIZE.file" of, with the number in that
 * file as their usage.
 */
int stats_find_hugepages(const char *dir, const char *file, struct arena *a,
			 struct cgroup_stats *stats, struct err *e) must_check;

/* All that a version tells. */
int stats_v1(const struct cgroup_paths *paths, struct arena *a, struct cgroup_stats *stats,
	     struct err *e) must_check;
int stats_v2(const char *dir, struct arena *a, struct cgroup_stats *stats,
	     struct err *e) must_check;
