"""What is logged, at which level, and where to: terminals, the journal, syslog."""

import json
import re
import signal
import socket
import struct

import pytest

from program import wait_until
from terminal import Screen

JOURNAL, SYSLOG = "/run/systemd/journal/socket", "/dev/log"

# Runs the rest of its words where the file $1 has the socket $2.
PUT = """
    place=$1 socket=$2; shift 2
    mount -t tmpfs none "/$(echo "$place" | cut -d/ -f2)"
    mkdir -p "${place%/*}" && touch "$place" && mount --bind "$socket" "$place" && exec "$@"
"""


class Service:
    """A socket of datagrams that stands at a place of its own only for the commands of a test."""

    def __init__(self, bundle, place):
        self.bundle = bundle
        path = bundle.path / "socket"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._wrapper = ("unshare", "--mount", "sh", "-ec", PUT, "put", place, str(path))

    def creel(self, *words):
        return self.bundle.creel(*words, wrapper=self._wrapper)

    def messages(self):
        found = []
        while True:
            try:
                found.append(self._socket.recv(1 << 20, socket.MSG_DONTWAIT))
            except BlockingIOError:
                return found

    def close(self):
        self._socket.close()


@pytest.fixture
def service(bundle):
    opened = []

    def make(place):
        bundle.root.mkdir(exist_ok=True)
        opened.append(Service(bundle, place))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def journal_fields(datagram):
    """The fields of an entry in the binary form of the native protocol."""
    fields = {}
    while datagram:
        name, _, rest = datagram.partition(b"\n")
        (length,) = struct.unpack("<Q", rest[:8])
        assert rest[8 + length:9 + length] == b"\n"
        fields[name.decode()] = rest[8:8 + length].decode()
        datagram = rest[9 + length:]
    return fields


# ---- the journal ----

@pytest.mark.creel_only("it has no journal")
def test_error_in_the_journal(service):
    journal = service(JOURNAL)
    result = journal.creel("--log", "journald:pod7", "start", "nosuch")
    assert (result.rc, result.stderr) == (1, "container does not exist\n")
    assert [journal_fields(one) for one in journal.messages()] == [{
        "PRIORITY": "3", "SYSLOG_IDENTIFIER": "creel", "ID": "pod7",
        "MESSAGE": "container does not exist"}]


@pytest.mark.creel_only("it has no journal")
def test_levels_in_the_journal(service):
    journal = service(JOURNAL)
    journal.creel("--debug", "--criu", "x", "--log=journald:a", "delete", "-f", "nosuch").ok()
    entries = [journal_fields(one) for one in journal.messages()]
    assert [e["PRIORITY"] for e in entries if "criu" in e["MESSAGE"]] == ["4"]


@pytest.mark.creel_only("it has no journal")
def test_no_text_can_add_a_field_to_the_journal(service):
    journal = service(JOURNAL)
    journal.creel("--log", "journald:a\nPRIORITY=0", "start", "x\nMESSAGE=forged")
    (entry,) = [journal_fields(one) for one in journal.messages()]
    assert set(entry) == {"PRIORITY", "SYSLOG_IDENTIFIER", "ID", "MESSAGE"}
    assert entry["ID"] == "a\nPRIORITY=0" and entry["PRIORITY"] == "3"


@pytest.mark.creel_only("it has no journal")
def test_longest_message_in_the_journal(service):
    journal = service(JOURNAL)
    journal.creel("--log=journald:a", "x" * 100000)
    (entry,) = [journal_fields(one) for one in journal.messages()]
    assert entry["MESSAGE"].startswith("No help topic for 'xxxx")


# ---- syslog ----

@pytest.mark.creel_only("it has no syslog")
def test_error_in_syslog(service):
    syslog = service(SYSLOG)
    result = syslog.creel("--log", "syslog:pod7", "--log-format=json", "start", "nosuch")
    assert (result.rc, result.stderr) == (1, "container does not exist\n")
    (message,) = syslog.messages()
    assert re.fullmatch(rb"<11>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d pod7\[\d+\]: "
                        rb"container does not exist", message)


