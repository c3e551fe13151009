"""
`exec`: one more process in a container, with the settings of config.json, process.json or the
command line.
"""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

import host
from program import PATH, wait_until


@pytest.fixture
def up(bundle):
    """A bundle whose container runs."""
    bundle.up()
    return bundle


def process_file(bundle, **fields):
    """
    Writes a process.json that differs from the configured process by fields, and returns its path.
    """
    path = bundle.path / "process.json"
    path.write_text(json.dumps(bundle.process | fields))
    return path


# ---- how it ends ----

@pytest.mark.parametrize("status", [0, 1, 7, 254])
def test_exit_status_is_the_programs(up, status):
    assert up.exec("sh", "-c", f"exit {status}").rc == status


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV"])
def test_death_by_signal_gives_128_and_its_number(up, name):
    result = up.exec("sh", "-c", f"kill -{name} $$")
    assert result.rc == 128 + getattr(signal, f"SIG{name}")


def test_signals_are_passed_on(up):
    running = up.spawn("exec", up.id, "sh", "-c",
                       "trap 'echo got it; exit 9' TERM; echo ready; while :; do sleep 0.01; done")
    wait_until(lambda: "ready" in running.output(), "the trap to be set")
    running.signal(signal.SIGTERM)
    result = running.wait()
    assert (result.rc, result.stdout) == (9, "ready\ngot it\n")


@pytest.mark.parametrize("word, text", [
    ("nosuch", 'exec: "nosuch": executable file not found in $PATH'),
    ("/nosuch", 'exec: "/nosuch": stat /nosuch: no such file or directory'),
    ("/etc", re.compile(r'exec: "/etc": (is a directory|permission denied)$')),
    ("/etc/passwd", 'exec: "/etc/passwd": permission denied'),
])
def test_program_that_cannot_be_run(up, word, text):
    prefix = "exec failed: unable to start container process: "
    result = up.exec(word)
    if isinstance(text, re.Pattern):
        result.fails(text, rc=255)
    else:
        result.fails(prefix + text, rc=255)
    assert up.status() == "running"


@pytest.mark.creel_only("1.1 says process args")
def test_no_program(up):
    up.creel("exec", up.id).fails("exec failed: exec args cannot be empty", rc=255)


def test_container_dies_meanwhile(up):
    running = up.spawn("exec", up.id, "sleep", "1000")
    wait_until(lambda: all(name(pid) == "sleep" for pid in processes(up, 2)), "the second program")
    up.kill("KILL").ok()
    assert running.wait().rc == 137


def processes(bundle, count=None):
    pids = (bundle.cgroup("freezer") / "cgroup.procs").read_text().split()
    return pids if count in (None, len(pids)) else [0]


