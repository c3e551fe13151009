"""
NOTIFY_SOCKET, the readiness of a service (sd_notify(3)): the container gets a socket of its own,
and what its program says there reaches the service manager's.
"""

import os
import shutil
import socket
import stat
import time

import pytest

from program import PATH, wait_until

NOT_IN_1_1 = pytest.mark.creel_only("1.1 sends no barrier, and looks at the first line alone")


class Manager:
    """A service manager: a socket, and what was told there."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        name = address.replace("\0", "@", 1) if isinstance(address, str) else address
        self.env = {"PATH": PATH, "NOTIFY_SOCKET": str(name)}
        self.fds = []

    def receive(self, timeout=5):
        """
        The next datagram, None when none comes. Its descriptors are kept: a barrier is answered by
        let_pass().
        """
        self.socket.settimeout(timeout)
        try:
            text, fds, _, _ = socket.recv_fds(self.socket, 4096, 4)
        except TimeoutError:
            return None
        self.fds += fds
        return text.decode()

    def let_pass(self):
        while self.fds:
            os.close(self.fds.pop())

    def serve(self):
        """Hears readiness out, as a service manager does: the pid of the main process."""
        told = self.receive()
        assert told and told.startswith("READY=1\nMAINPID="), told
        assert self.receive() == "BARRIER=1" and len(self.fds) == 1
        self.let_pass()
        return int(told.split("=")[-1])

    def close(self):
        self.let_pass()
        self.socket.close()


@pytest.fixture
def manager(bundle):
    made = Manager(str(bundle.path / "manager.sock"))
    yield made
    made.close()


def ready_then_sleep(prober, *texts):
    words = " ".join(f"'{text}'" for text in texts)
    prober.shell(f"probe notify {words}; exec sleep 1000")


# ---- run ----

@NOT_IN_1_1
def test_detached_run_returns_when_the_program_is_ready(prober, manager):
    prober.shell("while [ ! -e /go ]; do sleep 0.01; done; probe notify READY=1; exec sleep 1000")
    prober.save()
    prober.alive.add(prober.id)
    running = prober.spawn("run", "-d", "-b", prober.path, prober.id, env=manager.env)
    wait_until(lambda: prober.status() == "running", "the program to run")
    assert manager.receive(timeout=0.1) is None and running.process.poll() is None
    prober.write("/go", "")
    assert manager.serve() == prober.pid()
    running.wait().ok()


@NOT_IN_1_1
def test_detached_run_waits_until_the_manager_has_read(prober, manager):
    """Who has ended cannot be asked who he was, so a sender must not end before."""
    ready_then_sleep(prober, "READY=1")
    prober.save()
    prober.alive.add(prober.id)
    running = prober.spawn("run", "-d", "-b", prober.path, prober.id, env=manager.env)
    assert manager.receive().startswith("READY=1")
    assert manager.receive() == "BARRIER=1"
    time.sleep(0.1)
    assert running.process.poll() is None
    manager.let_pass()
    running.wait().ok()


def test_detached_run_returns_when_the_program_ends_without_a_word(prober, manager):
    prober.args("true")
    prober.run_detached(env=manager.env).ok()
    assert manager.receive(timeout=0.1) is None


@NOT_IN_1_1
def test_main_process_is_the_caller_who_stays_in_the_foreground(prober, manager):
    prober.shell("probe notify READY=1; exit 7")
    prober.save()
    running = prober.spawn("run", "-b", prober.path, prober.id, env=manager.env)
    assert manager.serve() == running.pid
    assert running.wait().rc == 7


def test_a_program_in_the_foreground_need_not_be_ready(prober, manager):
    prober.args("sh", "-c", "exit 3")
    assert prober.run(env=manager.env).rc == 3


# ---- start ----

@NOT_IN_1_1
def test_start_returns_when_the_program_is_ready(prober, manager):
    ready_then_sleep(prober, "STATUS=so far", "READY=1")
    prober.create(env=manager.env).ok()
    assert manager.receive(timeout=0.05) is None
    running = prober.spawn("start", prober.id, env=manager.env)
    assert manager.serve() == prober.pid()
    running.wait().ok()


def test_start_returns_when_the_program_ends(prober, manager):
    prober.create(env=manager.env).ok()
    prober.start(env=manager.env).ok()
    assert manager.receive(timeout=0.05) is None


def test_others_need_not_wait_for_start(prober, manager):
    """A program that is never ready can still be looked at and deleted."""
    prober.sleep()
    prober.create(env=manager.env).ok()
    running = prober.spawn("start", prober.id, env=manager.env)
    wait_until(lambda: prober.status() == "running", "the program to run")
    prober.exec("true").ok()
    prober.delete("--force").ok()
    running.wait().ok()


@pytest.mark.creel_only("1.1 fails")
def test_start_of_a_container_that_was_made_without(prober, manager):
    prober.create().ok()
    result = prober.start(env=manager.env).ok()
    assert "NOTIFY_SOCKET is ignored" in result.messages("warning")[0]


def test_program_of_a_start_without_finds_no_socket(prober, manager):
    prober.args("probe", "notify", "READY=1")
    created = prober.create(env=manager.env).ok()
    prober.start().ok()
    prober.wait_stopped()
    assert created.stdout == "2\n"  # ENOENT


def test_start_can_be_repeated_after_one_that_was_killed(prober, manager):
    """What it had made of the socket is in nobody's way."""
    prober.create(env=manager.env).ok()
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stale.bind(str(prober.root / prober.id / "notify/notify.sock"))
    stale.close()
    prober.start(env=manager.env).ok()


