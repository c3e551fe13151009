"""
containerd, with a state of its own, and its client ctr.
"""

import contextlib
import itertools
import secrets
from pathlib import Path

import archive
from command import Daemon, mounts_below, nothing_left, processes_with, run

counter = itertools.count(1)

CONFIG = """version = 2
root = "{where}/root"
state = "{where}/state"
disabled_plugins = [{disabled}]
[grpc]
address = "{where}/containerd.sock"
"""

DISABLED = ("io.containerd.grpc.v1.cri",)


class Containerd(Daemon):
    def __init__(self, where, network, disabled=DISABLED, more=""):
        super().__init__(where, network, "containerd")
        self.socket = self.where / "containerd.sock"
        self.namespace = f"engines-{secrets.token_hex(3)}"  # of what ctr makes
        self.has_image = False
        names = ", ".join(f'"{name}"' for name in disabled)
        text = CONFIG.format(where=self.where, disabled=names) + more
        (self.where / "config.toml").write_text(text)

    def command(self):
        return "containerd", "--config", self.where / "config.toml", "--log-level", "info"

    def answers(self):
        return self.ctr("version", status=None).status == 0

    def ctr(self, *words, **options):
        return run("ctr", "--address", self.socket, *words, **options)

    def need_image(self, image, namespace):
        if not self.has_image:
            self.ctr("--namespace", namespace, "images", "import", "--digests=false", image)
        self.has_image = True


class Ctr:
    """The containers of one scenario, made with ctr."""

    image = archive.NAME

    def __init__(self, daemon, image, runtime):
        self.daemon = daemon
        self.token = f"t{next(counter)}-{secrets.token_hex(3)}"
        self.namespace = daemon.namespace
        self.options = ["--runc-binary", runtime.path]
        daemon.need_image(image, self.namespace)

    def words(self, *words):
        return "ctr", "--address", self.daemon.socket, "--namespace", self.namespace, *words

    def __call__(self, *words, **options):
        return run(*self.words(*words), **options)

    def name(self):
        return f"{self.token}-box"

    def run(self, *command, options=(), **more):
        words = "run", "--rm", *self.options, *options, self.image, self.name(), *command
        return self(*words, **more)

    def start(self, *command, options=()):
        """A container in the background, which sleeps if not told otherwise; its name."""
        command = command or ("sleep", "1000")
        self("run", "--detach", *self.options, *options, self.image, self.name(), *command)
        return self.name()

    def exec(self, box, *command, **more):
        return self("task", "exec", "--exec-id", f"e{next(counter)}", box, *command, **more)

    def tasks(self, status):
        """The tasks with this status, as name and process."""
        lines = (line.split() for line in self("task", "list").out.splitlines()[1:])
        return {name: pid for name, pid, word in lines if word == status}

    def leftovers(self):
        state = Path("/run/containerd/runc", self.namespace)
        left = [str(path) for path in state.glob("*")]
        left += [point for point in mounts_below(self.daemon.where) if self.namespace in point]
        left += [str(path) for path in Path("/sys/fs/cgroup", self.namespace).glob("*/")]
        left += [str(path) for path in Path("/sys/fs/cgroup").glob(f"*.slice/*{self.token}*")]
        return left + processes_with(self.namespace)

    def finish(self):
        for name in self("container", "list", "--quiet").out.split():
            self("task", "delete", "--force", name, status=None)
            self("container", "delete", name)
        nothing_left(self.leftovers)
        with contextlib.suppress(FileNotFoundError):
            Path("/sys/fs/cgroup", self.namespace).rmdir()
