"""
The state of a container after something went wrong: files that are damaged, from another time or
another container, and processes and cgroups that are somebody else's by now. Every command says
what it found and in which file; `delete --force` removes what is the container's, and nothing else.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

import host

pytestmark = pytest.mark.creel_only("its own state directory")

# Every command that reads the record of one container.
COMMANDS = (
    ["state"], ["kill"], ["exec", "true"], ["start"], ["pause"], ["resume"],
    ["update", "--pids-limit", "9"], ["events", "--stats"], ["ps"], ["delete"],
)


def ask(bundle, words, id=None):
    """Runs a command on the container; its id stands before what is no option of exec."""
    at = 1 if words[0] in ("exec", "kill") else len(words)
    return bundle.creel(*words[:at], id or bundle.id, *words[at:])


def refused(bundle, words, part=""):
    """The command must fail, and tell why: part stands in what it says."""
    message = ask(bundle, words).fails(rc=255 if words[0] == "exec" else 1)
    assert part in message.whole, message.whole


def runs(pid):
    """Whether a process is there and has not ended: whoever must, may not have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


class Damaged:
    """A running container whose files are taken away and put back."""

    def __init__(self, bundle):
        self.bundle = bundle
        bundle.up()
        self.folder = bundle.root / bundle.id
        self.file = self.folder / "state.json"
        self.good = self.file.read_bytes()
        self.pid = bundle.pid()

    def edit(self, **members):
        """The record with other members; None takes one away."""
        record = json.loads(self.good) | members
        record = {key: value for key, value in record.items() if value is not None}
        self.put(json.dumps(record).encode())

    def put(self, data):
        self.clear()
        self.file.write_bytes(data)

    def clear(self):
        if self.file.is_dir() and not self.file.is_symlink():
            shutil.rmtree(self.file)
        else:
            self.file.unlink(missing_ok=True)

    def restore(self):
        self.clear()
        self.file.write_bytes(self.good)

    def lives(self):
        return runs(self.pid) and self.bundle.status() == "running"


@pytest.fixture
def damaged(bundle):
    d = Damaged(bundle)
    yield d
    d.folder.mkdir(parents=True, exist_ok=True)
    d.restore()


def every_command_names_the_file(d, part="state.json"):
    for words in COMMANDS:
        refused(d.bundle, words, "state.json")
        refused(d.bundle, words, part)
    result = d.bundle.creel("list", "-q").ok()
    assert f"load container {d.bundle.id}: " in result.stderr and "state.json" in result.stderr
    assert result.stdout == ""


# ---- damaged files ----

def flipped(good, bit):
    data = bytearray(good)
    data[bit // 8] ^= 1 << bit % 8
    return bytes(data)


@pytest.mark.parametrize("damage", [
    b"", b"{", b"null", b"[]", b"\0" * 4096, b"\xff\xfe{}", b'{"id":"x"} ', b"{" * 1000,
], ids=["empty", "bracket", "null", "list", "zeros", "utf16", "id-alone", "deep"])
def test_no_record(damaged, damage):
    damaged.put(damage)
    every_command_names_the_file(damaged)
    damaged.restore()
    assert damaged.lives()


def test_record_cut_off_anywhere(damaged):
    for length in range(1, len(damaged.good.rstrip()) - 1, 7):
        damaged.put(damaged.good[:length])
        refused(damaged.bundle, ["state"], "state.json:1:")
    for length in (40, 400):
        damaged.put(damaged.good[:length])
        every_command_names_the_file(damaged)


def test_record_with_one_bit_flipped(damaged):
    """Not each can be noticed. What is answered then is an answer, and nobody is harmed."""
    for bit in range(3, len(damaged.good) * 8, 97):
        damaged.put(flipped(damaged.good, bit))
        result = damaged.bundle.creel("state", damaged.bundle.id)
        if result.rc == 0:
            json.loads(result.stdout)
        else:
            assert "state.json" in result.fails().whole
    damaged.restore()
    assert damaged.lives()


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as s:
        folder = os.open(path.parent, os.O_RDONLY)
        s.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)


PLACED = {
    "directory": lambda path: (path / "below").mkdir(parents=True),
    "fifo": os.mkfifo,
    "socket": make_socket,
    "link-to-itself": lambda path: path.symlink_to(path),
    "link-to-a-device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", PLACED)
def test_something_else_in_the_place_of_the_record(damaged, kind):
    damaged.clear()
    PLACED[kind](damaged.file)
    every_command_names_the_file(damaged)
    damaged.clear()
    damaged.restore()
    assert damaged.lives()


@pytest.mark.parametrize("kind", [*PLACED, "text"])
def test_ruin_is_removed_by_force(bundle, kind):
    ruin = bundle.root / bundle.id
    ruin.mkdir(parents=True)
    PLACED.get(kind, lambda path: path.write_text("{"))(ruin / "state.json")
    refused(bundle, ["delete"], "state.json")
    warning, = bundle.delete("--force").ok().messages("warning")
    assert "state.json" in warning and "not known" in warning
    assert not ruin.exists()


