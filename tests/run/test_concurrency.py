"""Many commands at once on one container, many containers at once, and very many one by one.

CREEL_SOAK=10000 (`make soak`) takes the full numbers, that many containers one by one, and holds what
they leave in the kernel to nothing. The machine should be idle then.
"""

import concurrent.futures
import ctypes
import os
import random
import re
import statistics
import time
from pathlib import Path

import pytest

import host

SOAK = int(os.environ.get("CREEL_SOAK", 0))

RACES, RACERS = (100, 8) if SOAK else (25, 4)
WORKERS, COMMANDS = 8, 200 if SOAK else 25
CROWD = 500 if SOAK else 60
ONE_BY_ONE = SOAK or 150

pytestmark = pytest.mark.timeout(7200 if SOAK else 120)

# A command that found the container taken waits for ten seconds at most; then it says so.
PATIENCE = 60


def at_once(functions):
    with concurrent.futures.ThreadPoolExecutor(len(functions)) as pool:
        return [future.result() for future in [pool.submit(f) for f in functions]]


# ---- one container -------------------------------------------------------------------------------


def test_of_many_creates_one_wins(bundle):
    bundle.sleep()
    bundle.save()
    bundle.alive.add(bundle.id)
    create = ("create", "--bundle", bundle.path, bundle.id)
    for _ in range(RACES):
        commands = [bundle.spawn(*create) for _ in range(RACERS)]
        results = [command.wait(PATIENCE) for command in commands]
        assert sorted(result.rc for result in results) == [0] + [1] * (RACERS - 1)
        for result in results:
            if result.rc:
                result.fails(part="container with given ID already exists")
        assert bundle.status() == "created"
        bundle.delete("--force").ok()


def test_of_many_starts_one_wins(bundle):
    bundle.sleep()
    for _ in range(RACES):
        bundle.create().ok()
        commands = [bundle.spawn("start", bundle.id) for _ in range(RACERS)]
        results = [command.wait(PATIENCE) for command in commands]
        assert sorted(result.rc for result in results) == [0] + [1] * (RACERS - 1)
        for result in results:
            if result.rc:
                result.fails(part="cannot start an already running container")
        bundle.delete("--force").ok()


def test_of_many_deletes_none_disturbs_another(bundle):
    bundle.sleep()
    for _ in range(RACES):
        bundle.run_detached().ok()
        commands = [bundle.spawn("delete", "--force", bundle.id) for _ in range(RACERS)]
        assert [command.wait(PATIENCE).rc for command in commands] == [0] * RACERS
        assert bundle.status() is None


def vocabulary(bundle):
    """What a worker may do, the makers more often than the rest."""
    bundle_option = ("--bundle", bundle.path)
    limits = bundle.path / "limits.json"
    limits.write_text('{"pids": {"limit": 50}}')
    return [
        ("create", *bundle_option), ("create", *bundle_option), ("run", "--detach", *bundle_option),
        ("start",), ("start",), ("state",), ("kill",), ("kill", "KILL"), ("pause",), ("resume",),
        ("resume",), ("ps",), ("events", "--stats"), ("update", "--resources", limits),
        ("exec", "true"), ("delete",), ("delete", "--force"),
    ]  # fmt: skip


def words(bundle, command):
    """The id stands behind the options and before what is for the container."""
    last = {"kill": 1, "exec": 1}.get(command[0], len(command))
    return (*command[:last], bundle.id, *command[last:])


# What such a command may answer. Anything else is news of the middle of another's work. A kill
# thaws what it kills, also while it is paused.
REFUSALS = re.compile(
    r"container does not exist|already exists|cannot (start|delete|exec|pause|resume|update)"
    r"|not (running|paused)|container has stopped|in use by another command"
    r"|ended unexpectedly|was killed by signal|controller .* is not available"
    r"|let the container go on"
)


def test_random_commands_leave_order(bundle):
    """Whatever meets whatever: every command ends by itself, and nothing is left behind."""
    bundle.sleep()
    bundle.save()
    bundle.alive.add(bundle.id)
    known = vocabulary(bundle)
    seed = int(os.environ.get("CREEL_SEED", random.randrange(1 << 32)))
    print(f"CREEL_SEED={seed}")

    def worker(number):
        chosen = random.Random(seed + number)
        done = []
        for _ in range(COMMANDS):
            command = chosen.choice(known)
            result = bundle.spawn(*words(bundle, command)).wait(PATIENCE)
            done.append((command[0], result))
        return done

    done = sum(at_once([lambda n=n: worker(n) for n in range(WORKERS)]), [])
    assert len(done) == WORKERS * COMMANDS
    assert any(name == "create" and result.rc == 0 for name, result in done)
    for name, result in done:
        assert 0 <= result.rc < 124 or (name == "exec" and result.rc in (137, 255)), str(result)
        if result.rc and name != "exec":
            assert any(REFUSALS.search(text) for text in result.messages("error")), str(result)
    bundle.delete("--force").ok()
    assert bundle.status() is None


