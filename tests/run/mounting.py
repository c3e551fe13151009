"""What the tests of mounts share: what the container sees mounted, and mounts of the host."""

import subprocess
from contextlib import contextmanager

import host


def mountinfo(bundle, *options, **how):
    """{mount point: Mount} as the container sees it; of stacked mounts the topmost."""
    bundle.args("cat", "/proc/self/mountinfo")
    return {m.point: m for m in host.parse_mountinfo(bundle.run(*options, **how).ok().stdout)}


@contextmanager
def host_mount(path, *options, kind="tmpfs", source="tmpfs"):
    """A mount on a directory of the host, a tmpfs unless told otherwise, while the block lasts."""
    subprocess.run(["mount", "-t", kind, *options, source, path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-R", path], check=True)


def maps(*ranges):
    """uidMappings and gidMappings with equal ranges of (containerID, hostID, size)."""
    listed = [{"containerID": inside, "hostID": outside, "size": size}
              for inside, outside, size in ranges]
    return {"uidMappings": listed, "gidMappings": listed}
