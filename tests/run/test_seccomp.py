"""`linux.seccomp`, judged by what system calls answer inside."""

import contextlib
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import threading
from pathlib import Path

import pytest

from program import TIME_LIMIT, wait_until

# Debian: golang-github-containers-common
ENGINE_PROFILE = Path("/usr/share/containers/seccomp.json")

GO_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
LSEEK = {"x86_64": 8, "aarch64": 62}[os.uname().machine]
EXECVE = {"x86_64": 59, "aarch64": 221}[os.uname().machine]
EXIT_GROUP = {"x86_64": 231, "aarch64": 94}[os.uname().machine]

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


class Agent:
    """
    Who decides on notified calls: a server at the listener path. take() gives what one process of
    the runtime sent, answer() answers one call.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.server.settimeout(TIME_LIMIT)
        self.fds = []

    def take(self):
        connection, _ = self.server.accept()
        with connection:
            text, fds, _, _ = socket.recv_fds(connection, 65536, 4)
            assert connection.recv(1) == b"", "more than one message"
        self.fds += fds
        assert len(fds) == 1
        return json.loads(text), fds[0]

    def nobody_came(self):
        return select.select([self.server], [], [], 0)[0] == []

    def close(self):
        self.server.close()
        for fd in self.fds:
            os.close(fd)


def receive(fd):
    """The next call that waits: its id and its number."""
    assert select.select([fd], [], [], TIME_LIMIT)[0], "no call was notified"
    request = bytearray(80)
    fcntl.ioctl(fd, NOTIF_RECV, request)
    return struct.unpack_from("Q", request)[0], struct.unpack_from("i", request, 16)[0]


def answer(fd, error=0, flags=0):
    """Answers one waiting call; its number."""
    id, number = receive(fd)
    fcntl.ioctl(fd, NOTIF_SEND, bytearray(struct.pack("QqiI", id, 0, -error, flags)))
    return number


def allow_until_end(fd):
    """Lets every call happen until nobody is left who has the filter; their numbers."""
    numbers, poll = [], select.poll()
    poll.register(fd, select.POLLIN)
    while True:
        (event,) = poll.poll(TIME_LIMIT * 1000)
        if not event[1] & select.POLLIN:
            return numbers
        with contextlib.suppress(FileNotFoundError):  # killed while it waited
            numbers.append(answer(fd, flags=CONTINUE))


@pytest.fixture
def agent(bundle):
    """An agent, and a filter that notifies it of mkdir."""
    made = Agent(bundle.path / "seccomp.sock")
    profile(bundle, "ALLOW", rule(MKDIR, "NOTIFY"), listenerPath=str(made.path),
            listenerMetadata="extra words")
    yield made
    made.close()


def spawn(bundle, *words):
    bundle.save()
    return bundle.spawn(*words, "-b", bundle.path, bundle.id)


@pytest.mark.parametrize("nnp", [True, False])
def test_agent_decides(bundle, agent, nnp):
    bundle.process["noNewPrivileges"] = nnp
    bundle.config["annotations"] = {"some": "thing"}
    bundle.shell("mkdir /x 2>&1; true")
    running = spawn(bundle, "run")
    state, fd = agent.take()
    assert state["fds"] == ["seccompFd"]
    assert state["metadata"] == "extra words"
    assert Path(f"/proc/{state['pid']}/root").samefile(bundle.rootfs)
    assert state["state"] == {
        "ociVersion": bundle.config["ociVersion"], "id": bundle.id, "status": "creating",
        "pid": state["pid"], "bundle": str(bundle.path), "annotations": {"some": "thing"}}
    answer(fd, errno.EDQUOT)
    assert "Disk quota exceeded" in running.wait().ok().stdout


def test_agent_in_another_user_namespace(bundle, agent):
    bundle.user_namespace()
    bundle.shell("mkdir /x 2>&1; true")
    running = spawn(bundle, "run")
    answer(agent.take()[1], errno.EDQUOT)
    assert "Disk quota exceeded" in running.wait().ok().stdout


def test_metadata_may_be_absent(bundle, agent):
    del bundle.linux["seccomp"]["listenerMetadata"]
    running = spawn(bundle, "run")
    state, _ = agent.take()
    assert "metadata" not in state
    running.wait().ok()


def test_agent_can_let_the_call_happen(bundle, agent):
    bundle.shell("mkdir /x && test -d /x && echo made")
    running = spawn(bundle, "run")
    answer(agent.take()[1], flags=CONTINUE)
    assert running.wait().ok().stdout == "made\n"


def test_call_does_not_exist_when_the_agent_is_gone(bundle, agent):
    bundle.shell("mkdir /x 2>&1; true")
    running = spawn(bundle, "run")
    _, fd = agent.take()
    receive(fd)
    os.close(agent.fds.pop())
    assert "Function not implemented" in running.wait().ok().stdout


# What init does after it has loaded the filter, in the one case or the other, and the shell.
INITS_CALLS = sorted({
    "read", "open", "openat", "openat2", "close", "close_range", "fcntl", "prctl", "capget", "capset",
    "chdir", "fchdir", "getcwd", "setgroups", "setresgid", "setresuid", "setgid", "setuid", "umask",
    "readlinkat", "stat", "newfstatat", "statx", "fstat", "faccessat", "faccessat2", "access", "futex",
    "sendmsg", "recvmsg", "sendto", "poll", "ppoll", "sched_yield", "rt_sigaction", "rt_sigprocmask",
    "mmap", "munmap", "madvise", "mprotect", "accept4", "getdents64", "fchown", "execve", "exit",
    "exit_group"})


@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.parametrize("debug", [False, True])
def test_nothing_is_held_before_the_agent_is_there(bundle, agent, nnp, debug):
    """Every call that init makes under the filter waits for the agent, who must have it by then."""
    bundle.process["noNewPrivileges"] = nnp
    bundle.linux["seccomp"]["syscalls"] = [rule(INITS_CALLS, "NOTIFY")]
    bundle.save()
    running = bundle.spawn(*["--debug"] * debug, "run", "-b", bundle.path, bundle.id)
    numbers = allow_until_end(agent.take()[1])
    assert {EXECVE, EXIT_GROUP} <= set(numbers)
    if nnp:
        assert numbers[0] == EXECVE
    running.wait().ok()


def test_strictest_profile_with_a_listener(bundle, agent):
    """With noNewPrivileges nothing but execve must be allowed."""
    profile(bundle, "KILL_PROCESS", rule(["execve"], "NOTIFY"), listenerPath=str(agent.path))
    running = spawn(bundle, "run")
    assert answer(agent.take()[1], flags=CONTINUE) == EXECVE
    assert running.wait().rc == 128 + signal.SIGSYS


def test_listener_behind_the_gate_comes_with_start(bundle, agent):
    bundle.shell("mkdir /x 2>&1; sleep 1000")
    created = bundle.create()
    created.ok()
    assert agent.nobody_came()
    starting = bundle.spawn("start", bundle.id)
    state, fd = agent.take()
    assert state["pid"] == state["state"]["pid"] == bundle.pid()
    answer(fd, errno.EXDEV)
    starting.wait().ok()
    wait_until(lambda: "ross-device link" in created.stdout, "the shell to complain")


def test_listener_before_the_gate_comes_with_create(bundle, agent):
    bundle.process["noNewPrivileges"] = False
    bundle.shell("mkdir /x 2>&1; sleep 1000")
    bundle.alive.add(bundle.id)
    creating = spawn(bundle, "create")
    _, fd = agent.take()
    creating.wait().ok()
    bundle.start().ok()
    answer(fd, errno.EXDEV)
    assert agent.nobody_came()


def test_start_can_be_repeated_when_the_agent_is_there(bundle, agent):
    bundle.create().ok()
    agent.path.rename(bundle.path / "aside")
    bundle.start().fails(part=f"dial unix {agent.path}: connect: no such file or directory")
    assert bundle.status() == "created"
    (bundle.path / "aside").rename(agent.path)
    starting = bundle.spawn("start", bundle.id)
    agent.take()
    starting.wait().ok()


def test_agent_that_does_not_listen_any_more_ends_the_container(bundle, agent):
    """Its filter would wait for nobody."""
    bundle.sleep()
    bundle.create().ok()
    server = agent.server
    taken = threading.Thread(target=lambda: shut(server.accept()[0]))
    with holding_init(bundle):
        starting = bundle.spawn("start", bundle.id)
        taken.start()
        taken.join()
    starting.wait().fails(part="seccomp listener: send a descriptor: broken pipe")
    bundle.wait_stopped()


def shut(connection):
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextlib.contextmanager
def holding_init(bundle):
    """Stops the container's process meanwhile."""
    pid = bundle.pid()
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


