"""`mounts`, the root filesystem, devices, masked and read-only paths, as seen from inside."""

import os
import re
import stat
import subprocess

import pytest

import host
from mounting import host_mount, mountinfo


# ---- bind mounts ----

def test_directory(bundle, volume):
    bundle.bind(volume, "/mnt")
    assert bundle.output("cat /mnt/file; echo back >/mnt/new") == "from outside"
    assert (volume / "new").read_text() == "back\n"


def test_file(bundle, volume):
    bundle.bind(volume / "file", "/etc/passwd")
    assert bundle.output("cat /etc/passwd") == "from outside"


def test_option_bind_needs_no_type(bundle, volume):
    bundle.config["mounts"].append(
        {"destination": "/mnt", "source": str(volume), "options": ["bind"]})
    assert bundle.output("cat /mnt/file") == "from outside"


def test_relative_source_is_below_the_bundle(bundle, volume):
    bundle.bind("volume", "/mnt")
    assert bundle.output("cat /mnt/file") == "from outside"


def test_source_may_be_a_symlink_of_the_host(bundle, volume):
    (bundle.path / "link").symlink_to(volume)
    bundle.bind(bundle.path / "link", "/mnt")
    assert bundle.output("cat /mnt/file") == "from outside"


def test_missing_directory_target_is_made(bundle, volume):
    bundle.bind(volume, "/new/deep/target")
    out = bundle.output("cat /new/deep/target/file; stat -c %a /new /new/deep")
    assert out == "from outside\n755\n755"


def test_missing_file_target_is_made(bundle, volume):
    bundle.bind(volume / "file", "/new/deep/file")
    assert bundle.output("cat /new/deep/file") == "from outside"
    made = bundle.rootfs / "new/deep/file"
    assert made.is_file() and made.stat().st_size == 0


def test_readonly(bundle, volume):
    bundle.bind(volume, "/mnt", "rbind", "ro")
    out = bundle.output("cat /mnt/file; touch /mnt/x 2>&1; true")
    assert out.startswith("from outside\n") and "Read-only" in out


def test_readonly_bind_leaves_the_host_writable(bundle, volume):
    bundle.bind(volume, "/mnt", "bind", "ro")
    bundle.output("true")
    (volume / "still").write_text("writable")


def test_plain_bind_leaves_submounts_out(bundle, volume):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub"):
        (volume / "sub/below").touch()
        bundle.bind(volume, "/a", "bind")
        bundle.bind(volume, "/b", "rbind")
        assert bundle.output("ls /a/sub; echo -; ls /b/sub") == "-\nbelow"


def test_ro_is_not_recursive_and_rro_is(bundle, volume):
    (volume / "sub").mkdir()
    with host_mount(volume / "sub"):
        bundle.bind(volume, "/a", "rbind", "ro")
        bundle.bind(volume, "/b", "rbind", "rro")
        seen = mountinfo(bundle)
    assert "ro" in seen["/a"].options and "rw" in seen["/a/sub"].options
    assert "ro" in seen["/b"].options and "ro" in seen["/b/sub"].options


@pytest.mark.parametrize("option", ["nosuid", "nodev", "noexec", "noatime", "nodiratime"])
def test_flag_of_a_bind(bundle, volume, option):
    bundle.bind(volume, "/mnt", "rbind", option)
    assert option in mountinfo(bundle)["/mnt"].options


def test_flags_of_the_source_are_kept(bundle, volume):
    with host_mount(volume, "-o", "nosuid,nodev,noexec"):
        bundle.bind(volume, "/mnt", "rbind", "ro")
        seen = mountinfo(bundle)["/mnt"].options
    assert "ro" in seen


def test_noexec_works(bundle, volume):
    (volume / "tool").write_text("#!/bin/sh\necho ran\n")
    (volume / "tool").chmod(0o755)
    bundle.bind(volume, "/a", "rbind")
    bundle.bind(volume, "/b", "rbind", "noexec")
    assert bundle.output("/a/tool; /b/tool 2>/dev/null || echo refused") == "ran\nrefused"


