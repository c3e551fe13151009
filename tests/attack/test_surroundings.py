"""
What surrounds a command and could change what it does: its environment, ids, sockets that do not
play by the rules, a state directory that somebody else has prepared.
"""

import json
import os
import socket
import subprocess
import threading
import time

import pytest

import confinement
from program import PATH

LIMIT = 5  # seconds

pytestmark = pytest.mark.once

# ---- environment ----

LOADER = {name: "/tmp/evil.so" for name in (
    "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "LD_DEBUG", "LD_DEBUG_OUTPUT", "LD_BIND_NOW",
    "LD_ORIGIN_PATH", "LD_PROFILE", "LD_SHOW_AUXV", "LD_USE_LOAD_BIAS", "GCONV_PATH", "LOCPATH",
    "NLSPATH", "HOSTALIASES", "LOCALDOMAIN", "RES_OPTIONS", "TZ", "TZDIR", "MALLOC_TRACE",
    "MALLOC_CHECK_", "MALLOC_PERTURB_", "GETCONF_DIR", "TMPDIR", "IFS", "ENV", "BASH_ENV",
    "CDPATH", "PATH", "HOME", "SHELL", "XDG_CONFIG_HOME")}  # fmt: skip
PEERS = {name: "3" for name in (
    "_LIBCONTAINER_INITPIPE", "_LIBCONTAINER_FIFOFD", "_LIBCONTAINER_STATEDIR",
    "_LIBCONTAINER_LOGPIPE", "_LIBCONTAINER_CONSOLE", "_LIBCONTAINER_SYNCPIPE",
    "_LIBCONTAINER_INITTYPE", "_CONTAINERS_ROOTLESS_UID", "_CONTAINERS_USERNS_CONFIGURED",
    "RUNC_SETNS", "CREEL_FAIL_STEP", "CREEL", "CREEL_ROOT", "CREEL_DEBUG", "GODEBUG", "GOGC",
    "GOMAXPROCS", "CRUN_NO_PIVOT", "LISTEN_FDNAMES", "GLIBC_TUNABLES")}  # fmt: skip
ODD = {"A" * 4000: "x", "B": "y" * 100000, "": "", "ü": "ü", "LISTEN_FDS": "2147483648",
       "LISTEN_PID": "1"}  # fmt: skip


@pytest.mark.parametrize("env", [LOADER, PEERS, {k: v for k, v in ODD.items() if k}],
                         ids=["loader", "runtimes", "odd"])
@pytest.mark.parametrize("command", ["run", "exec"])
def test_environment_of_the_caller_changes_nothing(armed, env, command):
    armed.args("/bin/inside", *confinement.questions())
    if command == "exec":
        armed.up()
        result = armed.exec("/bin/inside", *confinement.questions(), env=env).ok()
    else:
        result = armed.run(env=env).ok()
    assert confinement.is_confined(result.stdout), result.stdout
    assert result.stderr == ""


# ---- ids ----

BAD_IDS = ["..", ".", "../x", "a/b", "/etc", "a\nb", "a b", "a\tb", "ü", "\u202ex", "x" * 256,
           "x" * 1025, "x" * 100000, "a\x1b[2J", "a;b", "$(id)", "%s%n", "*", "a\\b", "~", ":"]


@pytest.mark.parametrize("id", BAD_IDS, ids=lambda id: ascii(id[:9]))
def test_id_that_is_none(bundle, id):
    bundle.save()
    for words in (("create", "-b", bundle.path), ("state",), ("kill",), ("delete", "-f"),
                  ("start",), ("pause",), ("update", "--pids-limit", "1")):  # fmt: skip
        result = bundle.creel(*words, id)
        assert result.rc == 1 and "invalid container ID format" in result.stderr, result
    assert bundle.creel("exec", id, "true").rc == 255
    assert not bundle.root.exists() or list(bundle.root.iterdir()) == []


@pytest.mark.parametrize("id", ["-x", "--root", "-b", "--"])
def test_id_like_an_option_is_an_option(bundle, id):
    """Unless it stands behind two dashes."""
    bundle.save()
    result = bundle.creel("create", "-b", bundle.path, id)
    assert result.rc != 0 and not list(bundle.path.glob("state/*"))