@pytest.mark.creel_only("it has no syslog")
def test_syslog_message_is_one_line(service):
    syslog = service(SYSLOG)
    syslog.creel("--log", "syslog:a\nb", "bo\ngus")
    (message,) = syslog.messages()
    assert b"\n" not in message and rb" a\nb[" in message and rb"bo\ngus" in message


# ---- targets that are not there ----

@pytest.mark.creel_only("these are names of files to it")
@pytest.mark.parametrize("target, place", [("journald:x", JOURNAL), ("syslog:x", SYSLOG)])
def test_service_that_is_not_there(bundle, target, place):
    hide = ("unshare", "--mount", "sh", "-ec",
            f'mount -t tmpfs none /{place.split("/")[1]}; exec "$@"', "hide")
    result = bundle.creel("--log", target, "list", wrapper=hide)
    result.fails(f"connect to the log {place}: no such file or directory")


@pytest.mark.creel_only("a file of that name to it")
def test_file_target(bundle):
    bundle.root.mkdir()
    path = bundle.path / "log"
    result = bundle.creel(f"--log=file:{path}", "--log-format=json", "start", "nosuch")
    assert result.stderr == "container does not exist\n"
    assert json.loads(path.read_text())["msg"] == "container does not exist"


@pytest.mark.parametrize("path, why", [
    ("/nowhere/log", "no such file or directory"), ("/", "is a directory")])
def test_file_that_cannot_be_opened(bundle, path, why):
    bundle.root.mkdir()
    bundle.creel("--log", path, "list").fails(f"open {path}: {why}")


# ---- a terminal ----

def on_screen(bundle, *words):
    bundle.root.mkdir(exist_ok=True)
    screen = Screen(columns=200)
    running = bundle.spawn(*words, **screen.streams())
    screen.wait(running)
    return screen.text()


def test_error_on_a_terminal(bundle):
    text = on_screen(bundle, "start", "nosuch")
    assert text == f"\x1b[31mERRO\x1b[0m[0000] {'container does not exist':44} \r\n"


@pytest.mark.creel_only("it warns of nothing here")
def test_warning_and_debug_on_a_terminal(bundle):
    bundle.up()
    text = on_screen(bundle, "--debug", "--criu", "x", "kill", bundle.id, "0")
    assert re.search(r"^\x1b\[33mWARN\x1b\[0m\[000\d\] --criu is ignored", text, re.M)
    assert re.search(r"^\x1b\[37mDEBU\x1b\[0m\[000\d\] signal 0 was sent", text, re.M)


def test_json_on_a_terminal(bundle):
    text = on_screen(bundle, "--log-format=json", "start", "nosuch")
    assert json.loads(text)["msg"] == "container does not exist"


@pytest.mark.creel_only("it lets everything through")
def test_no_text_steers_the_terminal(bundle):
    text = on_screen(bundle, "\x1b[2Jbogus\x07")
    assert "\x1b[2J" not in text and "\x07" not in text and r"\x1b[2Jbogus\a" in text


# ---- levels ----

def records(bundle, *words):
    """The records that a command logs, as JSON."""
    bundle.root.mkdir(exist_ok=True)
    path = bundle.path / "log"
    path.unlink(missing_ok=True)
    result = bundle.creel("--log", path, "--log-format=json", *words)
    return result, [json.loads(line) for line in path.read_text().splitlines()]


FAILING = [
    ["bogus"], ["run"], ["start", "nosuch"], ["list", "--bogus"], ["list", "-f", "yaml"],
    ["kill", "nosuch"], ["exec", "nosuch", "true"], ["delete", "nosuch"], ["state", "a/b"],
    ["create", "-b", "/nowhere", "a"], ["run", "-b", "BUNDLE", "--preserve-fds=9", "a"],
    ["exec", "UP", "nosuch"], ["exec", "--cwd=/nowhere/at/all", "-u", "root", "UP", "true"],
    ["start", "UP"], ["delete", "UP"], ["create", "-b", "BUNDLE", "UP"], ["kill", "UP", "FOO"],
    ["run", "-b", "BAD", "a"],
]


