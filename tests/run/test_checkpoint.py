"""
`checkpoint` and `restore` as commands: options, refusals, and what happens when criu does not do as
it should. A fake criu does the talking here; test_restore.py has the real one.
"""

import json
import os
import shutil
import signal

import pytest

import criu
import host
from program import PATH, wait_until
from terminal import Listener

pytestmark = pytest.mark.once

class Fake:
    """A criu in a directory of its own, and what is called with it."""

    def __init__(self, bundle):
        self.bundle = bundle
        self.folder = bundle.path / "fake"
        self.images = bundle.path / "images"
        self.folder.mkdir()
        shutil.copy(criu.FAKE, self.folder / "criu")
        (self.folder / "criu").chmod(0o755)
        self.script()

    def script(self, version=(4, 1, 1), **parts):
        text = json.dumps({"version": version} | parts)
        (self.folder / "script").write_text(text)

    def call(self, command, *options, **how):
        env = {"PATH": f"{self.folder}:{PATH}"}
        return self.bundle.creel(command, "--image-path", self.images, *options, self.bundle.id,
                                 env=env, **how)

    def checkpoint(self, *options, **how):
        return self.call("checkpoint", *options, **how)

    def restore(self, *options, **how):
        """Of images that there are not: the fake needs none."""
        self.images.mkdir(exist_ok=True)
        (self.images / "descriptors.json").write_text("[]")
        self.bundle.save()
        return self.call("restore", "--detach", "--bundle", self.bundle.path, *options, **how)

    def request(self):
        """The options of the last dump or restore: {number: [value, …]}, with its kind as 0."""
        last = json.loads((self.folder / "requests").read_text().splitlines()[-1])
        found = {0: last["kind"]}
        for number, value in last["options"]:
            found.setdefault(number, []).append(value)
        return found


@pytest.fixture
def fake(bundle):
    return Fake(bundle)


@pytest.fixture
def running(fake):
    fake.bundle.up()
    return fake


# ---- before criu is spoken to --------------------------------------------------------------------


def test_help_says_that_it_is_there(bundle):
    for command in ("checkpoint", "restore"):
        result = bundle.creel(command, "--help").ok()
        assert "--image-path" in result.stdout and result.stderr == ""


def test_features_tell_of_it(bundle):
    features = json.loads(bundle.creel("features").ok().stdout)
    assert features["annotations"]["org.opencontainers.runc.checkpoint.enabled"] == "true"
    assert "org.criu.config" in features["potentiallyUnsafeConfigAnnotations"]


def test_mount_context_without_a_value(bundle):
    """Podman asks for pods' sake."""
    result = bundle.creel("restore", "--lsm-mount-context")
    assert result.rc == 1 and "flag needs an argument" in result.stdout + result.stderr


@pytest.mark.parametrize("command", ["checkpoint", "restore"])
def test_without_criu(bundle, command):
    bundle.up()
    (bundle.path / "images").mkdir()
    (bundle.path / "images/descriptors.json").write_text("[]")
    name = bundle.id if command == "checkpoint" else bundle.id + "-b"
    options = ["--bundle", bundle.path] if command == "restore" else []
    message = bundle.creel(command, "--image-path", bundle.path / "images", *options, "--work-path",
                           bundle.path / "work", name, env={"PATH": str(bundle.path)}).fails(
        'CRIU version check failed: exec: "criu": executable file not found in $PATH')
    assert message.hint == "install the package criu"
    assert bundle.status() == "running"
    assert os.listdir(bundle.root) == [bundle.id]
    assert not (bundle.path / "work").exists()


@pytest.mark.parametrize("state", ["created", "stopped"])
def test_only_what_runs_can_be_saved(fake, state):
    fake.bundle.sleep()
    fake.bundle.create().ok()
    if state == "stopped":
        fake.bundle.stop()
    fake.checkpoint().fails(f"Container cannot be checkpointed in {state} state")
    assert not fake.images.exists()


def test_unknown_container(fake):
    fake.checkpoint().fails("container does not exist")


def test_existing_id_is_not_restored(running):
    running.restore().fails("container with given ID already exists")
    assert running.bundle.status() == "running"


