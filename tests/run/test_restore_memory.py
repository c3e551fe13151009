"""
Memory that goes other ways than into one set of images, with a real criu: in advance, through a page
server, and when it is used.
"""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

import criu
import host
from program import wait_until

pytestmark = pytest.mark.criu

# A program with something in memory, whose sum it writes when it is asked. While it waits it forks
# no process, which would have all of it, too; there is one that has nothing.
HOLDS = """(while :; do sleep 100; done) & x=$(seq 1 40000); trap 'echo "$x" | md5sum >/sum.new; mv /sum.new /sum' USR1
mkfifo /never; exec 6<>/never
i=0; while :; do i=$((i+1)); echo $i >/count; read -t 0.02 y <&6; done"""


@pytest.fixture
def freezer(bundle):
    criu.need()
    bundle.shell(HOLDS)
    made = criu.Freezer(bundle)
    made.run_detached().ok()
    made.counts_on()
    return made


def sum_of(bundle, id=None):
    """Of what the program has in memory."""
    (bundle.rootfs / "sum").unlink(missing_ok=True)
    bundle.kill("USR1", id=id).ok()
    wait_until((bundle.rootfs / "sum").exists, "the sum")
    return (bundle.rootfs / "sum").read_text()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Peer:
    """A criu that serves memory or takes it, `criu page-server` or `criu lazy-pages`, once it is ready."""

    def __init__(self, freezer, *words):
        self.log = freezer.work / f"{words[0]}.log"
        status, theirs = os.pipe()
        argv = [criu.program(), *words, "--work-dir", freezer.work, "--status-fd", theirs,
                "-v4", "-o", self.log.name]
        self.process = subprocess.Popen([str(word) for word in argv], pass_fds=[theirs],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        os.close(theirs)
        ready = os.read(status, 1)
        os.close(status)
        if ready != b"\0":
            pytest.fail(f"criu {words[0]} is not ready: {self.told()}")

    def told(self):
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def ends_well(self):
        assert self.process.wait(60) == 0, self.told()

    def end(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def peer(freezer):
    """peer("page-server", …) starts one."""
    started = []
    freezer.work.mkdir(mode=0o700)

    def start(*words):
        started.append(Peer(freezer, *words))
        return started[-1]
    yield start
    for one in started:
        one.end()


def need_lazy_pages():
    if criu.complaint("--feature", "uffd-noncoop"):
        pytest.skip("this kernel cannot load memory when it is used")


# ---- in advance ----------------------------------------------------------------------------------


@pytest.fixture
def advance(freezer):
    """advance(n) saves memory n times in a row, each upon the one before; gives the directories."""
    if criu.complaint("--feature", "mem_dirty_track"):
        pytest.skip("this kernel does not track which memory is written")
    last = freezer.images

    def save(times):
        folders = [freezer.bundle.path / f"before-{i}" for i in range(times)]
        for i, folder in enumerate(folders):
            freezer.images = folder
            parent = ["--parent-path", f"../{folders[i - 1].name}"] if i else []
            freezer.checkpoint("--pre-dump", *parent).ok()
            freezer.counts_on()
        freezer.images = last
        return folders
    return save


def pages(folder):
    """How much memory a directory of images has in it, as told and as it takes of the disk."""
    files = [path.stat() for path in folder.glob("pages-*.img")]
    return sum(f.st_size for f in files), sum(f.st_blocks * 512 for f in files)


def test_chain_of_images(freezer, advance):
    """What was written since the last images, and no more, goes into the next."""
    bundle = freezer.bundle
    before = sum_of(bundle)
    folders = advance(3)
    assert not (folders[-1] / "descriptors.json").exists()
    freezer.checkpoint("--parent-path", "../before-2").ok()
    assert (freezer.images / "parent").readlink() == Path("../before-2")
    sizes = [pages(folder)[0] for folder in (*folders, freezer.images)]
    assert all(size < sizes[0] / 2 for size in sizes[1:]), sizes
    freezer.restore().ok()
    assert sum_of(bundle) == before
    freezer.counts_on()


def test_chain_without_what_is_there_twice(freezer, advance):
    bundle = freezer.bundle
    before = sum_of(bundle)
    parent = advance(1)[0]
    whole = pages(parent)[1]
    freezer.checkpoint("--parent-path", "../before-0", "--auto-dedup").ok()
    assert pages(parent)[1] < whole
    freezer.restore().ok()
    assert sum_of(bundle) == before


def test_images_of_memory_alone_are_not_restored(freezer, advance):
    bundle = freezer.bundle
    freezer.images = advance(1)[0]
    bundle.delete("--force").ok()
    message = freezer.restore().fails(part="descriptors.json")
    assert message.hint == "no checkpoint was completed there"
    assert bundle.try_state() is None


# ---- a page server -------------------------------------------------------------------------------


def test_page_server_takes_the_memory(freezer, peer):
    bundle, port = freezer.bundle, free_port()
    before = sum_of(bundle)
    freezer.images.mkdir(mode=0o700)
    server = peer("page-server", "--images-dir", freezer.images, "--port", port)
    freezer.checkpoint("--page-server", f"127.0.0.1:{port}").ok()
    server.ends_well()
    freezer.restore().ok()
    assert sum_of(bundle) == before


def test_page_server_that_nobody_runs(freezer):
    bundle = freezer.bundle
    freezer.checkpoint("--page-server", f"127.0.0.1:{free_port()}").fails(
        part="criu failed: type DUMP")
    assert not (freezer.images / "descriptors.json").exists()
    assert bundle.status() == "running"
    freezer.counts_on()


# ---- when it is used -----------------------------------------------------------------------------


def test_memory_is_loaded_from_images_when_it_is_used(freezer, peer):
    need_lazy_pages()
    bundle = freezer.bundle
    before = sum_of(bundle)
    freezer.checkpoint().ok()
    daemon = peer("lazy-pages", "--images-dir", freezer.images)
    freezer.restore("--lazy-pages").ok()
    assert sum_of(bundle) == before
    freezer.counts_on()
    daemon.ends_well()


def test_memory_is_fetched_from_the_old_container(freezer, peer):
    """It is frozen until all is fetched, while another is restored from it, and it ends then."""
    need_lazy_pages()
    if not host.has_capability(host.CAP_SYS_RESOURCE):
        pytest.skip("criu keeps memory in pipes that are larger than CAP_SYS_RESOURCE alone makes")
    bundle, port, new = freezer.bundle, free_port(), f"{freezer.bundle.id}-new"
    before = sum_of(bundle)
    status, theirs = os.pipe()
    options = ["--lazy-pages", "--page-server", f"127.0.0.1:{port}", "--status-fd", theirs]
    saving = bundle.spawn(*freezer.paths("checkpoint", *options), bundle.id, env=freezer.env,
                          pass_fds=[theirs])
    os.close(theirs)
    assert os.read(status, 2) == b"\0", saving.wait()
    assert bundle.state()["pid"] > 0
    daemon = peer("lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", port,
                  "--images-dir", freezer.images)
    freezer.restore("--lazy-pages", id=new).ok()
    assert sum_of(bundle, new) == before
    freezer.counts_on()
    daemon.ends_well()
    saving.wait(60).ok()
    assert os.read(status, 1) == b""
    os.close(status)
    assert bundle.try_state() is None
    assert bundle.status(new) == "running"


def test_restore_that_criu_is_stuck_in_is_deleted(freezer):
    """
    Whoever serves the memory goes away at the end: criu waits then for processes that wait for it.
    """
    need_lazy_pages()
    bundle = freezer.bundle
    freezer.checkpoint().ok()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(freezer.work / "lazy-pages.socket"))
    listener.listen()
    bundle.alive.add(bundle.id)
    restoring = bundle.spawn(*freezer.paths("restore", "-d", "-b", bundle.path, "--lazy-pages"),
                             bundle.id, env=freezer.env)
    connection = listener.accept()[0]
    fds = []
    while len(fds) < 3:  # of each process one
        fds += socket.recv_fds(connection, 100, 1)[1]
    for end in (connection, listener):
        end.close()
    for fd in fds:
        os.close(fd)
    wait_until(lambda: "because of failure" in freezer.log("restore.log"), "criu to fail", 30)
    restoring.signal(signal.SIGKILL)
    restoring.process.wait()
    bundle.delete("--force").ok()
    assert bundle.try_state() is None
