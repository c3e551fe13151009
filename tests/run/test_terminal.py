"""
Terminals: of a program in the foreground, where the caller's own terminal is relayed, and of a
detached one, where an engine gets it through a console socket.
"""

import json
import os
import re
import signal
import stat
import subprocess
import termios
import threading
import time

import pytest

from program import PATH, wait_until
from terminal import OFLAG, Listener, Master, Screen, close_all, get_size


@pytest.fixture
def bundle(bundle):
    bundle.process["terminal"] = True
    yield bundle
    close_all()


@pytest.fixture
def faulty(bundle, faulty):
    """A bundle whose program fails where it is told to."""
    bundle.program = faulty
    return bundle


def run_on(screen, bundle, script=None, **streams):
    """Starts the container in the foreground of screen."""
    if script is not None:
        bundle.shell(script)
    bundle.save()
    bundle.alive.add(bundle.id)
    return bundle.spawn("run", "--bundle", bundle.path, bundle.id, **screen.streams(**streams))


def shown(bundle, script, screen=None):
    """What the container shows on a screen, line by line."""
    screen = screen or Screen()
    assert screen.wait(run_on(screen, bundle, script)) == 0, screen.text()
    return screen.text().split("\r\n")[:-1]


def without_dev(bundle):
    """Leaves /dev to the image; only the devpts is mounted there."""
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/dev"]
    (bundle.rootfs / "dev/pts").mkdir()
    return bundle.rootfs / "dev"


# ---- in the foreground: what the program has ----

def test_standard_streams_are_the_terminal(bundle):
    script = "for fd in 0 1 2; do tty <&$fd; done; test -t 0 -a -t 1 -a -t 2 && echo all"
    assert shown(bundle, script) == ["/dev/pts/0"] * 3 + ["all"]


def test_it_is_the_controlling_terminal_of_a_session(bundle):
    assert shown(bundle, "echo this > /dev/tty; cut -d' ' -f6,7 /proc/1/stat") == [
        "this", f"1 {136 << 8}"]


def test_dev_console_is_the_terminal(bundle):
    numbers = shown(bundle, "stat -c %t:%T:%i /dev/console /dev/pts/0; echo this > /dev/console")
    assert numbers[0] == numbers[1] and numbers[2] == "this"


def test_there_is_one_terminal_in_a_devpts_of_the_container(bundle):
    assert shown(bundle, "ls -1 /dev/pts") == ["0", "ptmx"]


def test_newlines_are_not_turned_into_carriage_returns(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "echo hi; echo there", stdout=subprocess.PIPE)
    assert running.process.communicate()[0] == b"hi\nthere\n"


def test_the_users_own_terminal_puts_them_in(bundle):
    assert shown(bundle, "echo hi; echo there") == ["hi", "there"]


@pytest.mark.parametrize("status", [0, 7])
def test_exit_status_is_the_programs(bundle, status):
    screen = Screen()
    assert screen.wait(run_on(screen, bundle, f"exit {status}")) == status


def test_terminal_belongs_to_the_processs_user(bundle):
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    script = "stat -c %u:%g:%a /dev/pts/0; echo this > /dev/stdout"
    assert shown(bundle, script) == ["1000:5:620", "this"]


def test_user_namespace(bundle):
    bundle.user_namespace()
    script = "tty; stat -c %u /dev/console; echo this > /dev/tty"
    assert shown(bundle, script) == ["/dev/pts/0", "0", "this"]


def test_read_only_dev(bundle):
    dev = next(m for m in bundle.config["mounts"] if m["destination"] == "/dev")
    dev["options"].append("ro")
    assert shown(bundle, "tty; touch /dev/x || echo this > /dev/console") == [
        "/dev/pts/0", "touch: /dev/x: Read-only file system", "this"]


def test_read_only_root(bundle):
    bundle.config["root"]["readonly"] = True
    assert shown(bundle, "tty; touch /x || true") == [
        "/dev/pts/0", "touch: /x: Read-only file system"]


# ---- in the foreground: the relay ----

