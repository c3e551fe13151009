/*
 * One function per kind of step. Each is called by walk.c alone, in the process whose column the
 * step is in; it adds to an error what was tried and on what, the walk adds where in config.json it
 * was asked for.
 */
#pragma once

#include "run/walk.h"

typedef int step_doer(struct walk *w, const struct step *step, struct err *e) must_check;

/* do_cgroup.c */
step_doer do_cgroup_make, do_cgroup_write, do_cgroup_devices, do_cgroup_open, do_cgroup_join,
	do_cgroup_unit, do_cgroup_rest, do_cgroup_give, do_cgroup_attach;
/* do_rdt.c */
step_doer do_rdt_make, do_rdt_open, do_rdt_join;
/* do_ns.c */
step_doer do_oom_score, do_affinity, do_ns_join, do_ns_join_init, do_time_offsets, do_id_maps,
	do_become_root, do_ns_new, do_session, do_loopback;
/* do_net_device.c */
step_doer do_net_device;
/* do_rootfs.c */
step_doer do_root, do_pivot, do_root_readonly, do_root_propagation, do_hostname, do_domainname,
	do_sysctl;
/* do_label.c */
step_doer do_apparmor, do_selinux;
/* do_masks.c */
step_doer do_readonly_path, do_mask_path;
/* do_mount.c */
step_doer do_mount, do_mount_readonly;
/* do_mount_bind.c, do_mount_new.c, do_mount_cgroup.c: parts of do_mount */
step_doer do_open_tree, do_mount_bind, do_mount_new, do_mount_cgroup;
/* do_device.c */
step_doer do_device, do_dev_links;
/* do_hook.c */
step_doer do_hook;
/* listener.c */
step_doer do_seccomp_socket, do_seccomp;
/* do_process.c */
step_doer do_rlimit, do_no_new_privs, do_bounding, do_cwd_make, do_cwd, do_user, do_caps;
/* do_schedule.c */
step_doer do_scheduler, do_io_priority, do_memory_policy, do_personality;
/* do_program.c */
step_doer do_lookup, do_close, do_exec;
/* do_console.c */
step_doer do_console_socket, do_console;
/* do_criu.c */
step_doer do_criu_root, do_criu;
/* do_pidfd.c */
step_doer do_pidfd;
/* do_notify.c */
step_doer do_notify;
/* do_report.c, gate.c */
step_doer do_report, do_wait_start;
