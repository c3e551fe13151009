"""
Podman and Buildah, which have no daemon: who calls them, with storage of the scenarios' own, and
what a scenario does with its containers.
"""

import contextlib
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

import archive
from command import cgroup_of, mounts_below, nothing_left, run

LIMIT = 150  # seconds for one command
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Read instead of all other files of that kind. Podman looks a runtime's name up in lists before it
# asks that runtime for a log in JSON, or for a container without a cgroup.
SETTINGS = """
[containers]
log_driver = "k8s-file"
[network]
firewall_driver = "iptables"
[engine]
events_logger = "file"
tmp_dir = "{where}/tmp"
runtime_supports_json = ["crun", "runc", "creel"]
runtime_supports_nocgroup = ["crun", "creel"]
[engine.runtimes]
{runtimes}
"""


class User:
    """Who calls an engine."""

    def __init__(self, name, uid, home):
        self.name, self.uid, self.home = name, uid, home
        self.runtime_dir = Path(f"/run/user/{uid}" if uid else "/run")

    def command(self, *words, **variables):
        """The words of a command as this user, in an environment that has nothing else."""
        variables |= {"PATH": PATH, "HOME": self.home, "LC_ALL": "C.UTF-8"}
        prefix = []
        if self.uid:
            prefix = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--init-groups"]
            variables["XDG_RUNTIME_DIR"] = self.runtime_dir
        settings = [f"{key}={value}" for key, value in variables.items()]
        return [*prefix, "env", "-i", "-C", self.home, *settings, *words]

    def own(self, path):
        os.chown(path, self.uid, self.uid)


ROOT = User("root", 0, "/root")
TESTER = User("tester", 1000, "/home/tester")


class Storage:
    """Images, containers and settings of one user, for as long as a with statement."""

    def __init__(self, where, user, runtimes):
        self.where, self.user = Path(where), user
        self.where.mkdir(mode=0o755)
        user.own(self.where)
        names = [f'{r.name} = ["{r.path}"]' for r in runtimes.values()]
        text = SETTINGS.format(where=where, runtimes="\n".join(names))
        self.settings = self.write("containers.conf", text)

    def write(self, name, text, mode=0o644):
        """A file that belongs to the user."""
        path = self.where / name
        path.write_text(text)
        path.chmod(mode)
        self.user.own(path)
        return path

    def command(self, program, *words):
        """The words of a command of Podman or Buildah."""
        variables = {"CONTAINERS_CONF": self.settings, "TMPDIR": "/var/tmp"}
        folders = ["--root", self.where / "storage", "--runroot", self.where / "run"]
        return [str(w) for w in self.user.command(program, *folders, *words, **variables)]

    def call(self, *words, timeout=LIMIT, **options):
        return run(*self.command(*words), timeout=timeout, **options)

    def containers(self):
        """The ids of those that are not removed yet."""
        index = self.where / "storage/overlay-containers/containers.json"
        return [c["id"] for c in json.loads(index.read_text())] if index.exists() else []

    def leftovers(self, runtime):
        """What a container leaves that ended badly: state, mounts, monitors, cgroups."""
        mine = str(self.where)
        left = [m for m in mounts_below(self.where) if m.endswith(("/merged", "/shm"))]
        for state in (self.user.runtime_dir / runtime.name).glob("*"):
            record = state / "state.json"
            if not record.exists() or mine in record.read_text():
                left.append(str(state))
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = path.read_text(errors="replace")
                left += [line] if "conmon\0" in line and mine in line else []
        for cgroup in Path("/sys/fs/cgroup").rglob("libpod-*"):
            with contextlib.suppress(OSError):
                if "populated 0" in (cgroup / "cgroup.events").read_text():
                    left.append(str(cgroup))
        return left

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Migrating ends the process that holds an ordinary user's namespaces."""
        self.call("podman", "system", "migrate", status=None)
        for point in mounts_below(self.where):
            run("umount", "--lazy", point)


class Podman:
    """The containers of one scenario, in a folder of its own: where."""

    numbers = itertools.count(1)

    def __init__(self, storage, runtime):
        self.storage, self.runtime, self.user = storage, runtime, storage.user
        self.where = storage.where / f"scenario{next(self.numbers)}"
        self.where.mkdir()
        self.user.own(self.where)

    def command(self, *words):
        return self.storage.command("podman", "--runtime", self.runtime.name, *words)

    def __call__(self, *words, timeout=LIMIT, **options):
        return run(*self.command(*words), timeout=timeout, **options)

    def background(self, *words, **options):
        """A command that runs on: a Popen, with pipes for its output unless others are given."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(
            self.command(*words), **({"stdin": subprocess.DEVNULL} | pipes | options)
        )

    def run(self, *command, options=(), **more):
        """A container in the foreground, removed at its end."""
        words = ["run", "--rm", "--network=none", *options, archive.NAME, *command]
        return self(*words, **more)

    def start(self, *command, options=(), name="box"):
        """A container in the background; its name."""
        words = ["run", "--detach", "--network=none", "--stop-timeout=0", f"--name={name}"]
        self(*words, *options, archive.NAME, *(command or ("sleep", "1000")))
        return name

    def sh(self, text, name="box", **options):
        """What a shell in a running container prints."""
        return self("exec", name, "sh", "-c", text, **options).out

    def inspect(self, name="box", kind="container"):
        return json.loads(self(kind, "inspect", name).out)[0]

    def state(self, name="box"):
        return self.inspect(name)["State"]

    def cgroup(self, name="box"):
        return cgroup_of(self.state(name)["Pid"])

    def limit(self, file, name="box"):
        """What a file of the container's cgroup says."""
        return (self.cgroup(name) / file).read_text().strip()

    def file(self, name, text="", mode=0o644):
        """A file of the user's, in the scenario's folder."""
        return self.storage.write(f"{self.where.name}/{name}", text, mode)

    def folder(self, name):
        path = self.where / name
        path.mkdir()
        self.user.own(path)
        return path

    def finish(self):
        if self.storage.containers():
            self("pod", "rm", "--all", "--force", "--time=0")
            self("rm", "--all", "--force", "--time=0", "--volumes")
        nothing_left(lambda: self.storage.leftovers(self.runtime))
        shutil.rmtree(self.where)