# ---- sockets ----

class Server:
    """A socket that does to each connection what handler does."""

    def __init__(self, path, kind, handler):
        self.socket = socket.socket(socket.AF_UNIX, kind)
        here = os.open(path.parent, os.O_PATH)
        self.socket.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
        self.kept = []
        if kind != socket.SOCK_DGRAM:
            self.socket.listen(1)
            self.thread = threading.Thread(target=self._serve, args=[handler], daemon=True)
            self.thread.start()

    def _serve(self, handler):
        try:
            while True:
                connection, _ = self.socket.accept()
                self.kept.append(connection)
                handler(connection)
        except OSError:
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.kept:
            connection.close()


def send_many(connection):
    socket.send_fds(connection, [b"x" * 4096], [0] * 100)


HANDLERS = {
    "silent": lambda connection: None,
    "closes": lambda connection: connection.close(),
    "half-closed": lambda connection: connection.shutdown(socket.SHUT_RD),
    "sends-descriptors": send_many,
    "floods": lambda connection: connection.sendall(b"x" * 100000),
}


@pytest.fixture
def server(bundle):
    made = []

    def make(kind, handler="silent"):
        made.append(Server(bundle.path / "socket", kind, HANDLERS[handler]))
        return bundle.path / "socket"

    yield make
    for one in made:
        try:
            one.close()
        except OSError:
            pass  # a datagram socket has nothing to shut down


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
@pytest.mark.parametrize("option", ["--console-socket", "--pidfd-socket"])
def test_socket_of_another_type(bundle, server, kind, option):
    bundle.process["terminal"] = option == "--console-socket"
    bundle.sleep()
    bundle.create(option, server(kind), timeout=LIMIT).fails(part="protocol wrong type for socket")


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("option", ["--console-socket", "--pidfd-socket"])
def test_listener_that_misbehaves(bundle, server, handler, option):
    """It gets its one descriptor, or there is no container; nobody waits for it."""
    bundle.process["terminal"] = option == "--console-socket"
    bundle.sleep()
    result = bundle.create(option, server(socket.SOCK_STREAM, handler), timeout=LIMIT)
    if result.rc == 0:
        pid = bundle.pid()
        assert bundle.status() == "created"
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        assert len([link for link in links if link.startswith("socket")]) <= 2, links
    else:
        result.fails()


@pytest.mark.parametrize("handler", HANDLERS)
def test_agent_that_misbehaves(bundle, server, handler):
    path = server(socket.SOCK_STREAM, handler)
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(path),
        "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}],
    }
    bundle.sleep()
    result = bundle.run("--detach", timeout=LIMIT)
    bundle.alive.add(bundle.id)
    assert result.rc in (0, 1), result


# ---- hooks ----

ESCAPES = r"printf '\033[2J\033]0;title\007\r\n\0\377%s%n'; seq 1 200000"


@pytest.mark.parametrize("stream", ["", ">&2"])
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "startContainer"])
def test_output_of_a_failing_hook_is_short_and_plain(bundle, kind, stream):
    bundle.hook(kind, f"({ESCAPES}) {stream}; exit 1")
    result = bundle.run()
    assert result.rc == 1 and len(result.stderr) < 4000
    assert not set(result.stderr) & {"\x1b", "\x07", "\r", "\0"}


# ---- the state directory ----

@pytest.fixture
def foreign(bundle):
    """A stopped container whose state has been given to another user, who may write in it."""
    bundle.args("true")
    bundle.run_detached().ok()
    bundle.wait_stopped()
    folder = bundle.root / bundle.id
    os.chown(folder, 1000, 1000)
    yield bundle
    os.chown(folder, 0, 0)


COMMANDS = [("delete",), ("delete", "-f"), ("start",), ("pause",), ("resume",), ("kill",),
            ("update", "--pids-limit", "7")]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_root_changes_nothing_that_another_user_has_written(foreign, words):
    """What it says of cgroups, processes and hooks would be done as root."""
    message = foreign.creel(*words, foreign.id).fails()
    assert "belongs to user 1000" in message.text
    assert (foreign.root / foreign.id / "state.json").exists()


