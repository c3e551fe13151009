"""Docker: what a container may not do, and what it may when it is told so."""

import json
import os


STATUS = "cat /proc/self/status"


def fields(text):
    """/proc/PID/status as a dictionary."""
    return {name: value.strip() for name, _, value in (l.partition(":") for l in text.splitlines())}


def test_what_is_not_asked_for(docker):
    said = docker.run("sh", "-c", f"{STATUS}; cat /proc/self/attr/current").out
    status = fields(said)
    assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == "00000000a80425fb"
    assert status["CapInh"] == status["CapAmb"] == "0000000000000000"
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "0")
    assert said.endswith("docker-default (enforce)\n")


def test_what_is_hidden(docker):
    script = """
        wc -c </proc/timer_list
        echo 1 >/proc/sys/kernel/printk; echo 1 >/proc/sysrq-trigger
        touch /sys/fs/cgroup/x; mknod /tmp/sda b 8 0 && cat /tmp/sda; true"""
    done = docker.run("sh", "-c", script)
    assert done.out == "0\n"
    assert done.err.count("Read-only file system") == 3, done
    assert "can't open '/tmp/sda': Operation not permitted" in done.err, done


def test_privileged(docker):
    script = f"{STATUS}; cat /proc/self/attr/current; mount -t tmpfs none /mnt && ls /dev/vda"
    said = docker.run("sh", "-c", script, options=["--privileged"]).out
    assert fields(said)["CapEff"] == "000001ffffffffff"
    assert fields(said)["Seccomp"] == "0"
    assert said.endswith("unconfined\n/dev/vda\n")


def test_capabilities(docker):
    options = ["--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE"]
    done = docker.run("sh", "-c", f"{STATUS}; chown ann /tmp", options=options, status=1)
    assert fields(done.out)["CapEff"] == fields(done.out)["CapBnd"] == "0000000000000400"
    assert "Operation not permitted" in done.err


def test_no_new_privileges(docker):
    options = ["--security-opt", "no-new-privileges", "--user", "ann"]
    status = fields(docker.run("sh", "-c", STATUS, options=options).out)
    assert (status["NoNewPrivs"], status["CapEff"]) == ("1", "0000000000000000")


def test_seccomp(docker, tmp_path):
    docker.run("unshare", "--user", "true", status=1).fails(1, "Operation not permitted")
    free = ["--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"]
    docker.run("unshare", "--user", "true", options=free)
    profile = tmp_path / "profile.json"
    profile.write_text(json.dumps({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}],
    }))  # fmt: skip
    own = ["--security-opt", f"seccomp={profile}"]
    docker.run("mkdir", "/new", options=own, status=1).fails(1, "No space left on device")


def test_apparmor_unconfined(docker):
    options = ["--security-opt", "apparmor=unconfined"]
    assert docker.run("cat", "/proc/self/attr/current", options=options).out == "unconfined\n"


def test_apparmor_profile_that_is_not_there(docker):
    options = ["--security-opt", "apparmor=nowhere"]
    done = docker.run("true", options=options, status=None)
    assert done.status in (125, 126, 127) and "apparmor" in done.err.lower(), done


def test_devices(docker):
    options = ["--device", "/dev/vda:/dev/disk:r"]
    script = "head -c 3 /dev/disk | wc -c; echo x >/dev/disk"
    done = docker.run("sh", "-c", script, options=options, status=1)
    assert done.out == "3\n"
    assert "Operation not permitted" in done.err, done


def test_rule_for_devices(docker):
    number = os.stat("/dev/vda").st_rdev
    major, minor = os.major(number), os.minor(number)
    script = f"mknod /tmp/disk b {major} {minor} && head -c 0 /tmp/disk && echo may"
    docker.run("sh", "-c", script, status=1).fails(1, "Operation not permitted")
    options = ["--device-cgroup-rule", f"b {major}:{minor} rm"]
    assert docker.run("sh", "-c", script, options=options).out == "may\n"
