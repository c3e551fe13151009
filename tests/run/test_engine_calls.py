"""
What engines call, word for word and in their order, and what they read of the answers: exit
status, pid file, log file, standard streams.
"""

import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

import leaks
from program import wait_until

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@pytest.fixture
def engine(bundle):
    """
    A bundle with a shell that waits, saved, for an engine to call the program on. The engine is
    the parent that asks how its processes ended.
    """
    bundle.shell("trap 'exit 5' TERM; echo >/up; while :; do sleep 0.01; done")
    bundle.save()
    bundle.alive.add(bundle.id)
    with leaks.reaper.paused():
        yield bundle


def is_up(bundle):
    wait_until((bundle.rootfs / "up").exists, "the program")


def pid_of(path):
    """As strconv.Atoi takes it: digits and nothing else."""
    text = Path(path).read_bytes()
    assert re.fullmatch(rb"[1-9]\d*", text)
    return int(text)


def status_of(pid):
    """How a child of ours ended; its parent is gone, and we are the reaper."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


# ---- one engine after the other ----

def test_containerd(engine):
    log, pid_file = engine.path / "log.json", engine.path / "init.pid"

    def call(*words):
        return engine.program("--root", engine.root, "--log", log, "--log-format", "json", *words,
                              cwd=engine.path)
    call("create", "--bundle", engine.path, "--pid-file", pid_file, engine.id).ok()
    pid = pid_of(pid_file)
    groups = Path(f"/proc/{pid}/cgroup").read_text()
    assert f"/{engine.id}\n" in groups
    call("start", engine.id).ok()
    is_up(engine)
    assert Path(f"/proc/{pid}/cgroup").read_text() == groups
    process = engine.path / "process.json"
    process.write_text(json.dumps(engine.process | {"args": ["sleep", "1000"]}))
    exec_pid = engine.path / "exec.pid"
    call("exec", "--process", process, "--detach", "--pid-file", exec_pid, engine.id).ok()
    pids = json.loads(call("ps", "--format", "json", engine.id).ok().stdout)
    assert {pid, pid_of(exec_pid)} <= set(pids)
    call("pause", engine.id).ok()
    call("resume", engine.id).ok()
    os.kill(pid_of(exec_pid), signal.SIGKILL)
    assert status_of(pid_of(exec_pid)) == -signal.SIGKILL
    call("kill", engine.id, "15").ok()
    assert status_of(pid) == 5
    call("kill", "--all", engine.id, "9").ok()
    assert call("kill", engine.id, "9").stderr == "container not running\n"
    call("delete", engine.id).ok()
    call("delete", "--force", engine.id).ok()
    assert "does not exist" in call("delete", engine.id).stderr
    records = [json.loads(line) for line in log.read_text().splitlines()]
    assert [r["msg"] for r in records] == ["container not running", "container does not exist"]
    assert all(RFC3339.fullmatch(r["time"]) and r["level"] == "error" for r in records)


def test_containerd_without_a_pid_namespace(engine):
    """The shim kills what init left, when there is no pid namespace to do it."""
    engine.host_namespace("pid")
    engine.shell("sleep 1000 & echo >/up")
    engine.save()
    engine.creel("create", "--bundle", engine.path, "--pid-file", engine.path / "pid",
                 engine.id).ok()
    engine.start().ok()
    assert status_of(pid_of(engine.path / "pid")) == 0
    engine.creel("kill", "--all", engine.id, "9").ok()
    engine.delete().ok()
    assert engine.guard.check() == []


def test_podman(engine):
    """conmon creates, podman itself does the rest, with an environment that has next to nothing."""
    poor = {"env": {"XDG_RUNTIME_DIR": "", "PATH": "/usr/bin:/bin"}}
    pid_file = engine.path / "pidfile"
    engine.creel("create", "--bundle", engine.path, "--pid-file", pid_file, engine.id,
                 **{"env": {"_OCI_SYNCPIPE": "3", "_OCI_STARTPIPE": "4", "PATH": "/bin"}}).ok()
    pid = pid_of(pid_file)
    for words in (["start"], ["pause"], ["resume"]):
        result = engine.creel(*words, engine.id, **poor).ok()
        assert (result.stdout, result.stderr) == ("", "")
        is_up(engine) if words == ["start"] else None
    process = engine.path / "spec"
    process.write_text(json.dumps(engine.process | {"args": ["sh", "-c", "exit 3"]}))
    exec_pid = engine.path / "exec_pid"
    engine.creel("exec", "--pid-file", exec_pid, "--process", process, "--detach", engine.id).ok()
    assert status_of(pid_of(exec_pid)) == 3
    engine.creel("kill", engine.id, "15", **poor).ok()
    assert status_of(pid) == 5
    engine.creel("delete", "--force", engine.id, **poor).ok()
    engine.creel("delete", "--force", engine.id, **poor).ok()


def test_cri_o(engine):
    """Foreground exec on pipes; kill again and again until the process is gone."""
    root = f"--root={engine.root}"

    def call(*words):
        return engine.program(root, root, *words)
    call("create", "--bundle", engine.path, "--pid-file", engine.path / "pid", engine.id).ok()
    pid = pid_of(engine.path / "pid")
    call("start", engine.id).ok()
    is_up(engine)
    assert json.loads(call("state", engine.id).ok().stdout)["status"] == "running"
    process = engine.path / "process"
    process.write_text(json.dumps(engine.process | {"args": ["sh", "-c", "cat; exit 4"]}))
    result = engine.program(root, "exec", "--process", process, engine.id, stdin="through\n")
    assert (result.rc, result.stdout) == (4, "through\n")
    call("kill", engine.id, "15").ok()
    assert status_of(pid) == 5
    for _ in range(2):
        result = call("kill", engine.id, "KILL")
        assert result.rc == 1 and "container not running" in result.stderr
    state = json.loads(call("state", engine.id).ok().stdout)
    assert (state["status"], state["pid"]) == ("stopped", 0)
    assert not {"started", "finished", "exitCode", "oomKilled", "error"} & state.keys()
    call("delete", "--force", engine.id).ok()


def test_conmon_rs(engine):
    """The command of exec stands on the command line; global options come twice."""
    pid_file = engine.path / "pid"
    twice = ("--root", engine.root, "--root", engine.root)
    engine.program(*twice, "create", "--bundle", engine.path, "--pid-file", pid_file,
                   engine.id).ok()
    engine.program(*twice, "start", engine.id).ok()
    exec_pid = engine.path / "exec"
    engine.program(*twice, "exec", "-d", f"--pid-file={exec_pid}", engine.id, "sh", "-c",
                   "exit 7").ok()
    assert status_of(pid_of(exec_pid)) == 7
    engine.delete("--force").ok()


def test_buildah(engine):
    engine.shell("exit 6")
    engine.save()
    pid_file = engine.path / "pid"
    engine.creel("create", "--bundle", engine.path, "--pid-file", pid_file, engine.id,
                 cwd=engine.path).ok()
    engine.creel("start", engine.id).ok()
    assert status_of(pid_of(pid_file)) == 6
    state = engine.state()
    assert state["status"] in ("creating", "created", "running", "stopped")
    wait_until(lambda: engine.status() == "stopped", "the end")
    engine.creel("delete", engine.id).ok()


def test_buildkit(engine):
    """run in the foreground, kept; state until it runs; deleted when all is read."""
    log = engine.path / "log"
    options = ("--log", log, "--log-format", "json")
    running = engine.spawn(*options, "run", "--bundle", engine.path, "--keep", engine.id)
    is_up(engine)
    state = engine.state()
    assert (state["status"], state["rootfs"]) == ("running", str(engine.rootfs))
    pid_file = engine.path / "pid"
    process = engine.path / "process"
    process.write_text(json.dumps(engine.process | {"args": ["sleep", "1000"]}))
    second = engine.spawn("exec", "--process", process, "--pid-file", pid_file, engine.id)
    wait_until(pid_file.exists, "the pid file")
    comm = Path(f"/proc/{pid_of(pid_file)}/comm")
    wait_until(lambda: comm.read_text() == "sleep\n", "the second program")
    os.kill(pid_of(pid_file), signal.SIGKILL)
    assert second.wait().rc == 137
    engine.creel(*options, "kill", engine.id, "9").ok()
    assert running.wait().rc == 137
    assert engine.state()["status"] == "stopped"
    assert engine.cgroup("freezer").exists()  # what happened there is read afterwards
    engine.creel(*options, "delete", engine.id).ok()
    assert log.read_text() == ""


# ---- failures ----

FAILURES = [
    ["state", "nosuch"], ["start", "nosuch"], ["kill", "nosuch", "9"], ["delete", "nosuch"],
    ["exec", "nosuch", "true"], ["pause", "nosuch"], ["resume", "nosuch"], ["ps", "nosuch"],
    ["create", "--bundle", "/nowhere", "c"], ["run", "--bundle", "/nowhere", "c"],
    ["create", "a b"], ["kill"], ["start"], ["bogus"], ["list", "--format", "yaml"],
    ["exec", "--process", "/nowhere", "nosuch"], ["spec", "--bundle", "/dev/null/x"],
    ["create", "--bogus"],
]


@pytest.mark.parametrize("words", FAILURES, ids=" ".join)
def test_every_failure_leaves_one_record(bundle, words):
    bundle.root.mkdir()
    log = bundle.path / "log"
    log.write_text("")
    result = bundle.creel("--log", log, "--log-format", "json", *words)
    assert result.rc not in (0, None)
    (record,) = [json.loads(line) for line in log.read_text().splitlines()]
    assert record["level"] == "error" and RFC3339.fullmatch(record["time"])
    assert record["msg"].strip() and record["msg"] in result.stderr


def test_pid_file_of_exec_is_only_written_on_success(bundle):
    bundle.up()
    pid_file = bundle.path / "pid"
    bundle.exec("nosuch", options=["-d", "--pid-file", pid_file]).fails(rc=255)
    assert not pid_file.exists()


@pytest.mark.creel_only("1.1 does not know it")
def test_create_ignores_detach(engine):
    engine.creel("create", "--detach", "--bundle", engine.path, engine.id).ok()
    assert engine.status() == "created"


# ---- races ----

def test_exec_detached_while_the_container_ends(bundle):
    """It ran, or it was refused: nothing hangs and nothing is left."""
    bundle.shell("read line; exit 0")
    bundle.save()
    for n in range(8):
        id = f"{bundle.id}-{n}"
        bundle.alive.add(id)
        read_end, write_end = os.pipe()
        bundle.creel("run", "-d", "-b", bundle.path, id, stdin=read_end).ok()
        os.close(read_end)
        running = bundle.spawn("exec", "-d", id, "sleep", "1000")
        time.sleep(n * 0.002)  # so that the end comes at different places
        os.close(write_end)
        assert running.wait().rc in (0, 255)
        bundle.wait_stopped(id)
        bundle.delete(id=id).ok()
    assert bundle.guard.check() == []


def test_delete_right_after_the_end(engine):
    engine.args("true")
    engine.save()
    for _ in range(5):
        engine.creel("create", "-b", engine.path, "--pid-file", engine.path / "pid",
                     engine.id).ok()
        pid = pid_of(engine.path / "pid")
        engine.start().ok()
        assert status_of(pid) == 0
        engine.delete().ok()
    assert engine.guard.check() == []