def test_nor_is_anybody_let_into_it(foreign):
    message = foreign.exec("true").fails(rc=255)
    assert "belongs to user 1000" in message.text


def test_it_can_be_looked_at(foreign):
    assert foreign.state()["status"] == "stopped"
    assert foreign.id in foreign.creel("list").ok().stdout


def test_link_in_the_place_of_a_state_is_not_followed(bundle):
    elsewhere = bundle.path / "elsewhere"
    elsewhere.mkdir()
    bundle.root.mkdir()
    (bundle.root / bundle.id).symlink_to(elsewhere)
    bundle.create().fails(part="container with given ID already exists")
    for words in (("state",), ("delete",), ("kill",), ("start",)):
        assert bundle.creel(*words, bundle.id).rc == 1
    assert list(elsewhere.iterdir()) == []
    (bundle.root / bundle.id).unlink()


@pytest.mark.parametrize("kind", ["fifo", "link", "directory", "device"])
def test_record_that_is_no_file(bundle, kind):
    folder = bundle.root / bundle.id
    folder.mkdir(parents=True)
    record = folder / "state.json"
    {"fifo": lambda: os.mkfifo(record), "link": lambda: record.symlink_to("/etc/shadow"),
     "directory": record.mkdir,
     "device": lambda: os.mknod(record, 0o20666, os.makedev(1, 5))}[kind]()
    for words in (("state",), ("kill",), ("start",), ("list",)):
        result = bundle.creel(*words, *([] if words == ("list",) else [bundle.id]), timeout=LIMIT)
        assert result.rc in (0, 1) and "root:" not in result.stdout + result.stderr
    bundle.creel("delete", "-f", bundle.id, timeout=LIMIT)


@pytest.mark.parametrize("link", ["absolute", "upwards"])
def test_state_directory_behind_a_link(bundle, link):
    """--root is the caller's word: it may be a link."""
    real = bundle.path / "real"
    real.mkdir()
    bundle.root.symlink_to(real if link == "absolute" else "../" + bundle.path.name + "/real")
    bundle.args("true")
    bundle.run().ok()
    assert list(real.iterdir()) == []
    bundle.root.unlink()


@pytest.mark.parametrize("umask", [0, 0o777])
def test_state_is_closed_to_others_whatever_the_umask(bundle, umask):
    bundle.sleep()
    bundle.run_detached(preexec_fn=lambda: os.umask(umask))
    modes = [p.lstat().st_mode & 0o77 for p in (bundle.root, bundle.root / bundle.id,
                                                *(bundle.root / bundle.id).iterdir())]
    assert modes == [0] * len(modes)


def test_pid_file_in_a_directory_of_everybody_is_not_written_through_a_link(bundle):
    """It is renamed into its place."""
    victim = bundle.path / "victim"
    victim.write_text("precious\n")
    place = bundle.path / "pid"
    place.symlink_to(victim)
    bundle.args("true")
    bundle.run("--pid-file", place, env={"PATH": PATH}).ok()
    assert victim.read_text() == "precious\n"


def test_pid_that_is_another_process_by_now(bundle):
    """The record's start time is that of the container's init: a pid alone is nobody."""
    bundle.sleep()
    bundle.run_detached().ok()
    bundle.stop()
    path = bundle.root / bundle.id / "state.json"
    record = json.loads(path.read_text())
    time.sleep(2 / os.sysconf("SC_CLK_TCK"))  # start times are counted in ticks
    with subprocess.Popen(["sleep", "1000"]) as other:
        try:
            path.write_text(json.dumps(record | {"init_process_pid": other.pid}))
            assert bundle.status() == "stopped"
            bundle.kill("KILL").fails(part="container not running")
            bundle.exec("true").fails(rc=255)
            bundle.delete("--force").ok()
            assert other.poll() is None
        finally:
            other.kill()