# ---- what the program says ----

@NOT_IN_1_1
@pytest.mark.parametrize("text", ["READY=1", "STATUS=up\nREADY=1", "READY=1\nSTATUS=up\n",
                                  "MAINPID=1\nREADY=1\nMAINPID=2"])
def test_ready_is_found_on_any_line(prober, manager, text):
    ready_then_sleep(prober, text)
    prober.save()
    prober.alive.add(prober.id)
    running = prober.spawn("run", "-d", "-b", prober.path, prober.id, env=manager.env)
    assert manager.serve() == prober.pid()
    running.wait().ok()
    assert manager.receive(timeout=0.05) is None


@pytest.mark.parametrize("text", ["READY=0", "READY=", "READY=10", " READY=1", "XREADY=1",
                                  "STATUS=READY=1", "STOPPING=1", "WATCHDOG=1", ""])
def test_what_is_not_ready_is_not_told(prober, manager, text):
    prober.args("probe", "notify", text)
    assert prober.run(env=manager.env).ok().stdout == "sent\n"
    assert manager.receive(timeout=0.05) is None


@NOT_IN_1_1
def test_descriptors_are_closed_at_once(prober, manager):
    """That is also how the program's own barrier is answered."""
    prober.args("probe", "barrier", "BARRIER=1")
    assert prober.run(env=manager.env).ok().stdout == "sent\nread\n"
    assert manager.receive(timeout=0.05) is None


def test_a_datagram_larger_than_any_notification_is_not_looked_at(prober, manager):
    prober.args("probe", "large", "100000")
    assert prober.run(env=manager.env).ok().stdout == "sent\n"
    assert manager.receive(timeout=0.05) is None


@NOT_IN_1_1
def test_nobody_is_held_up_by_talk_after_readiness(prober, manager):
    prober.shell("probe notify READY=1" + " WATCHDOG=1" * 600)
    prober.save()
    running = prober.spawn("run", "-b", prober.path, prober.id, env=manager.env)
    manager.serve()
    assert set(running.wait().ok().stdout.splitlines()) == {"sent"}
    assert manager.receive(timeout=0.05) is None


def test_any_user_of_the_container_may_tell(prober, manager):
    prober.process["user"] = {"uid": 1000, "gid": 1000}
    prober.args("probe", "notify", "STATUS=x")
    result = prober.run(env=manager.env, umask=0o077).ok()
    assert result.stdout == "sent\n"


@NOT_IN_1_1
def test_in_a_user_namespace(prober, manager):
    prober.user_namespace()
    prober.shell("probe notify READY=1")
    prober.save()
    running = prober.spawn("run", "-b", prober.path, prober.id, env=manager.env)
    assert manager.serve() == running.pid
    assert running.wait().ok().stdout == "sent\n"