def test_missing_source(bundle):
    bundle.bind("/nowhere/at/all", "/mnt")
    bundle.run().fails(part="/nowhere/at/all: no such file or directory")


@pytest.mark.creel_only("1.1 takes them")
def test_bind_with_filesystem_options_is_refused(bundle, volume):
    bundle.bind(volume, "/mnt", "rbind", "size=5")
    bundle.run().fails(part="bind mounts cannot have any filesystem-specific options applied")


def test_order_is_kept(bundle, volume):
    bundle.mount("/mnt", "tmpfs", "tmpfs")
    bundle.bind(volume, "/mnt/in")
    bundle.mount("/mnt/in", "tmpfs", "tmpfs")
    assert bundle.output("ls /mnt; ls /mnt/in") == "in"


def test_two_hundred_binds(bundle, volume):
    for n in range(200):
        bundle.bind(volume, f"/mnt/{n}", "rbind", "ro")
    assert bundle.output("cat /mnt/0/file /mnt/199/file; ls /mnt | wc -l").splitlines() == [
        "from outside", "from outside", "200"]


# ---- targets that try to leave ----

@pytest.mark.parametrize("link", [
    "/etc", "../../../../../../etc", "/proc/1/root/etc", "/../../etc"])
def test_symlinked_target_stays_inside(bundle, volume, link):
    (bundle.rootfs / "trap").symlink_to(link)
    bundle.bind(volume, "/trap")
    result = bundle.run()
    assert not [m for m in host.mounts() if m.point == "/etc"]
    if result.rc == 0 and "proc" not in link:
        bundle.shell("cat /etc/file")
        assert bundle.run().ok().stdout == "from outside\n"


def test_symlinked_parent_of_a_missing_target_stays_inside(bundle, volume):
    outside = bundle.path / "outside"
    outside.mkdir()
    (bundle.rootfs / "trap").symlink_to(outside)
    bundle.bind(volume, "/trap/new")
    bundle.run()
    assert list(outside.iterdir()) == []


def test_dots_in_a_target_stay_inside(bundle, volume):
    bundle.bind(volume, "/a/../../../../b")
    assert bundle.output("cat /b/file") == "from outside"


def test_mount_over_the_root_itself_is_refused(bundle, volume):
    bundle.bind(volume, "/")
    assert bundle.run().rc == 1


def test_relative_target_is_below_the_root(bundle, volume):
    bundle.bind(volume, "mnt")
    assert "from outside" in bundle.output("cat /mnt/file")


@pytest.mark.parametrize("target", ["/proc/self/x", "/proc/sys", "/proc/irq"])
def test_target_inside_proc_is_refused(bundle, volume, target):
    bundle.bind(volume, target)
    bundle.run().fails(part="cannot be mounted because it is inside /proc")


@pytest.mark.parametrize("target, link", [("/trap", "/proc/sys"), ("/trap", "proc"),
                                          ("/trap/irq", "/proc")])
def test_link_of_the_image_into_proc_is_refused(bundle, volume, target, link):
    (bundle.rootfs / "trap").symlink_to(link)
    bundle.bind(volume, target)
    bundle.run().fails(part="cannot be mounted because it is inside /proc")


@pytest.mark.creel_only("1.1 words it otherwise")
def test_only_procfs_lies_on_proc(bundle, volume):
    bundle.bind(volume, "/proc")
    bundle.run().fails(part="cannot be mounted because it is not of type proc")


def test_file_over_an_allowed_proc_file(bundle, volume):
    bundle.bind(volume / "file", "/proc/uptime")
    assert bundle.output("cat /proc/uptime") == "from outside"


def test_proc_over_a_symlink_is_refused(bundle):
    os.rmdir(bundle.rootfs / "proc")
    (bundle.rootfs / "elsewhere").mkdir()
    (bundle.rootfs / "proc").symlink_to("elsewhere")
    assert bundle.run().rc == 1


# ---- other filesystems ----

def test_tmpfs_with_options(bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "nosuid", "noexec", "size=1m", "mode=711")
    seen = mountinfo(bundle)["/mnt"]
    assert seen.type == "tmpfs" and {"nosuid", "noexec"} <= set(seen.options)
    assert {"size=1024k", "mode=711"} <= set(seen.super_options)


