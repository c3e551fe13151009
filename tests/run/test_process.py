"""`process` in config.json: capabilities, limits, groups and the program's other attributes."""

import os
import re

import pytest

import host

CAP = {"CHOWN": 0, "DAC_OVERRIDE": 1, "KILL": 5, "SETUID": 7, "NET_BIND_SERVICE": 10, "NET_RAW": 13,
       "AUDIT_WRITE": 29}


def mask(*names):
    return sum(1 << CAP[name] for name in names)


def status(bundle, pattern, **how):
    """The fields of /proc/self/status that match, as seen inside: {"CapEff": "…", …}."""
    bundle.args("grep", "-E", pattern, "/proc/self/status")
    lines = bundle.run(**how).ok().stdout.splitlines()
    return {line.split(":")[0]: line.split(":", 1)[1].strip() for line in lines}


def capability_sets(bundle):
    return {name: int(value, 16) for name, value in status(bundle, "^Cap").items()}


# ---- capabilities ----

def test_each_set_is_the_configured_one(bundle):
    bundle.process["capabilities"] = {
        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_NET_RAW"],
        "permitted": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
        "inheritable": ["CAP_KILL", "CAP_NET_RAW"],
        "effective": ["CAP_CHOWN", "CAP_KILL"],
        "ambient": ["CAP_KILL"],
    }
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    # execve(2) as a non-root user keeps the ambient set alone.
    assert capability_sets(bundle) == {
        "CapBnd": mask("CHOWN", "KILL", "SETUID", "NET_RAW"),
        "CapInh": mask("KILL", "NET_RAW"),
        "CapAmb": mask("KILL"),
        "CapPrm": mask("KILL"),
        "CapEff": mask("KILL"),
    }


def test_root_gets_its_bounding_set(bundle):
    bundle.capabilities(["CAP_CHOWN", "CAP_KILL"])
    sets = capability_sets(bundle)
    assert sets["CapEff"] == sets["CapPrm"] == sets["CapBnd"] == mask("CHOWN", "KILL")
    assert sets["CapInh"] == sets["CapAmb"] == 0


def test_no_capabilities_object_means_none(bundle):
    del bundle.process["capabilities"]
    assert set(capability_sets(bundle).values()) == {0}


def test_empty_capabilities_object_means_none(bundle):
    bundle.process["capabilities"] = {}
    assert set(capability_sets(bundle).values()) == {0}


