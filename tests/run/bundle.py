"""
A bundle to make containers of: a root filesystem, a configuration to change, and the commands as
methods.

The configuration is a plain dict in the words of the runtime specification. It is written to
config.json anew by every command that reads it.
"""

import json
import os
import signal
import time
from pathlib import Path

import host
from program import PATH, wait_until

DEFAULT_CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

# Every capability that this machine has to give, for tests whose subject is something else.
ALL_CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
    "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID",
    "CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
]


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, "options": list(options)}


def default_config():
    """What `spec` writes, but without a terminal and with the root filesystem writable."""
    namespaces = ["pid", "network", "ipc", "uts", "mount"]
    if host.is_cgroup_v2():
        namespaces.append("cgroup")
    noexec = ("nosuid", "noexec", "nodev")
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["true"],
            "env": [f"PATH={PATH}", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {kind: list(DEFAULT_CAPABILITIES)
                             for kind in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": "rootfs", "readonly": False},
        "hostname": "creel",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance",
                  "ptmxmode=0666", "mode=0620", "gid=5"),
            mount("/dev/shm", "tmpfs", "shm", *noexec, "mode=1777", "size=65536k"),
            mount("/dev/mqueue", "mqueue", "mqueue", *noexec),
            mount("/sys", "sysfs", "sysfs", *noexec, "ro"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", *noexec, "relatime", "ro"),
        ],
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in namespaces],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
                            "/proc/timer_list", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                              "/proc/sysrq-trigger"],
        },
    }


