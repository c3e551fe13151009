"""Where mounts may go, and what is told when they cannot: components, kinds, procfs and the root."""

import os

import pytest

import host
from mounting import host_mount, mountinfo



# ---- nested and out of order ----

@pytest.mark.creel_only("1.1 makes directories with another mode")
def test_nested_targets(bundle, volume):
    (volume / "in").mkdir()
    bundle.bind(volume, "/a")
    bundle.mount("/a/in", "tmpfs", "tmpfs", "mode=700")
    bundle.bind(volume / "file", "/a/in/deep/file")
    bundle.bind(volume, "/a/in/deep/dir")
    out = bundle.output("cat /a/in/deep/file /a/in/deep/dir/file; stat -c %a /a/in /a/in/deep")
    assert out == "from outside\nfrom outside\n700\n755"
    assert sorted(path.name for path in volume.iterdir()) == ["file", "in"]


def test_a_later_mount_covers_an_earlier_one_below(bundle, volume):
    bundle.bind(volume / "file", "/a/b/file")
    bundle.mount("/a", "tmpfs", "tmpfs")
    assert bundle.output("ls -A /a") == ""


def test_a_parent_that_comes_later_hides_the_child(bundle, volume):
    bundle.mount("/a/b", "tmpfs", "tmpfs")
    bundle.bind(volume, "/a")
    assert bundle.output("ls /a") == "file"


def test_the_same_target_twice(bundle, volume):
    bundle.mount("/a", "tmpfs", "tmpfs")
    bundle.bind(volume, "/a")
    assert bundle.output("ls /a; grep -c ' /a ' /proc/self/mountinfo") == "file\n2"


def test_what_one_mount_brings_the_next_may_use(bundle, volume):
    """A link that comes with a volume is followed, within the root."""
    (volume / "link").symlink_to("/elsewhere/place")
    bundle.bind(volume, "/vol")
    bundle.bind(volume / "file", "/vol/link/here")
    assert bundle.output("cat /elsewhere/place/here") == "from outside"


def test_a_link_to_nothing_at_the_end(bundle, volume):
    (bundle.rootfs / "etc/resolv.conf").symlink_to("../run/dns/resolv.conf")
    bundle.bind(volume / "file", "/etc/resolv.conf")
    assert bundle.output("cat /run/dns/resolv.conf; readlink /etc/resolv.conf") == (
        "from outside\n../run/dns/resolv.conf")


# ---- kinds ----

@pytest.mark.creel_only("1.1 says otherwise")
def test_a_directory_over_a_file(bundle, volume):
    bundle.bind(volume, "/etc/passwd")
    bundle.run().fails(part='rootfs at "/etc/passwd": open directory "/etc/passwd" in the '
                            "container's root: not a directory", pointer="/mounts/7")


@pytest.mark.creel_only("1.1 says otherwise")
def test_a_file_over_a_directory(bundle, volume):
    bundle.bind(volume / "file", "/etc")
    bundle.run().fails(part="not a directory", pointer="/mounts/7")


def test_a_file_system_over_a_file(bundle):
    bundle.mount("/etc/passwd", "tmpfs", "tmpfs")
    bundle.run().fails(part="not a directory")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.mknod(path, 0o600)])
def test_a_file_over_another_kind_of_file(bundle, volume, make):
    make(bundle.rootfs / "special")
    bundle.bind(volume / "file", "/special")
    assert bundle.output("cat /special") == "from outside"


def test_special_files_are_bound_as_they_are(bundle, volume):
    os.mkfifo(volume / "fifo")
    bundle.bind(volume / "fifo", "/new/fifo")
    bundle.bind("/dev/null", "/new/null")
    out = bundle.output("stat -c %F /new/fifo /new/null")
    assert out == "fifo\ncharacter special file"


# ---- what is missing ----

@pytest.mark.creel_only("1.1 gives no hints")
@pytest.mark.parametrize("path, hint", [
    ("{0}/no", "there is no {0}/no"), ("{0}/no/where/at/all", "there is no {0}/no"),
    ("{0}/file/x", "{0}/file is not a directory"), ("{0}/link", "there is no {0}/link"),
    ("no/such", "there is no {1}/no")])
