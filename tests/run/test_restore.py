"""`checkpoint` and `restore` with a real criu: what a container has, it has again."""

import contextlib
import errno
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

import criu
import host
from program import wait_until
from terminal import Listener, Master, Screen, close_all

pytestmark = pytest.mark.criu

COUNT = "i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.02; done"


@pytest.fixture
def freezer(bundle):
    criu.need()
    return criu.Freezer(bundle)


@pytest.fixture
def terminals():
    yield
    close_all()


def cycle(freezer, *options, checkpoint=(), restore=()):
    """To disk and back; nothing may be left in between."""
    bundle = freezer.bundle
    freezer.checkpoint(*options, *checkpoint).ok()
    assert bundle.try_state() is None
    freezer.restore(*options, *restore).ok()
    assert bundle.status() == "running"


def counting(freezer, script=COUNT):
    freezer.bundle.shell(script)
    freezer.run_detached().ok()
    freezer.counts_on()
    return freezer.bundle


# ---- the container as a whole --------------------------------------------------------------------


def test_program_counts_on(freezer):
    bundle = counting(freezer)
    result = freezer.checkpoint().ok()
    assert (result.stdout, result.stderr) == ("", "")
    assert bundle.try_state() is None
    last = freezer.number()
    time.sleep(0.1)
    assert freezer.number() == last
    result = freezer.restore().ok()
    assert (result.stdout, result.stderr) == ("", "")
    assert bundle.status() == "running"
    freezer.counts_on()
    assert freezer.number() < last + 50  # it did not begin anew


def test_many_times(freezer):
    bundle = counting(freezer)
    for _ in range(3):
        cycle(freezer)
        freezer.counts_on()


def test_leave_running(freezer):
    """What it wrote since then would not fit the images: so it writes when it is asked."""
    bundle = freezer.bundle
    answer, ready = bundle.rootfs / "answer", bundle.rootfs / "ready"
    bundle.shell("trap 'echo here >/answer' USR1; echo >/ready; while :; do sleep 0.02; done")

    def answers():
        answer.unlink(missing_ok=True)
        bundle.kill("USR1").ok()
        wait_until(answer.exists, "an answer")
    freezer.run_detached().ok()
    wait_until(ready.exists, "the program")
    pid = bundle.pid()
    freezer.checkpoint("--leave-running").ok()
    assert bundle.pid() == pid
    answers()
    bundle.delete("--force").ok()
    freezer.restore().ok()
    answers()


def test_paused_container(freezer):
    bundle = counting(freezer)
    bundle.pause().ok()
    freezer.checkpoint("--leave-running").ok()
    assert bundle.status() == "paused"
    bundle.resume().ok()
    freezer.counts_on()


def test_restored_container_can_be_worked_with(freezer):
    bundle = counting(freezer)
    cycle(freezer)
    state = bundle.state()
    assert state["bundle"] == str(bundle.path) and state["id"] == bundle.id
    assert bundle.exec("echo", "here").ok().stdout == "here\n"
    assert len(json.loads(bundle.ps(options=["--format", "json"]).ok().stdout)) >= 1
    assert json.loads(bundle.creel("events", "--stats", bundle.id).ok().stdout)["id"] == bundle.id
    bundle.creel("update", "--pids-limit", "77", bundle.id).ok()
    bundle.pause().ok()
    bundle.resume().ok()
    bundle.kill("KILL").ok()
    bundle.wait_stopped()
    bundle.delete().ok()


def test_files_and_their_positions(freezer):
    bundle = freezer.bundle
    bundle.write("in", "".join(f"{i}\n" for i in range(10000)))
    bundle.shell("exec 5<in 6>>out; while read -u 5 line; do echo $line >&6; echo $line >/count; "
                 "sleep 0.01; done")
    freezer.run_detached().ok()
    freezer.counts_on()
    cycle(freezer)
    freezer.counts_on()
    seen = (bundle.rootfs / "out").read_text().split()
    assert seen == [str(i) for i in range(len(seen))]


