"""The mount of type cgroup: what is seen of the container's control groups, in either layout."""

import pytest

import host
from mounting import mountinfo

TOP = "/sys/fs/cgroup"


@pytest.fixture(params=[False, True], ids=["host's namespace", "own namespace"])
def namespace(bundle, request):
    """Whether the container has a cgroup namespace."""
    bundle.host_namespace("cgroup")
    if request.param:
        bundle.namespace("cgroup")
    return request.param


@pytest.fixture(params=[False, True], ids=["root", "user namespace"])
def user(bundle, request):
    if request.param:
        bundle.user_namespace()
    return request.param


@pytest.fixture
def entry(bundle):
    """The entry of the mount; its options are those of the default configuration."""
    (found,) = [m for m in bundle.config["mounts"] if m["type"] == "cgroup"]
    return found


def only_v1():
    if host.is_cgroup_v2():
        pytest.skip("this machine has version 2 alone")


def only_v2():
    if not host.is_cgroup_v2():
        pytest.skip("this machine has version 1")


def hierarchies():
    """The names under which the host has version 1 hierarchies."""
    return {h.point.name: h for h in host.hierarchies() if h.version == 1}


# ---- version 1 ----

def test_a_tmpfs_with_every_hierarchy(bundle, namespace, user):
    only_v1()
    seen = mountinfo(bundle)
    assert seen[TOP].type == "tmpfs"
    below = {point.removeprefix(TOP + "/"): m for point, m in seen.items()
             if point.startswith(TOP + "/")}
    assert set(below) == set(hierarchies())
    assert {m.type for m in below.values()} == {"cgroup"}
    for name, mount in below.items():
        assert hierarchies()[name].controllers <= set(mount.super_options)


def test_it_shows_the_container_s_own_group(bundle, namespace, user):
    only_v1()
    bundle.shell(f"cd {TOP}; for d in *; do test -L $d || echo $d $(cat $d/cgroup.procs); done")
    lines = bundle.run().ok().stdout.splitlines()
    assert {line.split()[0] for line in lines} == set(hierarchies())
    assert all(line.split()[1] == "1" for line in lines)


def test_the_namespace_decides_what_it_is_called(bundle, namespace):
    only_v1()
    roots = {m.root for point, m in mountinfo(bundle).items() if point.startswith(TOP + "/")}
    if namespace:
        assert roots == {"/"}
    else:
        assert all(root.endswith("/" + bundle.id) for root in roots)


@pytest.mark.creel_only("1.1 leaves it writable")
def test_the_tmpfs_has_its_own_flags(bundle, entry):
    only_v1()
    entry["options"] = ["ro", "nosuid", "noexec", "nodev"]
    seen = mountinfo(bundle)
    assert {"ro", "nosuid", "noexec", "nodev"} <= set(seen[TOP].options)
    assert "mode=755" in seen[TOP].super_options


def test_controllers_that_share_a_mount_have_links(bundle):
    """cpu and cpuacct are one mount in most machines of version 1: here by another name of cpu."""
    only_v1()
    script = ("mount -t tmpfs tmpfs /mnt; mkdir /mnt/cpu,cpuacct; "
              f"mount --bind {TOP}/cpu /mnt/cpu,cpuacct; "
              f"for d in {TOP}/*; do n=${{d##*/}}; "
              "case $n in cpu|cpuacct|cpu,*|unified) continue;; esac; "
              "mkdir /mnt/$n; mount --bind $d /mnt/$n; done; "
              f'umount -R {TOP}; mount --rbind /mnt {TOP}; umount -R /mnt; exec "$@"')
    bundle.shell(f"cd {TOP}; ls -d cpu cpuacct cpu,*; readlink cpu; cat cpu/cgroup.procs | head -1")
    out = bundle.run(wrapper=["unshare", "--mount", "--propagation", "private", "sh", "-ec", script,
                              "sh"]).ok().stdout.split()
    assert out == ["cpu", "cpu,cpuacct", "cpuacct", "cpu,cpuacct", "1"]


def test_the_unified_hierarchy_of_a_hybrid_machine_is_not_there(bundle):
    only_v1()
    assert "unified" not in bundle.output(f"ls {TOP}").split()


