"""
What an image or a process in a container can put in the place of a path that a runtime touches, and
whether anything of the host was touched by it.
"""

import ctypes
import hashlib
import os
import socket
import stat
import time
import traceback
from pathlib import Path

KINDS = ("link-out", "link-up", "link-loop", "link-dangling", "link-chain", "link-magic",
         "fifo", "socket", "char", "block", "directory", "file")  # fmt: skip

RACE_SECONDS = int(os.environ.get("ATTACK_TIME", "2"))  # how long each race takes

libc = ctypes.CDLL(None, use_errno=True)
MNT_DETACH, CLONE_NEWNS = 2, 0x20000


def lay(root, path, kind, outside):
    """
    Makes a thing of a kind at path below root; what was there is moved aside. The links that lead
    out mean the directory outside, of the host.
    """
    trap = Path(root, path.lstrip("/"))
    trap.parent.mkdir(parents=True, exist_ok=True)
    uncover(trap)
    for name in (trap, *(f"{trap}.{i}" for i in range(1, 40))):
        if os.path.lexists(name):
            os.rename(name, f"{name}.{time.monotonic_ns()}")
    links = {
        "link-out": str(outside),
        "link-up": "../" * 12 + str(outside).lstrip("/"),
        "link-loop": trap.name,
        "link-dangling": "/no/such/place",
        "link-chain": f"{trap.name}.1",
        "link-magic": f"/proc/self/root{outside}",
    }
    if kind in links:
        trap.symlink_to(links[kind])
    if kind == "link-chain":
        for i in range(1, 40):
            text = str(outside) if i == 39 else f"{trap.name}.{i + 1}"
            Path(f"{trap}.{i}").symlink_to(text)
    elif kind == "fifo":
        os.mkfifo(trap, 0o666)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listener:
            here = os.getcwd()
            os.chdir(trap.parent)  # an address is short, a path may be long
            listener.bind(trap.name)
            os.chdir(here)
    elif kind == "char":
        os.mknod(trap, stat.S_IFCHR | 0o666, os.makedev(1, 7))
    elif kind == "block":
        os.mknod(trap, stat.S_IFBLK | 0o666, os.makedev(7, 0))
    elif kind == "directory":
        (trap / "below").mkdir(parents=True)
        (trap / "file").write_text("of the image\n")
    elif kind == "file":
        trap.write_text("of the image\n")


def inside(pid, action):
    """Runs action in the mount namespace of a process, as root with every capability."""
    child = os.fork()
    if child == 0:
        try:
            os.chdir("/")
            fd = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY)
            if libc.setns(fd, CLONE_NEWNS):
                raise OSError(ctypes.get_errno(), "setns")
            action()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def uncover(path):
    """Takes away all that is mounted at path and below."""
    while libc.umount2(str(path).encode(), MNT_DETACH) == 0:
        pass


def fingerprint(*trees):
    """What all files below the trees are, as one hash; access times do not count."""
    found = hashlib.sha256()
    for tree in trees:
        for directory, folders, files in os.walk(tree):
            folders.sort()
            for name in ("", *folders, *sorted(files)):
                path = os.path.join(directory, name)
                st = os.lstat(path)
                facts = [path, st.st_mode, st.st_uid, st.st_gid, st.st_ino, st.st_nlink, st.st_size,
                         st.st_mtime_ns, st.st_ctime_ns, st.st_rdev]  # fmt: skip
                if stat.S_ISLNK(st.st_mode):
                    facts.append(os.readlink(path))
                elif stat.S_ISREG(st.st_mode):
                    facts.append(Path(path).read_bytes())
                found.update(repr(facts).encode())
    return found.hexdigest()