@pytest.mark.parametrize("version, told", [((2, 12), 21200), ((2, 12, 1), 21201)])
def test_old_criu(running, version, told):
    running.script(version=version)
    running.checkpoint().fails(f"CRIU version {told} must be 30000 or higher")
    assert running.bundle.status() == "running"


@pytest.mark.parametrize("options, text", [
    (["--manage-cgroups-mode", "hard"], "Invalid manage-cgroups-mode value"),
    (["--network-lock", "no"], "Invalid network-lock value"),
    (["--empty-ns", "pid"], 'namespace "pid" is not supported'),
    (["--page-server", "nowhere"], "Use --page-server ADDRESS:PORT to specify page server"),
    (["--page-server", ":27"], "Use --page-server ADDRESS:PORT to specify page server"),
    (["--page-server", "host:"], "Use --page-server ADDRESS:PORT to specify page server"),
    (["--page-server", "host:x"], "Invalid port number"),
    (["--page-server", "host:70000"], "Invalid port number"),
    (["--parent-path", "/images"], "--parent-path must be relative"),
])
def test_wrong_options(running, options, text):
    running.checkpoint(*options).fails(text)
    assert not running.images.exists()


def test_parent_path_must_be_a_directory(running):
    bundle = running.bundle
    message = running.checkpoint("--parent-path", "../nosuch").fails(
        f"invalid --parent-path: stat {bundle.path}/nosuch: no such file or directory")
    assert "from --image-path" in message.hint
    (bundle.path / "file").touch()
    running.checkpoint("--parent-path", "../file").fails(
        f"invalid --parent-path: stat {bundle.path}/file: not a directory")
    (bundle.path / "parent").mkdir()
    running.checkpoint("--leave-running", "--parent-path", "../parent").ok()
    request = running.request()
    assert request[14] == ["../parent"] and request[15] == [1]


def test_status_descriptor_must_be_writable(running):
    read, write = os.pipe()
    options = ["--leave-running", "--lazy-pages", "--status-fd"]
    running.script(features={"2": 1})
    running.checkpoint(*options, read, pass_fds=[read]).fails(
        f"invalid --status-fd argument {read}: not writable")
    running.checkpoint(*options, 77).fails("invalid --status-fd argument 77: bad file descriptor")
    running.script(version=(3, 14, 0), features={"2": 1})
    running.checkpoint(*options, write, pass_fds=[write]).fails(
        "--status-fd requires at least CRIU 3.15")
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("option, part", [
    ("--pre-dump", "does not track"), ("--lazy-pages", "cannot load memory")])
def test_missing_features(running, option, part):
    running.script(features={"1": 0, "2": 0})
    message = running.checkpoint("--leave-running", option).fails("CRIU is missing features")
    assert part in message.hint
    assert not running.images.exists()


@pytest.mark.parametrize("option", ["--lsm-profile", "--lsm-mount-context"])
def test_labels_need_a_newer_criu(fake, option):
    fake.script(version=(3, 15, 0))
    fake.restore(option, "selinux:x").fails(f"{option} requires at least CRIU 3.16")
    assert fake.bundle.try_state() is None


def test_images_must_be_there(fake):
    fake.bundle.save()
    message = fake.call("restore", "--bundle", fake.bundle.path).fails(
        f"open {fake.images}: no such file or directory")
    assert not fake.images.exists()
    fake.images.mkdir()
    message = fake.call("restore", "--bundle", fake.bundle.path).fails(part="descriptors.json")
    assert message.hint == "no checkpoint was completed there"


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '["pipe:[1]", null'])
def test_damaged_descriptors(fake, text):
    fake.images.mkdir()
    fake.bundle.save()
    (fake.images / "descriptors.json").write_text(text)
    message = fake.call("restore", "--bundle", fake.bundle.path).fails(part=str(fake.images))
    assert "descriptors.json" in message.whole and message.pointer is None
    assert fake.bundle.try_state() is None


