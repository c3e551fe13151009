"""
A program that is found and yet cannot be executed: create says so already, and start, run and exec
say why. What the kernel does execute is never refused.
"""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from program import PATH

MISSING = "no such file or directory"
FORMAT = "exec format error"
CLOSED = "permission denied"

# What is wrong with /x/tool: its content, and how it is told.
FAULTS = {
    "no interpreter": ("#!/no/such\n", f'{MISSING}: its interpreter "/no/such" is missing'),
    "carriage return": ("#!/bin/sh\r\n", f'{MISSING}: its interpreter "/bin/sh?" is missing'),
    "closed interpreter": ("#!/etc/passwd\n",
                           f'{CLOSED}: its interpreter "/etc/passwd" is not executable'),
    "interpreter's own": ("#!/x/inner\n", f'{MISSING}: its interpreter "/no/such" is missing'),
    "no line": ("echo hello\n", f"{FORMAT}: it has no #! line to name an interpreter"),
    "empty": ("", f"{FORMAT}: the file is empty"),
    "byte order mark": ("\ufeff#!/bin/sh\n",
                        f"{FORMAT}: a byte order mark stands before its #! line"),
}

# For another machine, in the right byte order: nothing but the header's beginning is looked at.
FOREIGN = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x16\x00" + bytes(200)  # s390


def handlers():
    """Whether programs of other formats might be executed on this machine."""
    place = Path("/proc/sys/fs/binfmt_misc")
    return place.is_dir() and set(os.listdir(place)) - {"register", "status"}


pytestmark = pytest.mark.skipif(bool(handlers()), reason="binfmt_misc has handlers here")


@pytest.fixture(params=list(FAULTS))
def faulty(request, bundle):
    """A bundle whose program has a fault; bundle.told says how that is told."""
    text, bundle.told = FAULTS[request.param]
    bundle.script("x/tool", text)
    bundle.script("x/inner", "#!/no/such\n")
    bundle.args("/x/tool")
    return bundle


@pytest.mark.creel_only("no peer does")
def test_create_says_it_already(faulty):
    message = faulty.create().fails(pointer="/process/args/0")
    assert message.text.endswith(f': exec: "/x/tool": {faulty.told}')
    assert faulty.status() is None


@pytest.mark.creel_only("no peer does")
def test_run_says_it(faulty):
    message = faulty.run().fails()
    assert message.text.endswith(f": exec /x/tool: {faulty.told}")
    assert faulty.guard.check() == []


@pytest.mark.creel_only("no peer does")
def test_exec_says_it(faulty):
    faulty.up()
    result = faulty.exec("/x/tool")
    assert result.fails(rc=255).text.endswith(f": exec /x/tool: {faulty.told}")


@pytest.mark.creel_only("no peer does")
def test_start_says_it_of_what_has_changed_since(faulty):
    """The file is as it is when it is executed."""
    bad = (faulty.rootfs / "x/tool").read_bytes()
    faulty.script("x/tool", "#!/bin/sh\n")
    faulty.create().ok()
    (faulty.rootfs / "x/tool").write_bytes(bad)
    assert faulty.start().fails().text == f"exec /x/tool: {faulty.told}"


@pytest.mark.creel_only("no peer does")
def test_program_in_path(bundle):
    bundle.script("bin/tool", "#!/no/such\n")
    bundle.args("tool")
    message = bundle.create().fails()
    assert message.text.endswith(f'exec: "tool": {MISSING}: its interpreter "/no/such" is missing')


@pytest.mark.creel_only("no peer does")
def test_a_program_of_another_machine(bundle):
    bundle.script("x/tool", "").write_bytes(FOREIGN)
    bundle.args("/x/tool")
    message = bundle.create().fails(part=f'exec: "/x/tool": {FORMAT}: it is for s390, this machine')
    assert "binfmt_misc" in message.hint


