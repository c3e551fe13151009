"""The bundles that the benchmark runs.

`bundles.make(directory, view)` writes one root filesystem and one config.json for each name in
NAMES; by hand, `bundles.py DIRECTORY` does the same. Needs the Debian packages busybox-static and,
for the engine configuration, golang-github-containers-common: its default seccomp profile is what
Podman gives every container, and nearly the one that Docker gives.

It must not start any container.
"""

import copy
import json
import os
import platform
import shutil
import sys

NAMES = ("default", "sleep", "engine", "binds50", "binds500")
PROFILE = "/usr/share/containers/seccomp.json"
ENGINE_CONFIG_BYTES = 30000
ANNOTATIONS = 24  # CRI-O writes about as many, some of them long

CAPS = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
ENGINE_CAPS = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW",
    "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE",
    "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
]
SECCOMP_ARCHES = {"x86_64": "amd64", "aarch64": "arm64"}
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def mount(destination, kind, source, *options):
    entry = {"destination": destination, "type": kind, "source": source}
    if options:
        entry["options"] = list(options)
    return entry


def capabilities(names):
    return {kind: list(names) for kind in ("bounding", "effective", "permitted")}


def default_config(rootfs, view):
    """What `spec` writes, without a terminal and with /bin/true to run."""
    hardened = ("nosuid", "noexec", "nodev")
    namespaces = ["pid", "network", "ipc", "uts", "mount"]
    if view == "v2":
        namespaces.append("cgroup")
    return {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/true"],
            "env": [f"PATH={SEARCH_PATH}", "TERM=xterm"],
            "cwd": "/",
            "capabilities": capabilities(CAPS),
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": rootfs, "readonly": True},
        "hostname": "bench",
        "mounts": [
            mount("/proc", "proc", "proc"),
            mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
            mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance",
                  "ptmxmode=0666", "mode=0620", "gid=5"),
            mount("/dev/shm", "tmpfs", "shm", *hardened, "mode=1777", "size=65536k"),
            mount("/dev/mqueue", "mqueue", "mqueue", *hardened),
            mount("/sys", "sysfs", "sysfs", *hardened, "ro"),
            mount("/sys/fs/cgroup", "cgroup", "cgroup", *hardened, "relatime", "ro"),
        ],
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": name} for name in namespaces],
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                            "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                            "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                              "/proc/sysrq-trigger"],
        },
    }


def applies(rule, machine):
    """Whether an engine with ENGINE_CAPS on this machine would use a rule of the profile."""
    wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
    if not set(wanted.get("caps") or ()) <= set(ENGINE_CAPS):
        return False
    if wanted.get("arches") and machine not in wanted["arches"]:
        return False
    if set(unwanted.get("caps") or ()) & set(ENGINE_CAPS):
        return False
    return machine not in (unwanted.get("arches") or ())


def seccomp():
    """The profile as an engine writes it into config.json: the rules that apply."""
    with open(PROFILE, encoding="utf-8") as file:
        profile = json.load(file)
    machine = SECCOMP_ARCHES[platform.machine()]
    native = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}[machine]
    arches = next(row for row in profile["archMap"] if row["architecture"] == native)
    rules = []
    for rule in profile["syscalls"]:
        if not applies(rule, machine):
            continue
        kept = {key: rule[key] for key in ("names", "action", "errnoRet") if key in rule}
        if rule.get("args"):
            kept["args"] = rule["args"]
        rules.append(kept)
    return {
        "defaultAction": profile["defaultAction"],
        "defaultErrnoRet": profile.get("defaultErrnoRet", 1),
        "architectures": [native, *arches["subArchitectures"]],
        "syscalls": rules,
    }


def bind(destination, source, *options):
    return mount(destination, "bind", source, "rbind", "rprivate", *options)


def engine_config(config, directory):
    """As an engine writes it: its seccomp profile, capabilities, mounts, and much environment."""
    config["process"]["capabilities"] = capabilities(ENGINE_CAPS)
    config["process"]["env"] += [
        f"SERVICE_{n}_PORT_TCP_ADDR=tcp://10.96.{n}.1:443/with/a/path/of/some/length"
        for n in range(60)]
    config["process"]["rlimits"].append({"type": "RLIMIT_NPROC", "hard": 4096, "soft": 4096})
    config["mounts"] += [bind("/etc/hosts", f"{directory}/hosts", "rw"),
                         bind("/etc/resolv.conf", f"{directory}/resolv.conf", "rw"),
                         bind("/data", f"{directory}/volume", "rw")]
    config["linux"]["sysctl"] = {"net.ipv4.ip_unprivileged_port_start": "0"}
    config["linux"]["resources"]["devices"].append(
        {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"})
    config["linux"]["seccomp"] = seccomp()
    missing = ENGINE_CONFIG_BYTES - len(json.dumps(config))
    config["annotations"] = {
        f"org.example.note.{n}": "n" * (missing // ANNOTATIONS) for n in range(ANNOTATIONS)}


def make_rootfs(directory):
    rootfs = f"{directory}/rootfs"
    for name in ("bin", "proc", "sys", "dev", "tmp", "etc", "mnt", "data"):
        os.makedirs(f"{rootfs}/{name}", exist_ok=True)
    shutil.copy("/bin/busybox", f"{rootfs}/bin/busybox")
    for name in ("true", "sleep", "sh"):
        os.symlink("busybox", f"{rootfs}/bin/{name}")
    os.makedirs(f"{directory}/volume", exist_ok=True)
    for name in ("hosts", "resolv.conf"):
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write("127.0.0.1 localhost\n")
    return rootfs


def make(directory, view):
    """Writes the bundles below directory, for the cgroup view "v2" or "v1" (any other layout)."""
    rootfs = make_rootfs(directory)
    for name in NAMES:
        config = copy.deepcopy(default_config(rootfs, view))
        if name == "sleep":
            config["process"]["args"] = ["/bin/sleep", "1000000"]
        elif name == "engine":
            engine_config(config, directory)
        elif name.startswith("binds"):
            config["mounts"] += [bind(f"/mnt/d{n}", f"{directory}/volume", "ro", "nosuid")
                                 for n in range(int(name[len("binds"):]))]
        os.makedirs(f"{directory}/{name}", exist_ok=True)
        with open(f"{directory}/{name}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file, indent=None if name == "engine" else "\t")


if __name__ == "__main__":
    unified = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
    make(os.path.abspath(sys.argv[1]), "v2" if unified else "v1")
