"""
Docker: a daemon of the scenarios' own, and what a scenario does with its containers.
"""

import http.client
import itertools
import json
import secrets
import socket
from pathlib import Path

import archive
from command import TIME_LIMIT, Daemon, mounts_below, nothing_left, processes_with, run

counter = itertools.count(1)


class Api(http.client.HTTPConnection):
    """Docker's own protocol: for what a scenario asks often, since the command takes a second."""

    def __init__(self, path):
        super().__init__("docker", timeout=TIME_LIMIT)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


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
        try:
            return self.api("GET", "/_ping") == b"OK"
        except OSError:
            return False

    def api(self, verb, path):
        """What the daemon answers; None when there is no such thing."""
        connection = Api(self.socket)
        try:
            connection.request(verb, path)
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status in (200, 204, 404), body
            return body if answer.status != 404 else None
        finally:
            connection.close()

    def words(self, *words):
        return "docker", "--host", f"unix://{self.socket}", *words

    def docker(self, *words, **options):
        return run(*self.words(*words), **options)

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
        for point in mounts_below(self.where):  # one network namespace stays mounted
            run("umount", "--lazy", point)


class Docker:
    """The containers of one scenario."""

    def __init__(self, daemon, runtime):
        self.daemon, self.runtime = daemon, runtime
        self.token = f"t{next(counter)}-{secrets.token_hex(3)}"

    def __call__(self, *words, **options):
        return self.daemon.docker(*words, **options)

    def words(self, *words):
        """The words of a command line, for a Screen."""
        return self.daemon.words(*words)

    def name(self, short="box"):
        return f"{self.token}-{short}"

    def arguments(self, name, network):
        return ["--runtime", self.runtime.name, "--network", network, "--name", self.name(name)]

    def run(self, *command, options=(), name="box", network="none", **more):
        """A container in the foreground, removed at its end."""
        words = "run", "--rm", *self.arguments(name, network), *options, archive.NAME, *command
        return self(*words, **more)

    def start(self, *command, options=(), name="box", network="none"):
        """A container in the background, which sleeps if not told otherwise; its name."""
        command = command or ("sleep", "1000")
        self("run", "--detach", *self.arguments(name, network), *options, archive.NAME, *command)
        return self.name(name)

    def inspect(self, name=None):
        return json.loads(self.daemon.api("GET", f"/containers/{name or self.name()}/json"))

    def pid(self, name=None):
        return self.inspect(name)["State"]["Pid"]

    def finish(self):
        for container in json.loads(self.daemon.api("GET", "/containers/json?all=1")):
            if any(self.token in name for name in container["Names"]):
                self.daemon.api("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        nothing_left(self.daemon.leftovers)