def test_keys_reach_the_program_and_are_echoed_once(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "echo ready; read word; echo got $word")
    screen.expect("ready")
    screen.type("abc\r")
    assert screen.wait(running) == 0
    assert screen.text() == "ready\r\nabc\r\ngot abc\r\n"


def test_no_key_is_kept_back(bundle):
    keys = "\x03\x04\x11\x13\x16\x1a\x1c\r\n\x7f"
    screen = Screen()
    running = run_on(screen, bundle, f"stty raw -echo; echo ready; head -c {len(keys)} | "
                                     "od -An -tx1 | tr -d '\\n'; stty sane")
    screen.expect("ready")
    screen.type(keys)
    assert screen.wait(running) == 0
    assert bytes.fromhex(screen.text().split("ready\r\n")[1]).decode() == keys


def test_interrupt_key_reaches_the_program_as_a_signal(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "trap 'echo stopped; exit 5' INT; echo ready; "
                                     "while :; do sleep 0.01; done")
    screen.expect("ready")
    screen.type("\x03")
    assert screen.wait(running) == 5
    assert "stopped" in screen.text()


def test_signals_are_passed_on(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "trap 'echo told; exit 6' TERM; echo ready; "
                                     "while :; do sleep 0.01; done")
    screen.expect("ready")
    running.signal(signal.SIGTERM)
    assert screen.wait(running) == 6


def test_signals_are_passed_on_when_nobody_reads_what_is_shown(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "trap 'echo > /told; exit' TERM; echo > /ready; "
                                     "while :; do echo line > /dev/tty; done & "
                                     "while :; do sleep 0.01; done")
    wait_until((bundle.rootfs / "ready").exists, "the program")
    time.sleep(0.1)
    running.signal(signal.SIGTERM)
    wait_until((bundle.rootfs / "told").exists, "the signal to arrive")
    assert screen.wait(running) == 0


def test_all_output_comes_before_the_end(bundle):
    assert shown(bundle, "seq 1 30000") == [str(number) for number in range(1, 30001)]


def test_all_output_comes_to_a_pipe_that_is_read_late(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "seq 1 30000", stdout=subprocess.PIPE)
    time.sleep(0.2)
    assert running.process.communicate()[0].split() == [b"%d" % n for n in range(1, 30001)]
    assert running.process.returncode == 0


def test_end_of_input_leaves_the_program_alone(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "read word; sleep 0.1; echo got $word", stdin="abc\n")
    assert screen.wait(running) == 0
    assert screen.text().endswith("got abc\r\n")


def test_terminal_that_the_program_closes_and_opens_again(bundle):
    script = ("exec sh -c 'sleep 0.05; echo this > /dev/console; sleep 0.05; "
              "echo that > /dev/console' </dev/null >/dev/null 2>&1")
    assert shown(bundle, script) == ["this", "that"]


def test_terminal_is_found_behind_redirected_streams(bundle):
    screen = Screen(31, 101)
    null = subprocess.DEVNULL
    running = run_on(screen, bundle, "stty size", stdin=null, stdout=subprocess.PIPE, stderr=null)
    assert running.process.communicate()[0] == b"31 101\n"


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1), (0, 1, 2)])
def test_closed_standard_streams(bundle, closed):
    screen = Screen()
    running = run_on(screen, bundle, "tty; tty > /told; exit 3", closed=closed)
    assert screen.wait(running) == 3
    assert (bundle.rootfs / "told").read_text() == "/dev/pts/0\n"
    assert screen.text() == ("" if 1 in closed else "/dev/pts/0\r\n")


# ---- in the foreground: the caller's terminal ----

def test_callers_terminal_is_raw_while_the_program_runs(bundle):
    screen = Screen()
    before = termios.tcgetattr(screen.slave)
    running = run_on(screen, bundle, "echo ready; read word")
    screen.expect("ready")
    wait_until(screen.is_raw, "raw mode")
    assert screen.flags(OFLAG) == before[OFLAG]
    screen.type("x\r")
    assert screen.wait(running) == 0
    assert termios.tcgetattr(screen.slave) == before


