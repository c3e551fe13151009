"""Podman: what a container may not do: seccomp, AppArmor, capabilities, masks; and hooks."""

import json


STATUS = "grep -E '^(CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status"


def status_of(podman, *options):
    out = podman.run("sh", "-c", STATUS, options=options).out
    return {key: int(value, 16) for key, value in (line.split(":") for line in out.splitlines())}


def test_usual(podman):
    """The usual capabilities, the engine's filter, and what it refuses."""
    seen = status_of(podman)
    assert (seen["Seccomp"], seen["CapAmb"]) == (2, 0)
    assert seen["CapEff"] == seen["CapBnd"] == 0x800405FB
    script = "unshare -m true 2>&1; mount -t tmpfs t /mnt 2>&1; chroot / true && echo chroot"
    out = podman.run("sh", "-c", script).out
    lines = out.lower().splitlines()
    assert "not permitted" in lines[0] and "permission denied" in lines[1] and lines[2] == "chroot"


def test_capabilities(podman):
    seen = status_of(podman, "--cap-drop=all", "--cap-add=net_admin,sys_chroot")
    assert seen["CapEff"] == seen["CapBnd"] == 1 << 12 | 1 << 18
    seen = status_of(podman, "--cap-add=all", "--user=1000")
    assert seen["CapEff"] == seen["CapAmb"] != 0
    plain = status_of(podman, "--user=1000")
    assert (plain["CapEff"], plain["CapAmb"]) == (0, 0) and plain["CapBnd"]


def test_no_new_privileges(podman):
    assert status_of(podman, "--security-opt=no-new-privileges")["NoNewPrivs"] == 1
    assert status_of(podman)["NoNewPrivs"] == 0


def test_own_filter(podman):
    rules = [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95},
        {"names": ["chmod", "fchmodat"], "action": "SCMP_ACT_KILL_PROCESS"},
    ]
    profile = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": rules,
    }
    file = podman.file("profile.json", json.dumps(profile))
    options = [f"--security-opt=seccomp={file}"]
    script = "mkdir /a 2>&1; chmod 700 /tmp; echo $?"
    out = podman.run("sh", "-c", script, options=options).out
    assert "not supported" in out and out.split()[-1] == "159"
    name = podman.start(options=options)
    assert "not supported" in podman("exec", name, "mkdir", "/a", status=1).err
    assert status_of(podman, "--security-opt=seccomp=unconfined")["Seccomp"] == 0


def test_privileged(podman):
    """All that the user has, which is less where that is an ordinary one."""
    seen = status_of(podman, "--privileged")
    assert seen["Seccomp"] == 0 and seen["CapEff"] & 1 << 21
    script = "mount -t tmpfs t /mnt && echo mounted; touch /proc/sys/kernel/hostname 2>/dev/null; "
    script += "ls /dev/vda /dev/kmsg; mount | grep -c ' /sys .*[(,]ro[,)]'"
    out = podman.run("sh", "-c", script, options=["--privileged"], status=1).out.split()
    assert out == ["mounted", "/dev/kmsg", "/dev/vda", "0"] or out == [
        "mounted",
        "/dev/vda",
        "/dev/kmsg",
        "0",
    ]


def test_masks(podman):
    script = "head -c 1 /proc/kcore | wc -c; ls /proc/acpi /sys/firmware | grep -cv :; "
    script += "echo b >/proc/sysrq-trigger"
    done = podman.run("sh", "-c", script, status=1)
    assert done.out.split()[0] == "0" and "Read-only" in done.err
    out = podman.run("sh", "-c", "ls /sys/firmware", options=["--security-opt=unmask=ALL"]).out
    assert out.strip()
    options = ["--security-opt=mask=/proc/version"]
    assert podman.run("cat", "/proc/version", options=options).out == ""


def test_apparmor(rootful):
    """The engine's profile is loaded by it; it is the one that is told."""
    current = ["cat", "/proc/self/attr/current"]
    assert rootful.run(*current).out.startswith("containers-default-")
    assert (
        rootful.run(*current, options=["--security-opt=apparmor=unconfined"]).out == "unconfined\n"
    )
    name = rootful.start()
    assert rootful("exec", name, *current).out.startswith("containers-default-")
    options = ["--security-opt=apparmor=of-nobody"]
    rootful.run("true", options=options, status=None).fails(126, "of-nobody")


def test_kernel_settings(podman):
    options = ["--sysctl=net.ipv4.ip_forward=1", "--sysctl=kernel.msgmax=9000"]
    out = podman.run("sysctl", "-n", "net.ipv4.ip_forward", "kernel.msgmax", options=options).out
    assert out.split() == ["1", "9000"]


def test_init(podman):
    """A small first process reaps what nobody waits for."""
    zombies = "grep -l ') Z ' /proc/[0-9]*/stat 2>/dev/null | wc -l"
    script = f"cat /proc/1/comm; sh -c 'sleep 0.1 & exec true'; sleep 1; {zombies}"
    out = podman.run("sh", "-c", script, options=["--init"]).out.split()
    assert out[0] in ("catatonit", "podman-init") and out[1] == "0"


def hook(engine, stage, path, *args):
    """The options that have the engine see to it that a program is called at a stage."""
    program = {"path": path, "args": list(args)}
    told = {"version": "1.0.0", "hook": program, "when": {"always": True}, "stages": [stage]}
    engine.file(f"{stage}.json", json.dumps(told))
    return ["--hooks-dir", engine.where]


def test_hooks(rootful):
    """Programs of the machine, and one of the container, each at its time."""
    log = rootful.where / "log"
    outside = ["createRuntime", "createContainer", "poststart", "poststop"]
    for stage in outside:
        hook(rootful, stage, "/bin/busybox", "sh", "-c", f"cat >/dev/null; echo {stage} >>{log}")
    options = hook(rootful, "startContainer", "/bin/sh", "sh", "-c", "echo inside >/tmp/log")
    words = ["run", "--rm", "--network=none", "localhost/box", "cat", "/tmp/log"]
    assert rootful(*options, *words).out == "inside\n"
    assert log.read_text().split() == outside


def test_hook_that_fails(rootful):
    script = "echo why >&2; exit 3"
    options = hook(rootful, "createRuntime", "/bin/busybox", "sh", "-c", script)
    words = ["run", "--rm", "--network=none", "localhost/box", "true"]
    done = rootful(*options, *words, status=126)
    assert "exit status 3" in done.err and "why" in done.err
