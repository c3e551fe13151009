"""Docker: the life of a container, and what its command line says of it."""

import time

import pytest
from command import wait_until
from screen import Screen

# Ends at SIGTERM, which the first process of a container only gets when it asks for it.
POLITE = "trap 'echo bye; exit 7' TERM; trap 'echo one' USR1; while :; do sleep 0.1; done"


@pytest.mark.quick
def test_run(docker):
    done = docker.run("sh", "-c", "echo hello; echo sorry >&2; exit 3", status=3)
    assert (done.out, done.err) == ("hello\n", "sorry\n")


def test_standard_input(docker):
    assert docker.run("tr", "a-z", "A-Z", options=["--interactive"], text="abc").out == "ABC"


@pytest.mark.parametrize(
    ("command", "options", "status", "text"),
    [
        (["nope"], [], 127, 'exec: "nope": executable file not found in $PATH'),
        (["/bin/nope"], [], 127, 'exec: "/bin/nope": stat /bin/nope: no such file or directory'),
        (["/etc"], [], 126, 'exec: "/etc": '),
        (["true"], ["--sysctl", "net.ipv4.ip_forward=many"], 125, "OCI runtime create failed"),
    ],
    ids=["not-in-path", "no-file", "folder", "setting"],
)
def test_what_cannot_run(docker, command, options, status, text):
    docker.run(*command, options=options, status=status).fails(status, text)


@pytest.mark.quick
def test_exec(docker):
    box = docker.start()

    def inside(*words, options=(), **more):
        return docker("exec", *options, box, *words, **more)

    assert inside("cat", options=["--interactive"], text="given").out == "given"
    said = inside(
        "sh", "-c", "id -un; id -Gn; pwd; echo $X",
        options=["--user", "ann:staff", "--workdir", "/tmp", "--env", "X=y"],
    ).out  # fmt: skip
    assert said == "ann\nstaff\n/tmp\ny\n"
    inside("sh", "-c", "exit 5", status=5)
    inside("nope", status=126)
    inside("/etc/passwd", status=126)
    inside("touch", "/tmp/made", options=["--detach"])
    wait_until(lambda: inside("test", "-e", "/tmp/made", status=None).status == 0, "the file")


def effective(text):
    """The effective capabilities in /proc/PID/status."""
    return next(line.split()[1] for line in text.splitlines() if line.startswith("CapEff"))


def test_exec_privileged(docker):
    box = docker.start()
    ordinary = effective(docker("exec", box, "cat", "/proc/self/status").out)
    privileged = docker("exec", "--privileged", box, "cat", "/proc/self/status").out
    assert ordinary == "00000000a80425fb"
    assert int(effective(privileged), 16) > int(ordinary, 16)
    assert "Seccomp:\t2" in docker("exec", box, "cat", "/proc/self/status").out


def test_exec_with_a_terminal(docker):
    box = docker.start()
    words = docker.words("exec", "--interactive", "--tty", box, "sh")
    with Screen(words, rows=30, columns=90) as screen:
        screen.type("tty; stty size\n")
        screen.expect("/dev/pts/")
        screen.expect("30 90")
        screen.type("until stty size | grep '^41 101'; do sleep 0.1; done; echo siz''ed\n")

        def resized():  # the command does not listen for it from the beginning
            screen.resize(41, 100)
            screen.resize(41, 101)
            time.sleep(1)
            return "sized" in screen.text()

        wait_until(resized, "the new size", 60)
        screen.type("exit 6\n")
        assert screen.status() == 6


def test_attach(docker):
    box = docker.start("sh", options=["--interactive", "--tty"])
    with Screen(docker.words("attach", box), rows=33, columns=77) as screen:
        screen.type("echo a$((1 + 1))b\n")
        screen.expect("a2b")
        screen.type("stty size\n")
        screen.expect("33 77")
        screen.type("\x10\x11")  # what detaches
        screen.expect("read escape sequence")
    assert docker.inspect()["State"]["Running"]
    with Screen(docker.words("attach", box)) as screen:
        screen.type("exit 4\n")
        assert screen.status() == 4
    assert docker.inspect()["State"]["ExitCode"] == 4


def test_signals(docker):
    box = docker.start("sh", "-c", POLITE)
    docker("kill", "--signal", "USR1", box)
    wait_until(lambda: docker("logs", box).out == "one\n", "the signal is answered")
    docker("stop", box)
    assert docker.inspect()["State"]["ExitCode"] == 7
    assert docker("logs", box).out == "one\nbye\n"
    docker("start", box)
    docker("restart", box)
    assert docker.inspect()["State"]["Running"]
    docker("kill", box)
    wait_until(lambda: not docker.inspect()["State"]["Running"], "its end")
    assert docker.inspect()["State"]["ExitCode"] == 137


def test_stop_is_not_heard(docker):
    box = docker.start()
    docker("stop", "--time", "1", box)
    assert docker.inspect()["State"]["ExitCode"] == 137
    docker("exec", box, "true", status=1).fails(1, "is not running")


def test_pause(docker):
    box = docker.start("sh", "-c", "while :; do echo >>/ticks; sleep 0.1; done")
    docker("pause", box)
    assert docker.inspect()["State"]["Status"] == "paused"
    docker("exec", box, "true", status=1).fails(1, "is paused")
    before = docker("cp", f"{box}:/ticks", "-").out
    assert docker("cp", f"{box}:/ticks", "-").out == before
    docker("unpause", box)
    size = docker("exec", box, "wc", "-c", "/ticks").out
    wait_until(lambda: docker("exec", box, "wc", "-c", "/ticks").out != size, "it goes on")
    docker("pause", box)
    docker("kill", box)
    wait_until(lambda: not docker.inspect()["State"]["Running"], "its end")


def test_logs(docker):
    box = docker.start("sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; done")
    assert docker("wait", box).out == "0\n"
    done = docker("logs", box)
    assert (done.out, done.err) == ("out 1\nout 2\nout 3\n", "err 1\nerr 2\nerr 3\n")


def test_init(docker):
    script = "cat /proc/1/comm; (sleep 0.1 & exec true); sleep 1; ps -o stat,comm"
    said = docker.run("sh", "-c", script, options=["--init"]).out
    assert said.startswith("docker-init\n")
    assert "Z" not in said.split("STAT")[1].replace("COMMAND", "")


def test_identity(docker):
    script = "hostname; cat /etc/hosts; id -u; id -G; pwd; echo $X; cat /proc/sys/net/ipv4/ip_forward"
    options = ["--hostname", "here", "--user", "1000:50", "--group-add", "99", "--env", "X=y"]
    options += ["--workdir", "/srv/new", "--sysctl", "net.ipv4.ip_forward=1"]
    lines = docker.run("sh", "-c", script, options=options).out.splitlines()
    assert lines[0] == "here"
    assert lines[-5:] == ["1000", "50 99", "/srv/new", "y", "1"]


def test_top(docker):
    box = docker.start("sh", "-c", "sleep 1111 & sleep 2222")
    said = docker("top", box, "-o", "pid,args").out
    assert "sleep 1111" in said and "sleep 2222" in said
    assert str(docker.pid()) in said.split()