@pytest.mark.parametrize("name", ["restore.log", "stats-restore"])
def test_links_among_the_images_are_not_written_through(fake, name):
    """criu opens what it writes by its name: images from elsewhere may have a link there."""
    fake.images.mkdir()
    victim = fake.bundle.path / "victim"
    victim.write_text("of the host")
    (fake.images / name).symlink_to(victim)
    fake.script(RESTORE=["log of criu", "fail 1"])
    fake.restore().fails(part="criu failed")
    assert victim.read_text() == "of the host"
    assert not (fake.images / name).is_symlink()


def test_given_namespace_must_be_there(fake):
    fake.bundle.namespace("network", "/nosuch/net")
    index = len(fake.bundle.linux["namespaces"]) - 1
    fake.restore().fails("Requested network namespace /nosuch/net does not exist",
                         pointer=f"/linux/namespaces/{index}/path")
    assert fake.bundle.try_state() is None


def test_terminal_needs_somebody(fake):
    fake.bundle.process["terminal"] = True
    fake.restore().fails("cannot allocate tty if runc will detach without setting console socket")
    fake.bundle.process["terminal"] = False
    fake.restore("--console-socket", "/x").fails(
        "cannot use console socket if runc will not detach or allocate tty")


def test_id_mapped_mounts_are_not_saved(fake, volume):
    bundle = fake.bundle
    bundle.user_namespace()
    bundle.bind(volume, "/data", "bind", "idmap")
    bundle.sleep()
    if bundle.run_detached().rc:
        pytest.skip("this file system cannot be id-mapped")
    index = len(bundle.config["mounts"]) - 1
    fake.checkpoint().fails("criu cannot save the ids of an id-mapped mount: /data",
                            pointer=f"/mounts/{index}")
    assert bundle.status() == "running"


# ---- what criu is told ---------------------------------------------------------------------------


def test_options_of_checkpoint(running, volume):
    bundle = running.bundle
    running.checkpoint(
        "--tcp-established", "--ext-unix-sk", "--shell-job", "--file-locks", "--auto-dedup",
        "--tcp-skip-in-flight", "--link-remap", "--leave-running", "--manage-cgroups-mode", "full",
        "--network-lock", "skip", "--empty-ns", "network", "--page-server", "[::1]:2700",
        "--work-path", bundle.path / "work").ok()
    request = running.request()
    assert request[0] == "DUMP"
    assert request[2] == [bundle.pid()]
    for number in (3, 4, 5, 7, 8, 12, 16, 18, 24, 46, 50):
        assert request[number] == [1], number
    assert request[10] == ["dump.log"]
    assert request[13] == [str(bundle.rootfs)]
    assert request[34] == [4] and request[64] == [3] and request[38] == [0x40000000]
    assert "::1" in request[11][0]
    assert request[51] == ["/etc/criu/runc.conf"]
    freezer = bundle.cgroup("freezer")
    assert request[44] == [str(freezer)]
    assert (bundle.path / "work").stat().st_mode & 0o777 == 0o700
    assert running.images.stat().st_mode & 0o777 == 0o700
    assert bundle.status() == "running"


def test_plain_request_asks_for_nothing(running):
    running.checkpoint("--leave-running").ok()
    request = running.request()
    for number in (4, 5, 7, 8, 11, 14, 15, 16, 17, 18, 34, 46, 48, 52, 64):
        assert number not in request, number


@pytest.mark.parametrize("value, told", [("/x/y.conf", ["/x/y.conf"]), ("", None)])
def test_configuration_of_criu(fake, value, told):
    fake.bundle.config["annotations"] = {"org.criu.config": value}
    fake.bundle.up()
    fake.checkpoint("--leave-running").ok()
    assert fake.request().get(51) == told