@pytest.mark.parametrize("script", ["exit 1", "kill -KILL $$"])
def test_callers_terminal_is_restored_after_a_bad_end(bundle, script):
    screen = Screen()
    before = termios.tcgetattr(screen.slave)
    screen.wait(run_on(screen, bundle, script))
    assert termios.tcgetattr(screen.slave) == before


@pytest.mark.parametrize("word, part", [
    ("nosuch", "executable file not found in $PATH"),
    ("/bin/broken", "exec format error"),
])
def test_callers_terminal_is_restored_after_a_failed_start(bundle, word, part):
    bundle.script("/bin/broken", "\x00\x01 no program")
    bundle.args(word)
    screen = Screen()
    before = termios.tcgetattr(screen.slave)
    assert screen.wait(run_on(screen, bundle)) == 1
    assert part in screen.text()
    assert termios.tcgetattr(screen.slave) == before


def test_background_job_leaves_the_terminals_mode_alone(bundle):
    screen = Screen()
    bundle.shell("echo ready; while ! test -e /tmp/end; do sleep 0.01; done; echo over")
    bundle.save()
    bundle.alive.add(bundle.id)
    command = [bundle.program.path, "--root", bundle.root, "run", "--bundle", bundle.path,
               bundle.id]
    shell = subprocess.Popen(["/bin/sh", "-mc", '"$@" & wait $!', "sh", *map(str, command)],
                             **screen.streams())
    screen.expect("ready")
    assert not screen.is_raw()
    screen.type("abc\r")  # not for the program: it must neither stop nor end
    time.sleep(0.05)
    bundle.write("/tmp/end", "")
    wait_until(lambda: shell.poll() is not None, "the end")
    assert shell.returncode == 0
    assert "over" in screen.text()
    assert not screen.is_raw()


@pytest.mark.creel_only("runc goes on with a terminal that is not there any more")
def test_hang_up_reaches_the_program(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "trap '' HUP; echo ready; cat; echo > /gone; exit 4")
    screen.expect("ready")
    wait_until(screen.is_raw, "raw mode")
    screen.hang_up()
    wait_until(lambda: running.process.poll() is not None, "the end")
    assert (bundle.rootfs / "gone").exists()
    assert running.process.returncode == 4


def test_closed_output_hangs_up(bundle):
    screen = Screen()
    running = run_on(screen, bundle, "while echo line; do :; done", stdout=subprocess.PIPE)
    running.process.stdout.read(100)
    running.process.stdout.close()
    wait_until(lambda: running.process.poll() is not None, "the end")


def test_without_a_terminal_at_hand(bundle):
    bundle.args("true")
    message = bundle.run(start_new_session=True).fails(
        "runc run failed: open /dev/tty: no such device or address")
    assert "process.terminal" in message.hint
    assert bundle.status() is None


# ---- size ----

def test_size_is_that_of_the_callers_terminal(bundle):
    bundle.process["consoleSize"] = {"height": 10, "width": 20}
    assert shown(bundle, "stty size", Screen(33, 111)) == ["33 111"]


@pytest.mark.creel_only("runc copies even a size of 0 × 0")
def test_terminal_of_unknown_size_leaves_console_size(bundle):
    bundle.process["consoleSize"] = {"height": 10, "width": 20}
    assert shown(bundle, "stty size", Screen(0, 0)) == ["10 20"]


def test_size_follows_the_callers_terminal(bundle):
    screen = Screen(33, 111)
    running = run_on(screen, bundle, "trap 'stty size; exit' WINCH; echo ready; "
                                     "while :; do sleep 0.01; done")
    screen.expect("ready")
    screen.resize(34, 112)
    assert screen.wait(running) == 0
    assert "34 112" in screen.text()