@NOT_IN_1_1
@pytest.mark.skipif(not shutil.which("systemd-notify"), reason="systemd-notify is not installed")
def test_a_program_that_knows_systemd(bundle, manager):
    """systemd-notify of the host, with its libraries; it waits for its own barrier."""
    bundle.bind("/usr", "/usr", "rbind", "ro")
    for name in ("lib", "lib64"):
        os.symlink(f"usr/{name}", bundle.rootfs / name)
    bundle.args("/usr/bin/systemd-notify", "--ready", "--status=Fine")
    bundle.save()
    running = bundle.spawn("run", "-b", bundle.path, bundle.id, env=manager.env)
    assert manager.serve() == running.pid
    running.wait().ok()


# ---- what the container sees ----

def test_place_of_the_socket(bundle, manager):
    out = bundle.output("echo $NOTIFY_SOCKET; grep ' /run/notify ' /proc/self/mountinfo; "
                        "touch /run/notify/x 2>/dev/null || echo closed", env=manager.env)
    address, mount, closed = out.splitlines()
    assert address == "/run/notify/notify.sock" and closed == "closed"
    assert set(mount.split()[5].split(",")) >= {"ro", "nosuid", "nodev", "noexec"}


def test_nothing_of_it_without_notify_socket(bundle):
    assert bundle.output("echo [$NOTIFY_SOCKET]; ls -d /run/notify 2>/dev/null; true") == "[]"


def test_socket_of_config_json_is_replaced(bundle, manager):
    bundle.env(NOTIFY_SOCKET="/elsewhere")
    assert bundle.output("env | grep -c NOTIFY; echo $NOTIFY_SOCKET", env=manager.env) \
        == "1\n/run/notify/notify.sock"


def test_a_created_container_holds_no_notify_socket(prober, manager):
    prober.create(env=manager.env).ok()
    place = prober.root / prober.id / "notify"
    assert os.listdir(place) == [] and stat.S_IMODE(place.stat().st_mode) == 0o755


@pytest.mark.creel_only("1.1 leaves it to the umask")
def test_nobody_outside_reaches_the_socket(bundle, manager):
    """Whoever could would be believed to be the program."""
    bundle.root.mkdir(mode=0o777)
    bundle.create(env=manager.env).ok()
    assert stat.S_IMODE((bundle.root / bundle.id).stat().st_mode) & 0o077 == 0


# ---- where the manager is ----

@NOT_IN_1_1
def test_abstract_socket(prober):
    manager = Manager(f"\0creel-{prober.id}")
    prober.args("probe", "notify", "READY=1")
    prober.save()
    running = prober.spawn("run", "-b", prober.path, prober.id, env=manager.env)
    assert manager.serve() == running.pid
    running.wait().ok()
    manager.close()


@NOT_IN_1_1
def test_path_longer_than_an_address(prober, manager):
    where = prober.path / ("d" * 200)
    where.mkdir()
    os.rename(prober.path / "manager.sock", where / "s")
    prober.args("probe", "notify", "READY=1")
    prober.save()
    env = manager.env | {"NOTIFY_SOCKET": str(where / "s")}
    running = prober.spawn("run", "-b", prober.path, prober.id, env=env)
    assert manager.serve() == running.pid
    running.wait().ok()


@pytest.mark.creel_only("1.1 makes the container first")
@pytest.mark.parametrize("name, part", [
    ("/nowhere", "dial unixgram /nowhere: connect: no such file or directory"),
    ("/etc/passwd", "dial unixgram /etc/passwd: connect: connection refused"),
    ("@creel-nobody", "dial unixgram @creel-nobody: connect: connection refused"),
    ("relative", "is not the name of a unix socket"),
    ("vsock:2:1234", "is not the name of a unix socket"),
])
def test_nobody_listens(bundle, name, part):
    result = bundle.run(env={"PATH": PATH, "NOTIFY_SOCKET": name})
    assert result.fails(part=part).hint
    assert bundle.guard.check() == []


def test_empty_notify_socket_is_none(bundle):
    bundle.run(env={"PATH": PATH, "NOTIFY_SOCKET": ""}).ok()


@pytest.mark.creel_only("1.1 waits for ever")
def test_manager_that_is_gone_is_a_warning(prober, manager):
    prober.shell("while [ ! -e /go ]; do sleep 0.01; done; probe notify READY=1")
    prober.save()
    prober.alive.add(prober.id)
    running = prober.spawn("run", "-d", "-b", prober.path, prober.id, env=manager.env)
    wait_until(lambda: prober.status() == "running", "the program to run")
    manager.close()
    prober.write("/go", "")
    assert "tell NOTIFY_SOCKET" in running.wait().ok().messages("warning")[0]
