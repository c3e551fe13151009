"""
events: what a container uses, told once or again and again, and that its memory ran out.
"""

import json
import os
import shutil
import signal

import pytest

import host
from program import Program, wait_until
from test_cgroup import V2, needs, resources

MIB = 1 << 20
UNIFIED = any(h.version == 2 for h in host.hierarchies())
SOON = "20ms"


def stats(bundle):
    """What --stats tells: one event, of which the data is given."""
    out = bundle.creel("events", "--stats", bundle.id).ok().stdout
    assert out.endswith("}\n") and out.count("\n") == 1
    event = json.loads(out)
    assert list(event) == ["type", "id", "data"]
    assert event["type"] == "stats" and event["id"] == bundle.id
    return event["data"]


class Stream:
    """`events` in the background."""

    def __init__(self, bundle, interval=SOON, **how):
        self.running = bundle.spawn("events", "--interval", interval, bundle.id, **how)

    def events(self):
        """All whole lines so far."""
        text = self.running.output()
        return [json.loads(line) for line in text[:text.rfind("\n") + 1].splitlines()]

    def types(self):
        return [event["type"] for event in self.events()]

    def begun(self):
        wait_until(self.events, "an event")
        return self

    def watching(self):
        """Waits without an event until it would be told of the container's end."""
        what = "/cgroup.events" if UNIFIED else "[pidfd]"
        directory = f"/proc/{self.running.pid}/fd"
        wait_until(lambda: any(target(f"{directory}/{name}").endswith(what)
                               for name in os.listdir(directory)), f"{what} to be open")
        return self

    def ended(self):
        """The types of all events, when it has ended by itself."""
        self.running.wait().ok()
        return self.types()


def target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""


# ---- once ----

def test_what_is_always_told(bundle):
    bundle.up()
    data = stats(bundle)
    assert list(data) == ["cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt",
                          "network_interfaces"]
    assert data["intel_rdt"] == {} and data["network_interfaces"] is None
    assert {"kernel", "user"} <= set(data["cpu"]["usage"])
    for kind in ("usage", "swap", "kernel", "kernelTCP"):
        assert {"limit", "failcnt"} <= set(data["memory"][kind])


@needs("memory")
def test_memory(bundle):
    resources(bundle, memory={"limit": 64 * MIB})
    bundle.up()
    memory = stats(bundle)["memory"]
    assert memory["usage"]["limit"] == 64 * MIB
    assert 0 < memory["usage"]["usage"] < 64 * MIB
    lines = (bundle.cgroup("memory") / "memory.stat").read_text().splitlines()
    assert list(memory["raw"]) == sorted(line.split()[0] for line in lines)


@needs("pids")
def test_processes(bundle):
    bundle.shell("sleep 1000 & sleep 1000 & wait")
    resources(bundle, pids={"limit": 17})
    bundle.run_detached().ok()
    wait_until(lambda: stats(bundle)["pids"] == {"current": 3, "limit": 17}, "the children")
    bundle.creel("update", "--pids-limit", "-1", bundle.id).ok()
    assert stats(bundle)["pids"] == {"current": 3}


@needs("cpuset")
def test_processors(bundle):
    resources(bundle, cpu={"cpus": "0", "mems": "0"})
    bundle.up()
    cpuset = stats(bundle)["cpuset"]
    assert cpuset["cpus"] == [0] and cpuset["mems"] == [0]


@needs("cpu")
def test_throttling(bundle):
    resources(bundle, cpu={"quota": 2000, "period": 10000})
    bundle.shell("while :; do :; done")
    bundle.run_detached().ok()
    wait_until(lambda: stats(bundle)["cpu"]["throttling"].get("throttledTime"), "throttling")
    cpu = stats(bundle)["cpu"]
    assert cpu["throttling"]["periods"] >= cpu["throttling"]["throttledPeriods"] > 0
    assert cpu["usage"]["total"] > 1000000


