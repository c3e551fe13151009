"""
The runtime's own program, brought into a container as /proc/self/exe or as the interpreter of a
script (CVE-2019-5736): whoever gets hold of it there, with every capability, can neither write to
the file on the host nor change anything about it, while it runs and when it has ended.
"""

import os
import shutil
import subprocess
import time

import pytest

from program import Program
from traps import RACE_SECONDS


pytestmark = pytest.mark.once

@pytest.fixture
def own(armed):
    """The bundle's program is a copy that can be spoiled. Afterwards it must be as before."""
    path = armed.path / "creel"
    shutil.copy(armed.program.path, path)
    armed.program = Program(path, armed.program.options)

    def facts():
        st = path.stat()
        flags = subprocess.run(["lsattr", "-d", path], capture_output=True, check=False).stdout
        return (path.read_bytes(), st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_mtime_ns,
                st.st_ctime_ns, os.listxattr(path), flags)  # fmt: skip

    before = facts()
    yield armed
    armed.finish()
    assert facts() == before


def script(bundle):
    bundle.script("bin/script", "#!/proc/self/exe\n")
    return "/bin/script"


def interpreted(bundle):
    """A script of a script."""
    bundle.script("bin/outer", f"#!{script(bundle)}\n")
    return "/bin/outer"


WAYS = {"direct": lambda bundle: "/proc/self/exe", "thread": lambda bundle: "/proc/thread-self/exe",
        "script": script, "script-of-script": interpreted}  # fmt: skip


def had(result):
    lines = result.stdout.splitlines()
    assert lines[0] == "ready" and "tries" in lines[-1], result
    return lines[1:-1], int(lines[-1].split()[1])


@pytest.mark.parametrize("way", WAYS)
def test_by_exec(own, way, record_property):
    program = WAYS[way](own)
    own.capabilities()
    own.args("breakout", "program", str(RACE_SECONDS))
    running = own.spawn_run()
    end = time.monotonic() + RACE_SECONDS + 5
    while running.process.poll() is None and time.monotonic() < end:
        own.exec(program, "--help")
    lines, held = had(running.wait().ok())
    own.alive.clear()
    assert held > 0
    assert lines == []
    record_property("starts", held)


@pytest.mark.parametrize("way", WAYS)
def test_by_run_in_a_shared_pid_namespace(own, way, record_property):
    program = WAYS[way](own)
    own.capabilities()
    own.args("breakout", "program", str(RACE_SECONDS))
    running = own.spawn_run()
    other = f"{own.id}-other"
    own.namespace("pid", f"/proc/{own.pid()}/ns/pid")
    own.config["mounts"] = [m for m in own.config["mounts"] if m["type"] != "cgroup"]
    own.args(program, "--help")
    own.save()
    while running.process.poll() is None:
        own.creel("run", "-b", own.path, other)
    lines, held = had(running.wait().ok())
    own.alive.clear()
    assert held > 0
    assert lines == []
    record_property("starts", held)


def test_hooks_of_the_image_are_not_the_runtimes(own):
    """A hook that runs inside as /proc/self/exe is the same program, as well protected."""
    own.config.setdefault("hooks", {})["startContainer"] = [{"path": "/proc/self/exe",
                                                              "args": ["creel", "--version"]}]
    own.run().ok()