def test_tmpfs_takes_the_mode_of_its_mount_point(bundle):
    (bundle.rootfs / "mnt").chmod(0o1770)
    bundle.mount("/mnt", "tmpfs", "tmpfs")
    assert bundle.output("stat -c %a /mnt") == "1770"


def test_readonly_tmpfs(bundle):
    bundle.mount("/mnt", "tmpfs", "tmpfs", "ro")
    assert "Read-only" in bundle.output("touch /mnt/x 2>&1; true")


def test_unknown_filesystem(bundle):
    bundle.mount("/mnt", "nosuchfs", "none")
    bundle.run().fails(re.compile('error mounting "none" to rootfs at "/mnt".*: no such device'))


def test_default_mounts(bundle):
    seen = mountinfo(bundle)
    wanted = {"/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs",
              "/dev/mqueue": "mqueue", "/sys": "sysfs"}
    assert {point: seen[point].type for point in wanted} == wanted
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(seen["/sys"].options)
    assert "nosuid" in seen["/dev"].options


def test_no_mount_of_the_host_is_seen(bundle):
    seen = mountinfo(bundle)
    assert seen["/"].root.endswith("/rootfs")
    assert not any(bundle.id in point for point in seen)


def test_root_can_be_left_by_nobody(bundle):
    bundle.capabilities()
    out = bundle.output("cd ..; cd /../../..; pwd; stat -c %i / /.. | uniq | wc -l")
    assert out == "/\n1"


def test_cgroup_mount_shows_the_containers_own(bundle):
    out = bundle.output("cd /sys/fs/cgroup; cat cgroup.procs */cgroup.procs 2>/dev/null | sort -u")
    assert out.split("\n")[0] == "1"
    assert len(out.split("\n")) < 5


def test_cgroup_mount_is_readonly(bundle):
    out = bundle.output("for d in $(find /sys/fs/cgroup -type d); do mkdir $d/x 2>&1; done; true")
    assert out
    assert all("Read-only" in line or "denied" in line for line in out.splitlines())


# ---- masked and read-only paths ----

def test_masked_file_is_empty_and_masked_directory_too(bundle):
    bundle.write("secret/file", "secret")
    bundle.write("secret.txt", "secret")
    bundle.linux["maskedPaths"] = ["/secret", "/secret.txt", "/nowhere"]
    assert bundle.output("ls -A /secret; cat /secret.txt; echo x >/secret.txt; touch /secret/x 2>&1"
                         "; true").count("Read-only") == 1
    assert (bundle.rootfs / "secret.txt").read_text() == "secret"


def test_default_masked_paths(bundle):
    out = bundle.output("cat /proc/keys /proc/timer_list /proc/kcore | wc -c; ls /sys/firmware")
    assert out == "0"


def test_readonly_paths(bundle):
    bundle.write("keep/file", "as it is")
    bundle.linux["readonlyPaths"] += ["/keep", "/nowhere"]
    out = bundle.output("touch /keep/x 2>&1; cat /keep/file; "
                        "(: >/proc/sys/kernel/shmmni) 2>&1; true")
    assert "as it is" in out and out.count("Read-only") == 2


def test_masked_symlink_stays_inside(bundle):
    (bundle.rootfs / "trap").symlink_to("/../../../etc/passwd")
    bundle.linux["maskedPaths"].append("/trap")
    bundle.run()
    assert not [m for m in host.mounts() if m.point == "/etc/passwd"]


def test_masked_paths_need_a_mount_namespace(bundle):
    bundle.host_namespace("mount")
    assert bundle.run().rc == 1


# ---- /dev ----

def test_default_devices(bundle):
    out = bundle.output("cd /dev; stat -c '%n %F %t:%T %a %u:%g' null zero full random urandom tty")
    numbers = {"null": "1:3", "zero": "1:5", "full": "1:7", "random": "1:8", "urandom": "1:9",
               "tty": "5:0"}
    assert out.splitlines() == [f"{name} character special file {number} 666 0:0"
                                for name, number in numbers.items()]


