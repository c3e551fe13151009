/*
 * Linux security modules: whether the machine has AppArmor or SELinux, and the profile or label
 * that a process gets with its next execve(2). Asked by container/ for the facts of a plan, acted
 * on by the doers in run/do_label.c.
 *
 * procfs is of sys/procfs: a label that is written into a file that only looks like one of /proc
 * would leave the container without (CVE-2019-16884). Sources: proc_pid_attr(5), the kernel's
 * admin-guide/LSM.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

bool lsm_has_apparmor(void);
bool lsm_has_selinux(void);

/* The calling process changes to this profile when it executes its program. */
int lsm_apparmor_on_exec(int procfs, const char *profile, struct err *e) must_check;

/* The same for an SELinux label. */
int lsm_selinux_on_exec(int procfs, const char *label, struct err *e) must_check;

/* Keys and keyrings that it makes get this label; NULL: the usual one again. */
int lsm_selinux_on_keys(int procfs, const char *label, struct err *e) must_check;

/* Gives the open file (not O_PATH) this label. */
int lsm_selinux_set_file(int fd, const char *label, struct err *e) must_check;

/*
 * Mount data (NULL: none) with the label for all files of the file system: `mode=755,context="…"`.
 * With label NULL it is data itself. NULL and ERR_NO_MEMORY at the limit.
 */
const char *lsm_mount_data(const char *data, const char *label, struct arena *a,
			   struct err *e) must_check;
