"""Podman: the process of a container and those of exec, their streams, statuses and terminals."""

import time

import pytest
from command import run, wait_until

TEXTS = {
    127: 'exec: "nope": executable file not found in $PATH',
    126: 'exec: "/etc/passwd": permission denied',
}


@pytest.mark.quick
def test_streams_and_status(podman):
    script = "cat; echo sorry >&2; exit 7"
    done = podman.run("sh", "-c", script, options=["--interactive"], text="hello", status=7)
    assert (done.out, done.err) == ("hello", "sorry\n")


def test_status_of_a_command_that_cannot_run(podman):
    podman.run("nope", status=127).fails(127, TEXTS[127])
    podman.run("/bin/nope", status=127).fails(127, "no such file or directory")
    podman.run("/etc/passwd", status=126).fails(126, TEXTS[126])
    podman.run("/etc", status=126).fails(126, "is a directory")
    bad_place = ["--workdir=/etc/passwd"]
    podman.run("true", options=bad_place, status=126).fails(126, "not a directory")


def test_status_of_a_signal(podman):
    podman.run("sh", "-c", "sh -c 'kill -9 $$'; exit $?", status=137)


def test_much_input(podman):
    options = ["--interactive"]
    assert podman.run("wc", "-c", options=options, text="0123456789" * 300_000).out == "3000000\n"


def test_descriptors(podman):
    """One more is given on; nothing else that the engine has open."""
    file = podman.file("given", "from outside\n")
    words = ["run", "--rm", "--network=none", "--preserve-fds=1", "localhost/box", "sh", "-c"]
    command = podman.command(*words, "cat <&3; ls /proc/self/fd")
    done = run("sh", "-c", f'exec "$@" 3<{file}', "sh", *command)
    assert done.out.split() == ["from", "outside", "0", "1", "2", "3", "4"]


def test_what_a_process_has(podman):
    options = ["--user=1000:10", "--group-add=50", "--env=A=b c", "--workdir=/tmp", "--umask=0027"]
    options += ["--hostname=ship", "--ulimit=nofile=123:456", "--ulimit=core=0"]
    script = "id -u; id -G; echo $A; pwd; umask; hostname; ulimit -n; ulimit -Hn; ulimit -c"
    out = podman.run("sh", "-c", script, options=options).out
    assert out.splitlines() == ["1000", "10 50", "b c", "/tmp", "0027", "ship", "123", "456", "0"]


def test_score(podman):
    options = ["--oom-score-adj=333"]
    assert podman.run("cat", "/proc/self/oom_score_adj", options=options).out == "333\n"


def test_personality(podman):
    if podman.runtime.name == "runc":
        pytest.skip("runc knows it from version 1.2 on")
    assert podman.run("uname", "-m", options=["--personality=LINUX32"]).out == "i686\n"


def test_groups_of_the_caller(rootless):
    """With a runtime that is said to keep them; the engine refuses for others."""
    rootless.run("id", "-G", options=["--userns=keep-id", "--group-add=50"])
    assert rootless.run("id", "-u", options=["--userns=keep-id"]).out == "1000\n"


# ---- exec ----


def test_exec(podman):
    name = podman.start()
    words = ["--interactive", "--env=A=1", "--user=1000:10", "--workdir=/tmp", name, "sh", "-c"]
    script = "cat; id -u; id -g; echo $A; pwd; echo sorry >&2; exit 3"
    done = podman("exec", *words, script, text="hello\n", status=3)
    assert done.out.split() == ["hello", "1000", "10", "1", "/tmp"]
    assert done.err == "sorry\n"
    podman("exec", name, "nope", status=127).fails(127, TEXTS[127])
    podman("exec", name, "/etc/passwd", status=None).fails(126, TEXTS[126])
    podman("exec", name, "sh", "-c", "kill -9 $$", status=137)
    assert podman.sh("echo still here") == "still here\n"


def test_exec_in_the_background(podman):
    name = podman.start()
    podman("exec", "--detach", name, "sh", "-c", "echo done >/tmp/there; sleep 2000")
    there = "[ ! -e /tmp/there ] || cat /tmp/there"
    wait_until(lambda: podman.sh(there) == "done\n", "the command has run")
    assert "sleep 2000" in podman("top", name, "args").out


def test_exec_privileged(podman):
    name = podman.start()
    script = "grep -E '^(CapEff|Seccomp):' /proc/self/status"

    def seen(*options):
        out = podman("exec", *options, name, "sh", "-c", script).out
        return {
            key: int(value, 16) for key, value in (line.split(":") for line in out.splitlines())
        }

    few, all_there_are = seen(), seen("--privileged")
    assert few["Seccomp"] == 2 and not few["CapEff"] & 1 << 21
    assert all_there_are["CapEff"] & 1 << 21  # CAP_SYS_ADMIN


def test_many_at_once(podman):
    """No status and no output is another one's, and no process stays behind."""
    name = podman.start()
    words = ["exec", name, "sh", "-c"]
    started = [podman.background(*words, f"echo {n}; exit {n}") for n in range(8)]
    for n, engine in enumerate(started):
        out, err = engine.communicate(timeout=250)
        assert (engine.returncode, out) == (n, f"{n}\n"), err
    assert len(podman.limit("cgroup.procs").split()) == 1


# ---- terminals ----


@pytest.mark.quick
def test_terminal_in_the_foreground(podman, screen):
    """The size is given on, then and later; the status arrives."""
    script = "trap 'stty size; echo changed' WINCH; tty; stty size; "
    script += "until read a && [ $a ]; do :; done; echo got $a; exit 6"
    words = ["run", "--rm", "-it", "--network=none", "localhost/box", "sh", "-c", script]
    with screen(podman.command(*words), rows=31, columns=97) as terminal:
        terminal.expect("/dev/pts/0")
        terminal.expect("31 97")
        terminal.resize(40, 111)
        terminal.expect("40 111\r\nchanged")
        terminal.type("word\n")
        terminal.expect("got word")
        assert terminal.status() == 6


def test_terminal_of_exec(podman, screen):
    name = podman.start()
    words = ["exec", "-it", name, "sh", "-c", "tty; stty size; read a; echo got $a; exit 6"]
    with screen(podman.command(*words), rows=31, columns=97) as terminal:
        terminal.expect("/dev/pts/")
        terminal.expect("31 97")
        terminal.type("word\n")
        terminal.expect("got word")
        assert terminal.status() == 6


def test_detach_and_attach(podman, screen):
    words = ["run", "-it", "--network=none", "--name=box", "localhost/box", "sh", "-c"]
    script = "echo ready; while read a; do echo got $a; done; exit 4"
    with screen(podman.command(*words, script)) as terminal:
        terminal.expect("ready")
        terminal.type("one\n")
        terminal.expect("got one")
        terminal.type("\x10")
        time.sleep(1)  # Podman knows a key of these only if it comes alone
        terminal.type("\x11")
        assert terminal.status() == 0
    assert podman.state()["Status"] == "running"
    with screen(podman.command("attach", "--sig-proxy=false", "box")) as terminal:
        wait_until(terminal.is_raw, "the engine is attached")
        terminal.type("two\n")
        terminal.expect("got two")
        terminal.type("\x04")
        assert terminal.status() == 4


def test_attach_without_a_terminal(podman):
    name = podman.start("sh", "-c", "while read a; do echo got $a; done", options=["--interactive"])
    assert podman("attach", name, text="one\ntwo\n").out.split() == ["got", "one", "got", "two"]
