"""What is measured: a scenario gives the steps of one contender's turn, in the words of spawn.c.

bench goes through SCENARIOS; a contender is a runtime, or the floor program where it can do the
same. A scenario with `holds` needs containers that live while it is measured.

It must not measure or print anything itself.
"""

import os
import subprocess
import time

IGNORED_SIGNAL = "28"  # SIGWINCH: sent like any other, and nothing comes of it


class Runtime:
    """One runtime with a state directory of its own."""

    is_floor = False

    def __init__(self, name, command, work):
        self.name = name
        self.root = f"{work.directory}/state-{name}"
        self.argv = [*command, "--root", self.root]
        self.command = command
        self.work = work

    def words(self, verb, *arguments):
        return [*self.argv, verb, *arguments]

    def id(self, number=0):
        return f"bench-{self.name}-{number}"

    def run(self, bundle):
        return self.words("run", "--bundle", self.work.bundle(bundle), self.id())

    def create(self, bundle, number=0):
        return self.words("create", "--bundle", self.work.bundle(bundle), self.id(number))

    def hold(self, count):
        """Starts count containers, and leaves them."""
        for number in range(count):
            self.work.call(self.create("sleep", number))
            self.work.call(self.words("start", self.id(number)))

    def release(self, count):
        for number in range(count):
            self.work.call(self.words("delete", "--force", self.id(number)), must=False)


class Floor:
    """The floor program; it takes decisions in place of a config.json."""

    is_floor = True

    def __init__(self, program, work):
        self.name = "floor"
        self.argv = self.command = [program]
        self.root = f"{work.directory}/state-floor"
        self.work = work
        self.held = []
        os.makedirs(self.root, exist_ok=True)

    def cgroups(self, number=0):
        name = f"bench-floor-{number}"
        if self.work.view == "v2":
            return [f"/sys/fs/cgroup/{name}"]
        with os.scandir("/sys/fs/cgroup") as entries:
            hierarchies = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        return [f"{path}/{name}" for path in sorted(hierarchies)]

    def state(self, number=0):
        return f"{self.root}/{number}"

    def run(self, bundle, number=0, program=("/bin/true",)):
        binds = bundle[len("binds"):] if bundle.startswith("binds") else "0"
        return [*self.argv, "run", self.state(number), self.work.bundle("rootfs"), binds,
                self.work.bundle("volume"), *self.cgroups(number), "--", *program]

    def hold(self, count):
        for number in range(count):
            words = self.run("sleep", number, ("/bin/sleep", "1000000"))
            self.held.append(subprocess.Popen(words, stdin=subprocess.DEVNULL,
                                              stdout=subprocess.DEVNULL))
        deadline = time.monotonic() + 30
        while not all(os.path.exists(f"{self.state(n)}/state") for n in range(count)):
            if time.monotonic() > deadline:
                raise RuntimeError("the floor program's containers did not come up")
            time.sleep(0.01)

    def release(self, count):
        for number in range(count):
            self.work.call([*self.argv, "kill", self.state(number), "9"], must=False)
        for process in self.held:
            process.wait()
        self.held = []


def version(c):
    return [("time", [*c.argv, "nothing"] if c.is_floor else [*c.command, "--version"])]


def run(c):
    return [("time", c.run("default"))]


def run_engine(c):
    return None if c.is_floor else [("time", c.run("engine"))]


def run_binds50(c):
    return [("time", c.run("binds50"))]


def run_binds500(c):
    return [("time", c.run("binds500"))]


def life(c):
    """create, start, the end of the program, delete: one after the other, each counted."""
    if c.is_floor:
        return None
    return [("time", c.create("default")),
            ("time", c.words("start", c.id())),
            ("reap", []),
            ("time", c.words("delete", c.id()))]


def force(c):
    if c.is_floor:
        return None
    return [("quiet", c.create("sleep")),
            ("quiet", c.words("start", c.id())),
            ("time", c.words("delete", "--force", c.id())),
            ("reap", [])]


def execute(c):
    if c.is_floor:
        return [("time", [*c.argv, "exec", c.state(), *c.cgroups(), "--", "/bin/true"])]
    return [("time", c.words("exec", c.id(), "/bin/true"))]


def state(c):
    if c.is_floor:
        return [("time", [*c.argv, "state", c.state()])]
    return [("time", c.words("state", c.id()))]


def kill(c):
    if c.is_floor:
        return [("time", [*c.argv, "kill", c.state(), IGNORED_SIGNAL])]
    return [("time", c.words("kill", c.id(), IGNORED_SIGNAL))]


def list_all(c):
    return [("time", [*c.argv, "list", c.root] if c.is_floor else c.words("list"))]


class Scenario:
    """One name for each step that is counted; weight is the share of the rounds asked for."""

    def __init__(self, names, steps, what, holds=0, weight=1.0):
        self.names = names
        self.steps = steps
        self.what = what
        self.holds = holds
        self.weight = weight


SCENARIOS = {
    "version": Scenario(["version"], version, "start-up alone: `--version`", weight=2),
    "run": Scenario(["run"], run, "`run` of the default configuration; the program is /bin/true"),
    "engine": Scenario(["run, engine"], run_engine,
                       "`run` as an engine asks for it: 30 KB of configuration with seccomp"),
    "binds50": Scenario(["run, 50 binds"], run_binds50, "`run` with 50 read-only binds more"),
    "binds500": Scenario(["run, 500 binds"], run_binds500, "`run` with 500 of them", weight=0.5),
    "life": Scenario(["create", "start", "delete"], life,
                     "one container through three commands; `create` counts its process too"),
    "force": Scenario(["delete --force"], force, "`delete --force` of a running container"),
    "exec": Scenario(["exec"], execute, "`exec` of /bin/true in a running container", holds=1),
    "state": Scenario(["state"], state, "`state` of a running container", holds=1, weight=2),
    "kill": Scenario(["kill"], kill, "`kill` with a signal that the program ignores", holds=1,
                     weight=2),
    "list": Scenario(["list, 100"], list_all, "`list` with 100 running containers", holds=100,
                     weight=0.5),
}
