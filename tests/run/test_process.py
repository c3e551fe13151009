"""`process` in config.json: capabilities, limits, groups and the program's other attributes."""

import json
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

import host
from program import wait_until

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


@pytest.mark.creel_only("1.1 cannot give what it does not have")
def test_all_that_cannot_be_given_is_one_warning(bundle):
    for kind in ("bounding", "ambient"):
        bundle.process["capabilities"].setdefault(kind, []).extend(["CAP_ZOO", "CAP_BAR"])
    assert bundle.run().ok().messages("warning") == [
        "ignoring unknown or unavailable capabilities: [CAP_BAR CAP_ZOO]"]


def test_capabilities_that_exec_cannot_give_are_a_warning(bundle):
    bundle.up()
    file = bundle.path / "process.json"
    file.write_text(json.dumps({"cwd": "/", "args": ["true"], "env": ["PATH=/bin"],
                                "capabilities": {"bounding": ["CAP_FOO", "CAP_KILL"]}}))
    result = bundle.creel("exec", "--process", file, bundle.id).ok()
    assert "ignoring unknown or unavailable capabilities: [CAP_FOO]" in result.messages("warning")


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


def test_soft_limit_above_the_hard_one(bundle):
    bundle.process["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 200, "hard": 100}]
    message = bundle.run().fails(re.compile(
        "error setting rlimits for ready process: error setting rlimit type 7: invalid argument"))
    if bundle.program.name == "creel":
        assert message.pointer == "/process/rlimits/0" and "RLIMIT_NOFILE" in message.hint


# ---- identity ----

def test_additional_groups(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 60]}
    assert status(bundle, "^Groups")["Groups"].split() == ["5", "60"]


def test_groups_of_the_caller_are_dropped(bundle):
    assert status(bundle, "^Groups", extra_groups=[7, 8])["Groups"] == ""


@pytest.fixture
def denied(bundle):
    """
    A user namespace that a user without privilege made: it maps one id and denies setgroups. The
    bundle joins it.
    """
    maker = subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "sh", "-c", "echo ready; exec sleep 1000"],
        user=1000, group=1000, extra_groups=[], stdout=subprocess.PIPE)
    assert maker.stdout.readline() == b"ready\n"
    bundle.user_namespace(host_id=1000)
    bundle.namespace("user", f"/proc/{maker.pid}/ns/user")
    del bundle.linux["uidMappings"], bundle.linux["gidMappings"]
    for mount in bundle.config["mounts"]:
        mount["options"] = [o for o in mount.get("options", []) if o != "gid=5"]
    del bundle.process["rlimits"]  # another user's process: that takes CAP_SYS_RESOURCE
    yield bundle
    maker.kill()
    maker.wait()


@pytest.mark.creel_only("1.1 joins no user namespace of another user")
def test_where_groups_are_denied_they_are_left_alone(denied):
    assert denied.output("id -u; cat /proc/self/setgroups").split() == ["0", "deny"]
    denied.up()
    assert denied.exec("id", "-u").ok().stdout == "0\n"


@pytest.mark.creel_only("1.1 joins no user namespace of another user")
def test_where_groups_are_denied_none_can_be_had(denied):
    denied.process["user"]["additionalGids"] = [0]
    denied.run().fails(part="cannot set additional groups in user namespace",
                       pointer="/process/user")


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


@pytest.mark.creel_only("1.1 passes it over")
@pytest.mark.parametrize("own, seen", [({}, "0077"), ({"umask": 0o7}, "0007")])
def test_umask_of_exec_is_the_containers_unless_it_has_one(bundle, own, seen):
    bundle.process["user"]["umask"] = 0o77
    bundle.up()
    file = bundle.path / "process.json"
    file.write_text(json.dumps({"cwd": "/", "args": ["sh", "-c", "umask"], "env": ["PATH=/bin"],
                                "user": {"uid": 0, "gid": 0} | own}))
    out = bundle.creel("exec", "--process", file, bundle.id).ok().stdout
    assert out.strip() == seen


