"""
`linux.namespaces`: new ones, given ones, those of the host; user namespaces with their maps; time
offsets.
"""

import re
import subprocess
from contextlib import contextmanager

import pytest

import host
from program import wait_until

# Word of the specification → name of the file under /proc/PID/ns.
FILES = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts",
         "cgroup": "cgroup", "user": "user", "time": "time"}


def inside(bundle, **how):
    """{"net": "net:[…]", …} of the program."""
    bundle.shell('for n; do readlink /proc/self/ns/$n; done')
    bundle.process["args"] += ["sh", *host.NAMESPACES]
    links = bundle.run(**how).ok().stdout.split()
    return {link.split(":")[0]: link for link in links}


@contextmanager
def holder(*flags):
    """A process of the host in new namespaces; gives its pid."""
    with subprocess.Popen(["unshare", *flags, "sleep", "1000"]) as process:
        try:
            wait_until(lambda: open(f"/proc/{process.pid}/comm").read() == "sleep\n", "unshare")
            yield process.pid
        finally:
            process.kill()


# ---- new and the host's ----

@pytest.mark.parametrize("kind", ["pid", "network", "mount", "ipc", "uts", "cgroup"])
def test_new_one(bundle, kind):
    bundle.namespace(kind)
    assert inside(bundle)[FILES[kind]] != host.namespaces()[FILES[kind]]


@pytest.mark.parametrize("kind", ["pid", "network", "ipc", "cgroup"])
def test_one_not_listed_is_the_hosts(bundle, kind):
    bundle.host_namespace(kind)
    if kind == "network":  # sysfs can be mounted by the owner of the network namespace
        bundle.linux.pop("sysctl", None)
    assert inside(bundle)[FILES[kind]] == host.namespaces()[FILES[kind]]


def test_uts_of_the_host(bundle):
    bundle.host_namespace("uts")
    del bundle.config["hostname"]
    assert inside(bundle)["uts"] == host.namespaces()["uts"]


def test_hostname_needs_a_uts_namespace(bundle):
    bundle.host_namespace("uts")
    bundle.run().fails(part="unable to set hostname without a private UTS namespace")


def test_network_has_a_loopback_that_is_up(bundle):
    out = bundle.output("cd /sys/class/net; ls; cat lo/operstate lo/flags")
    assert out.split()[0] == "lo"
    assert int(out.split()[-1], 16) & 1


def test_all_together(bundle):
    for kind in ("cgroup", "user"):
        bundle.namespace(kind)
    bundle.user_namespace()
    seen, mine = inside(bundle), host.namespaces()
    assert [name for name in seen if seen[name] == mine[name]] == ["time"]


# ---- joined by path ----

@pytest.mark.parametrize("kind, flag", [("network", "--net"), ("ipc", "--ipc"), ("uts", "--uts"),
                                        ("cgroup", "--cgroup")])
def test_join(bundle, kind, flag):
    with holder(flag) as pid:
        if kind == "uts":
            del bundle.config["hostname"]
        bundle.namespace(kind, f"/proc/{pid}/ns/{FILES[kind]}")
        assert inside(bundle)[FILES[kind]] == host.namespaces(pid)[FILES[kind]]


def test_join_the_pid_namespace_of_a_container(bundle):
    bundle.up()
    first = bundle.pid()
    bundle.namespace("pid", f"/proc/{first}/ns/pid")
    bundle.shell("readlink /proc/self/ns/pid; cat /proc/1/comm; echo $$")
    out = bundle.run(id=bundle.id + "-b").ok().stdout.split()
    assert out[:2] == [host.namespaces(first)["pid"], "sleep"]
    assert int(out[2]) > 1
    assert bundle.status() == "running"


def test_join_many_of_a_container(bundle):
    """As the containers of one Kubernetes pod do."""
    bundle.up()
    first = bundle.pid()
    for kind in ("pid", "network", "ipc", "uts"):
        bundle.namespace(kind, f"/proc/{first}/ns/{FILES[kind]}")
    del bundle.config["hostname"]
    bundle.sleep()
    bundle.run_detached(id=bundle.id + "-b").ok()
    seen = host.namespaces(bundle.pid(bundle.id + "-b"))
    assert {k: seen[k] for k in ("pid", "net", "ipc", "uts")} == {
        k: host.namespaces(first)[k] for k in ("pid", "net", "ipc", "uts")}
    bundle.delete("-f", id=bundle.id + "-b").ok()
    assert bundle.status() == "running"