def test_pipe_between_processes(freezer):
    bundle = counting(freezer, "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done | "
                               "while read n; do echo $n >/count; done")
    cycle(freezer)
    freezer.counts_on()


def test_several_processes_keep_their_pids(freezer):
    waits = "sh -c 'while :; do sleep 100; done'"  # a sleep alone may end by the interruption
    bundle = counting(freezer, f"{waits} first & {waits} second & " + COUNT)
    listing = "ps -o pid,args | grep -E ' (first|second)$'"
    before = bundle.exec("sh", "-c", listing).ok().stdout
    assert len(before.splitlines()) == 2
    cycle(freezer)
    assert bundle.exec("sh", "-c", listing).ok().stdout == before
    freezer.counts_on()


def test_environment_user_and_directory(freezer):
    if not host.has_capability(host.CAP_SYS_RESOURCE):
        pytest.skip("criu takes the limits of other users with CAP_SYS_RESOURCE alone")
    bundle = freezer.bundle
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [7]}
    bundle.process["cwd"] = "/tmp"
    (bundle.rootfs / "count").write_text("0")
    os.chmod(bundle.rootfs / "count", 0o666)
    counting(freezer)
    about = ("Uid:", "Gid:", "Groups:", "CapBnd:", "CapEff:", "NoNewPrivs:", "Seccomp:")

    def status():
        lines = Path(f"/proc/{bundle.pid()}/status").read_text().splitlines()
        return [line for line in lines if line.startswith(about)]
    before = status()
    cycle(freezer)
    assert status() == before
    assert os.readlink(f"/proc/{bundle.pid()}/cwd").endswith("/tmp")


def test_seccomp_filter_stays(freezer):
    bundle = freezer.bundle
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
    counting(freezer, "i=0; while :; do i=$((i+1)); mkdir /made 2>/dev/null; echo $i >/count; "
                      "sleep 0.05; done")
    cycle(freezer)
    freezer.counts_on()
    assert not (bundle.rootfs / "made").exists()


# ---- streams and terminals -----------------------------------------------------------------------


def test_pipes_of_the_caller_are_replaced(freezer):
    bundle = freezer.bundle
    bundle.shell("while read line; do echo got $line; echo $line >/count; done")
    mine, theirs = os.pipe(), os.pipe()
    bundle.run_detached(stdin=mine[0], stdout=theirs[1], stderr=subprocess.DEVNULL).ok()
    os.write(mine[1], b"1\n")
    assert os.read(theirs[0], 100) == b"got 1\n"
    freezer.checkpoint().ok()
    saved = json.loads((freezer.images / "descriptors.json").read_text())
    assert [re.sub(r"\d+", "N", name) for name in saved[:2]] == ["pipe:[N]", "pipe:[N]"]
    for fd in (*mine, *theirs):
        os.close(fd)
    mine, theirs = os.pipe(), os.pipe()
    freezer.restore(stdin=mine[0], stdout=theirs[1], stderr=subprocess.DEVNULL).ok()
    os.close(mine[0])
    os.close(theirs[1])
    os.write(mine[1], b"2\n")
    assert os.read(theirs[0], 100) == b"got 2\n"
    bundle.kill("KILL").ok()
    assert os.read(theirs[0], 100) == b""  # nobody else has kept it
    os.close(mine[1])
    os.close(theirs[0])