# ---- many containers -----------------------------------------------------------------------------


def test_a_crowd_is_alive_at_once(bundle):
    bundle.sleep()
    bundle.save()
    ids = [f"{bundle.id}-{number}" for number in range(CROWD)]
    bundle.alive.update(ids)

    def make(some):
        for id in some:
            bundle.creel("run", "--detach", "--bundle", bundle.path, id, timeout=PATIENCE).ok()

    at_once([lambda n=n: make(ids[n::4]) for n in range(4)])
    listed = bundle.creel("list", "--format", "json", timeout=PATIENCE).ok().stdout
    assert listed.count('"status":"running"') == CROWD
    assert len({bundle.pid(id) for id in ids[:: CROWD // 20]}) > 19
    at_once([lambda n=n: [bundle.delete("--force", id=id).ok() for id in ids[n::4]]
             for n in range(4)])  # fmt: skip
    assert bundle.creel("list", "--quiet").ok().stdout == ""


def give_back():
    """
    Has the kernel drop what it keeps only because there is room: pages and names of files, and with
    them the cgroups that had to pay for them. It does so after a while.
    """
    os.sync()
    for _ in range(3):
        Path("/proc/sys/vm/drop_caches").write_text("3")
        time.sleep(0.2)


def bpf_programs():
    """How many are loaded: each is asked for by the number of the one before, bpf(2)."""
    call = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    next_id, words, count = 11, (ctypes.c_uint32 * 3)(), 0
    while ctypes.CDLL(None).syscall(call, next_id, words, ctypes.sizeof(words)) == 0:
        words[0] = words[1]
        count += 1
    return count


MEMORY = ("SUnreclaim", "PageTables", "KernelStack", "Percpu")


def sample():
    """What the whole machine has of the things that a container could leave in the kernel."""
    def numbers(path):
        return [int(word) for word in Path(path).read_text().split() if word.isdigit()]

    if SOAK:
        give_back()
    cgroups = Path("/proc/cgroups").read_text().splitlines()[1:]
    memory = dict(re.findall(r"^(\w+): +(\d+)", Path("/proc/meminfo").read_text(), re.M))
    dentries, unused, *_ = numbers("/proc/sys/fs/dentry-state")
    return {
        "files": numbers("/proc/sys/fs/file-nr")[0],
        "dentries in use": dentries - unused,
        "mounts": len(host.mounts()),
        "cgroups, dying ones too": sum(int(line.split()[2]) for line in cgroups),
        "processes": len([name for name in os.listdir("/proc") if name.isdigit()]),
        "sockets": numbers("/proc/net/sockstat")[0],
        "keys": len(Path("/proc/keys").read_text().splitlines()),
        "BPF programs": bpf_programs(),
        "kernel memory, KiB": sum(int(memory[name]) for name in MEMORY),
    }


# Per container, from the first third of the samples to the last: less is the noise of a machine
# that does other things too; a leak of one thing a container would be 1.
MOST_GROWTH = {"kernel memory, KiB": 0.5}
USUAL_GROWTH = 0.1


def test_the_kernel_keeps_nothing(bundle):
    """create, start and delete over and over: files, mounts, cgroups and memory do not grow."""
    bundle.args("true")
    bundle.save()
    bundle.alive.add(bundle.id)
    samples, began = [], time.monotonic()
    for number in range(ONE_BY_ONE):
        if number % max(1, ONE_BY_ONE // 60) == 0:
            samples.append((number, sample()))
        bundle.creel("create", "--bundle", bundle.path, bundle.id, timeout=PATIENCE).ok()
        bundle.start(timeout=PATIENCE).ok()
        bundle.delete("--force").ok()
    took = time.monotonic() - began
    print(f"\nsoak: {ONE_BY_ONE} containers, {1000 * took / ONE_BY_ONE:.1f} ms each")
    growth = {name: slope([(at, row[name]) for at, row in samples]) for name in samples[0][1]}
    for name, each in growth.items():
        print(f"soak: {name}: {samples[0][1][name]} … {samples[-1][1][name]}, {each:+.4f} a container")
    if SOAK:
        for name, each in growth.items():
            assert each < MOST_GROWTH.get(name, USUAL_GROWTH), name


def slope(points):
    """The growth by a step: of the medians, because others come and go meanwhile."""
    third = len(points) // 3
    (x0, y0), (x1, y1) = (
        (statistics.median(x for x, _ in some), statistics.median(y for _, y in some))
        for some in (points[:third], points[-third:])
    )
    return (y1 - y0) / (x1 - x0)
