"""containerd: containers as ctr makes them, with the runtime as --runc-binary."""

import subprocess
import time

import pytest
from command import cgroup_of, limit, wait_until
from containerd import Ctr
from screen import Screen


@pytest.fixture
def ctr(containerd, image, runtime):
    engine = Ctr(containerd, image, runtime)
    yield engine
    engine.finish()


@pytest.mark.quick
def test_run(ctr):
    done = ctr.run("sh", "-c", "echo hello; echo sorry >&2; exit 3", status=3)
    assert (done.out, done.err) == ("hello\n", "sorry\n")


def test_what_cannot_run(ctr):
    ctr.run("nope", status=1).fails(1, 'exec: "nope": executable file not found in $PATH')


def test_life(ctr):
    """The commands on a task, in the order in which they can be given."""
    box = ctr.start("sh", "-c", "trap 'exit 9' USR1; while :; do sleep 0.1; done")
    assert box in ctr.tasks("RUNNING")
    said = ctr.exec(box, "sh", "-c", "echo in; exit 4", status=4).out
    assert said == "in\n"
    pid = ctr.tasks("RUNNING")[box]
    assert pid in ctr("task", "ps", box).out
    metrics = ctr("task", "metrics", box).out
    assert "memory" in metrics and "pids.current" in metrics, metrics
    ctr("task", "pause", box)
    assert box in ctr.tasks("PAUSED")
    ctr("task", "resume", box)
    ctr("task", "kill", "--signal", "SIGUSR1", box)
    wait_until(lambda: box in ctr.tasks("STOPPED"), "its end")
    ctr("task", "kill", box, status=1).fails(1, "not found")
    assert "exit code 9" in ctr("task", "delete", box).err


def test_kill_all(ctr):
    box = ctr.start("sh", "-c", "sleep 1000 & sleep 1000")
    pids = cgroup_of(ctr.tasks("RUNNING")[box]) / "cgroup.procs"
    assert len(pids.read_text().split()) == 2
    ctr("task", "kill", "--all", "--signal", "SIGKILL", box)
    wait_until(lambda: box in ctr.tasks("STOPPED"), "its end")
    assert "exit code 137" in ctr("task", "delete", box).err


@pytest.mark.parametrize("by_systemd", [False, True], ids=["by-path", "by-systemd"])
def test_limits(ctr, by_systemd):
    options = ["--memory-limit", str(32 << 20), "--cpus", "0.5"]
    box = ctr.name()
    if by_systemd:
        options += ["--runc-systemd-cgroup", "--cgroup", f"system.slice:ctr:{box}"]
    ctr.start(options=options)
    pid = ctr.tasks("RUNNING")[box]
    assert cgroup_of(pid).name == (f"ctr-{box}.scope" if by_systemd else box)
    assert limit(pid, "memory.max") == str(32 << 20)
    assert limit(pid, "cpu.max") == "50000 100000"
    assert str(32 << 20) in ctr("task", "metrics", box).out
    ctr.exec(box, "true")


def test_out_of_memory_is_told(ctr):
    """The shim watches the cgroup of the task from its start on."""
    with subprocess.Popen(ctr.words("events"), stdout=subprocess.PIPE, text=True) as events:
        time.sleep(3)
        options = ["--memory-limit", str(16 << 20)]
        ctr.run("tail", "/dev/zero", options=options, status=137)
        lines = []
        while not any("/tasks/exit" in line for line in lines):
            lines.append(events.stdout.readline())
        events.terminate()
    assert any("/tasks/oom" in line for line in lines), lines


def test_terminal(ctr):
    words = ctr.words("run", "--rm", "--tty", *ctr.options, ctr.image, ctr.name(), "sh")
    with Screen(words, rows=29, columns=88) as screen:
        screen.type("until stty size | grep '^29 88'; do sleep 0.1; done; echo siz''ed\n")
        screen.expect("sized")
        screen.type("exit 5\n")
        assert screen.status() == 5


def test_what_ctr_can_ask_for(ctr):
    options = ["--seccomp", "--read-only", "--env", "X=y", "--cwd", "/tmp", "--user", "1000:50"]
    options += ["--hostname", "here", "--cap-drop", "CAP_CHOWN", "--apparmor-default-profile", "cri"]
    script = "hostname; pwd; echo $X; id -u; id -g; grep Seccomp: /proc/self/status; touch /tmp/x"
    done = ctr.run("sh", "-c", script, options=options, status=1)
    assert done.out == "here\n/tmp\ny\n1000\n50\nSeccomp:\t2\n"
    assert "Read-only file system" in done.err


def test_user_namespace(ctr):
    options = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]
    script = "cat /proc/self/uid_map; touch /tmp/made; stat -c %u /tmp/made"
    said = ctr.run("sh", "-c", script, options=options).out.split()
    assert said == ["0", "100000", "65536", "0"]