def test_agent_of_exec_is_told_that_it_runs(bundle, agent):
    bundle.sleep()
    bundle.alive.add(bundle.id)
    starting = spawn(bundle, "run", "-d")
    first, _ = agent.take()
    starting.wait().ok()
    running = bundle.spawn("exec", bundle.id, "mkdir", "/x")
    state, fd = agent.take()
    assert state["state"]["status"] == "running"
    assert state["state"]["pid"] == first["pid"] != state["pid"]
    answer(fd, errno.EXDEV)
    result = running.wait()
    assert result.rc == 1 and "ross-device link" in result.stderr


def test_hook_is_not_held(bundle, agent):
    """What the configuration's hooks do is not the program's doing."""
    bundle.script("hook", "#!/bin/sh\nmkdir /made\n")
    bundle.config["hooks"] = {"startContainer": [{"path": "/hook"}]}
    bundle.shell("ls -d /made")
    running = spawn(bundle, "run")
    agent.take()
    assert running.wait().ok().stdout == "/made\n"


@pytest.mark.creel_only("1.1 knows no flags")
def test_signals_do_not_interrupt_a_call_that_must_not_be(bundle, agent):
    bundle.shell("trap 'echo trapped' USR1; cd /tmp 2>&1; true")
    bundle.linux["seccomp"] |= {"syscalls": [rule(["chdir"], "NOTIFY")],
                                "flags": ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}
    running = spawn(bundle, "run")
    state, fd = agent.take()
    id, _ = receive(fd)
    os.kill(state["pid"], signal.SIGUSR1)
    fcntl.ioctl(fd, NOTIF_SEND, bytearray(struct.pack("QqiI", id, 0, -errno.EDQUOT, 0)))
    out = running.wait().ok().stdout
    assert "Disk quota exceeded" in out and "trapped" in out