# ---- version 2 ----

def test_one_mount(bundle, namespace, user):
    only_v2()
    seen = mountinfo(bundle)
    assert seen[TOP].type == "cgroup2"
    assert not [point for point in seen if point.startswith(TOP + "/")]


def test_its_root_is_the_container_s_or_the_host_s(bundle, namespace):
    only_v2()
    out = bundle.output(f"cd {TOP}; cat cgroup.procs | head -1; "
                        f"find . -name '*{bundle.id}*' -type d; cat /proc/self/cgroup")
    assert (bundle.id not in out) == namespace
    assert out.startswith("1\n") == namespace


MARK = f'mount -o remount,bind,noatime {TOP} && exec "$@"'


@pytest.mark.creel_only("1.1 mounts it anew")
@pytest.mark.parametrize("given", [False, True], ids=["none", "the host's by its path"])
@pytest.mark.parametrize("kind", ["cgroup", "cgroup2"])
def test_options_of_the_machine_stay(bundle, entry, kind, given):
    """
    cgroup2 has one set of options for all the machine, and whoever mounts it from outside of all
    cgroup namespaces sets them: without nsdelegate, say. So it is the machine's own mount that is
    seen then, which a mark on that tells.
    """
    only_v2()
    entry["type"] = kind
    bundle.host_namespace("cgroup")
    if given:
        bundle.namespace("cgroup", "/proc/self/ns/cgroup")
    bundle.shell("cat /proc/self/mountinfo")
    seen = host.parse_mountinfo(bundle.run(
        wrapper=("unshare", "--mount", "--propagation", "private", "sh", "-c", MARK, "sh")).ok().stdout)
    (mount,) = [m for m in seen if m.point == TOP]
    assert mount.type == "cgroup2" and "noatime" in mount.options and "ro" in mount.options


# ---- both ----

@pytest.mark.creel_only("1.1 leaves the tmpfs writable")
def test_read_only(bundle, namespace, user, entry):
    bundle.capabilities()
    assert "ro" in entry["options"]
    out = bundle.output(f"for d in $(find {TOP} -type d | head -40); do "
                        "mkdir $d/made 2>&1 && echo made $d; done; "
                        f"mount -o remount,rw {TOP} 2>/dev/null; true")
    assert "made" not in out.replace("/made", "")
    assert out


@pytest.mark.creel_only("1.1 knows no rro here")
def test_read_only_recursively_even_by_rro(bundle, namespace, entry):
    entry["options"] = ["rro"]
    flags = [m.options for point, m in mountinfo(bundle).items() if point.startswith(TOP)]
    assert flags and all("ro" in options for options in flags)


def test_writable_when_nothing_is_said(bundle, namespace, entry):
    """An init of the container's own makes groups below its own."""
    entry["options"].remove("ro")
    if host.is_cgroup_v2() and not namespace:
        where = f"$(find {TOP} -name '*{bundle.id}*' -type d | head -1)"
    else:
        where = TOP if host.is_cgroup_v2() else f"{TOP}/pids"
    script = f"d={where}; mkdir $d/made && rmdir $d/made && echo fine"
    bundle.capabilities()
    assert bundle.output(script) == "fine"


def test_somewhere_else(bundle, namespace, entry):
    entry["destination"] = "/new/groups"
    assert bundle.output("ls /new/groups | wc -l") != "0"
    assert bundle.output("ls /sys/fs/cgroup") == ""


@pytest.mark.creel_only("1.1 mounts it")
def test_not_in_procfs(bundle, entry):
    (bundle.rootfs / "trap").symlink_to("/proc/fs")
    entry["destination"] = "/trap"
    bundle.run().fails(part='"/trap" cannot be mounted because it is inside /proc',
                       pointer="/mounts/6")


def test_a_bind_of_the_host_s(bundle, volume):
    bundle.bind(TOP, "/mnt", "rbind", "rro")
    out = bundle.output("ls /mnt | wc -l; mkdir /mnt/made 2>&1; true").splitlines()
    assert int(out[0]) > 2 and "made" in out[1]