def test_file_of_the_caller_is_written_on(freezer):
    bundle = freezer.bundle
    bundle.shell("i=0; while :; do i=$((i+1)); echo line $i; echo $i >/count; sleep 0.02; done")
    log = bundle.path / "log"
    with open(log, "a") as out:
        freezer.run_detached(stdout=out).ok()
    freezer.counts_on()
    freezer.checkpoint().ok()
    with open(log, "a") as out:
        freezer.restore(stdout=out).ok()
    freezer.counts_on()
    numbers = [int(line.split()[1]) for line in log.read_text().splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_terminal_goes_to_the_console_socket(freezer, terminals):
    bundle = freezer.bundle
    bundle.process["terminal"] = True
    bundle.shell("echo ready; while read line; do echo got $line; done")
    socket_path = bundle.path / "console"
    listener = Listener(socket_path)
    bundle.run_detached("--console-socket", socket_path).ok()
    master = Master(listener.receive()[1])
    master.type("one\n")
    master.expect("got one")
    freezer.checkpoint().ok()
    master.hang_up()
    socket_path.unlink()
    listener = Listener(socket_path)
    freezer.restore("--console-socket", socket_path).ok()
    master = Master(listener.receive()[1])
    master.type("two\n")
    master.expect("got two")


def test_terminal_in_the_foreground(freezer, terminals):
    bundle = freezer.bundle
    bundle.process["terminal"] = True
    bundle.shell("echo ready; while read line; do echo got $line; [ $line = end ] && exit 7; done")
    screen = Screen()
    running = bundle.spawn_run(**screen.streams())
    screen.expect("ready")
    freezer.checkpoint().ok()
    assert screen.wait(running) == 137
    screen = Screen()
    running = freezer.spawn_restore(**screen.streams())
    screen.type("again\n")
    screen.expect("got again")
    screen.type("end\n")
    assert screen.wait(running) == 7
    assert bundle.try_state() is None


def test_terminal_of_the_caller(freezer):
    """The container has it as its standard streams, and gets that of the next caller."""
    bundle = freezer.bundle
    bundle.shell("while read line; do echo got $line; echo $line >/count; done")
    master, slave = os.openpty()
    bundle.run_detached(stdin=slave, stdout=slave, stderr=slave).ok()
    os.write(master, b"1\n")
    assert freezer.number() == 1
    freezer.checkpoint().fails(part="Can't lookup mount")
    freezer.checkpoint("--shell-job").ok()
    os.close(slave)
    os.close(master)
    master, slave = os.openpty()
    freezer.restore("--shell-job", stdin=slave, stdout=slave).ok()
    os.write(master, b"2\n")
    wait_until(lambda: freezer.number() == 2, "the line to be read")
    assert b"got 2" in os.read(master, 100)
    os.close(slave)
    os.close(master)


def test_foreground_waits_for_the_end(freezer):
    bundle = counting(freezer, "trap 'exit 5' TERM; " + COUNT)
    freezer.checkpoint().ok()
    running = freezer.spawn_restore(**criu.NOWHERE)
    freezer.counts_on()
    running.signal(signal.SIGTERM)
    assert running.wait().rc == 5
    assert bundle.try_state() is None


def test_pid_file_and_record(freezer):
    bundle = counting(freezer)
    freezer.checkpoint().ok()
    pid_file = bundle.path / "pid"
    freezer.restore("--pid-file", pid_file).ok()
    assert pid_file.read_text() == str(bundle.pid())
    assert Path(f"/proc/{bundle.pid()}/comm").read_text().strip() in ("sh", "busybox")
    assert sorted(os.listdir(bundle.root / bundle.id)) == ["config.json", "notify", "state.json"]


# ---- mounts --------------------------------------------------------------------------------------


def test_bind_mounts(freezer, volume):
    bundle = freezer.bundle
    bundle.bind(volume, "/data")
    bundle.bind(volume / "file", "/etc/one", "bind", "ro")
    counting(freezer, "exec 5<>/data/file; " + COUNT)
    cycle(freezer)
    assert bundle.exec("cat", "/data/file", "/etc/one").ok().stdout == "from outside\n" * 2
    assert bundle.exec("sh", "-c", "echo x >/etc/one").rc != 0
    (volume / "later").write_text("new\n")
    assert bundle.exec("cat", "/data/later").ok().stdout == "new\n"


def test_bind_mount_behind_a_link_of_the_image(freezer, volume):
    bundle = freezer.bundle
    (bundle.rootfs / "var/link").symlink_to("/mnt")
    bundle.bind(volume, "/var/link/data")
    counting(freezer)
    cycle(freezer)
    assert bundle.exec("cat", "/mnt/data/file").ok().stdout == "from outside\n"


def test_what_is_mounted_on_may_be_missing(freezer, volume):
    bundle = freezer.bundle
    bundle.bind(volume, "/data")
    bundle.bind(volume / "file", "/data/inner")
    bundle.mount("/scratch", "tmpfs", "tmpfs")
    bundle.bind(volume, "/scratch/below")
    counting(freezer)
    freezer.checkpoint().ok()
    for name in ("data", "scratch", "proc", "sys", "dev"):
        (bundle.rootfs / name).rmdir()
    (volume / "inner").unlink()
    freezer.restore().ok()
    assert bundle.exec("cat", "/data/inner", "/scratch/below/file").ok().stdout \
        == "from outside\n" * 2
    assert not (bundle.rootfs / "scratch/below").exists()


def test_tmpfs_keeps_its_files(freezer):
    bundle = freezer.bundle
    bundle.mount("/scratch", "tmpfs", "tmpfs", "size=1m")
    counting(freezer, "echo kept >/scratch/file; echo kept >/dev/shm/file; " + COUNT)
    cycle(freezer)
    assert bundle.exec("cat", "/scratch/file", "/dev/shm/file").ok().stdout == "kept\n" * 2


def test_masked_and_read_only_paths(freezer):
    bundle = freezer.bundle
    bundle.linux["maskedPaths"] += ["/etc/passwd", "/usr"]
    bundle.linux["readonlyPaths"] += ["/var"]
    counting(freezer)
    cycle(freezer)
    assert bundle.exec("cat", "/etc/passwd").ok().stdout == ""
    assert bundle.exec("ls", "/usr").ok().stdout == ""
    assert bundle.exec("touch", "/var/x").rc != 0
    assert bundle.exec("sh", "-c", "echo >/proc/sys/kernel/domainname").rc != 0


def test_read_only_root(freezer):
    bundle = freezer.bundle
    bundle.config["root"]["readonly"] = True
    bundle.bind(bundle.rootfs / "tmp", "/tmp")
    bundle.shell(COUNT.replace("/count", "/tmp/count"))
    freezer.run_detached().ok()
    freezer.counts_on("tmp/count")
    cycle(freezer)
    freezer.counts_on("tmp/count")
    assert bundle.exec("touch", "/x").rc != 0


def test_mounts_are_as_they_were(freezer, volume):
    bundle = freezer.bundle
    bundle.bind(volume, "/mnt", "rbind", "nosuid", "noexec", "ro")
    bundle.mount("/scratch", "tmpfs", "tmpfs", "nosuid", "ro", "size=1m")
    bundle.config["root"]["readonly"] = True
    bundle.bind(bundle.rootfs / "tmp", "/tmp")
    bundle.shell(COUNT.replace("/count", "/tmp/count"))
    freezer.run_detached().ok()
    freezer.counts_on("tmp/count")

    def mounts():
        text = Path(f"/proc/{bundle.pid()}/mountinfo").read_text()
        return sorted((m.point, m.type, m.root if m.type != "cgroup" else "",
                       sorted(m.options)) for m in host.parse_mountinfo(text))
    before = mounts()
    cycle(freezer)
    assert mounts() == before


def test_host_has_no_mounts_of_it(freezer):
    counting(freezer)
    before = [m.point for m in host.mounts()]
    cycle(freezer)
    assert [m.point for m in host.mounts()] == before


# ---- cgroups, namespaces, network ----------------------------------------------------------------


def test_cgroup_and_its_limits(freezer):
    bundle = freezer.bundle
    bundle.linux["resources"]["pids"] = {"limit": 321}
    counting(freezer)
    cycle(freezer)
    pids = bundle.cgroup("pids")
    if pids and (pids / "pids.max").exists():
        assert (pids / "pids.max").read_text() == "321\n"
        assert str(bundle.pid()) in (pids / "cgroup.procs").read_text().split()
    where = Path(f"/proc/{bundle.pid()}/cgroup").read_text()
    assert bundle.id in where
    assert bundle.exec("head", "-c1", "/dev/zero").rc == 0
    bundle.exec("mknod", "/tmp/disk", "b", "8", "0")
    assert bundle.exec("head", "-c1", "/tmp/disk").rc != 0


@pytest.mark.parametrize("mode", ["soft", "full", "strict", "ignore"])
def test_modes_of_cgroups(freezer, mode):
    bundle = counting(freezer)
    freezer.checkpoint("--manage-cgroups-mode", mode).ok()
    result = freezer.restore("--manage-cgroups-mode", mode)
    if mode == "strict":  # the cgroup is there already, which is what strict does not want
        result.fails(part="criu failed: type RESTORE")
        assert bundle.try_state() is None
    else:
        result.ok()
        freezer.counts_on()
        assert bundle.id in Path(f"/proc/{bundle.pid()}/cgroup").read_text()


def test_user_namespace(freezer):
    bundle = freezer.bundle
    bundle.user_namespace()
    (bundle.rootfs / "count").write_text("0")
    os.chown(bundle.rootfs / "count", 100000, 100000)
    counting(freezer)
    cycle(freezer)
    freezer.counts_on()
    assert bundle.exec("id", "-u").ok().stdout == "0\n"
    assert Path(f"/proc/{bundle.pid()}/uid_map").read_text().split() == ["0", "100000", "65536"]


def test_given_network_namespace_is_joined_again(freezer, bundle):
    path = bundle.path / "netns"
    path.touch()
    subprocess.run(["unshare", f"--net={path}", "true"], check=True)
    try:
        bundle.namespace("network", path)
        counting(freezer)
        cycle(freezer)
        freezer.counts_on()
        assert os.stat(f"/proc/{bundle.pid()}/ns/net").st_ino == path.stat().st_ino
    finally:
        subprocess.run(["umount", path], check=True)


def test_given_ipc_and_uts_namespaces_are_joined_again(freezer, bundle):
    paths = {"ipc": bundle.path / "ipcns", "uts": bundle.path / "utsns"}
    for name, path in paths.items():
        path.touch()
        subprocess.run(["unshare", f"--{name}={path}", "true"], check=True)
    bundle.config.pop("hostname")
    try:
        for name, path in paths.items():
            bundle.namespace(name, path)
        counting(freezer)
        cycle(freezer)
        for name, path in paths.items():
            assert os.stat(f"/proc/{bundle.pid()}/ns/{name}").st_ino == path.stat().st_ino
    finally:
        for path in paths.values():
            subprocess.run(["umount", path], check=True)


def test_own_network_namespace_can_reach_itself(freezer):
    bundle = counting(freezer)
    state = "cat /sys/class/net/lo/flags; ip -o addr show lo"
    before = bundle.exec("sh", "-c", state).ok().stdout
    assert "127.0.0.1" in before
    cycle(freezer)
    assert bundle.exec("sh", "-c", state).ok().stdout == before


def test_tcp_connection_goes_on(freezer):
    bundle = freezer.bundle
    counting(freezer, "(i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done | nc -l -p 5000) & "
                      "sleep 0.3; while :; do sleep 100; done | nc 127.0.0.1 5000 | "
                      "while read n; do echo $n >/count; done")
    freezer.checkpoint().fails(part="criu failed: type DUMP errno")
    freezer.counts_on()
    result = freezer.checkpoint("--tcp-established")
    if "opt: Operation not supported" in result.stderr:
        pytest.skip("this criu does not know the sockets of this kernel")
    result.ok()
    freezer.restore("--tcp-established").ok()
    freezer.counts_on()
    listing = bundle.exec("netstat", "-tn").ok().stdout
    assert listing.count("ESTABLISHED") == 2


def test_socket_of_the_host_is_connected_again(freezer, prober, volume):
    """criu knows the sockets of the container's network alone, and where they are by their path."""
    bundle, path = prober, volume / "socket"
    bundle.host_namespace("network")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.settimeout(10)
        server.bind(str(path))
        bundle.bind(volume, str(volume))
        bundle.args("probe", "post", str(path))
        freezer.run_detached().ok()
        assert server.recv(1) == b"\0"
        freezer.checkpoint().fails(part="criu failed: type DUMP")
        cycle(freezer, "--ext-unix-sk")
        server.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):  # what was sent before
                server.recv(1)
        server.settimeout(10)
        assert server.recv(1) == b"\0"