def test_a_missing_source_is_told_by_its_first_missing_part(bundle, volume, path, hint):
    (volume / "link").symlink_to("nowhere")
    bundle.bind(path.format(volume), "/mnt")
    message = bundle.run().fails(part='error mounting "', pointer="/mounts/7")
    assert "failed to fulfil mount request: open " in message.text
    assert message.text.endswith(("no such file or directory", "not a directory"))
    assert message.hint == hint.format(volume, bundle.path)
    assert message.place


@pytest.mark.creel_only("1.1 gives no hints")
def test_a_closed_directory_above_a_source(bundle, volume):
    (volume / "closed/in").mkdir(parents=True)
    (volume / "closed").chmod(0o700)
    bundle.creel("spec", "--rootless", "-b", bundle.path).ok()
    bundle.user_namespace(host_id=65534, size=1)
    for directory, _, files in os.walk(bundle.path):
        for name in [directory, *(f"{directory}/{file}" for file in files)]:
            if not name.startswith(str(volume)):
                os.chown(name, 65534, 65534, follow_symlinks=False)
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["type"] != "devpts"]
    del bundle.linux["resources"]
    bundle.bind(volume / "closed/in", "/mnt")
    bundle.root = bundle.path / "user-state"
    bundle.root.mkdir()
    os.chown(bundle.root, 65534, 65534)
    message = bundle.run(user=65534, group=65534, extra_groups=[]).fails(part="permission denied")
    assert message.hint == f"the directory {volume}/closed is closed to the caller: chmod a+x it"


def test_a_source_may_be_bare(bundle, volume):
    """A trailing slash and doubled ones are nothing to complain about."""
    bundle.bind(f"{volume}//", "/mnt//x/")
    assert bundle.output("cat /mnt/x/file") == "from outside"


@pytest.mark.creel_only("1.1 says otherwise")
def test_a_target_that_cannot_be_made(bundle, volume):
    with host_mount(bundle.rootfs / "mnt", "-o", "ro"):
        bundle.bind(volume, "/mnt/a/b/c")
        message = bundle.run().fails(part="read-only file system", pointer="/mounts/7")
    assert '"/mnt/a' in message.text or '"mnt/a' in message.text


# ---- the root ----

@pytest.mark.parametrize("target", ["/", "//", "/.", "/a/..", "/a/../.."])
def test_over_the_root(bundle, volume, target):
    bundle.bind(volume, target)
    assert bundle.run().rc == 1


@pytest.mark.creel_only("1.1 mounts it where nobody sees it")
@pytest.mark.parametrize("link", ["/", ".", "/a/../", "../../.."])
def test_over_the_root_by_a_link(bundle, volume, link):
    (bundle.rootfs / "a").mkdir()
    (bundle.rootfs / "trap").symlink_to(link)
    bundle.bind(volume, "/trap")
    bundle.run().fails(part='"/trap" leads to the root of the container', pointer="/mounts/7")


# ---- /proc and /sys ----

@pytest.mark.creel_only("1.1 lets file systems pass")
@pytest.mark.parametrize("kind, options", [
    ("tmpfs", []), ("bind", ["rbind"]), ("cgroup", ["ro"]), ("sysfs", []), ("overlay", [])])
@pytest.mark.parametrize("target", ["/proc/fs", "/proc/../proc/irq", "//proc//irq/"])
def test_nothing_goes_below_proc(bundle, volume, kind, options, target):
    bundle.mount(target, kind, str(volume), *options)
    bundle.run().fails(part="cannot be mounted because it is inside /proc")


@pytest.mark.creel_only("1.1 mounts it")
@pytest.mark.parametrize("kind", ["cgroup", "tmpfs", "bind", "mqueue"])
@pytest.mark.parametrize("link", ["/proc/irq", "proc/../proc/fs"])
def test_nor_by_a_link(bundle, volume, kind, link):
    (bundle.rootfs / "trap").symlink_to(link)
    bundle.mount("/trap", kind, str(volume), *(["rbind"] if kind == "bind" else []))
    bundle.run().fails(part='"/trap" cannot be mounted because it is inside /proc',
                       pointer="/mounts/7")


@pytest.mark.parametrize("name", ["cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime",
                                  "loadavg"])
def test_files_that_monitoring_replaces(bundle, volume, name):
    bundle.bind(volume / "file", f"/proc/{name}", "bind", "ro")
    assert bundle.output(f"cat /proc/{name}") == "from outside"