def test_options_of_restore(fake, volume):
    bundle = fake.bundle
    bundle.bind(volume, "/data")
    fake.script(RESTORE=["fail 5"])
    fake.restore("--tcp-established", "--tcp-close", "--shell-job", "--ext-unix-sk", "--file-locks",
                 "--auto-dedup", "--lazy-pages", "--lsm-profile", "apparmor:x",
                 "--lsm-mount-context", "y", "--no-pivot", "--empty-ns", "network",
                 "--no-subreaper").fails(part="criu failed: type RESTORE errno 5")
    request = fake.request()
    assert request[0] == "RESTORE"
    for number in (4, 5, 6, 7, 8, 12, 16, 24, 26, 48, 52):
        assert request[number] == [1], number
    assert 50 not in request
    assert request[10] == ["restore.log"]
    assert request[13] == [f"{bundle.root}/{bundle.id}/criu-root"]
    assert request[53] == ["apparmor:x"] and request[63] == ["y"]
    assert any("/data" in pair and str(volume) in pair for pair in request[23])
    assert any(bundle.id in pair for pair in request[25])


@pytest.mark.parametrize("options, terminal, told", [
    ([], False, [1]), (["--shell-job"], True, [1]), (["--shell-job"], False, None)])
def test_masters_of_terminals_are_handed_over(fake, options, terminal, told):
    """But for those of the caller's own terminal."""
    fake.bundle.process["terminal"] = terminal
    fake.script(RESTORE=["fail 5"])
    where = fake.bundle.path / "console"
    listener = Listener(where)
    console = ["--console-socket", where] if terminal else []
    fake.restore(*options, *console).fails(part="errno 5")
    del listener
    assert fake.request().get(50) == told


def test_directory_of_work_is_made(running):
    """containerd relies on it."""
    where = running.bundle.path / "some/where"
    running.checkpoint("--leave-running", "--work-path", where).ok()
    assert where.is_dir()


def test_default_directory_of_images(running):
    bundle = running.bundle
    env = {"PATH": f"{running.folder}:{PATH}"}
    bundle.creel("checkpoint", "--leave-running", bundle.id, env=env, cwd=bundle.path).ok()
    assert (bundle.path / "checkpoint/descriptors.json").exists()


def test_lazy_pages_tell_when_they_are_ready(running):
    read, write = os.pipe()
    running.script(features={"2": 1}, DUMP=["pre-dump", "status-ready", "done"])
    running.checkpoint("--leave-running", "--lazy-pages", "--status-fd", write,
                       pass_fds=[write]).ok()
    os.close(write)
    assert os.read(read, 10) == b"\0"
    assert os.read(read, 10) == b""
    os.close(read)


def test_pre_dump(running):
    running.script(features={"1": 1})
    running.checkpoint("--pre-dump").ok()
    request = running.request()
    assert request[0] == "PRE_DUMP" and 23 not in request
    assert not (running.images / "descriptors.json").exists()
    assert running.bundle.status() == "running"


# ---- when criu fails -----------------------------------------------------------------------------


def nothing_is_left(fake):
    bundle = fake.bundle
    assert bundle.try_state() is None
    assert not bundle.root.exists() or os.listdir(bundle.root) == []
    assert not any(bundle.id in m.point for m in host.mounts())


FAILURES = [
    (["die"], "criu failed: signal 9"),
    (["exit 3"], "criu failed: exit status 3"),
    (["exit 0"], "criu failed: unexpected EOF"),
    (["fail 28"], "criu failed: type {kind} errno 28"),
    (["garbage ff"], "criu failed: a number in the message does not end"),
    (["garbage 1200"], "criu failed: the message does not say what it is"),
    (["garbage 0a05"], "criu failed: a field is longer than the message"),
    (["garbage 0b"], "criu failed: a field has the unknown wire type 3"),
    (["garbage " + "00" * 5], "criu failed: a field has no valid number"),
    (["garbage 080110015200" + "3a00" * 25000], "criu failed: a message is longer"),
    (["garbage 08071001"], "criu failed: it replies to CPUINFO_DUMP and not to {kind}"),
    (["garbage 08061000"], "criu failed: type NOTIFY errno 0"),
    (["network-lock", "die"], "criu failed: signal 9"),
]


@pytest.mark.parametrize("script, text", FAILURES, ids=[f[0][-1][:20] for f in FAILURES])
def test_failing_dump(running, script, text):
    bundle = running.bundle
    running.script(DUMP=script)
    running.checkpoint().fails(part=text.format(kind="DUMP"))
    assert bundle.status() == "running"
    assert not (running.images / "descriptors.json").exists()