def test_file_locks(freezer, prober):
    bundle = prober
    flock = f"probe syscall {32 if os.uname().machine == 'aarch64' else 73}"
    bundle.write("lock", "")
    counting(freezer, f"exec 7<>/lock; {flock} 7 2; " + COUNT)
    freezer.checkpoint().fails(part="criu failed: type DUMP errno")
    cycle(freezer, "--file-locks")
    freezer.counts_on()
    tried = bundle.exec("sh", "-c", f"exec 8<>/lock; {flock} 8 6").ok().stdout
    assert tried == f"{errno.EWOULDBLOCK}\n"


def test_deleted_file_that_is_open(freezer):
    bundle = freezer.bundle
    counting(freezer, "exec 7<>/gone; echo kept >&7; rm /gone; " + COUNT)
    cycle(freezer)
    assert bundle.exec("cat", "/proc/1/fd/7").ok().stdout == "kept\n"


def test_given_pid_namespace(freezer):
    bundle = freezer.bundle
    reaper = "while :; do sleep 0.01 & wait; done"  # the first process of a pod
    holder = subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", reaper])
    try:
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children")
        first = wait_until(lambda: children.read_text().strip(), "the pid namespace")
        bundle.namespace("pid", f"/proc/{first}/ns/pid")
        bundle.shell(COUNT.replace("0.02", "1000"))
        freezer.run_detached().ok()
        freezer.number()
        pid = bundle.pid()
        freezer.checkpoint().ok()
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "its number to be free")
        freezer.restore().ok()
        assert os.readlink(f"/proc/{bundle.pid()}/ns/pid") == os.readlink(f"/proc/{first}/ns/pid")
        bundle.delete("--force").ok()
    finally:
        holder.kill()
        holder.wait()


def test_hooks(freezer):
    bundle = freezer.bundle
    noted = bundle.path / "hooks"
    kinds = ("prestart", "createRuntime", "poststart", "poststop")
    for kind in kinds:
        bundle.hook(kind, f'echo {kind} $(tr , "\\n" | sed -n "s/.*status.:.//p") >>{noted}')
    counting(freezer)
    freezer.checkpoint().ok()
    assert [line.split()[0] for line in noted.read_text().splitlines()] == list(kinds)
    noted.unlink()
    freezer.restore().ok()
    assert [line.split()[0] for line in noted.read_text().splitlines()] \
        == ["prestart", "createRuntime", "poststart"]


@pytest.mark.parametrize("kind", ["createRuntime", "poststart"])
def test_failing_hook_leaves_nothing(freezer, kind):
    bundle = counting(freezer)
    freezer.checkpoint().ok()
    bundle.hook(kind, "echo no >&2; exit 3")
    result = freezer.restore()
    result.fails(part=f"error running {kind} hook #0: exit status 3, stdout: , stderr: no")
    assert bundle.try_state() is None
    assert not (bundle.root / bundle.id).exists()
