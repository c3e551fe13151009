"""
`run` in the foreground and detached: exit status, signals, streams, and what the program finds
around it.
"""

import fcntl
import os
import re
import signal
import subprocess

import pytest

from program import PATH, wait_until


# ---- how it ends ----

@pytest.mark.parametrize("status", [0, 1, 7, 126, 255])
def test_exit_status_is_the_programs(bundle, status):
    bundle.shell(f"exit {status}")
    assert bundle.run().rc == status


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV", "ABRT"])
def test_death_by_signal_gives_128_and_its_number(bundle, name):
    # In a pid namespace of its own it would be process 1, which its own signals do not end.
    bundle.host_namespace("pid")
    bundle.shell(f"kill -{name} $$")
    assert bundle.run().rc == 128 + getattr(signal, f"SIG{name}")


def test_killed_process_one_gives_137(bundle):
    bundle.sleep()
    running = bundle.spawn_run()
    pid = bundle.pid()
    wait_until(lambda: open(f"/proc/{pid}/comm").read() == "sleep\n", "the program")
    os.kill(pid, signal.SIGKILL)
    assert running.wait().rc == 137


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR1", "USR2", "QUIT"])
def test_signals_are_passed_on_to_the_program(bundle, name):
    bundle.shell(f"trap 'echo got {name}; exit 9' {name}; echo ready; while :; do sleep 0.01; done")
    running = bundle.spawn_run()
    wait_until(lambda: "ready" in running.output(), "the trap to be set")
    running.signal(getattr(signal, f"SIG{name}"))
    result = running.wait()
    assert result.rc == 9
    assert result.stdout == f"ready\ngot {name}\n"


def test_nothing_is_left_after_a_failing_program(bundle):
    bundle.shell("exit 3")
    assert bundle.run().rc == 3
    assert bundle.status() is None


def test_keep_leaves_a_stopped_container(bundle):
    bundle.shell("exit 3")
    bundle.alive.add(bundle.id)
    assert bundle.run("--keep").rc == 3
    assert bundle.status() == "stopped"
    bundle.delete().ok()


def test_an_id_can_be_used_again(bundle):
    for _ in range(3):
        assert bundle.output("echo again") == "again"


@pytest.mark.creel_only("1.1 warns that it is gone")
def test_it_can_be_deleted_by_another_command(bundle):
    bundle.sleep()
    running = bundle.spawn_run()
    bundle.delete("--force").ok()
    result = running.wait()
    assert (result.rc, result.stderr) == (137, "")
    assert bundle.status() is None


def is_unlocked(directory):
    fd = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(fd)
    return True


@pytest.mark.creel_only("1.1 deletes by name")
def test_the_next_owner_of_its_id_is_left_alone(bundle):
    bundle.sleep()
    running = bundle.spawn_run()
    wait_until(lambda: is_unlocked(bundle.root / bundle.id), "others to be let at it")
    running.signal(signal.SIGSTOP)
    bundle.delete("--force").ok()
    bundle.up()
    running.signal(signal.SIGCONT)
    assert running.wait().rc == 137
    assert bundle.status() == "running"


def test_children_die_with_process_one(bundle):
    bundle.shell("sleep 1000 & echo left")
    assert bundle.run().ok().stdout == "left\n"


def test_orphans_become_children_of_process_one(bundle):
    out = bundle.output("sh -c '(sleep 0.05; grep PPid /proc/self/status) & exit'; sleep 0.2")
    assert re.fullmatch(r"PPid:\t\d+", out)


def test_detached_run_returns_while_the_program_runs(bundle):
    bundle.shell("echo up; exec sleep 1000")
    result = bundle.run_detached().ok()
    assert bundle.status() == "running"
    wait_until(lambda: result.stdout == "up\n", "the program's output")


# ---- streams ----

def test_stdout_and_stderr_stay_apart(bundle):
    bundle.shell("echo to stdout; echo to stderr >&2")
    result = bundle.run().ok()
    assert (result.stdout, result.stderr) == ("to stdout\n", "to stderr\n")


def test_stdin_reaches_the_program(bundle):
    bundle.args("cat")
    assert bundle.run(stdin="one\ntwo\n").ok().stdout == "one\ntwo\n"


def test_stdin_from_a_pipe_ends_with_it(bundle):
    bundle.args("wc", "-c")
    bundle.save()
    running = bundle.spawn("run", "-b", bundle.path, bundle.id, stdin=subprocess.PIPE)
    running.process.stdin.write(b"x" * 300000)
    running.process.stdin.close()
    assert running.wait().ok().stdout.strip() == "300000"


def test_a_megabyte_of_output_arrives_whole(bundle):
    bundle.shell("yes creel | head -c 1048576")
    out = bundle.run().ok().stdout
    assert len(out) == 1048576
    assert out == ("creel\n" * 200000)[:1048576]


def test_output_through_a_pipe_with_a_slow_reader(bundle):
    bundle.shell("yes creel | head -c 300000")
    bundle.save()
    command = [bundle.program.path, "--root", bundle.root, "run", "-b", bundle.path, bundle.id]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        wait_until(lambda: bundle.status() in ("running", "stopped"), "the container")
        assert len(process.stdout.read()) == 300000
    assert process.returncode == 0


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_closed_standard_stream_of_the_caller_is_no_harm(bundle, closed):
    bundle.write("out", "")
    bundle.shell("echo here >/out; exit 4")
    bundle.save()
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {closed}>&-', "sh", bundle.program.path, "--root", bundle.root,
         "run", "-b", bundle.path, bundle.id], stderr=subprocess.DEVNULL)
    assert process.wait(10) == 4
    assert (bundle.rootfs / "out").read_text() == "here\n"