def test_terminal_of_an_engine_is_not_the_controlling_one(bundle):
    """BuildKit and CRI-O: the runtime learns of a new size by a signal that they send it."""
    screen = Screen(33, 111)
    running = run_on(screen, bundle, "trap 'stty size; exit 3' WINCH; stty size; "
                                     "while :; do sleep 0.01; done", control=False)
    screen.expect("33 111")
    assert screen.is_raw()
    screen.resize(34, 112)
    running.signal(signal.SIGWINCH)
    assert screen.wait(running) == 3
    assert "34 112" in screen.text()
    assert not screen.is_raw()


def test_job_that_was_stopped_goes_on_as_before(bundle):
    """A shell that stops a job has taken the terminal's mode back meanwhile."""
    screen = Screen(33, 111)
    cooked = termios.tcgetattr(screen.slave)
    running = run_on(screen, bundle, "echo ready; read word; stty size")
    screen.expect("ready")
    wait_until(screen.is_raw, "raw mode")
    running.signal(signal.SIGSTOP)
    termios.tcsetattr(screen.slave, termios.TCSANOW, cooked)
    screen.resize(34, 112)
    running.signal(signal.SIGCONT)
    wait_until(screen.is_raw, "raw mode again")
    screen.type("x\r")
    assert screen.wait(running) == 0
    assert "34 112" in screen.text()
    assert termios.tcgetattr(screen.slave) == cooked


# ---- detached: the console socket ----

@pytest.fixture
def listener(bundle):
    return Listener(bundle.path / "console.sock")


def received(listener):
    """(name, master) of the terminal that was sent."""
    name, fd = listener.receive()
    return name, Master(fd)


def test_create_sends_the_terminal(bundle, listener):
    bundle.shell("tty; stty size; stat -c %t:%T /dev/console /dev/pts/0; read word; echo $word")
    bundle.process["consoleSize"] = {"height": 10, "width": 20}
    bundle.create("--console-socket", listener.path).ok()
    name, screen = received(listener)
    assert name == "/dev/pts/0"
    assert get_size(screen.fd) == (10, 20)
    assert screen.flags(OFLAG) & termios.ONLCR  # what it shows is the engine's to change
    assert bundle.status() == "created"
    bundle.start().ok()
    screen.expect("/dev/pts/0\r\n10 20\r\n88:0\r\n88:0\r\n")
    screen.type("abc\r")
    bundle.wait_stopped()
    assert screen.text().endswith("abc\r\nabc\r\n")


def test_created_container_holds_no_stream_of_the_caller(bundle, listener):
    """Engines wait for the end of both before they go on."""
    bundle.save()
    bundle.alive.add(bundle.id)
    command = [bundle.program.path, "--root", bundle.root, "create", "--bundle", bundle.path,
               "--console-socket", listener.path, bundle.id]
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=5, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    pid = bundle.pid()
    streams = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (0, 1, 2)}
    assert streams == {"/dev/pts/0"}
    assert bundle.status() == "created"


def test_detached_run_sends_the_terminal(bundle, listener):
    bundle.shell("echo hi; read word")
    bundle.run_detached("--console-socket", listener.path).ok()
    _, screen = received(listener)
    screen.expect("hi\r\n")
    screen.type("\r")
    bundle.wait_stopped()


def test_engine_that_closes_the_terminal_hangs_up(bundle, listener):
    bundle.shell("trap 'echo > /told; exit' HUP; echo ready; while :; do sleep 0.01; done")
    bundle.run_detached("--console-socket", listener.path).ok()
    _, screen = received(listener)
    screen.expect("ready")
    screen.hang_up()
    bundle.wait_stopped()
    assert (bundle.rootfs / "told").exists()


@pytest.mark.parametrize("length", [107, 108, 109, 250])
def test_socket_of_any_path_length(bundle, length):
    folder = bundle.path / "d"
    name = "s" * (length - len(str(folder)) - 1)
    folder.mkdir()
    listener = Listener(folder / name)
    bundle.create("--console-socket", listener.path).ok()
    assert received(listener)[0] == "/dev/pts/0"