class Bundle:
    """
    One bundle with its own state directory; id is the container that methods mean unless told
    otherwise.
    """

    def __init__(self, program, where, token, guard):
        self.program, self.path, self.id, self.guard = program, Path(where), token, guard
        self.rootfs = self.path / "rootfs"
        self.root = guard.state_root
        self.config = default_config()
        self.alive = set()
        self.as_user = {}  # who its containers belong to: an argument for Program.start

    # ---- the configuration ----

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    def args(self, *args):
        self.process["args"] = list(args)

    def shell(self, script):
        """Makes script, run by the container's shell, the program."""
        self.args("/bin/sh", "-c", script)

    def sleep(self):
        """Makes the program one that stays until it is killed."""
        self.args("sleep", "1000")

    def env(self, **variables):
        self.process["env"] += [f"{name}={value}" for name, value in variables.items()]

    def capabilities(self, names=tuple(ALL_CAPABILITIES)):
        self.process["capabilities"] = {kind: list(names)
                                        for kind in ("bounding", "effective", "permitted")}

    def mount(self, *fields):
        """mount(destination, type, source, *options) appended to mounts."""
        self.config["mounts"].append(mount(*fields))

    def bind(self, source, destination, *options):
        self.mount(destination, "bind", str(source), *(options or ("rbind",)))

    def namespace(self, kind, path=None):
        """Makes a namespace new, or one to join when path is given."""
        self.host_namespace(kind)
        entry = {"type": kind} | ({"path": str(path)} if path else {})
        self.linux["namespaces"].append(entry)

    def host_namespace(self, kind):
        """Takes a namespace from the list: the container then has the runtime's own."""
        self.linux["namespaces"] = [n for n in self.linux["namespaces"] if n["type"] != kind]

    def user_namespace(self, host_id=100000, size=65536):
        """A user namespace whose root is host_id; the root filesystem is given to that user."""
        self.namespace("user")
        for kind in ("uidMappings", "gidMappings"):
            self.linux[kind] = [{"containerID": 0, "hostID": host_id, "size": size}]
        for directory, _, files in os.walk(self.rootfs):
            os.chown(directory, host_id, host_id)
            for name in files:
                os.chown(f"{directory}/{name}", host_id, host_id, follow_symlinks=False)

    def hook(self, kind, script, **fields):
        """Appends a hook of a kind that runs script with the host's shell."""
        entry = {"path": "/bin/sh", "args": ["sh", "-c", script]} | fields
        self.config.setdefault("hooks", {}).setdefault(kind, []).append(entry)

    def write(self, name, text):
        """Writes a file of the root filesystem and returns its path on the host."""
        path = self.rootfs / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def script(self, name, text):
        """Writes an executable file of the root filesystem."""
        path = self.write(name, text)
        path.chmod(0o755)
        return path

    def save(self):
        (self.path / "config.json").write_text(json.dumps(self.config, indent="\t"))

    # ---- the commands ----

    def creel(self, *args, **how):
        """Runs the program with this bundle's state directory. how is as in Program.start."""
        return self.program("--root", self.root, *args, **how)

    def spawn(self, *args, **how):
        """The same in the background."""
        return self.program.start("--root", self.root, *args, **how)

    def run(self, *options, id=None, **how):
        self.save()
        return self.creel("run", "--bundle", self.path, *options, id or self.id, **how)

    def run_detached(self, *options, id=None, **how):
        self.alive.add(id or self.id)
        result = self.run("--detach", *options, id=id, **how)
        self._watch(id)
        return result

    def spawn_run(self, *options, **how):
        """Starts run in the foreground and returns when the container is running."""
        self.save()
        running = self.spawn("run", "--bundle", self.path, *options, self.id, **how)
        self.alive.add(self.id)
        wait_until(lambda: self.status() == "running", "the container to run")
        return running

    def create(self, *options, id=None, **how):
        self.save()
        self.alive.add(id or self.id)
        result = self.creel("create", "--bundle", self.path, *options, id or self.id, **how)
        self._watch(id)
        return result

    def _watch(self, id):
        state = self.try_state(id)
        if state and state["pid"]:
            self.guard.watch(state["pid"])

    def start(self, id=None, **how):
        return self.creel("start", id or self.id, **how)

    def kill(self, *signals, id=None):
        return self.creel("kill", id or self.id, *signals)

    def pause(self, id=None):
        return self.creel("pause", id or self.id)

    def resume(self, id=None):
        return self.creel("resume", id or self.id)

    def ps(self, *words, options=(), id=None):
        return self.creel("ps", *options, id or self.id, *words)

    def delete(self, *options, id=None, **how):
        return self.creel("delete", *options, id or self.id, **how)

    def exec(self, *argv, options=(), id=None, **how):
        return self.creel("exec", *options, id or self.id, *argv, **how)

    def try_state(self, id=None):
        """What `state` says, None when there is no such container."""
        result = self.creel("state", id or self.id)
        return json.loads(result.stdout) if result.rc == 0 else None

    def state(self, id=None):
        return json.loads(self.creel("state", id or self.id).ok().stdout)

    def status(self, id=None):
        state = self.try_state(id)
        return state["status"] if state else None

    def pid(self, id=None):
        """The pid of the container's process 1, which must be there: kill(0) would be for us."""
        state = self.state(id)
        assert state["pid"] > 0, f"the container has no process: {state}"
        return state["pid"]

    # ---- short stories ----

    def output(self, script=None, *options, **how):
        """
        Runs the container to its end, with script as its program if given, and returns what it
        printed.
        """
        if script is not None:
            self.shell(script)
        return self.run(*options, **how).ok().stdout.rstrip("\n")

    def up(self):
        """Starts a container that stays until it is killed."""
        self.sleep()
        return self.run_detached().ok()

    def up_without_cgroup(self):
        """The same, but the container stays in the cgroups of its caller."""
        self.sleep()
        self.linux.pop("resources")
        self.config["mounts"] = [m for m in self.config["mounts"] if m["type"] != "cgroup"]
        self.save()
        self.alive.add(self.id)
        self.creel("--cgroup-manager", "disabled", "run", "-d", "-b", self.path, self.id).ok()

    def stop(self, id=None):
        """Ends the container's processes from outside and waits until it is stopped."""
        os.kill(self.pid(id), signal.SIGKILL)
        self.wait_stopped(id)

    def wait_stopped(self, id=None):
        wait_until(lambda: self.status(id) == "stopped", "the container to stop")

    def cgroup(self, controller, id=None):
        """The directory of the container in the hierarchy of a controller."""
        h = host.hierarchy(controller)
        found = [path for path in h.find(id or self.id)] if h else []
        return found[-1] if found else None

    def freeze(self, frozen=True):
        """Pauses the container by hand, as `pause` would."""
        path = self.cgroup("freezer")
        if host.is_cgroup_v2():
            (path / "cgroup.freeze").write_text("1" if frozen else "0")
            wanted = f"frozen {int(frozen)}"
            wait_until(lambda: wanted in (path / "cgroup.events").read_text(), wanted)
        else:
            value = "FROZEN" if frozen else "THAWED"
            wait_until(lambda: write_and_read(path / "freezer.state", value) == value, value)

    def finish(self):
        """Deletes the containers that the test has left alive on purpose."""
        for id in sorted(self.alive):
            if (self.root / id).exists():
                self.delete("--force", id=id, **self.as_user)


def write_and_read(path, value):
    path.write_text(value)
    time.sleep(0.001)
    return path.read_text().strip()