def test_a_plain_user_has_none(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    sets = capability_sets(bundle)
    assert sets["CapEff"] == sets["CapPrm"] == 0
    assert sets["CapBnd"] == mask("AUDIT_WRITE", "KILL", "NET_BIND_SERVICE")


def test_unknown_capability_is_a_warning(bundle):
    bundle.process["capabilities"]["bounding"].append("CAP_FOO")
    bundle.shell("echo ran")
    result = bundle.run().ok()
    assert "ran" in result.stdout
    assert "ignoring unknown or unavailable capabilities: [CAP_FOO]" in result.messages("warning")


@pytest.mark.creel_only("1.1 fails")
@pytest.mark.skipif(host.has_capability(host.CAP_SYS_RESOURCE), reason="all can be given here")
def test_capability_that_cannot_be_given_is_a_warning(bundle):
    bundle.capabilities(["CAP_KILL", "CAP_SYS_RESOURCE"])
    result = bundle.run().ok()
    assert any("CAP_SYS_RESOURCE" in text for text in result.messages("warning"))


# ---- limits ----

def test_limits_are_set(bundle):
    bundle.process["rlimits"] = [
        {"type": "RLIMIT_NOFILE", "soft": 123, "hard": 456},
        {"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
        {"type": "RLIMIT_FSIZE", "soft": 1 << 20, "hard": 1 << 30},
    ]
    limits = bundle.output("cat /proc/self/limits")
    assert re.search(r"Max open files\s+123\s+456\s", limits)
    assert re.search(r"Max core file size\s+0\s+0\s", limits)
    assert re.search(r"Max file size\s+1048576\s+1073741824\s", limits)


def test_limits_not_named_are_the_callers(bundle):
    del bundle.process["rlimits"]
    mine = re.search(r"Max open files\s+(\d+)\s+(\d+)", open("/proc/self/limits").read())
    assert bundle.output("ulimit -n; ulimit -Hn").split() == [mine[1], mine[2]]


def test_unlimited(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_FSIZE", "soft": 2**64 - 1, "hard": 2**64 - 1}]
    assert bundle.output("ulimit -f") == "unlimited"


def test_unknown_limit(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_FOO", "soft": 1, "hard": 1}]
    bundle.run().fails(part="wrong rlimit value: RLIMIT_FOO")


def test_limit_above_the_callers_hard_one(bundle):
    if host.has_capability(host.CAP_SYS_RESOURCE):
        pytest.skip("with CAP_SYS_RESOURCE a hard limit can be raised")
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 1000000, "hard": 1000000}]
    bundle.run().fails(re.compile("error setting rlimit.*operation not permitted"))


# ---- identity ----

def test_additional_groups(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 60]}
    assert status(bundle, "^Groups")["Groups"].split() == ["5", "60"]


def test_groups_of_the_caller_are_dropped(bundle):
    assert status(bundle, "^Groups", extra_groups=[7, 8])["Groups"] == ""


@pytest.mark.parametrize("umask, seen", [(None, "0022"), (0o77, "0077"), (0, "0000")])
def test_umask(bundle, umask, seen):
    if umask is not None:
        bundle.process["user"]["umask"] = umask
    assert bundle.output("umask") == seen


@pytest.mark.creel_only("1.1 makes mount points with the caller's umask")
def test_umask_of_the_caller_does_not_reach_the_container(bundle):
    bundle.bind("/dev/null", "/made/null")
    out = bundle.output("umask; stat -c %a /made /dev/null /dev/shm", umask=0o777)
    assert out.split() == ["0022", "755", "666", "1777"]


# ---- the rest ----

@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges(bundle, wanted):
    bundle.process["noNewPrivileges"] = wanted
    assert status(bundle, "^NoNewPrivs") == {"NoNewPrivs": str(int(wanted))}


def test_oom_score_is_raised(bundle):
    bundle.process["oomScoreAdj"] = 500
    assert bundle.output("cat /proc/self/oom_score_adj") == "500"


def test_oom_score_is_the_callers_by_default(bundle):
    mine = open("/proc/self/oom_score_adj").read().strip()
    assert bundle.output("cat /proc/self/oom_score_adj") == mine


def test_exec_has_the_same_oom_score(bundle):
    bundle.process["oomScoreAdj"] = 500
    bundle.up()
    assert bundle.exec("cat", "/proc/self/oom_score_adj").ok().stdout == "500\n"


@pytest.mark.creel_only("1.1 keeps the caller's affinity")
def test_affinity_is_all_cpus_of_the_cgroup(bundle):
    if os.cpu_count() < 2:
        pytest.skip("one CPU alone")
    wide = open("/proc/self/status").read()
    wide = re.search(r"Cpus_allowed_list:\t(.*)", wide)[1]
    seen = status(bundle, "^Cpus_allowed_list", preexec_fn=lambda: os.sched_setaffinity(0, {0}))
    assert seen["Cpus_allowed_list"] == wide


@pytest.mark.creel_only("1.1 does not know execCPUAffinity")
def test_affinity_of_exec(bundle):
    bundle.process["execCPUAffinity"] = {"initial": "0", "final": "0"}
    bundle.up()
    out = bundle.exec("grep", "Cpus_allowed_list", "/proc/self/status").ok().stdout
    assert out.split()[1] == "0"


def test_the_parent_dies_with_nothing_pending(bundle):
    # No signal is blocked, ignored or pending when the program starts.
    fields = status(bundle, "^(SigPnd|ShdPnd|SigBlk|SigIgn)")
    assert {name: int(value, 16) for name, value in fields.items()} == {
        "SigPnd": 0, "ShdPnd": 0, "SigBlk": 0, "SigIgn": 0}


def test_session_and_group_are_its_own(bundle):
    assert bundle.output("cut -d' ' -f5,6 /proc/1/stat") == "1 1"


# ---- sysctl ----

def test_sysctl_of_the_network_and_ipc_namespaces(bundle):
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096",
                              "fs.mqueue.queues_max": "99"}
    out = bundle.output("cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax fs/mqueue/queues_max")
    assert out.split() == ["1", "4096", "99"]


@pytest.mark.parametrize("name, text", [
    ("kernel.foo", 'sysctl "kernel.foo" is not in a separate kernel namespace'),
    ("vm.swappiness", 'sysctl "vm.swappiness" is not in a separate kernel namespace'),
    ("kernel.hostname", re.compile('"kernel.hostname".*conflicts with the OCI "hostname" field')),
])
def test_sysctl_that_is_refused(bundle, name, text):
    bundle.linux["sysctl"] = {name: "1"}
    pattern = text if isinstance(text, re.Pattern) else re.compile(re.escape(text) + "$")
    bundle.run().fails(pattern)


def test_network_sysctl_needs_a_network_namespace(bundle):
    bundle.host_namespace("network")
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle.run().fails(
        part='sysctl "net.ipv4.ip_forward" not allowed in host network namespace')


def test_sysctl_that_does_not_exist(bundle):
    bundle.linux["sysctl"] = {"net.ipv4.no_such_thing": "1"}
    bundle.run().fails(part="no such file or directory")