def test_socket_below_deep_directories(bundle):
    folder = bundle.path / "/".join(["d" * 100] * 4)
    folder.mkdir(parents=True)
    listener = Listener(folder / "s")
    bundle.create("--console-socket", listener.path).ok()
    assert received(listener)[0] == "/dev/pts/0"


@pytest.mark.parametrize("option, config", [("--console-socket", {}),
                                            ("--pidfd-socket", {"terminal": False})])
def test_relative_socket_is_looked_for_in_the_bundle(bundle, option, config):
    """Wherever the command is called."""
    bundle.process.update(config)
    listener = Listener(bundle.path / "s.sock")
    bundle.create(option, "s.sock", cwd="/").ok()
    os.close(listener.receive()[1])


def test_listener_that_comes_a_little_late(bundle):
    path = bundle.path / "late.sock"
    made = []
    thread = threading.Timer(0.05, lambda: made.append(Listener(path)))
    thread.start()
    bundle.create("--console-socket", path).ok()
    thread.join()
    assert received(made[0])[0] == "/dev/pts/0"


def test_nobody_listens(bundle):
    path = bundle.path / "nobody.sock"
    bundle.create("--console-socket", path).fails(
        part=f"dial unix {path}: connect: no such file or directory")
    assert bundle.status() is None


def test_socket_is_no_socket(bundle):
    path = bundle.path / "config.json"
    bundle.create("--console-socket", path).fails(part="connect: connection refused")
    assert bundle.status() is None


@pytest.mark.parametrize("command, options", [
    ("create", ()), ("run", ("--detach",)),
])
def test_detached_terminal_needs_a_socket(bundle, command, options):
    bundle.save()
    message = bundle.creel(command, "--bundle", bundle.path, *options, bundle.id).fails(
        f"runc {command} failed: cannot allocate tty if runc will detach without setting "
        "console socket")
    assert "--console-socket" in message.hint
    assert bundle.status() is None


@pytest.mark.parametrize("terminal, detach", [(False, True), (True, False), (False, False)])
def test_socket_that_nobody_needs_is_refused(bundle, listener, terminal, detach):
    bundle.process["terminal"] = terminal
    options = ["--detach"] if detach else []
    bundle.run(*options, "--console-socket", listener.path).fails(
        "runc run failed: cannot use console socket if runc will not detach or allocate tty")


# ---- steps that fail ----

def failing_runs(bundle, command):
    """Calls command(environment) with 1, 2, … as the step that fails, until none does."""
    for step in range(1, 200):
        rc = command({"PATH": PATH, "CREEL_FAIL_STEP": str(step)})
        assert bundle.guard.check() == [] or rc == 0, f"after step {step}"
        if rc == 0:
            assert step > 20
            return
    raise AssertionError("it never succeeded")


def test_no_failing_step_leaves_the_callers_terminal_raw(faulty):
    screen = Screen()
    before = termios.tcgetattr(screen.slave)
    faulty.args("true")
    faulty.save()

    def run(environment):
        rc = screen.wait(faulty.spawn("run", "--bundle", faulty.path, faulty.id, env=environment,
                                      **screen.streams()))
        assert termios.tcgetattr(screen.slave) == before
        return rc

    failing_runs(faulty, run)


def test_no_failing_step_with_a_console_socket_leaves_anything(faulty, listener):
    faulty.args("true")
    failing_runs(faulty, lambda environment: faulty.run(
        "--detach", "--console-socket", listener.path, env=environment).rc)
    faulty.alive.add(faulty.id)


# ---- exec ----

@pytest.fixture
def up(bundle):
    """A bundle whose container runs, without a terminal of its own."""
    bundle.process["terminal"] = False
    bundle.up()
    return bundle


def exec_on(screen, bundle, script, *options):
    return bundle.spawn("exec", *options, bundle.id, "sh", "-c", script, **screen.streams())


def test_exec_with_a_terminal(up):
    screen = Screen(33, 111)
    running = exec_on(screen, up, "tty; stty size; echo this > /dev/tty; exit 9", "-t")
    assert screen.wait(running) == 9
    assert screen.text() == "/dev/pts/0\r\n33 111\r\nthis\r\n"


