"""
How the kernel treats the process: scheduler, I/O priority, memory nodes, personality, clocks.

All is read from inside, by the system calls that programs would use.
"""

import json
import os
import re
import time

import pytest

import host

CAP_SYS_NICE = 23

pytestmark = pytest.mark.creel_only("1.1 does not know these fields")

needs_nice = pytest.mark.skipif(not host.has_capability(CAP_SYS_NICE),
                                reason="takes CAP_SYS_NICE")

OTHER, FIFO, RR, BATCH, IDLE, DEADLINE = 0, 1, 2, 3, 5, 6


def ask(bundle, question, **how):
    bundle.args("probe", question)
    return bundle.run(**how).ok().stdout.split()


def ask_in(bundle, question, **process):
    """The answer in an exec whose process has these members."""
    base = {"cwd": "/", "args": ["probe", question], "env": ["PATH=/bin"]}
    file = bundle.path / "process.json"
    file.write_text(json.dumps(base | process))
    return bundle.creel("exec", "--process", file, bundle.id).ok().stdout.split()


def allow_real_time(bundle):
    """A version 1 cgroup has no time for it of its own."""
    if (h := host.hierarchy("cpu")) and (h.point / "cpu.rt_runtime_us").exists():
        bundle.linux["resources"]["cpu"] = {"realtimeRuntime": 1000}


# ---- scheduler ----

@pytest.mark.parametrize("scheduler, seen", [
    ({"policy": "SCHED_OTHER"}, (OTHER, 0, 0)),
    ({"policy": "SCHED_OTHER", "nice": 19}, (OTHER, 19, 0)),
    ({"policy": "SCHED_BATCH", "nice": 7}, (BATCH, 7, 0)),
    ({"policy": "SCHED_IDLE"}, (IDLE, 0, 0)),
    pytest.param({"policy": "SCHED_OTHER", "nice": -20}, (OTHER, -20, 0), marks=needs_nice),
    pytest.param({"policy": "SCHED_FIFO", "priority": 10}, (FIFO, 0, 10), marks=needs_nice),
    pytest.param({"policy": "SCHED_RR", "priority": 99}, (RR, 0, 99), marks=needs_nice),
])
def test_scheduler(prober, scheduler, seen):
    allow_real_time(prober)
    prober.process["scheduler"] = scheduler
    assert ask(prober, "scheduler")[:3] == [str(n) for n in seen]


