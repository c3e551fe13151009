"""
The disk of the virtual machine, made of Debian packages alone and kept in the user's cache: made anew
when this file or the suite changes. Called by vm; it must not start a machine.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

SUITE = "trixie"

# What boots; what the tests of tests/run need; the engines with what they call.
PACKAGES = """
systemd systemd-sysv dbus dbus-user-session libpam-systemd udev kmod apparmor
linux-image-amd64 initramfs-tools zstd busybox-static procps iproute2 iptables ca-certificates
python3-pytest python3-pytest-xdist python3-pytest-timeout python3-jsonschema gcc libc6-dev strace
python3-grpcio protobuf-compiler
util-linux uidmap golang-github-opencontainers-specs-dev golang-github-containers-common
podman buildah docker.io docker-cli containerd runc crun criu conmon catatonit netavark
aardvark-dns passt slirp4netns fuse-overlayfs
""".split()

# What is called here to make the disk and to boot it; tools/install-packages knows where from.
TOOLS = "mmdebstrap mkfs.ext4 qemu-system-x86_64".split()

DAY = 24 * 3600

# Runs as root in the new system, once its packages are there.
SET_UP = r"""
set -eu
echo machine >/etc/hostname
echo '127.0.0.1 localhost machine' >/etc/hosts
: >/etc/resolv.conf
printf '%s /%s 9p trans=virtio,version=9p2000.L,msize=262144,nofail,%s 0 0\n' \
    share share ro creel creel ro results results rw >/etc/fstab
mkdir /share /creel /results

# An ordinary user whose session is there from boot on, with every controller that systemd hands on.
useradd --create-home --shell /bin/bash tester
echo tester:100000:65536 | tee /etc/subuid >/etc/subgid
mkdir -p /var/lib/systemd/linger /etc/systemd/system/user@.service.d
: >/var/lib/systemd/linger/tester
printf '[Service]\nDelegate=yes\n' >/etc/systemd/system/user@.service.d/delegate.conf

cat >/etc/systemd/system/jobs.service <<'UNIT'
[Unit]
Description=The jobs of tests/vm
ConditionPathExists=/results/jobs
RequiresMountsFor=/share /creel /results
After=multi-user.target user@1000.service
[Service]
Type=oneshot
ExecStart=/share/tests/vm/guest
TimeoutStartSec=infinity
Delegate=yes
[Install]
WantedBy=default.target
UNIT
mkdir -p /etc/systemd/system/serial-getty@ttyS0.service.d
printf '[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --keep-baud %%I\n' \
    >/etc/systemd/system/serial-getty@ttyS0.service.d/root.conf
systemctl -q enable jobs.service
systemctl -q disable docker.service docker.socket containerd.service
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer podman-auto-update.timer podman-restart.service systemd-pstore.service
# A profile takes seconds to compile when the machine is emulated; those of desktops are many.
find /etc/apparmor.d -maxdepth 1 -type f ! -name 'runc*' ! -name 'crun*' ! -name 'podman*' \
    ! -name 'busybox*' -delete

printf 'MODULES=list\nCOMPRESS=zstd\n' >/etc/initramfs-tools/conf.d/machine
printf '%s\n' virtio_pci virtio_blk ext4 >>/etc/initramfs-tools/modules
update-initramfs -u
"""


def cache():
    base = os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")
    return Path(os.environ.get("CREEL_VM_CACHE", Path(base) / "creel-vm"))


def identity():
    return hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def fail(why):
    print(f"vm: {why}", file=sys.stderr)
    sys.exit(1)


def mirrors():
    """Where apt gets its packages here: the first place that it names for Debian's own."""
    form = "$(REPO_URI) $(SUITE)"
    places = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    main = [p.split()[0] for p in places if p and "security" not in p and "updates" not in p]
    if not main:
        fail("apt knows no mirror of Debian to make the machine from")
    return main[0]


def need_tools():
    """Installs what is missing, when root asks; ends the program where it cannot be had."""
    installer = Path(__file__).resolve().parents[2] / "tools/install-packages"
    if not all(map(shutil.which, TOOLS)):
        subprocess.run([installer, "vm"], check=False)
    if missing := [tool for tool in TOOLS if not shutil.which(tool)]:
        fail(f"not installed: {' '.join(missing)}")


def make(where):
    root = where / "root"
    log = where / "log"
    with log.open("w") as output:

        def step(*command):
            done = subprocess.run(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
            if done.returncode:
                print(log.read_text(errors="replace")[-3000:], file=sys.stderr)
                fail(f"{command[0]} failed: the image could not be made")

        step(
            "mmdebstrap", "--mode=root", "--variant=minbase", f"--include={','.join(PACKAGES)}",
            "--aptopt=APT::Install-Recommends false", "--aptopt=Acquire::Check-Valid-Until false",
            "--dpkgopt=path-exclude=/usr/share/doc/*", "--dpkgopt=path-exclude=/usr/share/man/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", SUITE, root, mirrors(),
        )  # fmt: skip
        step("chroot", root, "sh", "-c", SET_UP)
        for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
            shutil.copy2(next((root / "boot").glob(pattern)), where / name)
        # A first boot would set up much; the disk is thrown away, so no journal either.
        (root / "etc/machine-id").write_text(os.urandom(16).hex() + "\n")
        with (where / "disk").open("w") as disk:
            disk.truncate(12 << 30)
        step("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-d", root, where / "disk")
        shutil.rmtree(root)


def remove_old(folder, kept):
    """Removes images that nobody asked for within a day: those of other states of this file."""
    for stamp in folder.glob("*/identity"):
        if stamp.parent != kept and time.time() - stamp.stat().st_mtime > DAY:
            shutil.rmtree(stamp.parent)


def ready():
    """The folder with disk, vmlinuz and initrd, made first if need be."""
    need_tools()
    where = cache() / identity()[:12]
    where.mkdir(parents=True, exist_ok=True)
    with (cache() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = where / "identity"
        if not stamp.exists():
            if os.geteuid():
                fail("only root can make the image")
            print(f"making the virtual machine in {where} (about a minute)", flush=True)
            shutil.rmtree(where / "root", ignore_errors=True)
            make(where)
        stamp.touch()
        remove_old(cache(), where)
    return where