def test_join_a_user_namespace(bundle):
    bundle.user_namespace()
    bundle.up()
    first = bundle.pid()
    for kind in ("user", "network", "ipc"):
        bundle.namespace(kind, f"/proc/{first}/ns/{FILES[kind]}")
    bundle.shell("readlink /proc/self/ns/user; id -u; cat /proc/self/uid_map")
    out = bundle.run(id=bundle.id + "-b").ok().stdout.split()
    assert out == [host.namespaces(first)["user"], "0", "0", "100000", "65536"]


def test_join_the_hosts_network_from_a_user_namespace(bundle):
    """It belongs to the user namespace of the host, so it is joined before the new one is made."""
    bundle.user_namespace()
    bundle.namespace("network", "/proc/self/ns/net")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if "/sys" not in m["destination"]]
    bundle.linux["maskedPaths"].remove("/sys/firmware")
    seen = inside(bundle)
    assert seen["net"] == host.namespaces()["net"]
    assert seen["user"] != host.namespaces()["user"]


# ---- mistakes ----

@pytest.mark.creel_only("1.1 pivots in it")
def test_mounts_that_are_the_hosts_after_all(bundle):
    """The wrapper is for the case that they are changed: they are not the tests' own then."""
    bundle.namespace("mount", "/proc/self/ns/mnt")
    bundle.run(wrapper=("unshare", "--mount")).fails(
        part="a container without a mount namespace of its own is not supported",
        pointer="/linux/namespaces")


def test_path_that_does_not_exist(bundle):
    bundle.namespace("network", "/nowhere/net")
    bundle.run().fails(part="namespace path: lstat /nowhere/net: no such file or directory")


def test_path_of_another_kind(bundle):
    bundle.namespace("network", "/proc/self/ns/ipc")
    assert bundle.run().rc == 1


def test_path_that_is_no_namespace(bundle):
    bundle.namespace("ipc", "/etc/passwd")
    assert bundle.run().rc == 1


def test_duplicate(bundle):
    bundle.linux["namespaces"].append({"type": "pid"})
    bundle.run().fails(re.compile(r'malformed spec file: duplicated ns \{"?pid"? ""\}'))


def test_unknown_kind(bundle):
    bundle.linux["namespaces"].append({"type": "foo"})
    bundle.run().fails(re.compile(r'namespace \{?"foo" ?"?"?\}? does not exist'))


def test_user_namespace_without_maps(bundle):
    bundle.namespace("user")
    bundle.run().fails()


# ---- user namespaces ----

def test_maps_are_the_configured_ones(bundle):
    bundle.user_namespace(host_id=200000, size=1000)
    bundle.linux["uidMappings"] = [{"containerID": 0, "hostID": 200000, "size": 500},
                                   {"containerID": 1000, "hostID": 300000, "size": 10}]
    out = bundle.output("cat /proc/self/uid_map /proc/self/gid_map")
    assert [line.split() for line in out.splitlines()] == [
        ["0", "200000", "500"], ["1000", "300000", "10"], ["0", "200000", "1000"]]


def test_files_belong_to_the_mapped_user(bundle):
    bundle.user_namespace()
    bundle.output("touch /tmp/mine")
    assert (bundle.rootfs / "tmp/mine").stat().st_uid == 100000


def test_devices_work_in_a_user_namespace(bundle):
    bundle.user_namespace()
    out = bundle.output("echo x >/dev/null && head -c 3 /dev/zero | wc -c; ls /dev/pts")
    assert out == "3\nptmx"


@pytest.mark.creel_only("1.1 binds whatever is there")
@pytest.mark.parametrize("path, minor", [("/etc/hosts", 3), ("/dev/zero", 3)])
def test_device_in_a_user_namespace_is_what_it_is_on_the_host(bundle, path, minor):
    """Nothing else of the host gets in as a device."""
    bundle.user_namespace()
    bundle.linux["devices"] = [{"path": path, "type": "c", "major": 1, "minor": minor}]
    bundle.run().fails(part=f"create device {path}: the host has another file there",
                       pointer="/linux/devices/0")


def test_root_of_a_user_namespace_cannot_touch_the_hosts_files(bundle):
    secret = bundle.path / "secret"
    secret.write_text("of root\n")
    secret.chmod(0o600)
    bundle.user_namespace()
    bundle.capabilities()
    bundle.bind(secret, "/mnt/secret")
    assert "denied" in bundle.output("cat /mnt/secret 2>&1; true")


def test_user_inside_a_user_namespace(bundle):
    bundle.user_namespace()
    bundle.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [50]}
    assert bundle.output("id -u; id -g; id -G") == "1000\n1000\n1000 50"


@pytest.mark.parametrize("field", ["uid", "gid"])
def test_user_that_is_not_mapped(bundle, field):
    bundle.user_namespace(size=1000)
    bundle.process["user"][field] = 5000
    bundle.run().fails()
