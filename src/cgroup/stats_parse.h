/*
 * From the text of a cgroup's file to numbers, strictly: what is not in the file's form is
 * ERR_INVALID with the piece that is wrong, and never half a result. Pure; only stats*.c may use
 * it. text may be written to. Sources: the kernel's admin-guide/cgroup-v1, cgroup-v2.rst,
 * accounting/psi.rst.
 */
#pragma once

#include "cgroup/stats.h"

/* "17", or "max", which is UINT64_MAX. */
int stats_parse_number(const char *text, uint64_t *ret, struct err *e) must_check;

/* "17 0 5": usage_percpu. */
int stats_parse_numbers(char *text, struct arena *a, struct stats_numbers *ret,
			struct err *e) must_check;

/* "0-3,7": cpuset.cpus, one by one. */
int stats_parse_list(const char *text, struct arena *a, struct stats_numbers *ret,
		     struct err *e) must_check;

/* Lines "key 17", in the order of the file. The keys stay in text. */
int stats_parse_pairs(char *text, struct arena *a, struct stats_pair **ret, size_t *ret_count,
		      struct err *e) must_check;

/* cpuacct.usage_all: "cpu user system", then a line of three numbers for each processor. */
int stats_parse_usage_all(char *text, struct arena *a, struct stats_numbers *ret_user,
			  struct stats_numbers *ret_kernel, struct err *e) must_check;

/* cpu.pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and a line "full …". */
int stats_parse_pressure(char *text, struct stats_pressure *ret, struct err *e) must_check;

/* blkio.*: lines "8:0 Read 17" or "8:0 17", and "Total 17", which is left out. */
int stats_parse_blkio(char *text, struct arena *a, struct stats_io *list, struct err *e) must_check;

/*
 * io.stat: lines "8:0 rbytes=17 wbytes=0 rios=1 …", added to the lists of bytes and of operations.
 * What is discarded, and what a policy of the device adds, is passed over, as runc does.
 */
int stats_parse_io(char *text, struct arena *a, struct stats_io *list, struct err *e) must_check;