@pytest.mark.creel_only("no peer does")
@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
def test_a_program_without_its_c_library(bundle):
    source = bundle.write("x/tool.c", "int main(void) { return 0; }\n")
    subprocess.run(["cc", "-o", bundle.rootfs / "x/tool", source], check=True, timeout=60)
    bundle.args("/x/tool")
    message = bundle.create().fails(part=f'exec: "/x/tool": {MISSING}: its interpreter "/lib')
    assert "C library" in message.hint
    bundle.bind("/usr", "/usr", "rbind", "ro")  # with the host's library it runs
    for name in ("lib", "lib64"):
        os.symlink(f"usr/{name}", bundle.rootfs / name)
    bundle.create().ok()
    bundle.start().ok()


@pytest.mark.creel_only("no peer does")
def test_a_hook_may_put_in_what_is_missing(bundle):
    bundle.script("x/tool", "#!/x/sh\necho good\n")
    bundle.hook("startContainer", "cp /bin/busybox /x/sh")
    bundle.args("/x/tool")
    created = bundle.create().ok()
    bundle.start().ok()
    bundle.wait_stopped()
    assert created.stdout == "good\n"


@pytest.mark.creel_only("1.1 says nothing of a mount")
def test_a_mount_without_execution(bundle):
    where = bundle.path / "shared"
    where.mkdir()
    shutil.copy(bundle.rootfs / "bin/busybox", where / "true")
    bundle.bind(where, "/x", "rbind", "noexec")
    bundle.args("/x/true")
    message = bundle.create().fails(f'runc create failed: unable to start container process: '
                                    f'exec: "/x/true": {CLOSED}')
    assert "noexec" in message.hint


@pytest.mark.creel_only("no peer does")
def test_a_file_that_is_none_to_execute(bundle):
    os.mkfifo(bundle.rootfs / "pipe", 0o755)
    bundle.args("/pipe")
    message = bundle.create().fails(part=f'exec: "/pipe": {CLOSED}')
    assert "not a regular file" in message.hint


@pytest.mark.creel_only("no peer does")
def test_a_closed_file_in_path_is_named(bundle):
    bundle.write("bin/tool", "#!/bin/sh\n").chmod(stat.S_IRUSR)
    bundle.args("tool")
    message = bundle.create().fails(part="executable file not found in $PATH")
    assert message.hint == "/bin/tool needs the x permission for the process's user"


@pytest.mark.creel_only("no peer does")
def test_a_file_that_somebody_writes(bundle):
    """What else is wrong with it is not what the kernel complained of."""
    path = bundle.script("x/tool", "#!/no/such\n")
    bundle.args("/x/tool")
    with path.open("r+b"):
        message = bundle.run().fails()
    assert message.text.endswith(": exec /x/tool: text file busy")
    assert "open for writing" in message.hint


# ---- what the kernel executes ----

@pytest.mark.parametrize("mode", [0o111, 0o755])
def test_a_program_that_cannot_be_read(bundle, mode):
    """The kernel need not be allowed to read what it executes."""
    shutil.copy(bundle.rootfs / "bin/busybox", bundle.rootfs / "bin/true2")
    (bundle.rootfs / "bin/true2").chmod(mode)
    os.replace(bundle.rootfs / "bin/true2", bundle.rootfs / "bin/true")
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    bundle.args("/bin/true")
    bundle.create().ok()
    bundle.start().ok()


def test_a_relative_interpreter(bundle):
    bundle.script("x/tool", "#!../bin/sh\necho good\n")
    bundle.process["cwd"] = "/x"
    bundle.args("./tool")
    created = bundle.create().ok()
    bundle.start().ok()
    bundle.wait_stopped()
    assert created.stdout == "good\n"


def test_a_strict_filter_leaves_the_reason(bundle):
    """Behind the filter the file cannot be looked into; the errno is still told."""
    bundle.script("x/tool", "#!/no/such\n")
    bundle.args("/x/tool")
    bundle.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["open", "openat", "openat2", "stat", "newfstatat", "statx"],
                      "action": "SCMP_ACT_ERRNO"}],
    }
    result = bundle.run(env={"PATH": PATH})
    assert result.rc == 1 and f"exec /x/tool: {MISSING}" in result.stderr