@pytest.mark.parametrize("before", ["running", "paused"])
def test_container_goes_on_when_criu_dies(running, before):
    """It may have frozen it; one that was paused stays so."""
    bundle = running.bundle
    if before == "paused":
        bundle.pause().ok()
    running.script(DUMP=["freeze", "die"])
    running.checkpoint().fails(part="criu failed: signal 9")
    assert bundle.status() == before


@pytest.mark.parametrize("script, text", FAILURES, ids=[f[0][-1][:20] for f in FAILURES])
def test_failing_restore(fake, script, text):
    fake.script(RESTORE=["setup-namespaces", *script])
    fake.restore().fails(part=text.format(kind="RESTORE"))
    nothing_is_left(fake)


def test_many_descriptors_are_closed(running):
    running.script(DUMP=["fds 1", "fds 4", "fds 200", "done"])
    running.checkpoint("--leave-running").ok()


@pytest.mark.parametrize("script", [["done"], ["pid 0"], ["pid 2147483647"], ["pid 1"]])
def test_restore_without_a_process_of_its_own(fake, script):
    fake.script(RESTORE=[*script, "done"])
    fake.restore().fails()
    nothing_is_left(fake)


def test_error_in_the_log_is_quoted(running):
    lines = [f"log line {i}" for i in range(1, 10)]
    running.script(DUMP=[*lines, "log (00.1) Error (criu/x.c:1): it is so", "log more", "fail 0"])
    result = running.checkpoint()
    message = result.fails("criu failed: type DUMP errno 0: it is so")
    assert message.hint == f"{running.images}/dump.log tells what criu did"
    assert result.messages("warning") == [
        f'--- Quoting "{running.images}/dump.log"', *(f"{i}:line {i}" for i in range(5, 10)),
        "10:(00.1) Error (criu/x.c:1): it is so", "---"]
    assert (running.images / "dump.log").exists()


def test_what_criu_check_says_is_the_hint(running):
    running.script(DUMP=["fail 0"], check="Warn  (a.c:1): old\nError (b.c:2): Kernel lacks it\n")
    message = running.checkpoint().fails(part="criu failed")
    assert message.hint == '"criu check" says of this machine: Kernel lacks it'


def test_failing_hook_ends_criu(fake):
    fake.bundle.hook("createRuntime", "exit 4")
    fake.script(RESTORE=["setup-namespaces", "hang"])
    fake.restore().fails(part="error running createRuntime hook #0: exit status 4")
    nothing_is_left(fake)


def test_killed_runtime_leaves_what_delete_finds(fake):
    """And delete takes none of the root file system along."""
    bundle = fake.bundle
    fake.script(RESTORE=["setup-namespaces", "hang"])
    fake.images.mkdir()
    (fake.images / "descriptors.json").write_text("[]")
    bundle.save()
    env = {"PATH": f"{fake.folder}:{PATH}"}
    restoring = bundle.spawn("restore", "--image-path", fake.images, "--bundle", bundle.path,
                             bundle.id, env=env)
    wait_until(lambda: (fake.folder / "requests").exists(), "criu to be spoken to")
    restoring.signal(signal.SIGKILL)
    restoring.process.wait()
    assert not any("criu-root" in m.point for m in host.mounts())
    before = sorted(os.listdir(bundle.rootfs))
    wait_until(lambda: bundle.delete("--force").rc == 0 and bundle.try_state() is None,
               "the container to be deleted")
    assert sorted(os.listdir(bundle.rootfs)) == before
    nothing_is_left(fake)


def test_without_privilege_it_is_said(fake):
    """In runc's words; criu then says itself what it lacks."""
    if not shutil.which("setpriv") or not shutil.which("unshare"):
        pytest.skip("no unshare")
    wrapper = ["unshare", "--user", "--map-root-user"]
    env = {"PATH": f"{fake.folder}:{PATH}"}
    result = fake.bundle.creel("checkpoint", fake.bundle.id, wrapper=wrapper, env=env)
    assert "runc checkpoint is untested with rootless containers" in result.messages("warning")
    result.fails("container does not exist")
