"""
The same configurations with this program and with runc, Debian's own: what a program sees inside is
the same, and what one refuses the other refuses. What differs on purpose is in DIFFERENCES with its
reason.
"""

import difflib
import random
import re
import shutil
import subprocess

import pytest

import configurations
import fingerprint
from program import Program

SEEDS = 260

# (line of runc's, line of ours, reason): patterns of what may stand in one another's place. A group
# in ours has to be what it is in runc's.
DIFFERENCES = [
    (r"(mounts: .*) tmpfs ro(,uid.*)?", r"(mounts: .*) tmpfs ro,size=4k,nr_inodes=1(,uid.*)?",
     "a directory is masked by a tmpfs that can hold nothing, as in runc since 1.4"),
    (r"mounts: (.*/sys/fs/cgroup )rw(,.* tmpfs .*)", r"mounts: (.*/sys/fs/cgroup )ro(,.* tmpfs .*)",
     "a read-only cgroup mount is read-only as a whole, not below only"),
    (r"mounts: (.* - cgroup2) cgroup \S+", r"mounts: (.* - cgroup2) \S+ \S+",
     "the host's mount is bound where a new one would set the options of all of the machine"),
    (r"environment: HOME=", r"environment: HOME=/", "an unknown user's home is /, as in runc since 1.2"),
    (r"mounts: (.* tmpfs tmpfs [^ ]*?)(,uid=7)?", r"mounts: (.* tmpfs tmpfs [^ ]*),mode=755(,uid=7)?",
     "the mode of the directory below is given to the mount, not set afterwards, as in runc since 1.2"),
    (r"files: (/\S+ directory )755( .*)", r"files: (/\S+ directory )1777( .*)",
     "a mode that was asked for is kept, as in runc since 1.2"),
    (r"files: /var: 0 mkdir: can't create directory '/var/x': Permission denied", r"files: /var: 0 ",
     "so who may write there can"),
    (r"devices: /dev/mqueue directory 1777 0 65534 0:0", r"devices: /dev/mqueue directory 1777 0 0 0:0",
     "the queues' directory belongs to the container's root, group and all"),
]  # fmt: skip

# What is wrong with a configuration that only one of the two refuses, and why that is meant.
REFUSALS = [
    (r"create device \S+: another file is there already", "runc 1.1 left what was there"),
    (r"error reopening /dev/null inside container", "runc 1.1 looked at the owner's bits"),
]
RUNC = shutil.which("runc", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")


@pytest.fixture(scope="session")
def peer(program):
    if not RUNC:
        pytest.skip("runc is not installed")
    if program.name == "runc":
        pytest.skip("runc would be compared with itself")
    return Program(RUNC)


def judge(bundle, program):
    """(status, fingerprint) of the bundle's container as program makes it, on an untouched root."""
    for name in ("new", "made", "missing", "deep", "elsewhere"):
        subprocess.run(["rm", "-rf", bundle.rootfs / name], check=True)
    (bundle.rootfs / "new.txt").unlink(missing_ok=True)
    done = program("--root", bundle.root, "run", "--bundle", bundle.path, bundle.id)
    return done, fingerprint.sections(fingerprint.normal(done.stdout, bundle))


def strike_out_what_is_meant(lost, new):
    """Takes the differences that DIFFERENCES names from both lists."""
    for theirs, ours, _ in DIFFERENCES:
        for line in [x for x in lost if re.fullmatch(theirs, x)]:
            groups = re.fullmatch(theirs, line).groups()
            match = [x for x in new if (m := re.fullmatch(ours, x)) and m.groups() == groups]
            if match:
                lost.remove(line)
                new.remove(match[0])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_same_as_runc(bundle, prober, peer, seed):
    bundle.shell(fingerprint.SCRIPT)
    changes = configurations.alter(bundle, random.Random(seed))
    bundle.save()
    theirs, expected = judge(bundle, peer)
    ours, found = judge(bundle, bundle.program)
    said = f"changes: {' '.join(changes)}\nours: rc {ours.rc} {ours.stderr}\nruncs: rc {theirs.rc} {theirs.stderr}"
    if ours.rc != theirs.rc:
        assert any(re.search(text, ours.stderr + theirs.stderr) for text, _ in REFUSALS), said
        return
    lost = [f"{name}: {line}" for name in expected for line in expected[name]]
    new = [f"{name}: {line}" for name in found for line in found[name]]
    left = list(difflib.unified_diff(lost, new, lineterm="", n=0))[2:]
    lost = [line[1:] for line in left if line[0] == "-"]
    new = [line[1:] for line in left if line[0] == "+"]
    strike_out_what_is_meant(lost, new)
    assert (lost, new) == ([], []), "\n".join([*(f"- {x}" for x in lost), *(f"+ {x}" for x in new), said])