# ---- what the program finds ----

def test_it_is_process_one(bundle):
    assert bundle.output("echo $$") == "1"


def test_it_sees_its_own_processes_only(bundle):
    assert bundle.output("ls /proc | grep -c '^[0-9]'") in ("2", "3")


def test_hostname(bundle):
    bundle.config["hostname"] = "box"
    assert bundle.output("hostname") == "box"


@pytest.mark.creel_only("1.1 does not know domainname")
def test_domainname(bundle):
    bundle.config["domainname"] = "example.org"
    assert bundle.output("cat /proc/sys/kernel/domainname") == "example.org"


def test_arguments_arrive_as_they_are(bundle):
    words = ["", " two words ", "new\nline", "$HOME", "'\"\\", "ünï", "-x"]
    bundle.args("/bin/sh", "-c", 'for w; do printf "<%s>" "$w"; done', "sh", *words)
    assert bundle.run().ok().stdout == "".join(f"<{w}>" for w in words)


def test_environment_is_the_configured_one(bundle):
    bundle.process["env"] = [f"PATH={PATH}", "A=1", "B=two words", "EMPTY="]
    bundle.args("env")
    result = bundle.run(env={"PATH": PATH, "SECRET": "of the caller"}).ok()
    assert sorted(result.stdout.split("\n")[:-1]) == ["A=1", "B=two words", "EMPTY=", "HOME=/root",
                                                     f"PATH={PATH}"]


def test_last_value_of_a_repeated_variable_wins(bundle):
    bundle.env(A="first", B="b")
    bundle.env(A="last")
    bundle.args("env")
    assert [v for v in bundle.run().ok().stdout.split() if v.startswith("A=")] == ["A=last"]


def test_home_comes_from_the_containers_passwd(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    assert bundle.output("echo $HOME") == "/home/ann"


def test_home_of_an_unknown_user_is_the_root(bundle):
    bundle.process["user"] = {"uid": 4242, "gid": 0}
    assert bundle.output("echo $HOME") == "/"


def test_given_home_is_kept(bundle):
    bundle.env(HOME="/elsewhere")
    assert bundle.output("echo $HOME") == "/elsewhere"


def test_program_is_looked_up_in_the_containers_path(bundle):
    bundle.script("opt/tool", "#!/bin/sh\necho found in /opt\n")
    bundle.process["env"] = ["PATH=/nowhere:/opt:/bin"]
    bundle.args("tool")
    assert bundle.run().ok().stdout == "found in /opt\n"


def test_program_with_a_slash_is_looked_up_from_cwd(bundle):
    bundle.script("opt/tool", "#!/bin/sh\npwd\n")
    bundle.process["cwd"] = "/opt"
    bundle.args("./tool")
    assert bundle.run().ok().stdout == "/opt\n"


def test_first_argument_is_kept_as_typed(bundle):
    bundle.args("sh", "-c", "tr '\\0' ' ' </proc/$$/cmdline; echo; echo $0", "zero")
    assert bundle.run().ok().stdout.startswith("sh -c ")


def test_working_directory(bundle):
    bundle.process["cwd"] = "/tmp"
    assert bundle.output("pwd") == "/tmp"


def test_missing_working_directory_is_made(bundle):
    bundle.process["cwd"] = "/new/deep"
    assert bundle.output("pwd; stat -c %a /new/deep") == "/new/deep\n755"


def test_user_and_group(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 2000}
    assert bundle.output("id -u; id -g") == "1000\n2000"


def test_bundle_defaults_to_the_current_directory(bundle):
    bundle.shell("echo here")
    bundle.save()
    assert bundle.creel("run", bundle.id, cwd=bundle.path).ok().stdout == "here\n"


def test_relative_bundle(bundle):
    bundle.shell("echo here")
    bundle.save()
    result = bundle.creel("run", "-b", bundle.path.name, bundle.id, cwd=bundle.path.parent)
    assert result.ok().stdout == "here\n"


def test_absolute_root_path(bundle):
    bundle.config["root"]["path"] = str(bundle.rootfs)
    assert bundle.output("echo here") == "here"


def test_readonly_root(bundle):
    bundle.config["root"]["readonly"] = True
    out = bundle.output("touch /x 2>&1; touch /dev/shm/x && echo shm")
    assert "Read-only file system" in out and out.endswith("shm")


def test_writable_root_keeps_what_is_written(bundle):
    bundle.output("echo kept >/x")
    assert (bundle.rootfs / "x").read_text() == "kept\n"


def test_oversize_environment_and_arguments(bundle):
    bundle.env(BIG="x" * 100000)
    bundle.args("/bin/sh", "-c", 'echo ${#BIG} ${#1}', "sh", "y" * 100000)
    assert bundle.run().ok().stdout == "100000 100000\n"


def test_two_containers_of_one_bundle_are_apart(bundle):
    bundle.up()
    other = bundle.id + "-b"
    bundle.shell("hostname other 2>/dev/null; ls /proc | grep -c '^[0-9]'")
    assert bundle.run(id=other).ok().stdout.strip() in ("2", "3")
    assert bundle.status() == "running"
