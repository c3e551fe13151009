"""
The image of the scenarios: an archive as `docker save` writes it, which Docker, containerd and
Podman all read. It has busybox, with a link for each of its commands, and a user Ann. It sleeps if
it is not told otherwise.
"""

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

NAME = "localhost/box:latest"

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n",
    "etc/group": "root:x:0:\nann:x:1000:\nstaff:x:50:ann\n",
}


def layer():
    """The bytes of the layer."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:

        def add(name, data=b"", mode=0o644, kind=tarfile.REGTYPE, link=""):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.type, entry.linkname, entry.size = mode, kind, link, len(data)
            tar.addfile(entry, io.BytesIO(data))

        for name in ("bin", "dev", "etc", "home", "mnt", "proc", "root", "sys", "usr", "var"):
            add(name, mode=0o755, kind=tarfile.DIRTYPE)
        add("tmp", mode=0o1777, kind=tarfile.DIRTYPE)
        add("bin/busybox", Path("/bin/busybox").read_bytes(), 0o755)
        names = subprocess.run(["/bin/busybox", "--list"], stdout=subprocess.PIPE, check=True)
        for name in sorted(set(names.stdout.decode().split()) - {"busybox"}):
            add(f"bin/{name}", kind=tarfile.SYMTYPE, link="busybox")
        for name, text in FILES.items():
            add(name, text.encode())
    return out.getvalue()


def write(path):
    """Writes the archive to path, and gives that."""
    data = layer()
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sleep", "1000"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
        "history": [{"created_by": "tests"}],
    }
    manifest = [{"Config": "config.json", "RepoTags": [NAME], "Layers": ["layer.tar"]}]
    parts = {"layer.tar": data}
    parts |= {"config.json": json.dumps(config).encode()}
    parts |= {"manifest.json": json.dumps(manifest).encode()}
    with tarfile.open(path, "w") as tar:
        for name, content in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path