def test_what_is_no_ruin_is_not_removed(bundle):
    other = bundle.root / bundle.id
    (other / "notes").mkdir(parents=True)
    (other / "notes" / "thesis").write_text("years of work")
    bundle.delete("--force").fails(part=f'{other}: "notes" in it is not a container\'s')
    assert (other / "notes" / "thesis").read_text() == "years of work"
    shutil.rmtree(other)


def test_record_that_may_not_be_read(damaged):
    os.chmod(damaged.bundle.root, 0o755)
    os.chmod(damaged.folder, 0o755)
    os.chmod(damaged.file, 0)
    user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    for words in (["state", damaged.bundle.id], ["delete", "--force", damaged.bundle.id]):
        message = damaged.bundle.creel(*words, wrapper=user).fails()
        assert "state.json: permission denied" in message.whole or "belongs to" in message.whole
    assert damaged.file.exists()
    os.chmod(damaged.file, 0o600)
    assert damaged.lives()


# ---- the copy of config.json ----

@pytest.mark.parametrize("text", ["", "{", "null", None])
def test_damaged_copy_of_the_configuration(damaged, text):
    copy = damaged.folder / "config.json"
    copy.unlink()
    if text is not None:
        copy.write_text(text)
    for words in (["exec", "true"], ["update", "--pids-limit", "9"]):
        refused(damaged.bundle, words, "config" if text is not None else "config.json")
    for words in (["state"], ["ps"], ["pause"], ["resume"], ["kill"]):
        ask(damaged.bundle, words).ok()
    damaged.bundle.delete("--force").ok()
    assert not runs(damaged.pid)
    assert damaged.bundle.cgroup("pids") is None


# ---- from another version ----

def test_members_that_are_not_known_are_passed_over(damaged):
    damaged.edit(version=99, checkpoint={"x": [1]}, id=damaged.bundle.id)
    assert damaged.lives()
    ask(damaged.bundle, ["exec", "true"]).ok()


@pytest.mark.parametrize("member", ["boot", "cgroup_inode", "private_pids", "namespace_paths",
                                    "no_new_keyring", "rootless", "seccomp_agent"])
def test_members_of_later_versions_may_be_missing(damaged, member):
    damaged.edit(**{member: None})
    assert damaged.lives()
    damaged.bundle.delete("--force").ok()
    assert not runs(damaged.pid)


@pytest.mark.parametrize("member", ["id", "created", "config"])
def test_members_that_must_be_there(damaged, member):
    damaged.edit(**{member: None})
    every_command_names_the_file(damaged, "id, created or bundle is missing")


# ---- of something else ----

def test_record_of_another_container(damaged):
    damaged.edit(id="other")
    every_command_names_the_file(damaged, "it is that of container other")
    damaged.bundle.delete("--force").ok()
    assert runs(damaged.pid)
    damaged.folder.mkdir()
    damaged.restore()
    damaged.bundle.delete("--force").ok()


@pytest.mark.parametrize("path", ["/etc", "/sys/fs/cgroup", "relative", "/sys/fs/cgroup/../../etc",
                                  "/sys/fs/cgroup/x/.."])
def test_path_that_is_no_cgroups(damaged, path):
    damaged.edit(cgroup_paths={"": path})
    every_command_names_the_file(damaged, "cgroup_paths")


@pytest.mark.parametrize("pid", [-1, 4294967297, 2**63])
def test_number_that_no_process_has(damaged, pid):
    damaged.edit(init_process_pid=pid)
    every_command_names_the_file(damaged)


def sleeper():
    return subprocess.Popen(["sleep", "1000"])


def later_sleeper(pid):
    """One that began in another tick of the clock than the process of that number."""
    while start_time((process := sleeper()).pid) == start_time(pid):
        end(process)
    return process


def end(process):
    assert process.poll() is None, "it was killed"
    process.kill()
    process.wait()


