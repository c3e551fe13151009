"""
The commands that are swept over: how a bundle gets ready for one, its words, and how it shows that
it did its work. A container's program prints the fingerprint of what it finds (fingerprint.py), so
that two of them can be compared.
"""

import json
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from typing import Callable

import criu
import fingerprint
import host
from program import PATH, wait_until
from terminal import Master, Screen

# As fingerprint.SCRIPT, but what concerns confinement alone: it is run ten thousand times.
SCRIPT = r"""
section() { echo "== $1"; }
show() { for f; do [ -e "$f" ] && read x <"$f" && echo "$f: $x"; done; }
section status
grep -E '^(Umask|Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|SigBlk|Cpus_allowed_list)' /proc/self/status
section limits; cat /proc/self/limits
section environment; env | sort
section program; pwd; hostname; umask; show /proc/self/oom_score_adj /proc/self/loginuid
section descriptors; probe fds
section mounts; cat /proc/self/mountinfo
section cgroup; cat /proc/self/cgroup
section devices; stat -c '%N %F %a %u %g %t:%T' /dev/* /dev/deep/* | sort
cat /dev/deep/two 2>&1 | head -c 100
show /sys/fs/cgroup/*/memory.limit_in_bytes /sys/fs/cgroup/*/pids.max /sys/fs/cgroup/memory.max \
	/sys/fs/cgroup/pids.max
sort /sys/fs/cgroup/*/devices.list 2>/dev/null
section kernel
show /proc/sys/net/ipv4/ip_forward /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
ip -o link show lo
section files
touch /new 2>&1; (echo x >/proc/sys/kernel/hostname) 2>&1; cat /proc/keys
section calls; sync 2>&1; chmod 700 /tmp 2>&1
section namespaces; ls -l /proc/self/ns | grep -o '[a-z]*:\[.*'
section keyring; probe keyring | cut -d' ' -f2- | sed 's/_ses.*/SES/'
section end
"""
QUEUE = 4000  # connections that the agent of a listener, or an engine, leaves waiting


MOST_BELOW = "cgroup.max.descendants"  # a limit that every cgroup of version 2 has


# ---- configurations that together have nearly every kind of step ----


def plain(bundle):
    """The default configuration."""


def rich(bundle):
    """Much of what an engine asks for."""
    for path in ("volume", "rootfs/volume", "rootfs/scratch"):
        (bundle.path / path).mkdir()
    bundle.bind(bundle.path / "volume", "/volume", "rbind", "ro", "rslave")
    bundle.mount("/scratch", "tmpfs", "tmpfs", "size=1m")
    bundle.config["root"]["readonly"] = True
    bundle.linux["rootfsPropagation"] = "rslave"
    bundle.linux["sysctl"] = {"net.ipv4.ip_forward": "1"}
    bundle.linux["devices"] = [{"type": "c", "path": "/dev/one", "major": 1, "minor": 3},
                               {"type": "c", "path": "/dev/deep/two", "major": 1, "minor": 1}]
    bundle.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["chmod", "fchmodat", "sync"], "action": "SCMP_ACT_ERRNO"}]}
    for controller, limit in (("pids", 50), ("memory", 64 << 20)):
        if host.hierarchy(controller):
            bundle.linux["resources"][controller] = {"limit": limit}
    bundle.process["oomScoreAdj"] = 100
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5], "umask": 0o27}
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                 "poststop"):
        bundle.hook(kind, "exit 0")


def rare(bundle):
    """What is seldom asked for, and not in rich."""
    for path in ("volume", "rootfs/data/deep", "rootfs/hidden", "rootfs/long", "rootfs/shown"):
        (bundle.path / path).mkdir(parents=True)
    (bundle.path / "rootfs/data/deep/file").write_text("of the image")
    (bundle.path / "rootfs/data/link").symlink_to("deep")
    (bundle.path / "link").symlink_to("/etc/passwd")
    bundle.mount("/data", "tmpfs", "tmpfs", "tmpcopyup")
    bundle.mount("/long", "tmpfs", "x" * 300, "size=1m")
    bundle.bind(bundle.path / "link", "/etc/link", "bind", "copy-symlink")
    bundle.bind(bundle.path / "volume", "/mine", "rbind", "rro", "ridmap")
    maps = [{"containerID": 0, "hostID": 1000, "size": 10}]
    bundle.config["mounts"][-1] |= {"uidMappings": maps, "gidMappings": maps}
    bundle.config["domainname"] = "example.org"
    bundle.linux["rootfsPropagation"] = "shared"
    bundle.linux["maskedPaths"] += ["/hidden", "/etc/passwd"]
    bundle.linux["readonlyPaths"] += ["/shown"]
    bundle.linux["devices"] = [{"type": "p", "path": "/dev/pipe", "uid": 3, "gid": 4}]
    bundle.linux["personality"] = {"domain": "LINUX"}
    bundle.linux["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0"}
    bundle.namespace("time")
    bundle.linux["timeOffsets"] = {"boottime": {"secs": 1000}}
    bundle.process["cwd"] = "/made/here"
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.process["scheduler"] = {"policy": "SCHED_BATCH", "nice": 7}
    bundle.process["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 6}
    for kind in ("createRuntime", "startContainer"):
        bundle.hook(kind, "exit 0", timeout=60)


def user_namespace(bundle):
    """Root of the container is nobody on the host."""
    bundle.user_namespace()


def between(bundle):
    """A network of the host in a new user namespace: a process in between makes init."""
    bundle.user_namespace()
    bundle.namespace("network", f"/proc/{os.getpid()}/ns/net")
    bundle.config["mounts"] = bundle.config["mounts"][:4]  # without what belongs to a network


def listener(bundle):
    """A seccomp filter with a listener, which waits in the queue of an agent's socket."""
    bundle.agent = socket.socket(socket.AF_UNIX)
    bundle.agent.bind(str(bundle.path / "agent.sock"))
    bundle.agent.listen(QUEUE)
    bundle.process["noNewPrivileges"] = False
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(bundle.path / "agent.sock"),
        "syscalls": [{"names": ["swapon"], "action": "SCMP_ACT_NOTIFY"}]}