def test_proc_of_the_host_on_proc(bundle):
    bundle.host_namespace("pid")
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if m["destination"] != "/proc"]
    bundle.bind("/proc", "/proc")
    assert bundle.output("cat /proc/self/comm") == "cat"


@pytest.mark.creel_only("1.1 words it otherwise")
@pytest.mark.parametrize("source", ["/proc/self", "/proc/sys", "/tmp"])
def test_a_part_of_it_on_proc(bundle, source):
    bundle.bind(source, "/proc")
    bundle.run().fails(part='"/proc" cannot be mounted because it is not of type proc',
                       pointer="/mounts/7")


def test_anything_goes_below_sys(bundle, volume):
    bundle.bind(volume, "/sys/kernel", "rbind", "ro")
    assert bundle.output("cat /sys/kernel/file") == "from outside"


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
@pytest.mark.parametrize("link", ["elsewhere", "/elsewhere", "/"])
def test_proc_and_sys_are_directories(bundle, kind, link):
    (bundle.rootfs / "elsewhere").mkdir()
    name = {"proc": "proc", "sysfs": "sys"}[kind]
    os.rmdir(bundle.rootfs / name)
    (bundle.rootfs / name).symlink_to(link)
    assert bundle.run().rc == 1


def test_a_second_proc_elsewhere(bundle):
    bundle.mount("/mnt/proc", "proc", "proc", "ro")
    assert bundle.output("cat /mnt/proc/self/comm") == "cat"


# ---- without pivot_root ----

def test_no_pivot(bundle, volume):
    bundle.bind(volume, "/mnt")
    assert bundle.output("pwd; cat /mnt/file; ls /", "--no-pivot").startswith(
        "/\nfrom outside\nbin")
    assert bundle.output("cd ../..; ls .. | head -1", "--no-pivot") == "bin"


@pytest.mark.creel_only("1.1 shows it")
def test_no_pivot_shows_no_whole_proc_of_the_host(bundle):
    """A user namespace inside may mount a procfs only if one is in sight that nothing covers."""
    bundle.process["user"] = {"uid": 1000, "gid": 1000}
    script = "unshare -Urpf -m mount -t proc proc /mnt 2>&1; true"
    assert "denied" in bundle.output(script)
    assert "denied" in bundle.output(script, "--no-pivot")


def test_no_pivot_leaves_the_host_as_it_is(bundle):
    before = [(m.point, m.type) for m in host.mounts() if m.type in ("proc", "sysfs")]
    bundle.output("true", "--no-pivot")
    assert [(m.point, m.type) for m in host.mounts() if m.type in ("proc", "sysfs")] == before


@pytest.mark.creel_only("1.1 fails")
def test_no_pivot_in_a_machine_whose_mounts_are_shared(bundle):
    """Neither the root nor the covers reach the host, even if the container is to be shared."""
    bundle.linux["rootfsPropagation"] = "rshared"
    script = (f"mount --bind {bundle.path} {bundle.path}; mount --make-rshared /; "
              'before=$(cut -d" " -f5 /proc/self/mountinfo); "$@" || exit; '
              'cut -d" " -f5 /proc/self/mountinfo | grep -Fxv "$before" || echo no more')
    bundle.args("echo", "inside")
    result = bundle.run("--no-pivot", wrapper=[
        "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"])
    assert result.ok().stdout == "inside\nno more\n"  # others of the machine's may go meanwhile


def test_no_pivot_in_a_user_namespace(bundle):
    bundle.user_namespace()
    assert bundle.output("id -u; ls / | head -1", "--no-pivot") == "0\nbin"


# ---- without a mount namespace ----

@pytest.mark.creel_only("1.1 mounts on the host")
def test_the_host_s_mount_namespace(bundle):
    bundle.host_namespace("mount")
    for kind in ("maskedPaths", "readonlyPaths"):
        del bundle.linux[kind]
    message = bundle.run().fails(part="without a mount namespace", pointer="/linux/namespaces")
    assert "mount" in message.hint


# ---- a great many ----

def test_long_names(bundle, volume):
    target = "/" + "/".join(["d" * 250] * 15)
    bundle.bind(volume, target)
    assert bundle.output(f"cat {target}/file") == "from outside"


def test_order_by_the_container_s_view(bundle, volume):
    for n in range(20):
        bundle.bind(volume, f"/mnt/{n:02}")
    points = [point for point in mountinfo(bundle) if point.startswith("/mnt/")]
    assert points == sorted(points) and len(points) == 20