# ---- the rest ----

@pytest.mark.parametrize("wanted", [True, False])
def test_no_new_privileges(bundle, wanted):
    bundle.process["noNewPrivileges"] = wanted
    assert status(bundle, "^NoNewPrivs") == {"NoNewPrivs": str(int(wanted))}


def test_oom_score_is_raised(bundle):
    bundle.process["oomScoreAdj"] = 500
    assert bundle.output("cat /proc/self/oom_score_adj") == "500"


@pytest.mark.creel_only("1.1 tells it in another place")
@pytest.mark.parametrize("score, text, hint", [
    (2000, "invalid argument", "-1000 to 1000"),
    pytest.param(-1000, "permission denied", "CAP_SYS_RESOURCE", marks=pytest.mark.skipif(
        host.has_capability(host.CAP_SYS_RESOURCE), reason="any score can be had here"))])
@pytest.mark.parametrize("user_namespace", [False, True])
def test_oom_score_that_cannot_be_had(bundle, score, text, hint, user_namespace):
    if user_namespace:
        bundle.user_namespace()
    bundle.process["oomScoreAdj"] = score
    message = bundle.run().fails(part="failed to update /proc/self/oom_score_adj: ",
                                 pointer="/process/oomScoreAdj")
    assert text in message.text and hint in message.hint


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


# ---- session keyring ----

def keyring(bundle, *words, **how):
    """Id, and the fields of its description, of the session keyring that the program has."""
    number, text = bundle.run(*words, **how).ok().stdout.split(" ", 1)
    return int(number), text.strip().split(";")


@pytest.fixture
def ringed(prober):
    prober.args("probe", "keyring")
    if prober.run().rc:
        pytest.skip("no keyrings here")
    return prober


def test_session_keyring_has_the_containers_name(ringed):
    _, (kind, uid, _, permissions, name) = keyring(ringed)
    assert (kind, uid, permissions, name) == ("keyring", "0", "3f1b0000", f"_ses.{ringed.id}")


def test_session_keyring_in_a_user_namespace(ringed):
    ringed.user_namespace()
    assert keyring(ringed)[1][1] == "0"  # as the container sees its own user


@pytest.mark.parametrize("user_namespace", [False, pytest.param(
    True, marks=pytest.mark.creel_only("1.1 makes another one"))])
def test_exec_joins_the_session_keyring(ringed, user_namespace):
    if user_namespace:
        ringed.user_namespace()
    ringed.shell("probe keyring; exec sleep 1000")
    result = ringed.run_detached().ok()
    wait_until(lambda: result.stdout, "the program to tell")
    assert ringed.exec("probe", "keyring").ok().stdout == result.stdout
    assert ringed.exec("probe", "keyring", options=["-u", "1000:1000"]).ok().stdout.split(";")[
        -1] == f"_ses.{ringed.id}\n"


def test_without_a_new_keyring_it_is_the_callers(ringed):
    out = ringed.run("--no-new-keyring").ok().stdout
    assert f"_ses.{ringed.id}" not in out


def test_exec_without_a_new_keyring_has_the_callers(ringed):
    ringed.sleep()
    ringed.run_detached("--no-new-keyring").ok()
    assert f"_ses.{ringed.id}" not in ringed.exec("probe", "keyring").ok().stdout


# ---- standard streams ----

@pytest.mark.creel_only("1.1 gives it away")
@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_terminal_of_the_caller_stays_the_callers(bundle, options):
    """A local user who has the process's uid could read what is typed."""
    master, slave = os.openpty()
    before = os.fstat(slave).st_uid
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.shell("echo done; exec sleep 1")
    running = bundle.spawn_run(*options, stdin=slave, stdout=slave, stderr=slave)
    assert os.read(master, 4) == b"done"
    assert os.fstat(slave).st_uid == before
    running.wait()
    bundle.delete("--force")
    os.close(master)
    os.close(slave)