@needs_nice
def test_deadline_scheduler(prober):
    prober.process["scheduler"] = {
        "policy": "SCHED_DEADLINE", "nice": 19, "runtime": 42000, "deadline": 1000000,
        "period": 2000000, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    assert ask(prober, "scheduler") == ["6", "0", "0", "1", "42000", "1000000", "2000000"]


@needs_nice
def test_deadline_on_some_processors_only(bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 42000,
                                   "deadline": 1000000, "period": 1000000}
    bundle.linux["resources"]["cpu"] = {"cpus": "0"}
    if not host.hierarchy("cpuset"):
        pytest.skip("no cpuset controller")
    result = bundle.run()
    if result.rc == 0 and os.cpu_count() == 1:
        pytest.skip("one processor is all of them")
    result.fails(part="process scheduler can't be used together with AllowedCPUs",
                 pointer="/process/scheduler")


@needs_nice
@pytest.mark.parametrize("flag, bit", [
    ("SCHED_FLAG_RESET_ON_FORK", 1), ("SCHED_FLAG_RECLAIM", 2), ("SCHED_FLAG_DL_OVERRUN", 4)])
def test_scheduler_flags(prober, flag, bit):
    prober.process["scheduler"] = {
        "policy": "SCHED_DEADLINE", "runtime": 42000, "deadline": 1000000, "period": 1000000,
        "flags": [flag]}
    assert ask(prober, "scheduler")[3] == str(bit)


@needs_nice
def test_flags_that_keep(prober):
    """KEEP_POLICY leaves the caller's policy and takes the new nice value."""
    prober.process["scheduler"] = {"policy": "SCHED_OTHER", "nice": 3,
                                   "flags": ["SCHED_FLAG_KEEP_POLICY"]}
    assert ask(prober, "scheduler")[:2] == ["0", "3"]


@needs_nice
def test_real_time_in_a_user_namespace(prober):
    """Only the host's root may give it: what is asked for is had all the same."""
    allow_real_time(prober)
    prober.user_namespace()
    prober.process["scheduler"] = {"policy": "SCHED_FIFO", "priority": 5}
    prober.process["ioPriority"] = {"class": "IOPRIO_CLASS_RT", "priority": 3}
    prober.shell("probe scheduler; probe ioprio")
    out = prober.run().ok().stdout.splitlines()
    assert out[0].split()[:3] == ["1", "0", "5"] and out[1] == "1 3"


@pytest.mark.parametrize("scheduler, text", [
    ({}, "scheduler policy is required"),
    ({"policy": "SCHED_FOO"}, "invalid scheduler policy: SCHED_FOO"),
    ({"policy": "SCHED_OTHER", "flags": ["X"]}, "invalid scheduler flag: X"),
    ({"policy": "SCHED_OTHER", "nice": 20},
     "invalid scheduler.nice: 20 when scheduler.policy is SCHED_OTHER"),
    ({"policy": "SCHED_OTHER", "priority": 1},
     "scheduler.priority can only be specified for SchedFIFO or SchedRR policy"),
    ({"policy": "SCHED_RR", "period": 1},
     "scheduler runtime/deadline/period can only be specified for SchedDeadline policy"),
])
def test_scheduler_that_is_refused(bundle, scheduler, text):
    bundle.process["scheduler"] = scheduler
    assert bundle.run().fails(part=text).place


@needs_nice
def test_scheduler_that_the_kernel_refuses(bundle):
    bundle.process["scheduler"] = {"policy": "SCHED_ISO"}
    bundle.run().fails(part="error setting scheduler: invalid argument",
                       pointer="/process/scheduler")


def test_exec_takes_the_bundles_scheduler(prober):
    prober.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 7}
    prober.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}
    prober.up()
    assert prober.exec("probe", "scheduler").ok().stdout.split()[:2] == ["3", "7"]
    assert prober.exec("probe", "ioprio").ok().stdout == "2 6\n"