def test_listener_without_a_rule_for_it_is_not_used(bundle, agent):
    bundle.linux["seccomp"]["syscalls"] = [rule(MKDIR, "ERRNO")]
    assert "not permitted" in bundle.output("mkdir /x 2>&1; true")
    assert agent.nobody_came()


@pytest.mark.parametrize("nnp", [True, False])
def test_nobody_listens(bundle, nnp):
    bundle.process["noNewPrivileges"] = nnp
    path = bundle.path / "nobody.sock"
    profile(bundle, "ALLOW", rule(MKDIR, "NOTIFY"), listenerPath=str(path))
    bundle.run().fails(
        part=f"seccomp listener: dial unix {path}: connect: no such file or directory",
        pointer="/linux/seccomp/listenerPath")


@pytest.mark.creel_only("it tells no place")
@pytest.mark.parametrize("change, text, pointer", [
    ({"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": "/x"},
     "SCMP_ACT_NOTIFY cannot be used as default action", "/linux/seccomp/defaultAction"),
    ({"syscalls": [rule(["mkdir", "write"], "NOTIFY")], "listenerPath": "/x"},
     "SCMP_ACT_NOTIFY cannot be used for the write syscall", "/linux/seccomp/syscalls/0/names/1"),
    ({"syscalls": [rule(MKDIR, "NOTIFY")]}, "seccomp listenerPath is not set",
     "/linux/seccomp/syscalls/0/action"),
    ({"listenerMetadata": "m"}, "seccomp listenerMetadata is set, but listenerPath is not",
     "/linux/seccomp/listenerMetadata"),
])
def test_mistake_with_a_listener_has_its_place(bundle, change, text, pointer):
    profile(bundle, "ALLOW")
    bundle.linux["seccomp"] |= change
    message = bundle.run().fails(part=text, pointer=pointer)
    line = (bundle.path / "config.json").read_text().splitlines()[message.place[0] - 1]
    word = pointer.rsplit("/", 1)[1]
    assert f'"{word}":' in line or '"write"' in line, line