@pytest.mark.parametrize("debug", [[], ["--debug"]], ids=["", "debug"])
def test_each_failure_is_one_error(bundle, debug):
    bad = bundle.path / "bad"
    bad.mkdir()
    (bad / "config.json").write_text('{"ociVersion": "1.0.2", "process": 7}')
    bundle.up()
    places = {"UP": bundle.id, "BUNDLE": str(bundle.path), "BAD": str(bad)}
    for words in FAILING:
        result, logged = records(bundle, *debug, *[places.get(word, word) for word in words])
        errors = [record["msg"] for record in logged if record["level"] == "error"]
        assert result.rc and len(errors) == 1, (words, logged)
        assert errors[0] in result.stderr, words
        assert logged[-1]["level"] == "error", words
        if not debug:
            assert len(logged) == 1, (words, logged)


@pytest.mark.creel_only("it has no --log-level")
@pytest.mark.parametrize("level, seen", [
    ("error", {"error"}), ("warning", {"error", "warning"}),
    ("info", {"error", "warning"}), ("debug", {"error", "warning", "debug"})])
def test_log_level(bundle, level, seen):
    bundle.up()
    _, logged = records(bundle, "--log-level", level, "--criu", "x", "start", bundle.id)
    assert {record["level"] for record in logged} == seen


@pytest.mark.creel_only("it has no plan")
@pytest.mark.parametrize("steps", ["create", "run"])
def test_debug_tells_each_step_and_its_time(bundle, steps):
    bundle.save()
    bundle.alive.add(bundle.id)
    explained = bundle.creel("explain", "-b", bundle.path, bundle.id).ok().stdout
    plan = re.findall(r"^  (?:init   |runtime) (.*?)(?:  \[[^\]]*\])?$", explained, re.M)
    _, logged = records(bundle, "--debug", steps, "-b", bundle.path, bundle.id)
    if steps == "create":
        _, started = records(bundle, "--debug", "start", bundle.id)
        logged += started
    told = {match[1] for record in logged
            if (match := re.fullmatch(r"(?:init|runtime) [\w ]+: (.*): \d+ µs", record["msg"]))}
    untold = {step for step in plan if step not in told and not step.startswith("waits for ")}
    # Nobody is left to tell the last one. The plan is that of create: run has no wait in it.
    only_create = {"wait for start", "report that all is ready"} if steps == "run" else set()
    assert untold == {"execute the program"} | only_create


@pytest.mark.creel_only("it tells other things")
def test_debug_tells_the_processes(bundle):
    bundle.save()
    bundle.alive.add(bundle.id)
    _, logged = records(bundle, "--debug", "create", "-b", bundle.path, bundle.id)
    text = "\n".join(record["msg"] for record in logged)
    assert "self-protection: " in text
    assert f"init is process {bundle.pid()}" in text
    _, logged = records(bundle, "--debug", "delete", bundle.id)
    text = "\n".join(record["msg"] for record in logged)
    assert f"container {bundle.id} is created" in text and f"{bundle.id} is gone" in text


@pytest.mark.creel_only("it tells other things")
def test_debug_tells_signals_and_the_end(bundle):
    bundle.shell("trap 'exit 7' USR1; echo ready; while :; do sleep 1; done")
    log = bundle.path / "log"
    bundle.save()
    bundle.alive.add(bundle.id)
    running = bundle.spawn("--debug", "--log", log, "run", "-b", bundle.path, bundle.id)
    wait_until(lambda: "ready" in running.output(), "the program")
    pid = bundle.pid()
    running.signal(signal.SIGUSR1)
    assert running.wait().rc == 7
    text = log.read_text()
    assert f"signal {int(signal.SIGUSR1)} was passed on to process {pid}" in text
    assert f"process {pid} ended with status 7" in text