@pytest.mark.skipif(not V2, reason="pressure is of cgroup v2")
def test_pressure(bundle):
    bundle.up()
    if not (bundle.cgroup("freezer") / "cpu.pressure").exists():
        pytest.skip("this kernel does not measure pressure")
    for psi in (stats(bundle)[kind]["psi"] for kind in ("cpu", "memory", "blkio")):
        assert list(psi) == ["some", "full"]
        assert list(psi["some"]) == ["avg10", "avg60", "avg300", "total"]


def told(text):
    """The data of one event without pressure, which old versions do not tell."""
    data = json.loads(text)["data"]
    for kind in ("cpu", "memory", "blkio"):
        data[kind].pop("psi", None)
    return data


@pytest.mark.creel_only("it is runc that it is compared with")
def test_same_as_runc(bundle, tmp_path):
    """Both on one container, which is frozen; ours is shown runc's cgroup by a record."""
    path = shutil.which("runc") or "/usr/sbin/runc"
    if not os.path.exists(path):
        pytest.skip("no runc")
    resources(bundle, memory={"limit": 64 * MIB} if host.hierarchy("memory") else {})
    bundle.shell("head -c 1m /bin/busybox | cat >/dev/null; sleep 1000 & wait")
    ours = bundle.program
    bundle.program = Program(path)
    bundle.run_detached().ok()
    try:
        bundle.freeze()
        state = json.loads((bundle.root / bundle.id / "state.json").read_text())
        kept = ("id", "init_process_pid", "init_process_start", "created", "cgroup_paths")
        record = {key: state[key] for key in kept} | {"config": {"bundle": str(bundle.path)}}
        (tmp_path / bundle.id).mkdir()
        (tmp_path / bundle.id / "state.json").write_text(json.dumps(record))
        wait_until(lambda: ours_between_theirs(bundle, ours, tmp_path), "numbers that stand still",
                   timeout=30)
        bundle.freeze(False)
    finally:
        bundle.finish()
        bundle.program = ours


def ours_between_theirs(bundle, ours, state):
    """Compares, unless the kernel has counted on meanwhile: then it is false."""
    before = bundle.creel("events", "--stats", bundle.id).ok().stdout
    mine = ours("--root", state, "events", "--stats", bundle.id).ok().stdout
    after = bundle.creel("events", "--stats", bundle.id).ok().stdout
    before, mine, after = (told(text) for text in (before, mine, after))
    if V2:  # runc does not tell of it, and newer ones find no huge pages
        for kind in ("cpus", "mems"):
            mine["cpuset"].pop(kind, None)
        mine["hugetlb"] = mine["hugetlb"] if after["hugetlb"] else {}
    if before != after:
        return False
    assert json.dumps(mine) == json.dumps(after)
    return True


# ---- again and again ----

def test_stream_ends_with_the_container(bundle):
    bundle.up()
    stream = Stream(bundle)
    wait_until(lambda: len(stream.events()) >= 3, "three events")
    bundle.stop()
    assert set(stream.ended()) == {"stats"}


def test_stream_ends_with_the_cgroup(bundle):
    bundle.up()
    stream = Stream(bundle, interval="1h").watching()
    bundle.delete("--force").ok()
    assert stream.ended() == []


@pytest.mark.creel_only("1.1 goes on as long as a version 1 cgroup is there")
def test_first_report_comes_after_the_interval(bundle):
    bundle.up()
    stream = Stream(bundle, interval="1h").watching()
    bundle.stop()
    assert stream.ended() == []


def test_interval_does_not_delay_the_end(bundle):
    bundle.up()
    stream = Stream(bundle, interval="2562047h").watching()
    bundle.delete("--force").ok()
    stream.ended()


@pytest.mark.skipif(not UNIFIED, reason="version 1 alone does not tell: init stands for all")
def test_stream_outlives_init_while_others_are_there(bundle):
    bundle.host_namespace("pid")
    bundle.shell("setsid sleep 1000 & exec sleep 1000")
    bundle.run_detached().ok()
    procs = bundle.cgroup("freezer") / "cgroup.procs"
    wait_until(lambda: len(procs.read_text().split()) == 2, "the child")
    stream = Stream(bundle).begun()
    bundle.stop()
    count = len(stream.events())
    wait_until(lambda: len(stream.events()) > count + 2, "more events")
    bundle.delete().ok()
    assert "oom" not in stream.ended()


