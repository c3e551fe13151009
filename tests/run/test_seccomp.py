"""`linux.seccomp`, judged by what system calls answer inside."""

import errno
import fcntl
import json
import os
import signal
import socket
import struct
from pathlib import Path

import pytest

# Debian: golang-github-containers-common
ENGINE_PROFILE = Path("/usr/share/containers/seccomp.json")

GO_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
LSEEK = {"x86_64": 8, "aarch64": 62}[os.uname().machine]

MKDIR = ["mkdir", "mkdirat"]


def rule(names, action, **fields):
    return {"names": names, "action": f"SCMP_ACT_{action}"} | fields


def profile(bundle, default, *rules, **fields):
    bundle.linux["seccomp"] = {
        "defaultAction": f"SCMP_ACT_{default}", "syscalls": list(rules)} | fields


def engine_rules():
    """
    The rules of Debian's engines for a container of this machine without further capabilities.
    """
    if not ENGINE_PROFILE.exists():
        pytest.skip(f"no {ENGINE_PROFILE}")
    rules = []
    for entry in json.loads(ENGINE_PROFILE.read_text())["syscalls"]:
        needs = entry.get("includes", {})
        if needs.get("caps") or GO_ARCH not in needs.get("arches", [GO_ARCH]):
            continue
        keys = ("names", "action", "args", "errnoRet")
        rules.append({key: entry[key] for key in keys if entry.get(key)})
    return rules


def status(bundle, name):
    return bundle.output(f"grep '^{name}:' /proc/self/status").split()[1]