def test_exec_does_not_touch_dev_console(up):
    screen = Screen()
    assert screen.wait(exec_on(screen, up, "test -e /dev/console", "-t")) == 1


def test_exec_interrupt_key(up):
    screen = Screen()
    running = exec_on(screen, up, "trap 'exit 5' INT; echo ready; while :; do sleep 0.01; done",
                      "-t")
    screen.expect("ready")
    screen.type("\x03")
    assert screen.wait(running) == 5
    assert not screen.is_raw()


def test_exec_shows_all_that_was_written(up):
    screen = Screen()
    assert screen.wait(exec_on(screen, up, "seq 1 30000", "-t")) == 0
    assert screen.text().split() == [str(number) for number in range(1, 30001)]


def test_exec_ends_with_its_program_and_not_with_its_children(up):
    screen = Screen()
    running = exec_on(screen, up, "trap '' HUP; sleep 1000 & echo ready", "-t")
    assert screen.wait(running) == 0
    assert "ready" in screen.text()


def test_exec_as_another_user(up):
    screen = Screen()
    running = exec_on(screen, up, "stat -c %u /dev/pts/0; echo this > /dev/stdout", "-t", "-u",
                      "1000:1000")
    assert screen.wait(running) == 0
    assert screen.text() == "1000\r\nthis\r\n"


def test_exec_of_a_process_with_a_terminal(up):
    path = up.path / "process.json"
    path.write_text(json.dumps(up.process | {"terminal": True, "args": ["tty"]}))
    screen = Screen()
    running = up.spawn("exec", "--process", path, up.id, **screen.streams())
    assert screen.wait(running) == 0
    assert screen.text() == "/dev/pts/0\r\n"


def test_exec_detached_sends_the_terminal(up):
    listener = Listener(up.path / "console.sock")
    path = up.path / "process.json"
    path.write_text(json.dumps(up.process | {
        "terminal": True, "args": ["sh", "-c", "stty size; read word; echo $word"],
        "consoleSize": {"height": 10, "width": 20}}))
    up.exec(options=("--process", path, "--detach", "--console-socket", listener.path)).ok()
    name, screen = received(listener)
    assert name == "/dev/pts/0"
    screen.expect("10 20\r\n")
    screen.type("abc\r")
    screen.expect("abc\r\nabc\r\n")


def test_exec_detached_holds_no_stream_of_the_caller(up):
    listener = Listener(up.path / "console.sock")
    command = [up.program.path, "--root", up.root, "exec", "-d", "-t", "--console-socket",
               listener.path, up.id, "sleep", "1000"]
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=5, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_exec_needs_a_socket_when_detached(up):
    up.exec("true", options=("-d", "-t")).fails(
        "exec failed: cannot allocate tty if runc will detach without setting console socket",
        rc=255)


def test_exec_refuses_a_socket_that_nobody_needs(up):
    up.exec("true", options=("--console-socket", up.path / "s")).fails(
        "exec failed: cannot use console socket if runc will not detach or allocate tty", rc=255)


def test_exec_without_a_terminal_at_hand(up):
    up.exec("true", options=("-t",), start_new_session=True).fails(
        "exec failed: open /dev/tty: no such device or address", rc=255)


def test_exec_in_a_container_that_hid_its_devpts(up):
    """What the container did to its /dev must not matter to the caller."""
    up.stop()
    up.delete().ok()
    up.capabilities()
    up.up()
    up.exec("umount", "/dev/pts").ok()
    up.exec("ln", "-s", "/dev/zero", "/dev/pts/ptmx").ok()
    screen = Screen()
    assert screen.wait(exec_on(screen, up, "true", "-t")) == 255
    assert "/dev/pts in the container's root is not a devpts" in screen.text()


# ---- pidfd socket ----

def pid_of(pidfd):
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        return int(re.search(r"^Pid:\s*(-?\d+)$", file.read(), re.M)[1])