def test_exec_has_the_scheduler_of_its_process_or_the_containers(prober):
    prober.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 7}
    prober.up()
    assert ask_in(prober, "scheduler")[:2] == ["3", "7"]
    own = {"policy": "SCHED_IDLE", "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    assert ask_in(prober, "scheduler", scheduler=own)[:4] == ["5", "0", "0", "1"]


# ---- I/O priority ----

@pytest.mark.parametrize("priority, seen", [
    ({"class": "IOPRIO_CLASS_BE", "priority": 5}, "2 5"),
    ({"class": "IOPRIO_CLASS_BE"}, "2 0"),
    ({"class": "IOPRIO_CLASS_IDLE", "priority": 7}, "3 7"),
    pytest.param({"class": "IOPRIO_CLASS_RT", "priority": 1}, "1 1", marks=needs_nice),
])
def test_io_priority(prober, priority, seen):
    prober.process["ioPriority"] = priority
    assert ask(prober, "ioprio") == seen.split()


@pytest.mark.parametrize("priority, text", [
    ({"class": "IOPRIO_CLASS_BE", "priority": 8}, "invalid ioPriority.Priority: 8"),
    ({"class": "IOPRIO_CLASS_BE", "priority": -1}, "invalid ioPriority.Priority: -1"),
    ({"class": "X", "priority": 1}, 'invalid ioPriority.Class: "X"'),
])
def test_io_priority_that_is_refused(bundle, priority, text):
    bundle.process["ioPriority"] = priority
    bundle.run().fails(part=text)


def test_io_priority_of_exec(prober):
    prober.up()
    own = {"class": "IOPRIO_CLASS_IDLE", "priority": 2}
    assert ask_in(prober, "ioprio", ioPriority=own) == ["3", "2"]


# ---- memory ----

NO_NODES = "0x0"
STATIC, RELATIVE = 1 << 15, 1 << 14


@pytest.mark.parametrize("policy, mode, nodes", [
    ({"mode": "MPOL_DEFAULT"}, 0, NO_NODES),
    ({"mode": "MPOL_PREFERRED", "nodes": "0"}, 1, "0x1"),
    ({"mode": "MPOL_PREFERRED"}, 4, NO_NODES),  # the kernel tells an empty one as MPOL_LOCAL
    ({"mode": "MPOL_BIND", "nodes": "0"}, 2, "0x1"),
    ({"mode": "MPOL_INTERLEAVE", "nodes": "0"}, 3, "0x1"),
    ({"mode": "MPOL_LOCAL"}, 4, NO_NODES),
    ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, 5, "0x1"),
    ({"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}, 6, "0x1"),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, 2 | STATIC, "0x1"),
    ({"mode": "MPOL_INTERLEAVE", "nodes": "0-3", "flags": ["MPOL_F_RELATIVE_NODES"]},
     3 | RELATIVE, None),
])
def test_memory_policy(prober, policy, mode, nodes):
    prober.linux["memoryPolicy"] = policy
    seen = ask(prober, "memory")
    assert seen[0] == hex(mode)
    assert nodes is None or seen[1] == nodes


def test_memory_policy_of_exec(prober):
    prober.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}
    prober.up()
    assert prober.exec("probe", "memory").ok().stdout == "0x2 0x1\n"


@pytest.mark.parametrize("policy, text", [
    ({"mode": "MPOL_FOO"}, 'invalid memory policy mode "MPOL_FOO"'),
    ({"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}, 'invalid memory policy flag "X"'),
    ({"mode": "MPOL_BIND", "nodes": "1-0"}, 'invalid memory policy nodes "1-0"'),
    ({"mode": "MPOL_BIND"}, "memory policy mode requires at least one node but got 0"),
    ({"mode": "MPOL_DEFAULT", "nodes": "0-7"}, "memory policy mode requires 0 nodes but got 8"),
])
def test_memory_policy_that_is_refused(bundle, policy, text):
    bundle.linux["memoryPolicy"] = policy
    assert bundle.run().fails(part=text).place


def test_memory_policy_that_the_kernel_refuses(bundle):
    bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "8000"}
    bundle.run().fails(re.compile("set_mempolicy.*invalid argument"),
                       pointer="/linux/memoryPolicy")


# ---- personality ----

@pytest.mark.parametrize("domain, number, machines", [
    ("LINUX32", "0x8", ("i686", "armv8l")), ("LINUX", "0x0", ("x86_64", "aarch64"))])
def test_personality(prober, domain, number, machines):
    prober.linux["personality"] = {"domain": domain}
    out = prober.output("uname -m; probe personality").split()
    assert out[0] in machines and out[1] == number


def test_personality_of_exec(prober):
    prober.linux["personality"] = {"domain": "LINUX32"}
    prober.up()
    assert prober.exec("probe", "personality").ok().stdout == "0x8\n"


def test_personality_flags_are_a_warning(bundle):
    bundle.linux["personality"] = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE", "X"]}
    (warning,) = bundle.run().ok().messages("warning")
    assert warning.startswith("ignoring unsupported personality flags: [ADDR_NO_RANDOMIZE X]")


def test_personality_that_is_refused(bundle):
    bundle.linux["personality"] = {"domain": "WINDOWS"}
    bundle.run().fails(part="invalid personality domain WINDOWS")


# ---- clocks ----

DAY = 86400


def clocks(text):
    return [int(word) for word in text.split()]


def own_clocks():
    return [time.clock_gettime(time.CLOCK_MONOTONIC), time.clock_gettime(time.CLOCK_BOOTTIME)]


def shifted(prober, monotonic, boottime, text):
    """Whether the clocks in text are ours with these offsets, give or take what the test took."""
    return all(own + offset - 60 < seen < own + offset + 2 for own, offset, seen
               in zip(own_clocks(), (monotonic, boottime), clocks(text)))


@pytest.fixture
def clocked(prober):
    """A bundle with a time namespace whose clocks are one and two days ahead."""
    prober.namespace("time")
    prober.linux["timeOffsets"] = {"monotonic": {"secs": DAY, "nanosecs": 5},
                                   "boottime": {"secs": 2 * DAY}}
    return prober


def test_time_offsets(clocked):
    out = clocked.output("probe clocks; cat /proc/self/timens_offsets").splitlines()
    assert shifted(clocked, DAY, 2 * DAY, out[0])
    assert [line.split() for line in out[1:]] == [
        ["monotonic", str(DAY), "5"], ["boottime", str(2 * DAY), "0"]]


def test_time_offsets_in_a_user_namespace(clocked):
    clocked.user_namespace()
    assert shifted(clocked, DAY, 2 * DAY, clocked.output("probe clocks"))


def test_first_process_is_in_the_time_namespace(clocked):
    clocked.shell("readlink /proc/1/ns/time; readlink /proc/1/ns/time_for_children")
    seen = clocked.run().ok().stdout.split()
    assert seen[0] == seen[1] != host.namespaces()["time"]


def test_runtime_hooks_find_the_time_namespace_made_and_set(clocked):
    pid = "$(cat | tr , '\\n' | sed -n 's/.*\"pid\": *\\([0-9]*\\).*/\\1/p')"
    clocked.hook("createRuntime", f"pid={pid}; readlink /proc/$pid/ns/time /proc/self/ns/time "
                                  f">{clocked.path}/seen; cat /proc/$pid/timens_offsets "
                                  f">>{clocked.path}/seen")
    clocked.run().ok()
    inside, outside, *offsets = (clocked.path / "seen").read_text().splitlines()
    assert inside != outside == host.namespaces()["time"]
    assert offsets[0].split() == ["monotonic", str(DAY), "5"]


def test_exec_has_the_containers_clocks(clocked):
    clocked.up()
    assert shifted(clocked, DAY, 2 * DAY, clocked.exec("probe", "clocks").ok().stdout)


def test_one_clock_alone(prober):
    prober.namespace("time")
    prober.linux["timeOffsets"] = {"boottime": {"secs": DAY}}
    assert shifted(prober, 0, DAY, prober.output("probe clocks"))


def test_time_namespace_without_offsets(prober):
    prober.namespace("time")
    assert shifted(prober, 0, 0, prober.output("probe clocks"))


def test_time_namespace_beside_a_joined_one(clocked):
    """With a user namespace the process in between makes it, and init is born in it."""
    clocked.user_namespace()
    clocked.host_namespace("uts")
    clocked.namespace("uts", "/proc/self/ns/uts")
    del clocked.config["hostname"]
    assert shifted(clocked, DAY, 2 * DAY, clocked.output("probe clocks"))


def test_joined_time_namespace(clocked):
    clocked.up()
    path = f"/proc/{clocked.pid()}/ns/time"
    del clocked.linux["timeOffsets"]
    clocked.namespace("time", path)
    clocked.args("probe", "clocks")
    other = f"{clocked.id}-other"
    assert shifted(clocked, DAY, 2 * DAY, clocked.run(id=other).ok().stdout)


@pytest.mark.parametrize("change, text", [
    (lambda b: b.host_namespace("time"),
     "time namespace offsets specified, but time namespace isn't enabled in the config"),
    (lambda b: b.namespace("time", "/proc/self/ns/time"),
     "time namespace enabled, but both namespace path and time offsets specified -- "
     "you may only provide one"),
])
def test_time_offsets_that_are_refused(clocked, change, text):
    change(clocked)
    clocked.run().fails(part=text, pointer="/linux/timeOffsets")


@pytest.mark.parametrize("offset, text", [
    ({"secs": -(10 ** 12)}, "numerical result out of range"),
    ({"secs": 1, "nanosecs": 10 ** 9}, "invalid argument"),
])
def test_time_offsets_that_the_kernel_refuses(clocked, offset, text):
    clocked.linux["timeOffsets"] = {"monotonic": offset}
    message = clocked.run().fails(part="set the offsets of the time namespace",
                                  pointer="/linux/timeOffsets")
    assert text in message.text and message.hint