def test_filter_is_loaded(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO"))
    assert status(bundle, "Seccomp") == "2"


def test_no_filter_without_configuration(bundle):
    assert status(bundle, "Seccomp") == "0"


@pytest.mark.parametrize("nnp", [True, False])
def test_errno_defaults_to_eperm(bundle, nnp):
    bundle.process["noNewPrivileges"] = nnp
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO"))
    assert "Operation not permitted" in bundle.output("mkdir /x 2>&1; true")


def test_errno_given(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO", errnoRet=errno.EDQUOT))
    assert "Disk quota exceeded" in bundle.output("mkdir /x 2>&1; true")


def test_errno_of_zero_pretends_success(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO", errnoRet=0))
    assert bundle.output("mkdir /x && ! test -e /x && echo pretended") == "pretended"


@pytest.mark.parametrize("action", ["KILL", "KILL_THREAD", "KILL_PROCESS", "TRAP"])
def test_deadly_actions(bundle, action):
    profile(bundle, "ALLOW", rule(MKDIR, action))
    bundle.shell("sh -c 'exec mkdir /x' 2>/dev/null; echo $?")
    assert bundle.run().ok().stdout == f"{128 + signal.SIGSYS}\n"


def test_log_allows(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "LOG"))
    assert bundle.output("mkdir /x && echo made") == "made"


def test_default_action_denies_what_is_not_listed(bundle):
    names = [name for entry in engine_rules() for name in entry["names"] if name not in MKDIR]
    profile(bundle, "ERRNO", rule(sorted(set(names)), "ALLOW"))
    assert "not permitted" in bundle.output("touch /works; mkdir /x 2>&1; true")


def test_later_rule_for_the_default_action_is_no_error(bundle):
    profile(bundle, "ALLOW", rule(["read"], "ALLOW"), rule(MKDIR, "ERRNO"))
    assert "not permitted" in bundle.output("mkdir /x 2>&1; true")


def test_unknown_names_are_skipped(bundle):
    profile(bundle, "ALLOW", rule(["no_such_call", *MKDIR], "ERRNO"))
    assert "not permitted" in bundle.output("mkdir /x 2>&1; true")


def chmod_rule(op, value, value_two=0, action="ERRNO"):
    """A rule on the mode argument of chmod, which the C libraries call in three ways."""
    def one(name, index):
        return rule([name], action, args=[{"index": index, "op": f"SCMP_CMP_{op}", "value": value,
                                           "valueTwo": value_two}])
    return [one("chmod", 1), one("fchmodat", 2), one("fchmodat2", 2)]


@pytest.mark.parametrize("op, value, two, refused", [
    ("EQ", 0o644, 0, {0o644}),
    ("NE", 0o644, 0, {0o600, 0o755}),
    ("LT", 0o644, 0, {0o600}),
    ("LE", 0o644, 0, {0o600, 0o644}),
    ("GE", 0o644, 0, {0o644, 0o755}),
    ("GT", 0o644, 0, {0o755}),
    ("MASKED_EQ", 0o111, 0o111, {0o755}),
])
def test_comparison(bundle, op, value, two, refused):
    profile(bundle, "ALLOW", *chmod_rule(op, value, two))
    bundle.write("file", "")
    out = bundle.output("for m in 600 644 755; do chmod $m /file 2>/dev/null || echo $m; done")
    assert {int(word, 8) for word in out.split()} == refused


def test_64_bit_values_are_compared_whole(prober):
    # lseek(fd, offset, whence): the high half decides.
    profile(prober, "ALLOW", rule(["lseek"], "ERRNO", errnoRet=errno.EXDEV, args=[
        {"index": 1, "op": "SCMP_CMP_EQ", "value": (7 << 32) + 1}]))
    answers = prober.output(
        f"for n in 0x700000001 0x1 0x700000002; do probe syscall {LSEEK} 1000 $n 0; done")
    assert answers.split() == [str(errno.EXDEV), str(errno.EBADF), str(errno.EBADF)]


def test_several_arguments_must_all_match(prober):
    profile(prober, "ALLOW", rule(["lseek"], "ERRNO", errnoRet=errno.EXDEV, args=[
        {"index": 1, "op": "SCMP_CMP_EQ", "value": 1},
        {"index": 2, "op": "SCMP_CMP_EQ", "value": 2}]))
    answers = prober.output(f'for n in "1 2" "1 0" "0 2"; do probe syscall {LSEEK} 1000 $n; done')
    assert answers.split() == [str(errno.EXDEV), str(errno.EBADF), str(errno.EBADF)]


@pytest.mark.creel_only("1.1 does so for architectures that are listed")
def test_call_newer_than_the_profile_does_not_exist(prober):
    """glibc falls back to an older call on ENOSYS, but not on EPERM."""
    names = sorted({name for entry in engine_rules() for name in entry["names"]})
    profile(prober, "ERRNO", rule(names, "ALLOW"))
    prober.args("probe", "nosys")
    assert prober.run().ok().stdout.strip() == str(errno.ENOSYS)


def test_engine_profile_runs_a_shell(bundle):
    """What engines give every container, in the form they hand to the runtime."""
    profile(bundle, "ERRNO", *engine_rules(), defaultErrnoRet=errno.ENOSYS)
    out = bundle.output("mkdir /x && ls -d /x; grep -w Seccomp: /proc/self/status")
    assert out == "/x\nSeccomp:\t2"


def test_foreign_architecture_is_killed_by_default(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO"),
            architectures=["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
    assert "not permitted" in bundle.output("mkdir /x 2>&1; true")


def test_exec_has_the_filter_too(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO"))
    bundle.up()
    assert "not permitted" in bundle.exec("mkdir", "/x").stderr


@pytest.mark.creel_only("1.1 knows no flags")
@pytest.mark.parametrize("flags", [[], ["SECCOMP_FILTER_FLAG_LOG"], ["SECCOMP_FILTER_FLAG_TSYNC"],
                                   ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]])
def test_flags(bundle, flags):
    profile(bundle, "ALLOW", rule(MKDIR, "ERRNO"), flags=flags)
    assert status(bundle, "Seccomp") == "2"


@pytest.mark.parametrize("change, text", [
    ({"defaultAction": "SCMP_ACT_FOO"}, "string SCMP_ACT_FOO is not a valid action for seccomp"),
    ({"architectures": ["SCMP_ARCH_FOO"]}, "SCMP_ARCH_FOO"),
    pytest.param({"flags": ["SECCOMP_FILTER_FLAG_FOO"]}, "SECCOMP_FILTER_FLAG_FOO",
                 marks=pytest.mark.creel_only("1.1 knows no flags")),
    ({"syscalls": [rule(MKDIR, "BAR")]}, "SCMP_ACT_BAR"),
    ({"syscalls": [rule(MKDIR, "ERRNO", args=[{"index": 0, "value": 0, "op": "SCMP_CMP_FOO"}])]},
     "SCMP_CMP_FOO"),
    ({"syscalls": [rule(MKDIR, "ERRNO", args=[{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}])]},
     ""),
    ({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"}, ""),
    ({"syscalls": [rule(["write"], "NOTIFY")], "listenerPath": "/x"}, ""),
    ({"syscalls": [rule(MKDIR, "NOTIFY")]}, ""),
])
def test_mistake(bundle, change, text):
    profile(bundle, "ALLOW")
    bundle.linux["seccomp"] |= change
    bundle.run().fails(part=text)


# ---- notify ----

NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101  # ioctls of linux/seccomp.h
CONTINUE = 1


def receive_listener(server, running):
    """Accepts the runtime that is running and gives (JSON, descriptor)."""
    try:
        connection, _ = server.accept()
    except TimeoutError:
        raise AssertionError(f"the runtime did not connect: {running.wait().ok()}") from None
    with connection:
        text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
    assert len(fds) == 1
    return json.loads(text), fds[0]


def answer(fd, error):
    """Answers one waiting system call with an error."""
    request = bytearray(80)
    fcntl.ioctl(fd, NOTIF_RECV, request)
    (number,) = struct.unpack_from("Q", request)
    fcntl.ioctl(fd, NOTIF_SEND, bytearray(struct.pack("QqiI", number, 0, -error, 0)))


@pytest.fixture
def listener(bundle):
    path = bundle.path / "seccomp.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(2)
        profile(bundle, "ALLOW", rule(MKDIR, "NOTIFY"), listenerPath=str(path),
                listenerMetadata="extra words")
        yield server


def test_listener_decides(bundle, listener):
    bundle.shell("mkdir /x 2>&1; true")
    bundle.save()
    running = bundle.spawn("run", "-b", bundle.path, bundle.id)
    state, fd = receive_listener(listener, running)
    try:
        assert state["fds"] == ["seccompFd"]
        assert state["metadata"] == "extra words"
        assert state["state"]["id"] == bundle.id
        assert state["state"]["status"] == "creating"
        assert state["state"]["bundle"] == str(bundle.path)
        assert Path(f"/proc/{state['pid']}").exists()
        answer(fd, errno.EDQUOT)
    finally:
        os.close(fd)
    assert "Disk quota exceeded" in running.wait().ok().stdout


def test_listener_of_exec_is_told_that_it_runs(bundle, listener):
    bundle.sleep()
    bundle.save()
    bundle.alive.add(bundle.id)
    starting = bundle.spawn("run", "-d", "-b", bundle.path, bundle.id)
    _, first = receive_listener(listener, starting)
    starting.wait().ok()
    running = bundle.spawn("exec", bundle.id, "mkdir", "/x")
    state, fd = receive_listener(listener, running)
    try:
        assert state["state"]["status"] == "running"
        answer(fd, errno.EXDEV)
    finally:
        os.close(fd)
        os.close(first)
    result = running.wait()
    assert result.rc == 1 and "ross-device link" in result.stderr


def test_nobody_listens(bundle):
    profile(bundle, "ALLOW", rule(MKDIR, "NOTIFY"), listenerPath=str(bundle.path / "nobody.sock"))
    bundle.run().fails()