@pytest.mark.skipif(V2 or not UNIFIED, reason="version 2 cannot be hidden")
@pytest.mark.creel_only("1.1 goes on as long as the cgroup is there")
def test_stream_ends_without_version_2(bundle):
    hidden = ("unshare", "--mount", "sh", "-c", "umount -l /sys/fs/cgroup/unified; exec \"$@\"",
              "sh")
    bundle.up()
    stream = Stream(bundle, wrapper=hidden).begun()
    bundle.stop()
    assert set(stream.ended()) == {"stats"}


def test_reader_that_goes_away(bundle):
    bundle.up()
    reading, writing = os.pipe()
    stream = Stream(bundle, stdout=writing)
    os.close(writing)
    assert os.read(reading, 8) == b'{"type":'
    os.close(reading)
    assert stream.running.wait().rc in (-signal.SIGPIPE, 1)
    assert bundle.status() == "running"


def test_nothing_is_locked(bundle):
    bundle.sleep()
    bundle.create().ok()
    stream = Stream(bundle).begun()
    bundle.start().ok()
    bundle.freeze()
    count = len(stream.events())
    wait_until(lambda: len(stream.events()) > count + 1, "events of a paused container")
    bundle.freeze(False)
    bundle.delete("--force").ok()
    stream.ended()


# ---- memory that runs out ----

EAT = "head -c 100m /dev/zero | tail -c 100m >/dev/null"


@needs("memory")
def test_oom(bundle):
    """The program goes on after a child of it was killed."""
    resources(bundle, memory={"limit": 16 * MIB, "swap": 16 * MIB})
    bundle.shell(f"{EAT}; {EAT}; sleep 1000")
    bundle.create().ok()
    stream = Stream(bundle).begun()
    bundle.start().ok()
    wait_until(lambda: "oom" in stream.types(), "an oom event", timeout=15)
    assert {"type": "oom", "id": bundle.id} in stream.events()
    bundle.stop()
    assert "stats" in stream.ended()


@needs("memory")
def test_oom_of_the_program_itself(bundle):
    """It is told before the end, however little time there is between the two."""
    resources(bundle, memory={"limit": 16 * MIB, "swap": 16 * MIB})
    bundle.args("tail", "-c", "100m", "/dev/zero")
    bundle.create().ok()
    stream = Stream(bundle, interval="100ms").begun()
    bundle.start()
    bundle.wait_stopped()
    types = stream.ended()
    assert "oom" in types


@needs("memory")
def test_no_oom_without_need(bundle):
    resources(bundle, memory={"limit": 64 * MIB})
    bundle.up()
    stream = Stream(bundle).begun()
    bundle.exec("sh", "-c", "head -c 1m /dev/zero | cat >/dev/null").ok()
    bundle.creel("update", "--memory", "32m", bundle.id).ok()
    bundle.delete("--force").ok()
    assert set(stream.ended()) == {"stats"}


# ---- what is refused ----

def test_stopped(bundle):
    bundle.up()
    bundle.stop()
    for options in ((), ("--stats",)):
        bundle.creel("events", *options, bundle.id).fails(
            f"container with id {bundle.id} is not running")
    bundle.creel("events", "nobody").fails("container does not exist")


@pytest.mark.parametrize("interval", ["0", "0s", "-1s"])
def test_interval_must_be_positive(bundle, interval):
    bundle.up()
    bundle.creel("events", "--interval", interval, bundle.id).fails(
        "duration interval must be greater than 0")


def test_damaged_interval(bundle):
    bundle.up()
    bundle.creel("events", "--interval", "5", bundle.id).fails(
        'invalid value "5" for flag -interval: parse error')
