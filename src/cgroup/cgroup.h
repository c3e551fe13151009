/*
 * Control groups, the one header for everybody above: where a container's cgroup is, what is
 * written into it, who is in it, and its end. (What it uses, and being told of it, are in stats.h
 * and watch.h, which events alone takes.)
 *
 * The difference between version 1, version 2 and the hybrid layout lives behind this header alone:
 * place_* knows where a cgroup is and who makes it, files_* how it is spoken to. The pure half
 * (cgroup_place, cgroup_settings) touches nothing and feeds the plan; the other half acts on the
 * paths that the pure half gave, or that state.json kept. Sources: cgroups(7), the kernel's
 * admin-guide/cgroup-v1 and cgroup-v2.rst, runtime-spec config-linux.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"
#include "sys/dbus_message.h"

/* ---- what the machine has -------------------------------------------------------------------- */

enum cgroup_layout { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

enum cgroup_manager { CGROUP_MANAGER_CGROUPFS, CGROUP_MANAGER_SYSTEMD, CGROUP_MANAGER_DISABLED };

/* One mounted hierarchy. */
struct cgroup_hierarchy {
	const char *name;  /* the key in state.json: "memory", "cpu", "name=systemd", and "" for
			      version 2 */
	const char *mount; /* where it is mounted: "/sys/fs/cgroup/memory"; two names may share one
			      (cpu, cpuacct) */
	const char *own; /* the runtime's own cgroup below that mount, "/user.slice"; NULL when not
			    asked for */
};

/* The systemd that is to make the cgroups. */
struct cgroup_systemd {
	const char *bus;  /* D-Bus address of a user's, "": the machine's own */
	const char *root; /* its own cgroup, below which its units are; "": the root */
};

/* A fact about the machine, plain enough to be written by hand in a golden test. */
struct cgroup_host {
	enum cgroup_layout layout;
	struct cgroup_hierarchy *item;
	size_t count;
	const struct cgroup_systemd *systemd; /* NULL: they are made by mkdir */
};

/*
 * Reads the layout from statfs(/sys/fs/cgroup) and /proc/self/mountinfo (v1, hybrid). own says
 * whether the runtime's own cgroups are wanted too (/proc/self/cgroup): only a cgroupsPath that is
 * not absolute needs them. A machine without any is CGROUP_NONE, not an error. Only create needs
 * this: afterwards the paths are in state.json.
 */
int cgroup_detect(bool own, struct arena *a, struct cgroup_host *ret, struct err *e) must_check;

/*
 * Who is asked for cgroups when systemd is to make them: host->systemd is set. user: the systemd of
 * the user, at the D-Bus address bus. Errors: no systemd that runs, `cannot use rootless systemd
 * cgroups manager on cgroup v1`.
 */
int cgroup_find_systemd(bool user, const char *bus, struct arena *a, struct cgroup_host *host,
			struct err *e) must_check;

/* For root in a user namespace: whether the machine's systemd, as seen from there, is root's. */
bool cgroup_owns_systemd(void);

/* ---- where the container's cgroup is --------------------------------------------------------- */

struct cgroup_path {
	const char *name; /* of the hierarchy, "" for version 2 */
	const char *path; /* absolute directory */
};

struct cgroup_paths {
	struct cgroup_path *item;
	size_t count;
};

/*
 * The directories of the container's cgroup, one a hierarchy. cgroups_path is linux.cgroupsPath or
 * NULL: absolute is below the mount point; relative, or the id when absent or empty, is below the
 * runtime's own cgroup (v1, hybrid) or its parent (v2). ".." is refused, as is the root itself. Two
 * names on one mount get the same path. Pure. Errors: ERR_INVALID with pointer /linux/cgroupsPath.
 */
int cgroup_place(const struct cgroup_host *host, const char *cgroups_path, const char *id,
		 struct arena *a, struct cgroup_paths *ret, struct err *e) must_check;

/* A unit of systemd whose cgroup is the container's. name and bus are remembered in its state. */
struct cgroup_unit {
	const char *name;  /* "runc-box.scope"; NULL: systemd has nothing to do with it */
	const char *bus;   /* as in struct cgroup_systemd */
	const char *slice; /* the slice that it is in; of no interest when it is there */
	const char *title; /* of the container, for people; the same */
};

/*
 * Whether it is one of a user's systemd: then cgroups and processes are systemd's to bring
 * together.
 */
static inline bool cgroup_unit_of_user(const struct cgroup_unit *unit)
{
	return unit->name && *unit->bus;
}

/*
 * The unit, by linux.cgroupsPath ("slice:prefix:name", or ":runc:ID" when absent), and the
 * directories of its cgroup: "a-b.slice" is below "a.slice". The annotation
 * run.oci.systemd.subgroup asks for a cgroup below that of the unit. Pure. Errors: ERR_INVALID,
 * `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "x" instead`,
 * `invalid slice name: x`.
 */
int cgroup_place_unit(const struct cgroup_host *host, const struct spec *spec, const char *id,
		      struct arena *a, struct cgroup_unit *ret, struct cgroup_paths *ret_paths,
		      struct err *e) must_check;

/* ---- what is written into it ----------------------------------------------------------------- */

struct cgroup_setting {
	const char *name;    /* of the hierarchy */
	const char *file;    /* "memory.max" */
	const char *value;   /* without newline at its end; each line of it is one write */
	const char *pointer; /* "/linux/resources/memory/limit" */
	bool optional; /* a kernel without this file behaves as asked already, so a missing file is
			  no failure */
	bool check_usage; /* memory.checkBeforeUpdate: refuse a limit that current usage exceeds */
	const struct cgroup_setting
		*otherwise; /* written in its place when file does not exist; mostly NULL */
};

struct cgroup_settings {
	struct cgroup_setting *item;
	size_t count;
};

/*
 * Turns resources (NULL: none) into writes, in the order in which a new cgroup takes them. Pure.
 * The conversions are those of runc: a limit of version 1 becomes the one of version 2 that means
 * the same. What the machine's layout cannot do is ERR_UNSUPPORTED with its pointer, values that no
 * kernel takes are ERR_INVALID; obsolete fields (memory.kernel, kernelTCP, useHierarchy) and, on
 * v2, swappiness and disableOOMKiller are passed over. Devices are not files: see cgroup_devices.
 */
int cgroup_settings(const struct cgroup_host *host, const struct spec_resources *resources,
		    struct arena *a, struct cgroup_settings *ret, struct err *e) must_check;

/*
 * cpu.shares (v1) as cpu.weight (v2): ceil(10^((l² + 125·l)/612 − 7/34)) with l = log2(shares), so
 * that 2, 1024 and 262144 become 1, 100 and 10000; below and above those it stays there. 0 (unset)
 * is 0.
 */
uint64_t cgroup_weight_of_shares(uint64_t shares);

/*
 * The device rules in force: the configuration's in their order, then the fixed tail that every
 * container gets (mknod of anything, null zero full tty random urandom ptmx pts tun). resources
 * NULL: all denied but the tail. Pure. Errors: ERR_INVALID with the pointer of the rule.
 */
int cgroup_device_rules(const struct spec_resources *resources, struct arena *a,
			struct spec_device_rules *ret, struct err *e) must_check;

struct cgroup_property {
	const char *name;
	struct dbus_value value;
	bool optional; /* systemd is asked without it when it does not know it: what it is for is
			  written into the cgroup's files too */
};

struct cgroup_properties {
	struct cgroup_property *item;
	size_t count;
};

/* Settings as properties of a unit, as far as systemd has any. Pure. */
int cgroup_setting_properties(const struct cgroup_settings *settings, struct arena *a,
			      struct cgroup_properties *ret, struct err *e) must_check;

/*
 * All properties of a container's unit: what every container's has, those of the annotations
 * org.systemd.property.NAME (values in GVariant's text; NAMESec is NAMEUSec), those of settings and
 * of the device rules. Pure. Errors: ERR_INVALID with the annotation's pointer.
 */
int cgroup_unit_properties(const struct cgroup_host *host, const struct cgroup_unit *unit,
			   const struct spec *spec, const struct cgroup_settings *settings,
			   struct arena *a, struct cgroup_properties *ret,
			   struct err *e) must_check;

/* ---- acting ---------------------------------------------------------------------------------- */

/*
 * Lets systemd start the unit with process pid in it, and waits until it has. What is left of a
 * failed unit of this name is cleared away; one that is in use is an error.
 */
int cgroup_unit_start(const struct cgroup_unit *unit, const struct cgroup_properties *properties,
		      pid_t pid, struct arena *a, struct err *e) must_check;

/*
 * Lets systemd stop the unit, waits until it has, and clears away what it remembers of a failed
 * one. One that is gone is fine.
 */
int cgroup_unit_stop(const struct cgroup_unit *unit, struct arena *a, struct err *e) must_check;

/* Clears away what systemd remembers of the unit when it has failed, and nothing else. */
int cgroup_unit_forget(const struct cgroup_unit *unit, struct arena *a, struct err *e) must_check;

/*
 * Tells systemd of settings of a unit that runs, so that it does not take them back. They must be
 * written as well (cgroup_update): systemd knows fewer of them, and not as exactly.
 */
int cgroup_unit_update(const struct cgroup_unit *unit, const struct cgroup_settings *settings,
		       struct arena *a, struct err *e) must_check;

/* Lets systemd put process pid into the unit's cgroup; paths are the container's. */
int cgroup_unit_attach(const struct cgroup_unit *unit, const struct cgroup_paths *paths, pid_t pid,
		       struct arena *a, struct err *e) must_check;

#define CGROUP_V1_MAX 16 /* hierarchies: the kernel has 14 controllers, and name=systemd */

/* An open cgroup: what a process needs to be put into it. Zero is not valid, use CGROUP_CLOSED. */
struct cgroup {
	/* Its directory in version 2, for CLONE_INTO_CGROUP; −1 when there is none. */
	int unified;
	/* "tasks" of each version 1 hierarchy, open for writing; −1 behind the last. */
	int tasks[CGROUP_V1_MAX];
};
#define CGROUP_CLOSED ((struct cgroup){.unified = -1, .tasks = {[0 ... CGROUP_V1_MAX - 1] = -1}})

/*
 * Makes the directories (and missing parents), enables all controllers on the way to it (v2),
 * copies cpuset.cpus and .mems (v1), and opens them. An existing cgroup that holds processes or is
 * frozen is refused: `container's cgroup is not empty: N process(es) found`, `container's cgroup
 * unexpectedly frozen`. What it made before a failure it removes. A controller that cannot be
 * enabled is no failure here: cgroup_write explains it to who asks for its limit.
 */
int cgroup_make(const struct cgroup_paths *paths, struct arena *a, struct cgroup *ret,
		struct err *e) must_check;

/*
 * Makes those directories that systemd did not make, and puts process pid into all of them: other
 * version 1 hierarchies than systemd's, a cgroup below the unit's.
 */
int cgroup_make_rest(const struct cgroup_paths *paths, pid_t pid, struct err *e) must_check;

/*
 * Gives a version 2 cgroup to a user: its directory and those of its files that the kernel lists
 * in /sys/kernel/cgroup/delegate.
 */
int cgroup_give(const struct cgroup_paths *paths, uid_t owner, struct arena *a,
		struct err *e) must_check;

/* Opens an existing cgroup so that one more process can join it. */
int cgroup_open(const struct cgroup_paths *paths, struct cgroup *ret, struct err *e) must_check;
void cgroup_close(struct cgroup *cg);

/*
 * Which cgroups one more process of a container joins: the container's own; or those below them
 * that wanted asks for, words `PATH`, for all hierarchies, or `CTL[,CTL]:PATH`, ended with NULL
 * (NULL: none); or, where version 2 takes no process into the container's own, that of its init.
 * What is asked for must be there. Errors are in the words of runc.
 */
int cgroup_for_exec(const struct cgroup_paths *paths, const char *const *wanted, pid_t init,
		    struct arena *a, struct cgroup_paths *ret, struct err *e) must_check;

/* Called by the new process: joins every version 1 hierarchy by writing 0 to its open "tasks". */
int cgroup_join_self(const struct cgroup *cg, struct err *e) must_check;

/*
 * Fallback where CLONE_INTO_CGROUP cannot be had: the new process writes 0 to cgroup.procs of
 * version 2.
 */
int cgroup_join_unified(const struct cgroup *cg, struct err *e) must_check;

/*
 * Makes one setting. Errors name file and value and have the setting's pointer; where a version 2
 * controller is not there, they name the ancestor that does not pass it on, and why.
 */
int cgroup_write(const struct cgroup_paths *paths, const struct cgroup_setting *setting,
		 struct err *e) must_check;

/*
 * The host as far as a container's paths tell of it: its layout, and which controllers it has. For
 * cgroup_settings, when the machine need not be asked again.
 */
int cgroup_host_of(const struct cgroup_paths *paths, struct arena *a, struct cgroup_host *ret,
		   struct err *e) must_check;

/*
 * Completes a change of resources, of which cgroup_settings makes the writes, with what is in
 * force. One file of version 2 holds quota and period, and its swap limit is what the one of memory
 * and swap together leaves: the part that change does not have is taken from the files. config is
 * what the container was made with (NULL: nothing): its checkBeforeUpdate stays in force, and a
 * swap limit that it gives by itself (unified) moves with nothing. Errors: ERR_INVALID with a
 * pointer.
 */
int cgroup_complete(const struct cgroup_paths *paths, const struct spec_resources *config,
		    struct spec_resources *change, struct err *e) must_check;

/*
 * Makes all settings of a cgroup in use, or none of them. The order of the list may be wrong for
 * the values that are there (a new limit above the old limit with swap, a new quota below the old
 * burst): what the kernel refuses with EINVAL is tried again after the others, as long as that gets
 * anywhere. When one fails for good, the files that were changed get their old values back; a hint
 * tells when that failed too. Killed in its midst, it leaves some of the limits new and some old.
 * unit: whose cgroup it is, which systemd is told.
 */
int cgroup_update(const struct cgroup_paths *paths, const struct cgroup_unit *unit,
		  const struct cgroup_settings *settings, struct arena *a,
		  struct err *e) must_check;

/*
 * Puts device rules in force: devices.allow/deny (v1), or a BPF program that replaces ours (v2).
 * The kernel's refusal is passed over without privilege, where it is the rule.
 */
int cgroup_devices(const struct cgroup_paths *paths, const struct spec_device_rules *rules,
		   struct arena *a, struct err *e) must_check;

/*
 * What tells the cgroup from one that somebody made in its place later, whatever the order of the
 * paths; 0 when it is not there, or there is none.
 */
uint64_t cgroup_inode(const struct cgroup_paths *paths);

/*
 * Whether the paths are those of cgroups: absolute, below the mounts, without "..". For paths that
 * were read from a file.
 */
bool cgroup_are_paths(const struct cgroup_paths *paths);

/* All processes in the cgroup and below it, each once. A missing cgroup has none. */
int cgroup_pids(const struct cgroup_paths *paths, struct arena *a, pid_t **ret, size_t *ret_count,
		struct err *e) must_check;

/*
 * How many of its processes the kernel killed for lack of memory (memory.events, or
 * memory.oom_control of version 1); 0 where that is not told.
 */
uint64_t cgroup_oom_kills(const struct cgroup_paths *paths);

/*
 * Whether it was told to freeze (version 1's freezer where there is one, as runc does); a missing
 * cgroup is not.
 */
int cgroup_frozen(const struct cgroup_paths *paths, bool *ret, struct err *e) must_check;

/*
 * Freezes it and waits, at most 10 seconds, until that is so (when it cannot be frozen it is left
 * thawed), or thaws it. A missing cgroup is an error; ERR_STATE: somebody else thawed it meanwhile.
 */
int cgroup_freeze(const struct cgroup_paths *paths, bool frozen, struct err *e) must_check;

/* Thaws it if it is frozen by now. */
int cgroup_thaw(const struct cgroup_paths *paths, struct err *e) must_check;

/*
 * SIGKILLs every process in it and below it (cgroup.kill, or freeze, kill, thaw), thaws what was
 * frozen, and waits, at most 10 seconds, by cgroup.events or pidfd and without sleeping polls,
 * until they are gone.
 */
int cgroup_kill(const struct cgroup_paths *paths, struct arena *a, struct err *e) must_check;

/* Hints at what is in it, when something of it does not die. Returns −1. */
int cgroup_hint_stuck(const struct cgroup_paths *paths, struct arena *a, struct err *e) must_check;

/*
 * Removes it with everything below, children first. Waits for dying tasks by pidfd or
 * cgroup.events, never by sleeping; at most 10 seconds. Missing directories are fine. The error
 * names the processes that keep it busy.
 */
int cgroup_remove(const struct cgroup_paths *paths, struct arena *a, struct err *e) must_check;
