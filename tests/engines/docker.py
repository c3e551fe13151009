"""
Docker: a daemon of the scenarios' own, and what a scenario does with its containers.
"""

import itertools
import json
import secrets
from pathlib import Path

import archive
from command import Daemon, mounts_below, nothing_left, processes_with, run

counter = itertools.count(1)


class Dockerd(Daemon):
    """dockerd with its own folders and bridges, on a containerd that was started before."""

    def __init__(self, where, network, containerd, runtimes, *options):
        super().__init__(where, network, "dockerd")
        token = secrets.token_hex(3)
        self.containerd, self.options = containerd, options
        self.socket = self.where / "docker.sock"
        self.slice = f"engines{token}.slice"
        self.namespace = f"moby-{token}"
        (self.where / "daemon.json").write_text("{}\n")
        self.runtimes = [r for r in runtimes.values() if r.name != "runc"]  # that one it has

    def command(self):
        words = ["dockerd", "--host", f"unix://{self.socket}", "--pidfile", self.where / "pid"]
        words += ["--config-file", self.where / "daemon.json"]
        words += ["--data-root", self.where / "data", "--exec-root", self.where / "exec"]
        words += ["--containerd", self.containerd.socket]
        words += ["--containerd-namespace", self.namespace]
        words += ["--containerd-plugins-namespace", f"{self.namespace}-plugins"]
        words += ["--cgroup-parent", self.slice]
        words += ["--iptables=false", "--ip6tables=false", "--bridge=none"]
        for runtime in self.runtimes:
            words += ["--add-runtime", f"{runtime.name}={runtime.path}"]
        return *words, *self.options

    def answers(self):
        return self.socket.exists() and self.docker("version", status=None).status == 0

    def docker(self, *words, **options):
        return run("docker", "--host", f"unix://{self.socket}", *words, **options)

    def leftovers(self):
        """What a container leaves that ended badly: state, mounts, shims, cgroups."""
        state = self.where / "exec" / "runtime-runc" / self.namespace
        left = [str(path) for path in state.glob("*")]
        left += [m for m in mounts_below(self.where / "data") if m.endswith(("/merged", "/shm"))]
        left += processes_with(self.namespace, but=self.process.pid)
        return left + [str(path) for path in Path("/sys/fs/cgroup", self.slice).glob("*.scope")]

    def __exit__(self, *_):
        super().__exit__()
        run("systemctl", "stop", self.slice, status=None)


class Docker:
    """The containers of one scenario."""

    def __init__(self, daemon, runtime):
        self.daemon, self.runtime = daemon, runtime
        self.token = f"t{next(counter)}-{secrets.token_hex(3)}"

    def __call__(self, *words, **options):
        return self.daemon.docker(*words, **options)

    def name(self, short="box"):
        return f"{self.token}-{short}"

    def arguments(self, options, command, short):
        words = ["--runtime", self.runtime.name, "--network", "none", "--name", self.name(short)]
        return [*words, *options, archive.NAME, *command]

    def run(self, *command, options=(), name="box", **more):
        """A container in the foreground, removed at its end."""
        return self("run", "--rm", *self.arguments(options, command, name), **more)

    def start(self, *command, options=(), name="box"):
        """A container in the background; its name."""
        self("run", "--detach", *self.arguments(options, command or ("sleep", "1000"), name))
        return self.name(name)

    def inspect(self, name=None):
        return json.loads(self("inspect", name or self.name()).out)[0]

    def pid(self, name=None):
        return self.inspect(name)["State"]["Pid"]

    def finish(self):
        mine = self("ps", "--all", "--quiet", "--filter", f"name={self.token}").out.split()
        if mine:
            self("rm", "--force", "--volumes", *mine)
        nothing_left(self.daemon.leftovers)