def name(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip() if pid else "none yet"


@pytest.mark.parametrize("options, text", [
    (["--cwd", "relative"], re.compile(r"^exec failed: Cwd must be an absolute path$")),
    (["--cwd", "/nosuch"], re.compile(r'chdir to cwd \("/nosuch"\) set in config.json failed: '
                                      ".*no such file or directory$")),
    (["--cwd", "/etc/passwd"], re.compile("not a directory$")),
    (["--env", "FOO"], re.compile("invalid environment variable")),
    (["--env", "=x"], re.compile("environment variable")),
    (["--user", "x"], re.compile("^exec failed: ")),
    (["--pid-file", "/nosuch/pid"], re.compile("/nosuch/.*no such file or directory$")),
    (["--process", "/nosuch"], re.compile("/nosuch: no such file or directory$")),
    (["--detach", "--tty"], re.compile("^exec failed: cannot allocate tty if runc will detach "
                                       "without setting console socket$")),
    (["--console-socket", "/nosuch"], re.compile("^exec failed: cannot use console socket if runc "
                                                 "will not detach or allocate tty$")),
])
def test_every_failure_is_255(up, options, text):
    up.exec("true", options=options).fails(text, rc=255)
    assert up.status() == "running"


def test_the_runtime_killed_takes_its_process_along_or_leaves_it(up):
    """Nothing hangs: the container can be deleted, and with it what exec ran."""
    running = up.spawn("exec", up.id, "sh", "-c", "echo ready; sleep 1000")
    wait_until(lambda: "ready" in running.output(), "the second program")
    running.signal(signal.SIGKILL)
    running.wait()
    up.delete("--force").ok()
    assert up.guard.check() == []


# ---- where it runs ----

def test_it_shares_every_namespace(up):
    kinds = ("cgroup", "ipc", "mnt", "net", "pid", "uts")
    result = up.exec("sh", "-c", 'for n; do readlink /proc/self/ns/$n; done', "sh", *kinds)
    containers = host.namespaces(up.pid())
    assert result.ok().stdout.split() == [containers[kind] for kind in kinds]


def test_it_is_in_every_cgroup_of_the_container(up):
    found = up.exec("cat", "/proc/self/cgroup").ok().stdout
    assert found == up.exec("cat", "/proc/1/cgroup").ok().stdout
    assert up.id in found or host.is_cgroup_v2()


def test_it_enters_a_user_namespace(bundle):
    bundle.user_namespace()
    bundle.up()
    result = bundle.exec(
        "sh", "-c", "id -u; id -g; cat /proc/self/uid_map; readlink /proc/self/ns/user")
    lines = result.ok().stdout.splitlines()
    assert lines[:2] == ["0", "0"]
    assert lines[2].split() == ["0", "100000", "65536"]
    assert lines[3] == host.namespaces(bundle.pid())["user"]


def test_it_works_before_the_program_runs(bundle):
    bundle.create().ok()
    assert bundle.exec("echo", "early").ok().stdout == "early\n"
    assert bundle.status() == "created"


def test_it_works_without_a_pid_namespace(bundle):
    bundle.host_namespace("pid")
    bundle.up()
    assert bundle.exec("echo", "here").ok().stdout == "here\n"


def test_it_is_not_process_one_and_a_child_of_the_runtime(up):
    pid = int(up.exec("sh", "-c", "echo $$").ok().stdout)
    assert pid > 1
    assert up.exec("sh", "-c", "grep PPid /proc/self/status").ok().stdout == "PPid:\t0\n"


# ---- its settings ----

def test_streams(up):
    result = up.exec("sh", "-c", "cat; echo err >&2", stdin="typed\n").ok()
    assert (result.stdout, result.stderr) == ("typed\n", "err\n")


def test_environment_is_the_configured_one_and_additions(bundle):
    bundle.env(KEEP="1", CHANGE="old")
    bundle.up()
    result = bundle.exec("env", options=["-e", "CHANGE=new", "-e", "ADD=a,b"],
                         env={"PATH": PATH, "SECRET": "of the caller"}).ok()
    assert sorted(result.stdout.splitlines()) == ["ADD=a,b", "CHANGE=new", "HOME=/root", "KEEP=1",
                                                  f"PATH={PATH}", "TERM=xterm"]


def test_path_given_on_the_command_line_is_searched(up):
    up.script("opt/tool", "#!/bin/sh\necho found\n")
    assert up.exec("tool", options=["--env", "PATH=/opt:/bin"]).ok().stdout == "found\n"


def test_working_directory(up):
    assert up.exec("pwd", options=["--cwd", "/tmp"]).ok().stdout == "/tmp\n"


def test_working_directory_defaults_to_the_configured_one(bundle):
    bundle.process["cwd"] = "/tmp"
    bundle.up()
    assert bundle.exec("pwd").ok().stdout == "/tmp\n"


@pytest.mark.parametrize("user, uid, gid", [("1000", "1000", "0"), ("1000:2000", "1000", "2000")])
def test_user(up, user, uid, gid):
    result = up.exec("sh", "-c", "id -u; id -g", options=["--user", user])
    assert result.ok().stdout.split() == [uid, gid]


@pytest.mark.parametrize("user", ["ann", "1:ann", "-1", "1:2:3", "1x"])
def test_bad_user(up, user):
    assert up.exec("true", options=[f"--user={user}"]).rc in (1, 255)


def test_additional_groups(up):
    result = up.exec("id", "-G", options=["-u", "1000:1000", "-g", "50", "-g", "60"])
    assert result.ok().stdout.split() == ["1000", "50", "60"]


def test_additional_groups_are_added_to_the_configured_ones(bundle):
    bundle.process["user"]["additionalGids"] = [70, 80]
    bundle.up()
    assert sorted(map(int, bundle.exec("id", "-G", options=["-g", "50"]).ok().stdout.split())) == [
        0, 50, 70, 80]
    assert bundle.exec("id", "-G").ok().stdout.split() == ["0", "70", "80"]


@pytest.mark.creel_only("it takes any number for one")
@pytest.mark.parametrize("gid", ["staff", "-1", "4294967296", ""])
def test_bad_group(up, gid):
    assert up.exec("true", options=[f"--additional-gids={gid}"]).rc in (1, 255)


@pytest.mark.parametrize("name", ["CAP_FOO", "sys_chroot", "cap_sys_chroot"])
def test_unknown_capability_is_ignored_with_a_warning(up, name):
    result = up.exec("true", options=["--cap", name]).ok()
    assert result.messages("warning") == [
        f"ignoring unknown or unavailable capabilities: [{name}]"]


def test_added_capability_is_ambient_only_where_the_process_may_inherit(bundle):
    ambient = ("grep", "CapAmb", "/proc/self/status")
    bundle.up()
    assert int(bundle.exec(*ambient, options=["-c", "CAP_SYS_CHROOT"]).ok().stdout.split()[1],
               16) == 0
    bundle.process["capabilities"]["inheritable"] = ["CAP_KILL"]
    bundle.save()
    own = bundle.exec(*ambient, options=["-u", "5", "-c", "CAP_KILL"]).ok().stdout
    assert int(own.split()[1], 16) == 1 << 5


def test_capability_is_added(bundle):
    bundle.up()
    before = bundle.exec("grep", "CapEff", "/proc/self/status").ok().stdout
    after = bundle.exec("grep", "CapEff", "/proc/self/status", options=["--cap", "CAP_SYS_CHROOT"])
    chroot = 1 << 18
    assert int(before.split()[1], 16) & chroot == 0
    assert int(after.ok().stdout.split()[1], 16) == int(before.split()[1], 16) | chroot


def test_no_new_privs(bundle):
    bundle.process["noNewPrivileges"] = False
    bundle.up()
    status = ("grep", "NoNewPrivs", "/proc/self/status")
    assert bundle.exec(*status).ok().stdout.split()[1] == "0"
    assert bundle.exec(*status, options=["--no-new-privs"]).ok().stdout.split()[1] == "1"


def test_seccomp_and_capabilities_are_the_containers(bundle):
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    bundle.up()
    assert "not permitted" in bundle.exec("mkdir", "/x").stderr
    lines = bundle.exec("grep", "-E", "Cap(Bnd|Eff)|Seccomp:", "/proc/self/status").ok().stdout
    assert lines == bundle.exec("grep", "-E", "Cap(Bnd|Eff)|Seccomp:", "/proc/1/status").ok().stdout


def test_options_end_at_the_container_id(up):
    result = up.exec("sh", "-c", 'echo "$@"', "sh", "--cwd", "/tmp", "-e", "--", "-h")
    assert result.ok().stdout == "--cwd /tmp -e -- -h\n"


@pytest.mark.creel_only("1.1 takes -- for the program")
def test_two_dashes_after_the_id(up):
    assert up.exec("--", "echo", "-n", "x").ok().stdout == "x"


# ---- process.json ----

def test_process_file(up):
    path = process_file(up, args=["sh", "-c", "pwd; id -u; echo $A"], cwd="/tmp",
                        user={"uid": 5, "gid": 6}, env=[f"PATH={PATH}", "A=b"])
    result = up.creel("exec", "--process", path, up.id)
    assert result.ok().stdout == "/tmp\n5\nb\n"


def test_process_file_that_says_little(bundle):
    """What is not in it at all is the container's, but for limits."""
    bundle.process["oomScoreAdj"] = 77
    bundle.process["capabilities"] = {kind: ["CAP_CHOWN", "CAP_KILL"]
                                      for kind in ("bounding", "effective", "permitted")}
    bundle.up()
    path = bundle.path / "process.json"
    script = "grep -h -E 'CapEff|CapBnd' /proc/self/status; cat /proc/self/oom_score_adj"
    path.write_text(json.dumps({"args": ["sh", "-c", script], "cwd": "/", "env": [f"PATH={PATH}"]}))
    out = bundle.creel("exec", "-p", path, bundle.id).ok().stdout.split()
    assert out == ["CapEff:", "0000000000000021", "CapBnd:", "0000000000000021", "77"]


def test_process_file_without_capabilities_has_none(up):
    path = process_file(up, args=["grep", "CapEff", "/proc/self/status"], capabilities={})
    assert int(up.creel("exec", "-p", path, up.id).ok().stdout.split()[1], 16) == 0


@pytest.mark.creel_only("1.1 raises the soft limit")
def test_process_file_with_its_own_limits(up):
    path = process_file(up, args=["sh", "-c", "ulimit -n; ulimit -Hn"],
                        rlimits=[{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}])
    assert up.creel("exec", "-p", path, up.id).ok().stdout.split() == ["100", "200"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"args": "true"}', '{"args": []}'])
def test_broken_process_file(up, text):
    path = up.path / "process.json"
    path.write_text(text)
    assert up.creel("exec", "--process", path, up.id).rc in (1, 255)
    assert up.status() == "running"


@pytest.mark.creel_only("1.1 tells no place")
@pytest.mark.parametrize("text, place", [
    ('{"args": ["true"],\n "cwd": "tmp"}', (2, 9)),
    ('{"args": ["true"], "cwd": "/",\n "env": ["A=b",\n  "A"]}', (3, 3)),
    ('{"args": ["true"], "cwd": "/", "scheduler":\n {}}', (2, 2)),
])
def test_wrong_process_file_has_its_place(up, text, place):
    path = up.path / "process.json"
    path.write_text(text)
    message = up.creel("exec", "--process", path, up.id).fails(rc=255)
    assert message.place == place and f"{path}:{place[0]}:" in message.whole


def test_missing_process_file(up):
    result = up.creel("exec", "--process", "/nowhere.json", up.id)
    result.fails(part="no such file or directory", rc=255)


# ---- detached ----

def test_detached_with_a_pid_file(up):
    pid_file = up.path / "exec.pid"
    up.exec("sleep", "1000", options=["--detach", "--pid-file", pid_file]).ok()
    pid = int(pid_file.read_text())
    assert host.namespaces(pid)["pid"] == host.namespaces(up.pid())["pid"]
    wait_until(lambda: open(f"/proc/{pid}/comm").read() == "sleep\n", "the program")


def test_detached_output(up):
    result = up.exec("sh", "-c", "echo later", options=["-d"]).ok()
    wait_until(lambda: result.stdout == "later\n", "the output")


def test_detached_failure_is_seen(up):
    up.exec("nosuch", options=["--detach"]).fails(
        'exec failed: unable to start container process: exec: "nosuch": '
        "executable file not found in $PATH", rc=255)


def test_pid_file_of_a_foreground_exec(up):
    pid_file = up.path / "exec.pid"
    running = up.spawn("exec", "--pid-file", pid_file, up.id, "cat", stdin=subprocess.PIPE)
    wait_until(pid_file.exists, "the pid file")
    assert host.namespaces(int(pid_file.read_text()))["pid"] == host.namespaces(up.pid())["pid"]
    running.process.stdin.close()
    running.wait().ok()


# ---- many ----

def test_caller_with_many_descriptors(up):
    files = [os.open("/dev/null", os.O_RDONLY) for _ in range(300)]
    try:
        result = up.exec("sh", "-c", "ls /proc/$$/fd; true", pass_fds=files)
    finally:
        for fd in files:
            os.close(fd)
    assert result.ok().stdout.split() == ["0", "1", "2"]


def test_many_at_once(up):
    runners = [up.spawn("exec", up.id, "sh", "-c", f"exit {n}") for n in range(10)]
    assert [runner.wait().rc for runner in runners] == list(range(10))


def test_a_missing_config_is_told(up):
    os.unlink(up.path / "config.json")
    result = up.exec("true")
    assert result.rc in (0, 255)
    if result.rc:
        result.fails(part="config.json", rc=255)


def test_it_works_without_an_environment(up):
    assert up.exec("echo", "here", wrapper=["env", "-i"]).ok().stdout == "here\n"


@pytest.mark.parametrize("user, what", [("70000", "uid"), ("0:70000", "gid")])
def test_user_whom_the_user_namespace_does_not_map(bundle, user, what):
    bundle.user_namespace()
    bundle.up()
    bundle.exec("true", options=["--user", user]).fails(
        part=f"cannot set {what} to unmapped user in user namespace", rc=255)


def test_root_of_a_user_namespace_can_exec(bundle):
    holder = subprocess.Popen(["unshare", "-Urm", "sleep", "1000"])
    try:
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/user") !=
                   os.readlink("/proc/self/ns/user"), "the user namespace")
        wait_until(lambda: Path(f"/proc/{holder.pid}/uid_map").read_text(), "its map")
        inside = {"wrapper": ("nsenter", "-U", "-m", "--preserve-credentials",
                              "-t", str(holder.pid))}
        del bundle.config["mounts"][2:]  # some are of users that are not mapped
        bundle.sleep()
        bundle.run_detached(**inside).ok()
        assert bundle.creel("exec", bundle.id, "echo", "in", **inside).ok().stdout == "in\n"
        second = bundle.id + "-b"
        bundle.namespace("pid", f"/proc/{bundle.pid()}/ns/pid")
        bundle.run_detached(id=second, **inside).ok()
        bundle.creel("delete", "--force", second, **inside).ok()
        bundle.creel("delete", "--force", bundle.id, **inside).ok()
    finally:
        holder.kill()
        holder.wait()