def owners_of_streams(bundle, path, flags):
    """Who owns a file of the caller's before and after it was the program's standard input."""
    fd = os.open(path, flags)
    before = os.fstat(fd).st_uid
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.shell("true")
    bundle.run(stdin=fd).ok()
    after = os.fstat(fd).st_uid
    os.close(fd)
    return before, after


@pytest.mark.creel_only("1.1 gives it away")
def test_file_that_is_only_read_stays_the_callers(bundle):
    """As its owner the process could open it again by /proc/self/fd/0, and write."""
    (bundle.path / "secret").write_text("of the host")
    assert owners_of_streams(bundle, bundle.path / "secret", os.O_RDONLY) == (0, 0)


def test_file_that_is_written_becomes_the_processes(bundle):
    """By /dev/stdout it can be opened again then."""
    (bundle.path / "log").touch()
    assert owners_of_streams(bundle, bundle.path / "log", os.O_RDWR) == (0, 1000)


@pytest.mark.creel_only("1.1 gives it away")
@pytest.mark.parametrize("kind", ["directory", "block device"])
def test_what_is_no_stream_stays_the_callers(bundle, kind):
    path = bundle.path / "object"
    if kind == "directory":
        path.mkdir()
    else:
        os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(7, 0))
        try:
            os.close(os.open(path, os.O_RDONLY))
        except OSError as error:
            pytest.skip(f"no block device can be opened here: {error.strerror}")
    assert owners_of_streams(bundle, path, os.O_RDONLY) == (0, 0)


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


@pytest.mark.parametrize("name", ["net.//.vm.swappiness", "net/../vm/swappiness",
                                  "fs.mqueue.//.//.vm.swappiness", "net.ipv4./..ip_forward",
                                  "net..ipv4.ip_forward"])
def test_sysctl_by_a_way_around(bundle, name):
    """A key of the network's that leads out of its folder: with its value nothing would change."""
    bundle.linux["sysctl"] = {name: Path("/proc/sys/vm/swappiness").read_text().strip()}
    bundle.run().fails(part="is not in a separate kernel namespace")


@pytest.mark.parametrize("kind, path, name", [("network", "net", "net.ipv4.ip_forward"),
                                              ("ipc", "ipc", "kernel.shm_rmid_forced"),
                                              ("uts", "uts", "kernel.domainname")])
def test_sysctl_of_a_namespace_that_is_the_hosts_after_all(bundle, kind, path, name):
    bundle.host_namespace(kind)
    bundle.linux["namespaces"].append({"type": kind, "path": f"/proc/self/ns/{path}"})
    bundle.config.pop("hostname", None)
    bundle.linux["sysctl"] = {name: Path("/proc/sys", *name.split(".")).read_text().strip()}
    result = bundle.run()
    result.fails(re.compile(f'sysctl "{name}" (is )?not '), pointer=f"/linux/sysctl/{name}")


@pytest.mark.creel_only("1.1 sets it")
@pytest.mark.parametrize("name", ["hostname", "domainname"])
def test_name_of_the_host(bundle, name):
    bundle.namespace("uts", "/proc/self/ns/uts")
    bundle.config.pop("hostname", None)
    bundle.config[name] = Path("/proc/sys/kernel", name).read_text().strip()
    bundle.run().fails(part=f"unable to set {name} without a private UTS namespace",
                       pointer=f"/{name}")


def test_sysctl_that_does_not_exist(bundle):
    bundle.linux["sysctl"] = {"net.ipv4.no_such_thing": "1"}
    bundle.run().fails(part="no such file or directory")


def test_null_device_of_the_host_is_not_the_containers(bundle):
    null = subprocess.DEVNULL
    bundle.sleep()
    bundle.run_detached(stdin=null, stdout=null, stderr=null).ok()
    own = os.stat(f"/proc/{bundle.pid()}/root/dev/null")
    for fd in range(3):
        stream = os.stat(f"/proc/{bundle.pid()}/fd/{fd}")
        assert (stream.st_dev, stream.st_ino) == (own.st_dev, own.st_ino)
    assert own.st_dev != os.stat("/dev/null").st_dev
