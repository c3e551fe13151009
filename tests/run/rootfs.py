"""The root filesystem of the test containers: one static busybox and links to its applets.

Built once per session; each bundle then gets a tree of its own whose programs are hard links, so
that a test may write where it likes without another one seeing it.
"""

import os
import shutil
import subprocess
from pathlib import Path

BUSYBOX = "/bin/busybox"

DIRECTORIES = ("bin", "dev", "etc", "mnt", "proc", "run", "sys", "tmp", "usr/bin", "var")

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n",
    "etc/group": "root:x:0:\nann:x:1000:\n",
}


def template(where):
    """
    Makes the shared part in where: bin/busybox and, when there is a C compiler, bin/probe
    (probe.c).
    """
    where = Path(where)
    (where / "bin").mkdir(parents=True)
    shutil.copy(BUSYBOX, where / "bin/busybox")
    source = Path(__file__).with_name("probe.c")
    command = ["cc", "-static", "-O1", "-o", where / "bin/probe", source]
    if shutil.which("cc"):
        subprocess.run(command, check=True, timeout=60)
    applets = subprocess.run([BUSYBOX, "--list"], capture_output=True, text=True, check=True)
    return sorted(set(applets.stdout.split()) - {"busybox"})


def build(where, shared, applets):
    """Makes a root filesystem in where out of the shared part."""
    for name in DIRECTORIES:
        os.makedirs(f"{where}/{name}")
    os.chmod(f"{where}/tmp", 0o1777)
    for name, text in FILES.items():
        Path(where, name).write_text(text)
    for name in os.listdir(f"{shared}/bin"):
        os.link(f"{shared}/bin/{name}", f"{where}/bin/{name}")
    for name in applets:
        os.symlink("busybox", f"{where}/bin/{name}")