def test_create_sends_a_pidfd_of_init(bundle):
    bundle.process["terminal"] = False
    listener = Listener(bundle.path / "pidfd.sock")
    bundle.sleep()
    bundle.create("--pidfd-socket", listener.path).ok()
    text, pidfd = listener.receive()
    assert (text, pid_of(pidfd)) == ("standard", bundle.pid())
    os.close(pidfd)


def test_exec_sends_a_pidfd_of_its_process(up):
    listener = Listener(up.path / "pidfd.sock")
    up.exec("sleep", "1000", options=("-d", "--pidfd-socket", listener.path, "--pid-file",
                                      up.path / "pid")).ok()
    text, pidfd = listener.receive()
    assert (text, pid_of(pidfd)) == ("setns", int((up.path / "pid").read_text()))
    os.close(pidfd)


def test_pidfd_socket_that_nobody_listens_at(bundle):
    bundle.process["terminal"] = False
    bundle.create("--pidfd-socket", bundle.path / "nobody.sock").fails(
        part="connect: no such file or directory")
    assert bundle.status() is None


# ---- hostile images ----

def refused(bundle, part):
    screen = Screen()
    assert screen.wait(run_on(screen, bundle, "true")) == 1
    assert part in screen.text()
    assert bundle.status() is None


def test_directory_in_place_of_the_devpts(bundle):
    dev = without_dev(bundle)
    bundle.config["mounts"] = [m for m in bundle.config["mounts"]
                               if m["destination"] != "/dev/pts"]
    os.mknod(dev / "pts/ptmx", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    refused(bundle, "/dev/pts in the container's root is not a devpts")


def test_missing_devpts(bundle):
    bundle.config["mounts"] = [m for m in bundle.config["mounts"]
                               if m["destination"] != "/dev/pts"]
    refused(bundle, "a terminal needs a mount of type devpts at /dev/pts")


def test_link_in_place_of_the_devpts(bundle):
    dev = without_dev(bundle)
    bundle.config["mounts"] = [m for m in bundle.config["mounts"]
                               if m["destination"] != "/dev/pts"]
    (dev / "pts").rmdir()
    (dev / "pts").symlink_to("/mnt")
    bundle.mount("/mnt", "devpts", "devpts", "newinstance", "ptmxmode=0666")
    refused(bundle, "too many levels of symbolic links")


@pytest.mark.parametrize("target", ["/etc/passwd", "/etc/new", "../../../../{outside}"])
def test_link_in_place_of_dev_console(bundle, target):
    dev = without_dev(bundle)
    outside = bundle.path / "outside"
    (dev / "console").symlink_to(target.format(outside=outside))
    before = (bundle.rootfs / "etc/passwd").read_text()
    refused(bundle, "/dev/console")
    assert not outside.exists()
    assert sorted(p.name for p in (bundle.rootfs / "etc").iterdir()) == ["group", "passwd"]
    assert (bundle.rootfs / "etc/passwd").read_text() == before


def test_directory_in_place_of_dev_console(bundle):
    (without_dev(bundle) / "console").mkdir()
    refused(bundle, "/dev/console")


def test_file_in_place_of_dev_console_is_covered(bundle):
    console = without_dev(bundle) / "console"
    console.write_text("mine")
    assert shown(bundle, "stat -c %t:%T /dev/console; echo this > /dev/console") == ["88:0", "this"]
    assert console.read_text() == "mine"


def test_device_in_place_of_dev_console_is_covered(bundle):
    os.mknod(without_dev(bundle) / "console", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert shown(bundle, "stat -c %t:%T /dev/console") == ["88:0"]


@pytest.mark.parametrize("kind", ["link", "file", "device"])
def test_anything_in_place_of_dev_ptmx(bundle, kind):
    ptmx = without_dev(bundle) / "ptmx"
    if kind == "link":
        ptmx.symlink_to("/etc/passwd")
    elif kind == "file":
        ptmx.write_text("mine")
    else:
        os.mknod(ptmx, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert shown(bundle, "tty") == ["/dev/pts/0"]