CONFIGURATIONS = {f.__name__: f for f in (plain, rich, rare, user_namespace, between, listener)}


# ---- what is there before a command ----


def nothing(bundle):
    pass


def created(bundle):
    return bundle.creel("create", "-b", bundle.path, bundle.id).ok()


def running(bundle):
    return bundle.creel("run", "-d", "-b", bundle.path, bundle.id).ok()


def paused(bundle):
    running(bundle)
    bundle.pause().ok()


def stopped(bundle):
    running(bundle)
    os.kill(bundle.pid(), 9)
    bundle.wait_stopped()


def with_criu(bundle):
    """A container that the real criu can save, and its images in OLD."""
    criu.need()
    images = bundle.path / "old"
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    bundle.creel("run", "-d", "-b", bundle.path, bundle.id, **streams).ok()
    if not images.exists():
        words = "checkpoint", "--leave-running", "--image-path", images, bundle.id
        bundle.creel(*words, env={"PATH": criu.SEARCH}, timeout=60).ok()


def saved_by_criu(bundle):
    with_criu(bundle)
    bundle.delete("--force").ok()


def with_fake(bundle):
    """One that says of all that it was done well: fake_criu.py."""
    folder = bundle.path / "fake"
    if not folder.exists():
        folder.mkdir()
        shutil.copy(criu.FAKE, folder / "criu")
        (folder / "criu").chmod(0o755)
        script = {"version": [4, 1, 1], "RESTORE": ["setup-namespaces", "restore", "done"]}
        (folder / "script").write_text(json.dumps(script))
        (bundle.path / "old").mkdir()
        (bundle.path / "old/descriptors.json").write_text("[]")


def with_fake_running(bundle):
    with_fake(bundle)
    return running(bundle)


def limitable(bundle):
    """Running, and the document by which update sets a limit that this layout has."""
    limits = {"pids": {"limit": 77}} if host.hierarchy("pids") else {"unified": {MOST_BELOW: "77"}}
    (bundle.path / "limits.json").write_text(json.dumps(limits))
    return running(bundle)


def at_console(before):
    """The same, and somebody listens for the terminal."""
    def prepare(bundle):
        if not hasattr(bundle, "console"):
            bundle.console = socket.socket(socket.AF_UNIX)
            bundle.console.bind(str(bundle.path / "console"))
            bundle.console.listen(QUEUE)
            bundle.console.settimeout(0)
        for fd in received(bundle):  # of commands that failed afterwards
            os.close(fd)
        return before(bundle)
    return prepare


def received(bundle):
    """The terminals that were sent to the console socket."""
    found = []
    while True:
        try:
            connection, _ = bundle.console.accept()
        except BlockingIOError:
            return found
        with connection:
            connection.settimeout(None)
            found += socket.recv_fds(connection, 4096, 1)[1]


def on_screen(bundle):
    if hasattr(bundle, "screen"):
        bundle.screen.hang_up()
    bundle.screen = Screen()


# ---- what is there after it ----


def printed(bundle, text):
    """The fingerprint that a program printed; text() is what it did by now."""
    wait_until(lambda: "== end" in text(), "the program to print what it finds", 10)
    return normal(bundle, text().replace("\r", ""))


def normal(bundle, text):
    """As fingerprint.normal, with namespaces told as own or the host's."""
    for name, link in host.namespaces().items():
        text = text.replace(link, f"{name}: the host's")
    found = fingerprint.sections(fingerprint.normal(text, bundle))
    found["namespaces"] = sorted(line.split("[")[0] for line in found["namespaces"])
    return found


def prints(bundle, before, result):
    return printed(bundle, lambda: result.stdout)


def prints_when_started(bundle, before, result):
    bundle.start().ok()
    return prints(bundle, before, result)


def printed_before(bundle, before, result):
    return prints(bundle, before, before)


def shows(bundle, before, result):
    master = Master(received(bundle)[-1])
    shown = printed(bundle, master.text)
    master.hang_up()
    return shown


def shows_when_started(bundle, before, result):
    bundle.start().ok()
    return shows(bundle, before, result)