def test_default_links(bundle):
    out = bundle.output("cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done")
    assert out.split() == ["/proc/self/fd", "/proc/self/fd/0", "/proc/self/fd/1",
                           "/proc/self/fd/2", "pts/ptmx"]


def test_dev_holds_nothing_else(bundle):
    names = set(bundle.output("ls /dev").split())
    assert names - {"core", "console"} == {
        "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
        "tty", "urandom", "zero"}


def test_more_devices(bundle):
    bundle.linux["devices"] = [
        {"type": "c", "path": "/dev/mine", "major": 1, "minor": 3, "fileMode": 0o640,
         "uid": 7, "gid": 8},
        {"type": "b", "path": "/dev/deep/disk", "major": 7, "minor": 99},
        {"type": "p", "path": "/dev/pipe", "fileMode": 0o600},
    ]
    out = bundle.output("stat -c '%n %F %t:%T %a %u:%g' /dev/mine /dev/deep/disk /dev/pipe")
    assert out.splitlines() == ["/dev/mine character special file 1:3 640 7:8",
                                "/dev/deep/disk block special file 7:63 666 0:0",
                                "/dev/pipe fifo 0:0 600 0:0"]


def test_device_in_place_of_a_default_one(bundle):
    bundle.linux["devices"] = [
        {"type": "c", "path": "/dev/full", "major": 1, "minor": 7, "fileMode": 0o600}]
    assert bundle.output("stat -c %a /dev/full") == "600"


def test_bad_device_type(bundle):
    bundle.linux["devices"] = [{"type": "q", "path": "/dev/x", "major": 1, "minor": 3}]
    bundle.run().fails(part='invalid device type "q"')


def test_bound_dev_is_left_alone(bundle):
    (bundle.path / "dev").mkdir()
    bundle.config["mounts"] = [m for m in bundle.config["mounts"] if "/dev" not in m["destination"]]
    bundle.bind(bundle.path / "dev", "/dev")
    os.mknod(bundle.path / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    bundle.output("true")
    devices = [path.name for path in (bundle.path / "dev").iterdir() if path.is_char_device()]
    assert devices == ["null"]


def test_terminals_of_the_host_are_not_seen(bundle):
    assert bundle.output("ls /dev/pts") == "ptmx"


# ---- the root filesystem ----

@pytest.mark.parametrize("path", ["nowhere", "config.json"])
def test_bad_rootfs(bundle, path):
    bundle.config["root"]["path"] = path
    assert bundle.run().rc == 1


def test_missing_rootfs_text(bundle):
    bundle.config["root"]["path"] = "nowhere"
    message = bundle.run().fails(part="invalid rootfs: ")
    assert message.text.endswith(f"{bundle.path}/nowhere: no such file or directory")


@pytest.mark.parametrize("path", ["./rootfs", "rootfs/", "rootfs/../rootfs", "{}/./rootfs"])
def test_the_path_of_the_rootfs_may_be_written_in_any_way(bundle, path):
    bundle.config["root"]["path"] = path.format(bundle.path)
    assert bundle.output("echo in") == "in"


def test_symlinked_rootfs_is_refused(bundle):
    (bundle.path / "link").symlink_to("rootfs")
    bundle.config["root"]["path"] = "link"
    bundle.run().fails(part="invalid rootfs: not an absolute path, or a symlink")


def test_rootfs_that_is_a_mount_point(bundle):
    subprocess.run(["mount", "--bind", bundle.rootfs, bundle.rootfs], check=True)
    try:
        assert bundle.output("echo here") == "here"
    finally:
        subprocess.run(["umount", bundle.rootfs], check=True)


def test_rootfs_on_a_shared_mount(bundle):
    subprocess.run(["mount", "--bind", bundle.path, bundle.path], check=True)
    try:
        subprocess.run(["mount", "--make-rshared", bundle.path], check=True)
        assert bundle.output("echo here") == "here"
        assert len([m for m in host.mounts() if bundle.id in m.point]) == 1
    finally:
        subprocess.run(["umount", "-R", bundle.path], check=True)