def start_time(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


def stopped_record(d, **members):
    """Ends the container, and lets its record name whatever is wanted."""
    d.bundle.stop()
    d.edit(**members)


NOT_RUNNING = (["kill"], ["exec", "true"], ["start"], ["pause"], ["resume"],
               ["update", "--pids-limit", "9"])


@pytest.mark.parametrize("private", [True, False])
def test_number_of_init_is_anothers_by_now(damaged, private):
    other = later_sleeper(damaged.pid)
    stopped_record(damaged, init_process_pid=other.pid, private_pids=private)
    assert damaged.bundle.status() == "stopped"
    for words in NOT_RUNNING:
        refused(damaged.bundle, words)
    damaged.bundle.creel("kill", "--all", damaged.bundle.id, "KILL").ok()
    damaged.bundle.delete("--force").ok()
    end(other)
    assert not damaged.folder.exists()


def hierarchy_of(path):
    return next(h for h in host.hierarchies() if Path(path).is_relative_to(h.point))


def rebuilt(paths):
    """Removes the cgroups and makes new ones in their place, with a process in each."""
    for path in dict.fromkeys(paths):
        os.rmdir(path)
    process = sleeper()
    for path in dict.fromkeys(paths):
        os.mkdir(path)
        for name in ("cpus", "mems"):
            file, above = Path(path, f"cpuset.{name}"), Path(path).parent / f"cpuset.{name}"
            if file.exists() and not host.is_cgroup_v2():
                file.write_text(above.read_text())
        Path(path, "cgroup.procs").write_text(str(process.pid))
    return process


def give_up(process, paths):
    end(process)
    for path in dict.fromkeys(paths):
        os.rmdir(path)


@pytest.mark.by_path
@pytest.mark.parametrize("private", [True, False])
def test_cgroup_is_anothers_by_now(damaged, private):
    paths = json.loads(damaged.good)["cgroup_paths"].values()
    stopped_record(damaged, private_pids=private)
    other = rebuilt(paths)
    assert damaged.bundle.status() == "stopped"
    assert damaged.bundle.ps(options=["--format", "json"]).ok().stdout == "null\n"
    damaged.bundle.creel("kill", "--all", damaged.bundle.id, "KILL").ok()
    begin = time.monotonic()
    warning, = damaged.bundle.delete("--force").ok().messages("warning")
    assert time.monotonic() - begin < 5, "it waited for them to go"
    assert "is another's by now, and was left alone" in warning
    assert all(str(other.pid) in Path(path, "cgroup.procs").read_text().split() for path in paths)
    assert not damaged.folder.exists()
    give_up(other, paths)


def test_cgroup_that_is_gone(damaged):
    paths = json.loads(damaged.good)["cgroup_paths"].values()
    damaged.bundle.stop()
    for path in dict.fromkeys(paths):
        os.rmdir(path)
    assert damaged.bundle.status() == "stopped"
    damaged.bundle.delete().ok()


def test_bundle_that_is_gone(damaged):
    (damaged.bundle.path / "config.json").unlink()
    damaged.bundle.rootfs.rename(damaged.bundle.path / "gone")
    assert damaged.lives()
    for words in (["ps"], ["pause"], ["resume"], ["kill"]):
        ask(damaged.bundle, words).ok()
    damaged.bundle.delete("--force").ok()
    assert not runs(damaged.pid)


# ---- from another boot ----

OTHER_BOOT = "00000000-0000-4000-8000-000000000000"


@pytest.mark.by_path
@pytest.mark.parametrize("private", [True, False])
def test_record_of_another_boot(damaged, private):
    """Number, start time and cgroup are all as recorded, and yet none of them is the container's."""
    paths = json.loads(damaged.good)["cgroup_paths"].values()
    damaged.bundle.stop()
    other = rebuilt(paths)
    damaged.edit(boot=OTHER_BOOT, init_process_pid=other.pid, private_pids=private,
                 init_process_start=start_time(other.pid), cgroup_inode=None)
    assert damaged.bundle.status() == "stopped"
    for words in NOT_RUNNING:
        refused(damaged.bundle, words)
    damaged.bundle.creel("kill", "--all", damaged.bundle.id, "KILL").ok()
    damaged.bundle.delete().ok()
    assert not damaged.folder.exists()
    give_up(other, paths)


def on_disk():
    """A directory that outlives a boot, None where there is none."""
    for place in ("/var/lib", "/var/tmp", "/tmp", "/root"):
        kind = subprocess.run(["stat", "-fc", "%T", place], capture_output=True, text=True)
        if kind.returncode == 0 and kind.stdout.strip() not in ("tmpfs", "ramfs"):
            return place
    return None


def test_the_boot_is_recorded_where_the_record_outlives_it(bundle):
    if not (place := on_disk()):
        pytest.skip("everything here is in memory")
    bundle.sleep()
    bundle.save()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    with tempfile.TemporaryDirectory(prefix="creel-", dir=place) as root:
        bundle.creel("--root", root, "create", "-b", bundle.path, bundle.id).ok()
        record = json.loads(Path(root, bundle.id, "state.json").read_text())
        assert record["boot"] == boot
        bundle.creel("--root", root, "start", bundle.id).ok()
        bundle.creel("--root", root, "delete", "--force", bundle.id).ok()


def test_the_boot_is_not_asked_for_in_memory(bundle):
    with tempfile.TemporaryDirectory(prefix="creel-", dir="/dev/shm") as root:
        bundle.sleep()
        bundle.save()
        bundle.creel("--root", root, "create", "-b", bundle.path, bundle.id).ok()
        assert "boot" not in json.loads(Path(root, bundle.id, "state.json").read_text())
        bundle.creel("--root", root, "delete", "--force", bundle.id).ok()