def shows_on_screen(bundle, before, result):
    return printed(bundle, bundle.screen.text)


def is_now(status):
    def check(bundle, before, result):
        wait_until(lambda: bundle.status() == status, f"status {status}")
    return check


def has_limit(bundle, before, result):
    name = "pids.max" if host.hierarchy("pids") else MOST_BELOW
    assert (bundle.cgroup("pids" if name == "pids.max" else "freezer") / name).read_text() == "77\n"


def tells_state(bundle, before, result):
    assert json.loads(result.stdout)["status"] == "running"


def tells_usage(bundle, before, result):
    assert json.loads(result.stdout)["type"] == "stats"


def lists(bundle, before, result):
    """Of what cannot be read it says why, and tells the others."""
    why = f"load container {bundle.id}: "
    assert bundle.id in result.stdout or why in result.stderr


def lists_processes(bundle, before, result):
    assert json.loads(result.stdout) == [bundle.pid()]


def is_saved(bundle, before, result):
    """That the container could not be given back is no failure: it is told."""
    if not result.messages("warning"):
        assert bundle.status() is None


@dataclass
class Command:
    name: str
    before: Callable  # makes what it works on
    words: str
    after: Callable  # looks at what it did, and gives the fingerprint when there is one
    long: bool = True  # the container's program stays
    rc: int = 1  # of a failure
    makes: bool = False  # a container, of which nothing may be left when it failed
    init: bool = False  # the waiting init takes part
    criu: str = ""  # "fake" or "real", where it needs one
    reads: bool = False  # it changes nothing

    def argv(self, bundle):
        names = {"BUNDLE": bundle.path, "ID": bundle.id, "SCRIPT": SCRIPT,
                 "CONSOLE": bundle.path / "console", "LIMITS": bundle.path / "limits.json",
                 "OLD": bundle.path / "old", "NEW": bundle.path / "new"}
        return [names.get(word, word) for word in self.words.split()]

    def env(self, bundle):
        paths = {"": PATH, "fake": f"{bundle.path}/fake:{PATH}", "real": criu.SEARCH}
        return {"PATH": paths[self.criu]}

    def __call__(self, bundle, **how):
        """Runs it. A screen is looked at meanwhile, or the program would not get on."""
        if self.before is not on_screen:
            return bundle.creel(*self.argv(bundle), env=self.env(bundle), timeout=40, **how)
        streams = bundle.screen.streams()
        del streams["stderr"]
        command = bundle.spawn(*self.argv(bundle), **streams, **how)
        bundle.screen.wait(command, 40)
        return command.wait()

    def setup(self, bundle):
        """The configuration for it; once for a bundle."""
        if self.long:
            bundle.sleep()
        else:
            bundle.shell(SCRIPT)
        bundle.process["terminal"] = self.after in (shows_when_started, shows_on_screen)
        bundle.save()


COMMANDS = {command.name: command for command in (
    Command("create", nothing, "create -b BUNDLE ID", prints_when_started, long=False, makes=True),
    Command("start", created, "start ID", printed_before, long=False, init=True),
    Command("run", nothing, "run -b BUNDLE ID", prints, long=False, makes=True),
    Command("run-d", nothing, "run -d -b BUNDLE ID", prints, long=False, makes=True),
    Command("exec", running, "exec ID sh -c SCRIPT", prints, rc=255),
    Command("exec-d", running, "exec -d ID sh -c SCRIPT", prints, rc=255),
    Command("create-t", at_console(nothing), "create --console-socket CONSOLE -b BUNDLE ID",
            shows_when_started, long=False, makes=True),
    Command("run-t", on_screen, "run -b BUNDLE ID", shows_on_screen, long=False, makes=True),
    Command("exec-t", at_console(running), "exec -d -t --console-socket CONSOLE ID sh -c SCRIPT",
            shows, rc=255),
    Command("pause", running, "pause ID", is_now("paused")),
    Command("resume", paused, "resume ID", is_now("running")),
    Command("update", limitable, "update --resources LIMITS ID", has_limit),
    Command("kill", running, "kill ID KILL", is_now("stopped")),
    Command("kill-a", running, "kill --all ID KILL", is_now("stopped")),
    Command("delete", stopped, "delete ID", is_now(None)),
    Command("delete-f", running, "delete -f ID", is_now(None)),
    Command("checkpoint", with_fake_running, "checkpoint --image-path NEW ID", is_saved, criu="fake"),
    Command("restore", with_fake, "restore -d -b BUNDLE --image-path OLD ID", is_now("running"),
            makes=True, criu="fake"),
    Command("checkpoint-criu", with_criu, "checkpoint --image-path NEW ID", is_saved,
            criu="real"),
    Command("restore-criu", saved_by_criu, "restore -d -b BUNDLE --image-path OLD ID",
            is_now("running"), makes=True, criu="real"),
    Command("state", running, "state ID", tells_state, reads=True),
    Command("list", running, "list", lists, reads=True),
    Command("ps", running, "ps --format json ID", lists_processes, reads=True),
    Command("events", running, "events --stats ID", tells_usage, reads=True),
)}
